/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the table under "nat.log". */
#include "management/config_schema_private.h"

#include "base/ip_address.h"
#include <stdio.h>
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

/* As an endpoint, and it may be on this host: 127.0.0.0/8. */
static const char *store_receiver(const char *text, void *field, size_t size, void *second)
{
	struct ip_address address;
	char head[IP_ADDRESS_TEXT];
	unsigned port;
	int end = 0;

	if (strncmp(text, "127.", 4) != 0)
		return config_format_endpoint.store(text, field, size, second);
	if (sscanf(text, "%15[0-9.]:%5u%n", head, &port, &end) != 2 || text[end] != '\0' || port < 1 ||
		port > UINT16_MAX || strchr(text, ':')[1] < '1' || strchr(text, ':')[1] > '9' ||
		ip_address_parse(head, &address) != 0)
		return CONFIG_NOT_THIS_FORMAT;
	memcpy(field, &address, sizeof(address));
	*(uint16_t *)second = (uint16_t)port;
	return NULL;
}

static bool print_receiver(const void *field, const void *second, char text[CONFIG_TEXT_MAX])
{
	const struct ip_address *address = field;

	return address->family != AF_UNSPEC && config_format_endpoint.print(field, second, text);
}

#define OCTET "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define FIRST "(22[0-3]|2[01][0-9]|1[0-9][0-9]|[1-9][0-9]|[1-9])"
#define PORT  "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"

static const struct config_format format_receiver = {
	"an IPv4 address with a UDP port such as \"198.51.100.9:4739\" or \"127.0.0.1:514\"",
	FIRST "(\\." OCTET "){3}:" PORT, store_receiver, print_receiver
};

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
		.format = &format_receiver,
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
		.format = &format_receiver,
		FIELD(config_nat_log, syslog),
		SECOND(config_nat_log, syslog_port) },
	{ NULL },
};
const struct config_object config_nat_log_object = {
	.meaning = "The log of who had which public address and ports when (docs/nat-logging.md).",
	.keys = log_keys,
};
