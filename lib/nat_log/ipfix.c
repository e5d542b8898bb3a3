/* SPDX-License-Identifier: BSD-3-Clause */
#include "nat_log/ipfix.h"
#include "nat_log/ipfix_wire.h"
#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#define FIELDS_MAX    12
#define POOL_NAME_MAX 31

enum template {
	TEMPLATE_BINDING,
	TEMPLATE_SESSION,
	TEMPLATE_BLOCK,
	TEMPLATE_QUOTA,
	TEMPLATE_PORTS,
	TEMPLATE_THRESHOLD,
	TEMPLATES
};

/* RFC 8158 section 5.6: the tables of that section, with the segment as VRF and as layer 2 segment, since inside
 * addresses of two segments may be the same. Data records have the fields in this order. */
static const struct {
	uint16_t element, length;
} template_field[TEMPLATES][FIELDS_MAX] = {
	[TEMPLATE_BINDING] = { { IPFIX_OBSERVATION_TIME_MILLISECONDS, 8 }, { IPFIX_NAT_EVENT, 1 },
		{ IPFIX_INGRESS_VRFID, 4 }, { IPFIX_LAYER2_SEGMENT_ID, 8 }, { IPFIX_PROTOCOL_IDENTIFIER, 1 },
		{ IPFIX_SOURCE_IPV4_ADDRESS, 4 }, { IPFIX_SOURCE_TRANSPORT_PORT, 2 },
		{ IPFIX_POST_NAT_SOURCE_IPV4_ADDRESS, 4 }, { IPFIX_POST_NAPT_SOURCE_TRANSPORT_PORT, 2 } },
	[TEMPLATE_SESSION] = { { IPFIX_OBSERVATION_TIME_MILLISECONDS, 8 }, { IPFIX_NAT_EVENT, 1 },
		{ IPFIX_INGRESS_VRFID, 4 }, { IPFIX_LAYER2_SEGMENT_ID, 8 }, { IPFIX_PROTOCOL_IDENTIFIER, 1 },
		{ IPFIX_SOURCE_IPV4_ADDRESS, 4 }, { IPFIX_SOURCE_TRANSPORT_PORT, 2 },
		{ IPFIX_POST_NAT_SOURCE_IPV4_ADDRESS, 4 }, { IPFIX_POST_NAPT_SOURCE_TRANSPORT_PORT, 2 },
		{ IPFIX_DESTINATION_IPV4_ADDRESS, 4 }, { IPFIX_DESTINATION_TRANSPORT_PORT, 2 } },
	[TEMPLATE_BLOCK] = { { IPFIX_OBSERVATION_TIME_MILLISECONDS, 8 }, { IPFIX_NAT_EVENT, 1 },
		{ IPFIX_INGRESS_VRFID, 4 }, { IPFIX_LAYER2_SEGMENT_ID, 8 }, { IPFIX_PROTOCOL_IDENTIFIER, 1 },
		{ IPFIX_SOURCE_IPV4_ADDRESS, 4 }, { IPFIX_POST_NAT_SOURCE_IPV4_ADDRESS, 4 },
		{ IPFIX_PORT_RANGE_START, 2 }, { IPFIX_PORT_RANGE_END, 2 } },
	[TEMPLATE_QUOTA] = { { IPFIX_OBSERVATION_TIME_MILLISECONDS, 8 }, { IPFIX_NAT_EVENT, 1 },
		{ IPFIX_INGRESS_VRFID, 4 }, { IPFIX_LAYER2_SEGMENT_ID, 8 }, { IPFIX_PROTOCOL_IDENTIFIER, 1 },
		{ IPFIX_SOURCE_IPV4_ADDRESS, 4 }, { IPFIX_NAT_QUOTA_EXCEEDED_EVENT, 4 } },
	[TEMPLATE_PORTS] = { { IPFIX_OBSERVATION_TIME_MILLISECONDS, 8 }, { IPFIX_NAT_EVENT, 1 },
		{ IPFIX_INGRESS_VRFID, 4 }, { IPFIX_LAYER2_SEGMENT_ID, 8 }, { IPFIX_PROTOCOL_IDENTIFIER, 1 },
		{ IPFIX_SOURCE_IPV4_ADDRESS, 4 } },
	[TEMPLATE_THRESHOLD] = { { IPFIX_OBSERVATION_TIME_MILLISECONDS, 8 }, { IPFIX_NAT_EVENT, 1 },
		{ IPFIX_NAT_THRESHOLD_EVENT, 4 }, { IPFIX_ADDRESS_POOL_HIGH_THRESHOLD, 4 },
		{ IPFIX_PROTOCOL_IDENTIFIER, 1 }, { IPFIX_NAT_POOL_NAME, IPFIX_VARIABLE_LENGTH } },
};

#define RECORD_MAX (8 + 1 + 4 + 8 + 1 + 4 + 2 + 4 + 2 + 4 + 2 + 1 + POOL_NAME_MAX)
#define TEMPLATES_BYTES                                                                                      \
	(sizeof(struct ipfix_set_header) + TEMPLATES * (sizeof(struct ipfix_template_header) +               \
							       FIELDS_MAX * sizeof(struct ipfix_field)))
_Static_assert(sizeof(struct ipfix_message_header) + TEMPLATES_BYTES + sizeof(struct ipfix_set_header) +
			       RECORD_MAX <=
		       IPFIX_MESSAGE_MIN,
	"all templates and a record fit the smallest message");

void ipfix_init(struct ipfix_exporter *exporter, const struct ipfix_settings *settings)
{
	*exporter = (struct ipfix_exporter){ .settings = *settings, .message_max = IPFIX_MESSAGE_MAX };
}

void ipfix_limit(struct ipfix_exporter *exporter, size_t payload)
{
	exporter->message_max =
		RTE_MIN(RTE_MAX(payload, (size_t)IPFIX_MESSAGE_MIN), (size_t)IPFIX_MESSAGE_MAX);
}

static void put(struct ipfix_exporter *exporter, uint64_t value, size_t bytes)
{
	assert(exporter->length + bytes <= sizeof(exporter->message));
	for (size_t i = bytes; i-- > 0; value >>= 8)
		exporter->message[exporter->length + i] = (uint8_t)value;
	exporter->length += bytes;
}

static void set_end(struct ipfix_exporter *exporter)
{
	struct ipfix_set_header header;

	if (exporter->set_template == 0)
		return;
	header.id = rte_cpu_to_be_16(exporter->set_template);
	header.length = rte_cpu_to_be_16((uint16_t)(exporter->length - exporter->set));
	memcpy(exporter->message + exporter->set, &header, sizeof(header));
	exporter->set_template = 0;
}

static void set_begin(struct ipfix_exporter *exporter, uint16_t template)
{
	set_end(exporter);
	exporter->set = exporter->length;
	exporter->set_template = template;
	exporter->length += sizeof(struct ipfix_set_header);
}

static void templates_put(struct ipfix_exporter *exporter)
{
	set_begin(exporter, IPFIX_SET_TEMPLATE);
	for (int t = 0; t < TEMPLATES; t++) {
		uint16_t fields = 0;

		while (fields < FIELDS_MAX && template_field[t][fields].element != 0)
			fields++;
		put(exporter, (uint64_t)(IPFIX_TEMPLATE_FIRST + t), 2);
		put(exporter, fields, 2);
		for (uint16_t f = 0; f < fields; f++) {
			put(exporter, template_field[t][f].element, 2);
			put(exporter, template_field[t][f].length, 2);
		}
	}
	exporter->templates++;
}

/* A message has its header from the beginning on; the templates come first when they are due. */
static void message_begin(struct ipfix_exporter *exporter, uint64_t now_ms)
{
	exporter->length = sizeof(struct ipfix_message_header);
	exporter->message_records = 0;
	if (now_ms >= exporter->templates_due_ms) {
		templates_put(exporter);
		exporter->templates_due_ms = now_ms + exporter->settings.template_interval_s * UINT64_C(1000);
	}
}

static void message_send(struct ipfix_exporter *exporter, uint64_t now_ms)
{
	struct ipfix_message_header header = { .version = RTE_BE16(IPFIX_VERSION),
		.length = rte_cpu_to_be_16((uint16_t)exporter->length),
		.export_time = rte_cpu_to_be_32((uint32_t)(now_ms / 1000)),
		.sequence = rte_cpu_to_be_32(exporter->sequence),
		.domain = rte_cpu_to_be_32(exporter->settings.domain) };

	set_end(exporter);
	header.length = rte_cpu_to_be_16((uint16_t)exporter->length);
	memcpy(exporter->message, &header, sizeof(header));
	exporter->sequence += exporter->message_records;
	if (exporter->settings.send(exporter->settings.argument, exporter->message, exporter->length)) {
		exporter->messages++;
		exporter->records += exporter->message_records;
	} else {
		exporter->lost += exporter->message_records;
		exporter->templates_due_ms = 0;
	}
	exporter->length = 0;
}

/* The template of a record and its natEvent; false when there is none. */
static bool record_kind(const struct nat_log_record *record, enum template *template, uint8_t *event)
{
	static const struct {
		enum template template;
		uint8_t event;
	} of[NAT_LOG_KINDS] = {
		[NAT_EVENT_BINDING_CREATED] = { TEMPLATE_BINDING, IPFIX_NAT44_BIB_CREATE },
		[NAT_EVENT_BINDING_DELETED] = { TEMPLATE_BINDING, IPFIX_NAT44_BIB_DELETE },
		[NAT_EVENT_SESSION_CREATED] = { TEMPLATE_SESSION, IPFIX_NAT44_SESSION_CREATE },
		[NAT_EVENT_SESSION_DELETED] = { TEMPLATE_SESSION, IPFIX_NAT44_SESSION_DELETE },
		[NAT_EVENT_BLOCK_TAKEN] = { TEMPLATE_BLOCK, IPFIX_NAT_PORT_BLOCK_ALLOCATION },
		[NAT_EVENT_BLOCK_RETURNED] = { TEMPLATE_BLOCK, IPFIX_NAT_PORT_BLOCK_DEALLOCATION },
		[NAT_EVENT_LIMIT] = { TEMPLATE_QUOTA, IPFIX_NAT_QUOTA_EXCEEDED },
		[NAT_LOG_POOL_MARK] = { TEMPLATE_THRESHOLD, IPFIX_NAT_THRESHOLD },
	};

	*template = of[record->kind].template;
	*event = of[record->kind].event;
	if (record->kind == NAT_EVENT_LIMIT && record->event.limit == NAT_LIMIT_POOL_PORTS) {
		*template = TEMPLATE_PORTS;
		*event = IPFIX_NAT_PORTS_EXHAUSTED;
	}
	return *event != 0 &&
	       !(record->kind == NAT_EVENT_LIMIT && record->event.limit == NAT_LIMIT_HOST_RATE) &&
	       !(record->kind == NAT_LOG_POOL_MARK && !record->above);
}

static void field_put(struct ipfix_exporter *exporter, uint16_t element, const struct nat_log_record *record,
	uint8_t nat_event)
{
	const struct nat_event *e = &record->event;
	size_t name_length;

	switch ((enum ipfix_element)element) {
	case IPFIX_OBSERVATION_TIME_MILLISECONDS:
		return put(exporter, record->time_ms, 8);
	case IPFIX_NAT_EVENT:
		return put(exporter, nat_event, 1);
	case IPFIX_INGRESS_VRFID:
		return put(exporter, record->vni, 4);
	case IPFIX_LAYER2_SEGMENT_ID:
		return put(exporter, IPFIX_LAYER2_VXLAN | record->vni, 8);
	case IPFIX_PROTOCOL_IDENTIFIER:
		return put(exporter, e->protocol, 1);
	case IPFIX_SOURCE_IPV4_ADDRESS:
		return put(exporter, rte_be_to_cpu_32(e->inside), 4);
	case IPFIX_SOURCE_TRANSPORT_PORT:
		return put(exporter, rte_be_to_cpu_16(e->inside_port), 2);
	case IPFIX_POST_NAT_SOURCE_IPV4_ADDRESS:
		return put(exporter, rte_be_to_cpu_32(e->outside), 4);
	case IPFIX_POST_NAPT_SOURCE_TRANSPORT_PORT:
	case IPFIX_PORT_RANGE_START:
		return put(exporter, rte_be_to_cpu_16(e->outside_port), 2);
	case IPFIX_PORT_RANGE_END:
		return put(exporter, rte_be_to_cpu_16(e->last_port), 2);
	case IPFIX_DESTINATION_IPV4_ADDRESS:
		return put(exporter, rte_be_to_cpu_32(e->remote), 4);
	case IPFIX_DESTINATION_TRANSPORT_PORT:
		return put(exporter, rte_be_to_cpu_16(e->remote_port), 2);
	case IPFIX_NAT_QUOTA_EXCEEDED_EVENT:
		return put(exporter,
			e->limit == NAT_LIMIT_SESSIONS ? IPFIX_QUOTA_SESSION_ENTRIES
						       : IPFIX_QUOTA_ENTRIES_PER_USER,
			4);
	case IPFIX_NAT_THRESHOLD_EVENT:
		return put(exporter, IPFIX_THRESHOLD_POOL_HIGH, 4);
	case IPFIX_ADDRESS_POOL_HIGH_THRESHOLD:
		return put(exporter, record->percent, 4);
	case IPFIX_NAT_POOL_NAME:
		name_length = strnlen(record->pool, POOL_NAME_MAX);
		put(exporter, name_length, 1);
		memcpy(exporter->message + exporter->length, record->pool, name_length);
		exporter->length += name_length;
		return;
	}
}

void ipfix_add(struct ipfix_exporter *exporter, const struct nat_log_record *record)
{
	enum template template;
	uint8_t event;

	if (!record_kind(record, &template, &event))
		return;
	if (exporter->length + sizeof(struct ipfix_set_header) + RECORD_MAX > exporter->message_max)
		message_send(exporter, record->time_ms);
	if (exporter->length == 0)
		message_begin(exporter, record->time_ms);
	uint16_t id = (uint16_t)(IPFIX_TEMPLATE_FIRST + template);
	if (exporter->set_template != id)
		set_begin(exporter, id);
	for (int f = 0; f < FIELDS_MAX && template_field[template][f].element != 0; f++)
		field_put(exporter, template_field[template][f].element, record, event);
	exporter->message_records++;
}

void ipfix_flush(struct ipfix_exporter *exporter, uint64_t now_ms)
{
	if (exporter->length == 0 && now_ms >= exporter->templates_due_ms)
		message_begin(exporter, now_ms);
	if (exporter->length > 0)
		message_send(exporter, now_ms);
}
