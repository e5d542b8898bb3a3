/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions, bindings and pools. Sessions and dynamic bindings are known to their owner lcores alone: each is asked in
 * turn, and looks at a few records a loop, so that packets do not wait. */
#include "management/telemetry_private.h"

#include "base/clock.h"
#include "nat_log/nat_log.h"
#include "stage/lcore_command.h"
#include "table/nat.h"
#include <errno.h>
#include <netinet/in.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORDS_A_LOOP    32  /* that an owner looks at between two rounds of packets */
#define COMMAND_MS        100 /* a command takes so long at most: a busy lcore has few loops in it */
#define VIEWS_A_COMMAND   32
#define ROWS_WORTH_ASKING 8
#define SESSION_ROW_BYTES 640
#define BINDING_ROW_BYTES 360
/* A reply ends after this long, full or not, and names the cursor to go on by: nobody waits in silence for a search
 * through millions of sessions that finds few. */
#define REPLY_TIME_NS     (500 * NS_PER_MS)

enum record_kind { RECORD_SESSIONS, RECORD_BINDINGS };

struct owner_query { /* written by the owner lcore while the command runs */
	enum record_kind kind;
	struct nat_filter filter;
	uint32_t cursor;
	uint32_t max, found;
	uint64_t end_cycles; /* time stamp counter */
	union {
		struct nat_session_view session[VIEWS_A_COMMAND];
		struct nat_binding_view binding[VIEWS_A_COMMAND];
	};
};

static bool owner_query_step(struct lcore_context *context, void *argument)
{
	struct owner_query *query = argument;
	uint32_t room = query->max - query->found;

	if (query->kind == RECORD_SESSIONS)
		query->found += nat_owner_sessions(context->nat, &query->cursor, &query->filter,
			query->session + query->found, room, RECORDS_A_LOOP, context->tick);
	else
		query->found += nat_owner_bindings(context->nat, &query->cursor, &query->filter,
			query->binding + query->found, room, RECORDS_A_LOOP, context->tick);
	return query->cursor == UINT32_MAX || query->found == query->max || rte_rdtsc() >= query->end_cycles;
}

/* A cursor into the records of all owners: the position among the packet lcores, and the owner's own cursor. The
 * rules of static bindings and forwards come first, as position 0. */
static uint64_t cursor_make(uint32_t position, uint32_t within)
{
	return (uint64_t)position << 32 | within;
}

static struct nat_filter filter_make(const struct telemetry_parameters *asked)
{
	return (struct nat_filter){
		.segment = asked->given & TELEMETRY_SEGMENT ? asked->segment : -1,
		.protocol = asked->protocol,
		.inside = asked->inside.address,
		.outside = asked->outside.address,
		.remote = asked->remote.address,
		.inside_port = asked->inside.port,
		.outside_port = asked->outside.port,
		.remote_port = asked->remote.port,
	};
}

static void object_protocol(struct telemetry_object *row, uint8_t protocol)
{
	char number[8];

	switch (protocol) {
	case IPPROTO_TCP:
		object_string(row, "protocol", "tcp");
		break;
	case IPPROTO_UDP:
		object_string(row, "protocol", "udp");
		break;
	case IPPROTO_ICMP:
		object_string(row, "protocol", "icmp");
		break;
	case 0:
		object_string(row, "protocol", "any");
		break;
	default:
		snprintf(number, sizeof(number), "%u", protocol);
		object_string(row, "protocol", number);
	}
}

static void session_row(const struct data_plane *plane, const struct nat_session_view *view, unsigned lcore,
	struct telemetry_object *row)
{
	object_start(row);
	object_string(row, "segment", interface_name(plane, interface_of_segment(view->segment)));
	object_protocol(row, view->protocol);
	object_endpoint(row, "inside", view->inside, view->inside_port);
	object_endpoint(row, "outside", view->outside, view->outside_port);
	object_endpoint(row, "remote", view->remote, view->remote_port);
	object_string(row, "state", view->state);
	object_string(row, "kind", view->kind);
	object_u64(row, "idle_s", view->idle_s);
	object_u64(row, "expires_in_s", view->expires_in_s);
	object_u64(row, "packets", view->packets_up + view->packets_down);
	object_u64(row, "bytes", view->bytes_up + view->bytes_down);
	object_u64(row, "packets_up", view->packets_up);
	object_u64(row, "packets_down", view->packets_down);
	object_u64(row, "bytes_up", view->bytes_up);
	object_u64(row, "bytes_down", view->bytes_down);
	object_u64(row, "lcore", lcore);
}

static void binding_row(
	const struct data_plane *plane, const struct nat_binding_view *view, struct telemetry_object *row)
{
	object_start(row);
	object_string(row, "segment", interface_name(plane, interface_of_segment(view->segment)));
	object_protocol(row, view->protocol);
	object_endpoint(row, "inside", view->inside, view->inside_port);
	object_endpoint(row, "outside", view->outside, view->outside_port);
	object_string(row, "kind", view->kind);
}

static bool port_wanted(
	const struct telemetry_parameters *asked, uint16_t inside, uint16_t outside, uint16_t remote)
{
	return !(asked->given & TELEMETRY_PORT) || asked->port == inside || asked->port == outside ||
	       asked->port == remote;
}

static void query_rows(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	const struct owner_query *query, unsigned lcore, struct telemetry_reply *reply)
{
	struct telemetry_object row;

	for (uint32_t i = 0; i < query->found; i++) {
		if (query->kind == RECORD_SESSIONS) {
			const struct nat_session_view *s = &query->session[i];
			if (!port_wanted(asked, s->inside_port, s->outside_port, s->remote_port))
				continue;
			session_row(sources->plane, s, lcore, &row);
		} else {
			const struct nat_binding_view *b = &query->binding[i];
			if (!port_wanted(asked, b->inside_port, b->outside_port, b->outside_port))
				continue;
			binding_row(sources->plane, b, &row);
			object_u64(&row, "sessions", b->sessions);
			object_u64(&row, "lcore", lcore);
		}
		reply_row(reply, &row);
	}
}

/* Asks the owner at `context` until its records end, the reply is full or the time is over. 1: go on with the next
 * owner; 0: the reply is done and names where to go on; or -errno. */
static int owner_rows(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct lcore_context *context, struct owner_query *query, uint64_t end_ns,
	struct telemetry_reply *reply)
{
	size_t row_bytes = query->kind == RECORD_SESSIONS ? SESSION_ROW_BYTES : BINDING_ROW_BYTES;
	struct lcore_command command = { .step = owner_query_step, .argument = query };

	while (query->cursor != UINT32_MAX) {
		uint32_t room = reply_room(reply, row_bytes);

		if (room == 0 || clock_now_ns() > end_ns)
			return 0;
		/* Asking costs a wake-up of the lcore: not for the last few rows of a page. */
		if (room < ROWS_WORTH_ASKING && room < reply->limit - reply->count)
			return 0;
		query->max = RTE_MIN(room, (uint32_t)VIEWS_A_COMMAND);
		query->found = 0;
		query->end_cycles = rte_rdtsc() + rte_get_tsc_hz() / 1000 * COMMAND_MS;
		int rc = lcore_command_run(context, &command);
		if (rc != 0)
			return rc;
		query_rows(sources, asked, query, context->lcore, reply);
	}
	return 1;
}

/* From the owner of the cursor on; position 1 is the first packet lcore. */
static int owners_rows(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	enum record_kind kind, uint64_t cursor, struct telemetry_reply *reply, unsigned *silent)
{
	struct owner_query *query = malloc(sizeof(*query));
	uint64_t end_ns = clock_now_ns() + REPLY_TIME_NS;
	int rc = 1;

	if (query == NULL)
		return -ENOMEM;
	*query = (struct owner_query){
		.kind = kind, .filter = filter_make(asked), .cursor = (uint32_t)cursor
	};
	for (uint64_t position = RTE_MAX(cursor >> 32, 1u); position <= sources->path->count && rc == 1;
		position++) {
		struct lcore_context *context = sources->path->context[position - 1];

		if (context->nat == NULL)
			continue;
		rc = owner_rows(sources, asked, context, query, end_ns, reply);
		*silent = context->lcore;
		if (rc <= 0)
			reply->next = cursor_make((uint32_t)position, query->cursor);
		query->cursor = 0;
	}
	free(query);
	return rc < 0 ? rc : 0;
}

/* What was found before a lcore did not answer is told; the next request, which begins at that lcore, hears why there
 * is no more. */
static int owners_reply(int rc, unsigned lcore, struct telemetry_reply *reply, const char *name)
{
	if (rc == 0 || reply->count > 0)
		return reply_end(reply, name);
	reply_discard(reply);
	if (rc == -ENOMEM)
		return rc;
	return reply_error(reply->data, "lcore %u did not answer in time", lcore);
}

int sessions_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	struct telemetry_reply reply;
	unsigned lcore = 0;

	reply_start(&reply, data, asked->count);
	uint64_t cursor = asked->cursor == 0 ? cursor_make(1, 0) : asked->cursor;
	int rc = owners_rows(sources, asked, RECORD_SESSIONS, cursor, &reply, &lcore);
	return owners_reply(rc, lcore, &reply, "sessions");
}

static bool rule_wanted(const struct telemetry_parameters *asked, const struct nat_binding_view *view)
{
	/* A rule for all protocols or ports is one for the one that was asked for. */
	if (!segment_wanted(asked, view->segment))
		return false;
	if (asked->protocol != 0 && view->protocol != 0 && asked->protocol != view->protocol)
		return false;
	if (asked->inside.address != 0 && asked->inside.address != view->inside)
		return false;
	if (asked->outside.address != 0 && asked->outside.address != view->outside)
		return false;
	if (asked->inside.port != 0 && view->inside_port != 0 && asked->inside.port != view->inside_port)
		return false;
	if (asked->outside.port != 0 && view->outside_port != 0 && asked->outside.port != view->outside_port)
		return false;
	return view->inside_port == 0 ||
	       port_wanted(asked, view->inside_port, view->outside_port, view->outside_port);
}

static void rule_row(const struct telemetry_sources *sources, const struct nat_binding_view *view,
	struct telemetry_object *row)
{
	binding_row(sources->plane, view, row);
	/* A static binding has all sessions of its host; those of a forward are not counted apart. */
	if (view->protocol == 0)
		object_u64(
			row, "sessions", nat_host_sessions(sources->plane->nat, view->segment, view->inside));
	for (uint16_t i = 0; i < sources->path->count; i++) {
		const struct lcore_context *context = sources->path->context[i];

		if (context->nat != NULL && context->owner_index == view->owner)
			object_u64(row, "lcore", context->lcore);
	}
}

/* The rules from the `skip`-th on; false when the reply is full. */
static bool rule_rows(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	uint32_t skip, struct telemetry_reply *reply)
{
	struct nat_binding_view view;

	for (uint32_t i = skip; i < nat_rule_bindings(sources->plane->nat, &view, 1, i); i++) {
		struct telemetry_object row;

		if (!rule_wanted(asked, &view))
			continue;
		if (reply_room(reply, BINDING_ROW_BYTES) == 0) {
			reply->next = cursor_make(0, i);
			return false;
		}
		rule_row(sources, &view, &row);
		reply_row(reply, &row);
	}
	return true;
}

int bindings_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	struct telemetry_reply reply;
	uint64_t cursor = asked->cursor;
	unsigned lcore = 0;

	reply_start(&reply, data, asked->count);
	if (cursor >> 32 == 0) {
		if (!rule_rows(sources, asked, (uint32_t)cursor, &reply))
			return reply_end(&reply, "bindings");
		cursor = cursor_make(1, 0);
	}
	int rc = owners_rows(sources, asked, RECORD_BINDINGS, cursor, &reply, &lcore);
	return owners_reply(rc, lcore, &reply, "bindings");
}

static void pool_row(const struct nat_pool_view *pool, struct telemetry_object *row)
{
	object_start(row);
	object_string(row, "name", pool->name);
	object_u64(row, "addresses", pool->addresses);
	object_u64(row, "ports", pool->ports);
	object_u64(row, "used_tcp", pool->used[0]);
	object_u64(row, "used_udp", pool->used[1]);
	object_u64(row, "used_icmp", pool->used[2]);
}

int nat_pools_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	uint32_t max = sources->config->nat.pool_count;
	struct nat_pool_view *pools = calloc(RTE_MAX(max, 1u), sizeof(*pools));
	struct telemetry_reply reply;

	if (pools == NULL)
		return -ENOMEM;
	uint32_t count = RTE_MIN(nat_pools(sources->plane->nat, pools, max), max);
	reply_start(&reply, data, asked->count);
	for (uint64_t i = asked->cursor; i < count; i++) {
		struct telemetry_object row;

		if (reply_room(&reply, 300) == 0) {
			reply.next = i;
			break;
		}
		pool_row(&pools[i], &row);
		reply_row(&reply, &row);
	}
	free(pools);
	return reply_end(&reply, "nat_pools");
}

int nat_log_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	struct nat_log_counters counters = { 0 };
	struct telemetry_object object;

	(void)asked;
	if (sources->nat_log != NULL)
		counters = nat_log_counters(sources->nat_log);
	object_start_in(&object, data);
	object_u64(&object, "configured", sources->config->nat.log.present);
	object_u64(&object, "events", counters.events);
	object_u64(&object, "queue_lost", counters.queue_lost);
	object_u64(&object, "json_lines", counters.json_lines);
	object_u64(&object, "json_bytes", counters.json_bytes);
	object_u64(&object, "json_lost", counters.json_lost);
	object_u64(&object, "syslog_messages", counters.syslog_messages);
	object_u64(&object, "syslog_lost", counters.syslog_lost);
	object_u64(&object, "ipfix_messages", counters.ipfix_messages);
	object_u64(&object, "ipfix_records", counters.ipfix_records);
	object_u64(&object, "ipfix_templates", counters.ipfix_templates);
	object_u64(&object, "ipfix_lost", counters.ipfix_lost);
	return 0;
}
