/* SPDX-License-Identifier: BSD-3-Clause */
#include "nat_log/event_text.h"
#include "base/ip_address.h"
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define SYSLOG_LOCAL0  (16 * 8)
#define SYSLOG_WARNING 4
#define SYSLOG_INFO    6

struct text {
	char *at;
	size_t length;
};

/* What does not fit is left out; EVENT_TEXT_MAX is enough for all that names of 31 bytes can make. */
static void __attribute__((format(printf, 2, 3))) add(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int n = vsnprintf(text->at + text->length, EVENT_TEXT_MAX - text->length, format, arguments);
	va_end(arguments);
	if (n > 0)
		text->length = RTE_MIN(text->length + (size_t)n, (size_t)EVENT_TEXT_MAX - 1);
}

const char *event_time_text(uint64_t time_ms, char text[TIME_TEXT])
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	size_t length = strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + length, TIME_TEXT - length, ".%03uZ", (unsigned)(time_ms % 1000));
	return text;
}

static const char *kind_name(const struct nat_log_record *record)
{
	switch (record->kind) {
	case NAT_LOG_POOL_MARK:
		return record->above ? "pool-above" : "pool-below";
	case NAT_LOG_STARTED:
		return "log-started";
	case NAT_LOG_STOPPED:
		return "log-stopped";
	default:
		return nat_event_name[record->kind];
	}
}

static void protocol_add(struct text *text, uint8_t protocol)
{
	switch (protocol) {
	case 0:
		return add(text, ",\"protocol\":\"any\"");
	case IPPROTO_TCP:
		return add(text, ",\"protocol\":\"tcp\"");
	case IPPROTO_UDP:
		return add(text, ",\"protocol\":\"udp\"");
	case IPPROTO_ICMP:
		return add(text, ",\"protocol\":\"icmp\"");
	default:
		return add(text, ",\"protocol\":\"%u\"", protocol);
	}
}

static void endpoint_add(struct text *text, const char *name, rte_be32_t address, rte_be16_t port)
{
	char number[IP_ADDRESS_TEXT];

	add(text, ",\"%s\":{\"address\":\"%s\",\"port\":%u}", name, ipv4_text(address, number),
		rte_be_to_cpu_16(port));
}

static void event_add(struct text *text, const struct nat_log_record *record)
{
	const struct nat_event *e = &record->event;
	char inside[IP_ADDRESS_TEXT], outside[IP_ADDRESS_TEXT];

	add(text, ",\"segment\":\"%s\",\"vni\":%u", record->segment, record->vni);
	protocol_add(text, e->protocol);
	switch ((enum nat_event_type)record->kind) {
	case NAT_EVENT_BLOCK_TAKEN:
	case NAT_EVENT_BLOCK_RETURNED:
		add(text,
			",\"inside\":{\"address\":\"%s\"},\"outside\":{\"address\":\"%s\",\"first_port\":%u,"
			"\"last_port\":%u}",
			ipv4_text(e->inside, inside), ipv4_text(e->outside, outside),
			rte_be_to_cpu_16(e->outside_port), rte_be_to_cpu_16(e->last_port));
		break;
	case NAT_EVENT_LIMIT:
		add(text, ",\"inside\":{\"address\":\"%s\"},\"limit\":\"%s\"", ipv4_text(e->inside, inside),
			nat_limit_name[e->limit]);
		break;
	default:
		endpoint_add(text, "inside", e->inside, e->inside_port);
		endpoint_add(text, "outside", e->outside, e->outside_port);
		if (record->kind == NAT_EVENT_SESSION_CREATED || record->kind == NAT_EVENT_SESSION_DELETED)
			endpoint_add(text, "remote", e->remote, e->remote_port);
	}
}

size_t event_json(const struct nat_log_record *record, char out[EVENT_TEXT_MAX])
{
	struct text text = { .at = out };
	char time[TIME_TEXT];

	add(&text, "{\"time\":\"%s\",\"event\":\"%s\"", event_time_text(record->time_ms, time),
		kind_name(record));
	if (record->kind < NAT_EVENT_TYPES) {
		event_add(&text, record);
	} else if (record->kind == NAT_LOG_POOL_MARK) {
		add(&text, ",\"pool\":\"%s\"", record->pool);
		protocol_add(&text, record->event.protocol);
		add(&text, ",\"percent\":%u,\"used\":%" PRIu64 ",\"ports\":%" PRIu64, record->percent,
			record->used, record->ports);
	}
	add(&text, "}");
	return text.length;
}

size_t event_syslog(const struct nat_log_record *record, const char *host, char out[SYSLOG_MAX])
{
	bool warning =
		record->kind == NAT_EVENT_LIMIT || (record->kind == NAT_LOG_POOL_MARK && record->above);
	char time[TIME_TEXT], json[EVENT_TEXT_MAX];

	event_json(record, json);
	int n = snprintf(out, SYSLOG_MAX, "<%d>1 %s %s vxgate %d %s - %s",
		SYSLOG_LOCAL0 + (warning ? SYSLOG_WARNING : SYSLOG_INFO),
		event_time_text(record->time_ms, time), host, (int)getpid(), kind_name(record), json);
	return n < 0 ? 0 : RTE_MIN((size_t)n, (size_t)SYSLOG_MAX - 1);
}
