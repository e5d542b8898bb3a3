/* SPDX-License-Identifier: BSD-3-Clause */
/* What the log of NAT writes: messages of IPFIX as a collector reads them, lines of JSON and syslog, marks of pools. */
#include "nat_log/event_text.h"
#include "nat_log/ipfix.h"
#include "nat_log/ipfix_wire.h"
#include "nat_log/pool_watch.h"
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

TestSuite(nat_log, .timeout = 60);

#define IP(a, b, c, d) RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

enum { TEMPLATES_MAX = 16, FIELDS_MAX = 16, RECORDS_MAX = 4096 };

/* A collector that knows nothing but RFC 7011: it learns templates, and reads records by them. */
struct field {
	uint16_t element, length;
};
struct collector {
	bool refuses;
	uint32_t messages, refused, templates, sequence, domain;
	bool out_of_sequence;
	size_t longest;
	struct {
		uint16_t fields;
		struct field field[FIELDS_MAX];
	} template[TEMPLATES_MAX];
	uint32_t records;
	struct {
		uint16_t template;
		uint64_t value[FIELDS_MAX];
		char text[64];
	} record[RECORDS_MAX];
};

static uint64_t number_at(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

static void read_templates(struct collector *collector, const uint8_t *at, const uint8_t *end)
{
	collector->templates++;
	while (end - at >= 4) {
		uint64_t id = number_at(at, 2), fields = number_at(at + 2, 2);

		at += 4;
		cr_assert(id >= 256 && id - 256 < TEMPLATES_MAX && fields <= FIELDS_MAX);
		collector->template[id - 256].fields = (uint16_t)fields;
		for (uint64_t f = 0; f < fields; f++, at += 4)
			collector->template[id - 256].field[f] =
				(struct field){ (uint16_t)number_at(at, 2), (uint16_t)number_at(at + 2, 2) };
	}
	cr_assert_eq(at, end);
}

static void read_records(struct collector *collector, uint16_t id, const uint8_t *at, const uint8_t *end)
{
	cr_assert(id >= 256 && collector->template[id - 256].fields > 0, "data of an unknown template");
	while (at < end) {
		cr_assert_lt(collector->records, RECORDS_MAX);
		collector->record[collector->records].template = id;
		for (uint16_t f = 0; f < collector->template[id - 256].fields; f++) {
			uint16_t length = collector->template[id - 256].field[f].length;

			if (length == IPFIX_VARIABLE_LENGTH) {
				length = *at++;
				memcpy(collector->record[collector->records].text, at, length);
			} else {
				collector->record[collector->records].value[f] = number_at(at, length);
			}
			at += length;
		}
		collector->records++;
	}
	cr_assert_eq(at, end);
}

static bool collector_take(void *argument, const void *data, size_t length)
{
	struct collector *collector = argument;
	const uint8_t *at = data, *end = at + length;
	uint32_t before = collector->records;

	cr_assert_eq(number_at(at, 2), 10, "version");
	cr_assert_eq(number_at(at + 2, 2), length);
	if (collector->refuses) {
		collector->refused++;
		return false;
	}
	collector->out_of_sequence |= number_at(at + 8, 4) != collector->sequence;
	collector->domain = (uint32_t)number_at(at + 12, 4);
	if (length > collector->longest)
		collector->longest = length;
	for (at += 16; at < end;) {
		uint16_t id = (uint16_t)number_at(at, 2), size = (uint16_t)number_at(at + 2, 2);

		cr_assert(size >= 4 && at + size <= end, "a set of %u bytes", size);
		if (id == IPFIX_SET_TEMPLATE)
			read_templates(collector, at + 4, at + size);
		else
			read_records(collector, id, at + 4, at + size);
		at += size;
	}
	collector->sequence = (uint32_t)number_at((const uint8_t *)data + 8, 4) + collector->records - before;
	collector->messages++;
	return true;
}

static uint64_t value_of(const struct collector *collector, uint32_t record, uint16_t element)
{
	uint16_t id = collector->record[record].template;

	for (uint16_t f = 0; f < collector->template[id - 256].fields; f++)
		if (collector->template[id - 256].field[f].element == element)
			return collector->record[record].value[f];
	cr_assert_fail("record %u has no element %u", record, element);
	return 0;
}

static const struct nat_log_record binding = { .kind = NAT_EVENT_BINDING_CREATED,
	.time_ms = UINT64_C(1700000000123),
	.event = { .inside = IP(10, 0, 1, 11),
		.outside = IP(203, 0, 113, 10),
		.inside_port = RTE_BE16(40000),
		.outside_port = RTE_BE16(1025),
		.protocol = IPPROTO_TCP },
	.segment = "web",
	.vni = 5001 };

static struct ipfix_exporter exporter;
static struct collector collector;

static void setup(void)
{
	ipfix_init(&exporter, &(struct ipfix_settings){ .domain = 7,
				      .template_interval_s = 60,
				      .send = collector_take,
				      .argument = &collector });
}

TestSuite(nat_log_ipfix, .timeout = 60, .init = setup);

/* Conforms: RFC 8158 section 5.6. */
Test(nat_log_ipfix, a_collector_reads_who_had_which_public_endpoint_and_when)
{
	ipfix_add(&exporter, &binding);
	cr_assert_eq(collector.messages, 0, "gathered until it is flushed");
	ipfix_flush(&exporter, binding.time_ms);
	cr_assert_eq(collector.records, 1);
	cr_assert_eq(collector.domain, 7);
	cr_assert_eq(value_of(&collector, 0, IPFIX_NAT_EVENT), 8, "NAT44 BIB create");
	cr_assert_eq(value_of(&collector, 0, IPFIX_OBSERVATION_TIME_MILLISECONDS), binding.time_ms);
	cr_assert_eq(value_of(&collector, 0, IPFIX_SOURCE_IPV4_ADDRESS), 0x0a00010b);
	cr_assert_eq(value_of(&collector, 0, IPFIX_SOURCE_TRANSPORT_PORT), 40000);
	cr_assert_eq(value_of(&collector, 0, IPFIX_POST_NAT_SOURCE_IPV4_ADDRESS), 0xcb00710a);
	cr_assert_eq(value_of(&collector, 0, IPFIX_POST_NAPT_SOURCE_TRANSPORT_PORT), 1025);
	cr_assert_eq(value_of(&collector, 0, IPFIX_PROTOCOL_IDENTIFIER), IPPROTO_TCP);
	cr_assert_eq(value_of(&collector, 0, IPFIX_INGRESS_VRFID), 5001);
	cr_assert_eq(value_of(&collector, 0, IPFIX_LAYER2_SEGMENT_ID), UINT64_C(0x0100000000001389));
}

/* Conforms: RFC 8158 section 5.3. */
Test(nat_log_ipfix, each_kind_of_event_has_its_registered_number)
{
	static const struct {
		uint8_t kind, limit;
		uint64_t event;
	} cases[] = {
		{ NAT_EVENT_BINDING_CREATED, 0, 8 },
		{ NAT_EVENT_BINDING_DELETED, 0, 9 },
		{ NAT_EVENT_SESSION_CREATED, 0, 4 },
		{ NAT_EVENT_SESSION_DELETED, 0, 5 },
		{ NAT_EVENT_BLOCK_TAKEN, 0, 16 },
		{ NAT_EVENT_BLOCK_RETURNED, 0, 17 },
		{ NAT_EVENT_LIMIT, NAT_LIMIT_POOL_PORTS, 12 },
		{ NAT_EVENT_LIMIT, NAT_LIMIT_HOST_SESSIONS, 13 },
		{ NAT_LOG_POOL_MARK, 0, 18 },
	};
	struct nat_log_record record = binding;

	record.pool = "public";
	record.above = true;
	record.event.last_port = RTE_BE16(1088);
	record.event.remote = IP(198, 51, 100, 7);
	for (uint32_t i = 0; i < RTE_DIM(cases); i++) {
		record.kind = cases[i].kind;
		record.event.limit = cases[i].limit;
		ipfix_add(&exporter, &record);
	}
	ipfix_flush(&exporter, record.time_ms);
	cr_assert_eq(collector.records, RTE_DIM(cases));
	for (uint32_t i = 0; i < RTE_DIM(cases); i++)
		cr_assert_eq(value_of(&collector, i, IPFIX_NAT_EVENT), cases[i].event, "case %u", i);
	cr_assert_eq(value_of(&collector, 2, IPFIX_DESTINATION_IPV4_ADDRESS), 0xc6336407);
	cr_assert_eq(value_of(&collector, 4, IPFIX_PORT_RANGE_START), 1025);
	cr_assert_eq(value_of(&collector, 4, IPFIX_PORT_RANGE_END), 1088);
	cr_assert_eq(value_of(&collector, 7, IPFIX_NAT_QUOTA_EXCEEDED_EVENT), 3, "entries per user");
	cr_assert_str_eq(collector.record[8].text, "public");
}

/* Conforms: RFC 7011 section 10.3.3. */
Test(nat_log_ipfix, messages_fit_the_path_and_count_on)
{
	ipfix_limit(&exporter, 600);
	for (uint32_t i = 0; i < 500; i++)
		ipfix_add(&exporter, &binding);
	ipfix_flush(&exporter, binding.time_ms);
	cr_assert_eq(collector.records, 500);
	cr_assert_leq(collector.longest, 600);
	cr_assert_gt(collector.longest, 500, "full messages");
	cr_assert(!collector.out_of_sequence);
	cr_assert_eq(exporter.records, 500);
	ipfix_limit(&exporter, 10);
	for (uint32_t i = 0; i < 100; i++)
		ipfix_add(&exporter, &binding);
	ipfix_flush(&exporter, binding.time_ms);
	cr_assert_eq(collector.records, 600, "a path that can carry next to nothing is not believed");
}

/* Conforms: RFC 7011 section 8.1. */
Test(nat_log_ipfix, templates_come_first_and_again_after_each_interval_with_or_without_records)
{
	ipfix_flush(&exporter, 1000000);
	cr_assert_eq(collector.templates, 1, "a collector learns them before there is anything to tell");
	ipfix_flush(&exporter, 1030000);
	cr_assert_eq(collector.messages, 1);
	ipfix_flush(&exporter, 1060000);
	cr_assert_eq(collector.templates, 2);
}

Test(nat_log_ipfix, a_collector_that_was_away_sees_what_it_missed_and_gets_the_templates_again)
{
	ipfix_add(&exporter, &binding);
	ipfix_flush(&exporter, binding.time_ms);
	collector.refuses = true;
	for (int i = 0; i < 3; i++)
		ipfix_add(&exporter, &binding);
	ipfix_flush(&exporter, binding.time_ms);
	cr_assert_eq(exporter.lost, 3);
	collector = (struct collector){ .sequence = 4 };
	ipfix_add(&exporter, &binding);
	ipfix_flush(&exporter, binding.time_ms);
	cr_assert_eq(collector.templates, 1);
	cr_assert_eq(collector.records, 1);
	cr_assert(!collector.out_of_sequence, "three records are missing by the count");
}

Test(nat_log, lines_are_what_programs_and_people_read)
{
	struct nat_log_record record = binding;
	char text[EVENT_TEXT_MAX], message[SYSLOG_MAX];

	event_json(&record, text);
	cr_assert_str_eq(text, "{\"time\":\"2023-11-14T22:13:20.123Z\",\"event\":\"binding-created\","
			       "\"segment\":\"web\",\"vni\":5001,"
			       "\"protocol\":\"tcp\",\"inside\":{\"address\":\"10.0.1.11\",\"port\":40000},"
			       "\"outside\":{\"address\":\"203.0.113.10\",\"port\":1025}}");
	event_syslog(&record, "gate1", message);
	cr_assert_eq(strncmp(message, "<134>1 2023-11-14T22:13:20.123Z gate1 vxgate ", 45), 0, "%s", message);
	cr_assert_not_null(strstr(message, " binding-created - {\"time\""));
	record.kind = NAT_EVENT_BLOCK_TAKEN;
	record.event.last_port = RTE_BE16(1088);
	record.event.protocol = 0;
	event_json(&record, text);
	cr_assert_not_null(strstr(text, "\"protocol\":\"any\""));
	cr_assert_not_null(strstr(text, "\"first_port\":1025,\"last_port\":1088"));
	record.kind = NAT_EVENT_LIMIT;
	record.event.limit = NAT_LIMIT_HOST_PORTS;
	event_syslog(&record, "gate1", message);
	cr_assert_eq(strncmp(message, "<132>1 ", 7), 0, "a warning");
	cr_assert_not_null(strstr(message, "\"limit\":\"host-ports\""));
}

Test(nat_log, a_pool_that_fills_up_is_told_at_80_and_95_percent_and_once_each)
{
	struct pool_watch watch = { 0 };
	uint32_t percent = 0, told = 0;
	bool above = false;

	for (uint64_t used = 0; used <= 1000; used++)
		while (pool_watch_look(&watch, 1, used, 1000, &percent, &above)) {
			cr_assert(above);
			cr_assert_eq(used, told++ == 0 ? 800u : 950u);
			cr_assert_eq(percent, used / 10);
		}
	cr_assert_eq(told, 2);
	for (int i = 0; i < 10; i++) /* hovers at the mark */
		cr_assert(!pool_watch_look(&watch, 1, i % 2 ? 949 : 951, 1000, &percent, &above));
	cr_assert(pool_watch_look(&watch, 1, 0, 1000, &percent, &above) && !above && percent == 95);
	cr_assert(pool_watch_look(&watch, 1, 0, 1000, &percent, &above) && !above && percent == 80);
	cr_assert(!pool_watch_look(&watch, 1, 0, 1000, &percent, &above));
	cr_assert(!pool_watch_look(&watch, 0, 0, 0, &percent, &above), "a pool without ports is not full");
	cr_assert(pool_watch_look(&watch, 2, 5000, 1000, &percent, &above) && percent == 80);
	cr_assert(pool_watch_look(&watch, 2, 5000, 1000, &percent, &above) && percent == 95);
}
