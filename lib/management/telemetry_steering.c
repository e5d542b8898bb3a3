/* SPDX-License-Identifier: BSD-3-Clause */
/* How each port brings packets to the lcores that own them, and how many packets were handed over all the same. */
#include "management/telemetry_private.h"

#include "management/steering.h"
#include <stdio.h>

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
	object_string(row, "why", port->why);
	object_owners(row, sources, port);
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
		if (reply_room(&reply, 1800) == 0) {
			reply.next = i;
			break;
		}
		steering_row(sources, (uint16_t)i, &row);
		reply_row(&reply, &row);
	}
	return reply_end(&reply, "steering");
}
