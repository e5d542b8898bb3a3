/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside hosts, what they have of what they may have, and what they were refused. */
#include "management/telemetry_private.h"

#include "base/clock.h"
#include "table/nat_host_view.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define HOST_ROW_BYTES  480
#define LIMIT_ROW_BYTES 640
#define HOSTS_A_LOOK    8
#define PLACES_A_LOOK   1024 /* between two looks at the clock */
#define REPLY_TIME_NS   (500 * NS_PER_MS)

/* "refused_pool_ports" */
static void refused_members(struct telemetry_object *row, enum nat_limit limit, uint64_t count)
{
	char name[32];

	snprintf(name, sizeof(name), "refused_%s", nat_limit_name[limit]);
	for (char *at = name; *at != '\0'; at++)
		*at = *at == '-' ? '_' : *at;
	object_u64(row, name, count);
}

static void limit_members(struct telemetry_object *row, const struct nat_limits *limits)
{
	object_u64(row, "limit_ports", limits->ports);
	object_u64(row, "limit_sessions", limits->sessions);
	object_u64(row, "limit_new_sessions_per_second", limits->new_sessions_a_second);
}

static void host_row(const struct telemetry_sources *sources, const struct nat_host_view *host,
	unsigned lcore, struct telemetry_object *row)
{
	const struct config_nat *nat = &sources->config->nat;
	bool pooled = host->pool < nat->pool_count;
	struct nat_limits limits = { 0 };

	if (pooled)
		limits = (struct nat_limits){ .ports = nat->pool[host->pool].limits.ports,
			.sessions = nat->pool[host->pool].limits.sessions,
			.new_sessions_a_second = nat->pool[host->pool].limits.new_sessions_per_second };
	object_start(row);
	object_string(row, "segment", interface_name(sources->plane, interface_of_segment(host->segment)));
	object_ipv4(row, "inside", host->inside);
	object_ipv4(row, "outside", host->outside);
	object_string(row, "pool", pooled ? nat->pool[host->pool].name : "");
	object_u64(row, "sessions", host->sessions);
	if (host->counted) {
		object_u64(row, "ports", host->ports);
		object_u64(row, "blocks", host->blocks);
	}
	for (int limit = 0; limit < NAT_LIMITS; limit++)
		refused_members(row, (enum nat_limit)limit, host->refused[limit]);
	limit_members(row, &limits);
	object_u64(row, "lcore", lcore);
}

/* From the owner of the cursor on, as sessions are (telemetry_nat.c); false: the reply is full, or its time over. */
static bool owner_hosts(const struct telemetry_sources *sources, const struct lcore_context *context,
	const struct nat_filter *filter, uint32_t *cursor, uint64_t end_ns, struct telemetry_reply *reply)
{
	struct nat_host_view host[HOSTS_A_LOOK];

	while (*cursor != UINT32_MAX) {
		uint32_t room = reply_room(reply, HOST_ROW_BYTES);

		if (room < HOSTS_A_LOOK || clock_now_ns() > end_ns)
			return false;
		uint32_t found =
			nat_owner_hosts(context->nat, cursor, filter, host, HOSTS_A_LOOK, PLACES_A_LOOK);
		for (uint32_t i = 0; i < found; i++) {
			struct telemetry_object row;

			host_row(sources, &host[i], context->lcore, &row);
			reply_row(reply, &row);
		}
	}
	return true;
}

int nat_hosts_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	uint64_t end_ns = clock_now_ns() + REPLY_TIME_NS;
	struct nat_filter filter = telemetry_nat_filter(asked);
	uint32_t within = (uint32_t)asked->cursor;
	struct telemetry_reply reply;
	bool more = true;

	reply_start(&reply, data, 0);
	for (uint64_t position = RTE_MAX(asked->cursor >> 32, 1u); position <= sources->path->count && more;
		position++) {
		const struct lcore_context *context = sources->path->context[position - 1];

		if (context->nat != NULL)
			more = owner_hosts(sources, context, &filter, &within, end_ns, &reply);
		if (!more)
			reply.next = position << 32 | within;
		within = 0;
	}
	return reply_end(&reply, "nat_hosts");
}

static void limits_row(const struct nat_limits_view *view, struct telemetry_object *row)
{
	object_start(row);
	object_string(row, "pool", view->pool);
	limit_members(row, &view->limits);
	object_u64(row, "hosts", view->hosts);
	object_u64(row, "hosts_near_ports", view->near_ports);
	object_u64(row, "hosts_at_ports", view->at_ports);
	object_u64(row, "hosts_near_sessions", view->near_sessions);
	object_u64(row, "hosts_at_sessions", view->at_sessions);
	for (int limit = 0; limit < NAT_LIMITS; limit++)
		refused_members(row, (enum nat_limit)limit, view->refused[limit]);
}

int nat_limits_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	uint32_t max = sources->config->nat.pool_count;
	struct nat_limits_view *view = calloc(RTE_MAX(max, 1u), sizeof(*view));
	struct telemetry_reply reply;

	if (view == NULL)
		return -ENOMEM;
	uint32_t count = RTE_MIN(nat_limits_look(sources->plane->nat, view, max), max);
	reply_start(&reply, data, asked->count);
	for (uint64_t i = asked->cursor; i < count; i++) {
		struct telemetry_object row;

		if (reply_room(&reply, LIMIT_ROW_BYTES) == 0) {
			reply.next = i;
			break;
		}
		limits_row(&view[i], &row);
		reply_row(&reply, &row);
	}
	free(view);
	return reply_end(&reply, "nat_limits");
}
