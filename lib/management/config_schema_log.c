/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the table under "nat.log". */
#include "management/config_schema_private.h"

#include <string.h>

static const char *store_path(const char *text, void *field, size_t size, void *second)
{
	size_t length = strlen(text);

	(void)second;
	if (length == 0 || length >= size || (text[0] != '/' && strcmp(text, "-") != 0))
		return CONFIG_NOT_THIS_FORMAT;
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return CONFIG_NOT_THIS_FORMAT;
	memcpy(field, text, length + 1);
	return NULL;
}

static bool print_path(const void *field, const void *second, char text[CONFIG_TEXT_MAX])
{
	(void)second;
	strcpy(text, field);
	return text[0] != '\0';
}

static const struct config_format format_path = {
	"a path such as \"/var/log/vxgate/nat.json\", or \"-\" for standard output", "(-|/[ -~]{0,254})",
	store_path, print_path
};

static const struct config_word event_words[] = { { "bindings", CONFIG_LOG_BINDINGS },
	{ "blocks", CONFIG_LOG_BLOCKS }, { "sessions", CONFIG_LOG_SESSIONS }, { NULL } };

static const struct config_key ipfix_keys[] = {
	{ .name = "collector",
		.meaning = "The address and UDP port of the collector.",
		.type = CONFIG_TEXT,
		.format = &config_format_endpoint,
		.required = true,
		FIELD(config_nat_log, collector),
		SECOND(config_nat_log, collector_port) },
	{ .name = "source",
		.meaning = "The host's own address to send from.",
		.type = CONFIG_TEXT,
		.format = &config_format_host,
		.computed = "as the host chooses",
		FIELD(config_nat_log, source) },
	{ .name = "domain",
		.meaning = "The observation domain, by which the collector tells gateways apart.",
		.type = CONFIG_INTEGER,
		RANGE(0, UINT32_MAX),
		.fallback = "1",
		FIELD(config_nat_log, domain) },
	{ .name = "template_interval",
		.meaning = "How often the templates are sent again, for a collector that has started since.",
		.type = CONFIG_INTEGER,
		RANGE(1, 3600),
		.unit = "seconds",
		.fallback = "60",
		FIELD(config_nat_log, template_interval) },
	{ NULL },
};
static const struct config_object ipfix_object = {
	.meaning = "Export by IPFIX (RFC 7011) over UDP, with the information elements of RFC 8158.",
	.keys = ipfix_keys,
};

static const struct config_key log_keys[] = {
	{ .name = "events",
		.meaning = "What is logged. `bindings`: each dynamic binding that comes or goes. `blocks`: "
			   "each port "
			   "block that a host gets or gives back. `sessions`: each session, with the remote "
			   "end. Limits "
			   "that are reached and pools that get full are always logged.",
		.type = CONFIG_WORD_SET,
		.words = event_words,
		.fallback = "[\"bindings\", \"blocks\"]",
		FIELD(config_nat_log, events) },
	{ .name = "ipfix",
		.meaning = "Where to send it by IPFIX.",
		.type = CONFIG_OBJECT,
		.object = &ipfix_object,
		SAME_STRUCTURE },
	{ .name = "json",
		.meaning = "The file that it is written to, a JSON object a line. SIGHUP opens it anew.",
		.type = CONFIG_TEXT,
		.format = &format_path,
		FIELD(config_nat_log, json) },
	{ .name = "syslog",
		.meaning = "The address and UDP port of a syslog server (RFC 5424, 5426).",
		.type = CONFIG_TEXT,
		.format = &config_format_endpoint,
		FIELD(config_nat_log, syslog),
		SECOND(config_nat_log, syslog_port) },
	{ NULL },
};
const struct config_object config_nat_log_object = {
	.meaning = "The log of who had which public address and ports when (docs/nat-logging.md).",
	.keys = log_keys,
};
