/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions and bindings, read as they are while their owner lcores go on (table/nat_view.c): as rows for
 * programs. A row is four dictionaries of DPDK's, at 50 KB each to allocate and to clear; a million of them would take most
 * of a minute: vxgatectl makes rows of short lines (telemetry_nat_lines.c). */
#include "management/telemetry_private.h"

#include "management/telemetry_nat_query.h"
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_A_LOOK    4096 /* between two looks at the clock */
#define SESSION_ROW_BYTES 640
#define BINDING_ROW_BYTES 360

void nat_query_look(const struct lcore_context *context, struct owner_query *query)
{
	if (query->kind == RECORD_SESSIONS)
		query->found = nat_owner_sessions(context->nat, &query->cursor, &query->filter,
			query->session, query->max, RECORDS_A_LOOK, recent(context->tick));
	else
		query->found = nat_owner_bindings(context->nat, &query->cursor, &query->filter,
			query->binding, query->max, RECORDS_A_LOOK, recent(context->tick));
}

struct nat_filter telemetry_nat_filter(const struct telemetry_parameters *asked)
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
		.port = asked->port,
		.state = asked->state,
		.kind = asked->kind,
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

static void query_rows(const struct telemetry_sources *sources, const struct owner_query *query,
	unsigned lcore, struct telemetry_reply *reply)
{
	struct telemetry_object row;

	for (uint32_t i = 0; i < query->found; i++) {
		if (query->kind == RECORD_SESSIONS) {
			session_row(sources->plane, &query->session[i], lcore, &row);
		} else {
			const struct nat_binding_view *b = &query->binding[i];
			binding_row(sources->plane, b, &row);
			object_u64(&row, "sessions", b->sessions);
			object_u64(&row, "lcore", lcore);
		}
		reply_row(reply, &row);
	}
}

/* Reads what the owner at `context` has until its records end, the reply is full or the time is over; false: the reply is
 * done and names where to go on. */
static bool owner_rows(const struct telemetry_sources *sources, const struct lcore_context *context,
	struct owner_query *query, uint64_t end_ns, struct telemetry_reply *reply)
{
	size_t row_bytes = query->kind == RECORD_SESSIONS ? SESSION_ROW_BYTES : BINDING_ROW_BYTES;

	while (query->cursor != UINT32_MAX) {
		uint32_t room = reply_room(reply, row_bytes);

		if (room == 0 || clock_now_ns() > end_ns)
			return false;
		query->max = RTE_MIN(room, (uint32_t)NAT_VIEWS_A_LOOK);
		nat_query_look(context, query);
		query_rows(sources, query, context->lcore, reply);
	}
	return true;
}

/* From the owner of the cursor on; position 1 is the first packet lcore. */
static int owners_rows(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	enum record_kind kind, uint64_t cursor, struct telemetry_reply *reply)
{
	struct owner_query *query = malloc(sizeof(*query));
	uint64_t end_ns = clock_now_ns() + NAT_REPLY_TIME_NS;
	bool more = true;

	if (query == NULL)
		return -ENOMEM;
	*query = (struct owner_query){
		.kind = kind, .filter = telemetry_nat_filter(asked), .cursor = (uint32_t)cursor
	};
	for (uint64_t position = RTE_MAX(cursor >> 32, 1u); position <= sources->path->count && more;
		position++) {
		const struct lcore_context *context = sources->path->context[position - 1];

		if (context->nat == NULL)
			continue;
		more = owner_rows(sources, context, query, end_ns, reply);
		if (!more)
			reply->next = nat_cursor((uint32_t)position, query->cursor);
		query->cursor = 0;
	}
	free(query);
	return 0;
}

int sessions_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	struct telemetry_reply reply;

	reply_start(&reply, data, asked->count);
	uint64_t cursor = asked->cursor == 0 ? nat_cursor(1, 0) : asked->cursor;
	int rc = owners_rows(sources, asked, RECORD_SESSIONS, cursor, &reply);
	if (rc == 0)
		return reply_end(&reply, "sessions");
	reply_discard(&reply);
	return rc;
}

bool nat_rule_wanted(const struct telemetry_parameters *asked, const struct nat_binding_view *view)
{
	if (asked->kind != NULL && strcmp(asked->kind, view->kind) != 0)
		return false;
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
	return view->inside_port == 0 || asked->port == 0 || asked->port == view->inside_port ||
	       asked->port == view->outside_port;
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

		if (!nat_rule_wanted(asked, &view))
			continue;
		if (reply_room(reply, BINDING_ROW_BYTES) == 0) {
			reply->next = nat_cursor(0, i);
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

	reply_start(&reply, data, asked->count);
	if (cursor >> 32 == 0) {
		if (!rule_rows(sources, asked, (uint32_t)cursor, &reply))
			return reply_end(&reply, "bindings");
		cursor = nat_cursor(1, 0);
	}
	int rc = owners_rows(sources, asked, RECORD_BINDINGS, cursor, &reply);
	if (rc == 0)
		return reply_end(&reply, "bindings");
	reply_discard(&reply);
	return rc;
}
