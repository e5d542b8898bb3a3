/* SPDX-License-Identifier: BSD-3-Clause */
/* How each port brings packets to the lcores that own them, and how many packets were handed over all the same. */
#include "management/telemetry_private.h"

#include "management/steering.h"
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
