/* SPDX-License-Identifier: BSD-3-Clause */
/* How each port brings packets to the lcores that own them, and how many packets were handed over all the same. */
#include "management/telemetry_private.h"

#include "base/ip_address.h"
#include "management/steering.h"
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

/* "0 > lcore 1 > owner 0": the queue that leads to an owner, and by which lcore. */
static void object_owners(struct telemetry_object *row, const struct telemetry_sources *sources,
	const struct steering_port *port)
{
	struct telemetry_list owners;
	char text[64];

	list_start(&owners);
	for (uint16_t i = 0; i < sources->path->count && port->method != STEERING_NONE; i++) {
		const struct lcore_context *context = sources->path->context[i];

		if (context->nat == NULL || context->owner_index >= NAT_OWNER_MAX)
			continue;
		snprintf(text, sizeof(text), "%u>%u>%u", port->queue[context->owner_index], context->lcore,
			context->owner_index);
		list_string(&owners, text);
	}
	object_list(row, "queue_lcore_owner", &owners);
}

/* "0:12": so many rules lead to the queue. */
static void object_rules(struct telemetry_object *row, const struct telemetry_sources *sources, uint16_t at)
{
	const struct steering *steering = sources->steering;
	const struct steering_port *port = &steering->port[at];
	struct port_steering_rule *rules = calloc(STEERING_RULES_MAX, sizeof(*rules));
	uint32_t count = rules != NULL && port->method == STEERING_RULES
				 ? steering_rules(steering, sources->config, at, rules)
				 : 0;
	struct telemetry_list queues;
	char text[32];

	list_start(&queues);
	for (uint16_t owner = 0; owner < steering->owners && count > 0; owner++) {
		uint32_t its = 0;

		for (uint32_t i = 0; i < count && i < STEERING_RULES_MAX; i++)
			its += rules[i].queue == port->queue[owner];
		snprintf(text, sizeof(text), "%u:%u", port->queue[owner], its);
		list_string(&queues, text);
	}
	object_list(row, "queue_rules", &queues);
	free(rules);
}

static void steering_row(const struct telemetry_sources *sources, uint16_t at, struct telemetry_object *row)
{
	const struct steering_port *port = &sources->steering->port[at];

	object_start(row);
	object_string(row, "name", port->name);
	object_string(row, "from",
		port->inside && port->outside ? "both"
		: port->inside                ? "inside"
					      : "outside");
	object_string(row, "steering", steering_method_name[port->method]);
	object_u64(row, "rules", port->rules);
	object_rules(row, sources, at);
	object_u64(row, "block", steering_block(sources->steering, port));
	object_string(row, "why", port->why);
	object_owners(row, sources, port);
	object_string(row, "note", steering_note(sources->steering, port));
}

int steering_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	uint16_t count = sources->steering == NULL ? 0 : sources->steering->port_count;
	struct telemetry_reply reply;

	reply_start(&reply, data, asked->count);
	for (uint64_t i = asked->cursor; i < count; i++) {
		struct telemetry_object row;

		if (asked->given & TELEMETRY_INTERFACE && asked->interface != i)
			continue;
		if (reply_room(&reply, 2900) == 0) {
			reply.next = i;
			break;
		}
		steering_row(sources, (uint16_t)i, &row);
		reply_row(&reply, &row);
	}
	return reply_end(&reply, "steering");
}

/* ---- rules ---- */

/* "203.0.113.10/31" tcp, from port 512 on 512 of each 2048: what comes to the queue, and so to the lcore. */
static void rule_row(const struct telemetry_sources *sources, const struct steering_port *port,
	const struct port_steering_rule *rule, struct telemetry_object *row)
{
	uint32_t mask = rte_be_to_cpu_16(rule->port_mask), in_a_row = mask == 0 ? 65536 : mask & -mask;
	char address[IP_ADDRESS_TEXT], prefix[IP_PREFIX_TEXT];

	snprintf(prefix, sizeof(prefix), "%s/%d", ipv4_text(rule->address, address),
		__builtin_popcount(rule->address_mask));
	object_start(row);
	object_string(row, "port", port->name);
	object_string(row, "addresses", prefix);
	object_string(row, "protocol",
		rule->protocol == IPPROTO_TCP   ? "tcp"
		: rule->protocol == IPPROTO_UDP ? "udp"
						: "any");
	object_u64(row, "from_port", rte_be_to_cpu_16(rule->port));
	object_u64(row, "ports", in_a_row);
	object_u64(row, "of_each", mask == 0 ? 65536 : mask + in_a_row);
	object_u64(row, "queue", rule->queue);
	for (uint16_t i = 0; i < sources->path->count; i++) {
		const struct lcore_context *context = sources->path->context[i];

		if (context->nat != NULL && port->queue[context->owner_index] == rule->queue)
			object_u64(row, "lcore", context->lcore);
	}
	object_string(row, "note", steering_note(sources->steering, port));
}

/* From rule `from` of the port on. False: the reply is full, and `reply->next` set. */
static bool rules_of_port(const struct telemetry_sources *sources, uint16_t at, uint32_t from,
	struct port_steering_rule *rules, struct telemetry_reply *reply)
{
	const struct steering_port *port = &sources->steering->port[at];
	uint32_t count = port->method == STEERING_RULES
				 ? steering_rules(sources->steering, sources->config, at, rules)
				 : 0;

	for (uint32_t i = from; i < count && i < STEERING_RULES_MAX; i++) {
		struct telemetry_object row;

		if (reply_room(reply, 360) == 0) {
			reply->next = (uint64_t)at << 32 | i;
			return false;
		}
		rule_row(sources, port, &rules[i], &row);
		reply_row(reply, &row);
	}
	return true;
}

/* The cursor is a port and a rule of it. */
int steering_rules_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	uint16_t count = sources->steering == NULL ? 0 : sources->steering->port_count;
	struct port_steering_rule *rules = calloc(STEERING_RULES_MAX, sizeof(*rules));
	uint32_t from = (uint32_t)asked->cursor;
	struct telemetry_reply reply;

	if (rules == NULL)
		return reply_error(data, "no memory");
	reply_start(&reply, data, asked->count);
	for (uint64_t i = asked->cursor >> 32; i < count; i++, from = 0) {
		if (asked->given & TELEMETRY_INTERFACE && asked->interface != i)
			continue;
		if (!rules_of_port(sources, (uint16_t)i, from, rules, &reply))
			break;
	}
	free(rules);
	return reply_end(&reply, "steering_rules");
}
