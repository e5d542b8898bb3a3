/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions and bindings as short lines for vxgatectl, as many a reply as surely fit: a million of them in a few seconds. So
 * they are written by hand; printf takes several times as long. */
#include "management/telemetry_private.h"

#include "base/clock.h"
#include "management/telemetry_nat_query.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES  (RTE_TEL_MAX_STRING_LEN - 1 + 3) /* with its quotes and comma */
#define LINES_BYTES (16 * 1024 - 256)                /* of a reply, see telemetry_reply.c */
#define LINE_BUFFER 256                              /* whatever the counters say */
#define LINES_MOST  RTE_TEL_MAX_ARRAY_ENTRIES

struct lines {
	struct rte_tel_data *data;
	uint32_t count, bytes;
};

/* How many more surely fit. */
static uint32_t lines_room(const struct lines *lines)
{
	return RTE_MIN((LINES_BYTES - lines->bytes) / LINE_BYTES, LINES_MOST - lines->count);
}

static void line_add(struct lines *lines, const char *line, const char *end)
{
	rte_tel_data_add_array_string(lines->data, line);
	lines->bytes += (uint32_t)(end - line) + 3;
	lines->count++;
}

/* The number in hexadecimal digits, and a blank. */
static char *hex_add(char *at, uint64_t number)
{
	unsigned digits = number == 0 ? 1 : (unsigned)(67 - __builtin_clzll(number)) / 4;

	for (unsigned digit = digits; digit-- > 0; number >>= 4)
		at[digit] = "0123456789abcdef"[number & 15];
	at[digits] = ' ';
	return at + digits + 1;
}

static char *word_add(char *at, const char *word)
{
	at = stpcpy(at, word);
	*at = ' ';
	return at + 1;
}

static char *endpoint_add(char *at, rte_be32_t address, uint16_t port)
{
	return hex_add(hex_add(at, rte_be_to_cpu_32(address)), port);
}

static void session_line(
	const struct nat_session_view *view, uint32_t vni, unsigned lcore, struct lines *lines)
{
	char line[LINE_BUFFER], *at = hex_add(hex_add(line, vni), view->protocol);

	at = endpoint_add(at, view->inside, view->inside_port);
	at = endpoint_add(at, view->outside, view->outside_port);
	at = endpoint_add(at, view->remote, view->remote_port);
	at = word_add(at, view->state);
	*at++ = view->kind[0];
	*at++ = ' ';
	at = hex_add(hex_add(at, view->idle_s), view->expires_in_s);
	at = hex_add(hex_add(at, view->packets_up), view->packets_down);
	at = hex_add(hex_add(at, view->bytes_up), view->bytes_down);
	at = hex_add(at, lcore);
	*--at = '\0';
	line_add(lines, line, at);
}

static void binding_line(
	const struct nat_binding_view *view, uint32_t vni, unsigned lcore, struct lines *lines)
{
	char line[LINE_BUFFER], *at = hex_add(hex_add(line, vni), view->protocol);

	at = endpoint_add(at, view->inside, view->inside_port);
	at = endpoint_add(at, view->outside, view->outside_port);
	*at++ = view->kind[0];
	*at++ = ' ';
	at = hex_add(hex_add(at, view->sessions), lcore);
	*--at = '\0';
	line_add(lines, line, at);
}

/* Adds the lines of what was found. */
static void query_lines(const struct telemetry_sources *sources, const struct owner_query *query,
	unsigned lcore, struct lines *lines)
{
	const struct segment *segment = sources->plane->segments->segment;

	for (uint32_t i = 0; i < query->found; i++) {
		if (query->kind == RECORD_SESSIONS)
			session_line(
				&query->session[i], segment[query->session[i].segment].vni, lcore, lines);
		else
			binding_line(
				&query->binding[i], segment[query->binding[i].segment].vni, lcore, lines);
	}
}

static unsigned lcore_of_owner(const struct packet_path *path, uint16_t owner)
{
	for (uint16_t i = 0; i < path->count; i++)
		if (path->context[i]->nat != NULL && path->context[i]->owner_index == owner)
			return path->context[i]->lcore;
	return 0;
}

/* The rules from the `skip`-th on; where to go on when there is no room, or 0. */
static uint64_t rule_lines(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	uint32_t skip, struct lines *lines)
{
	const struct nat *nat = sources->plane->nat;
	struct nat_binding_view view;

	for (uint32_t i = skip; i < nat_rule_bindings(nat, &view, 1, i); i++) {
		if (!nat_rule_wanted(asked, &view))
			continue;
		if (lines_room(lines) == 0)
			return nat_cursor(0, i);
		if (view.protocol == 0)
			view.sessions = nat_host_sessions(nat, view.segment, view.inside);
		binding_line(&view, sources->plane->segments->segment[view.segment].vni,
			lcore_of_owner(sources->path, view.owner), lines);
	}
	return 0;
}

/* Those of the owners from `cursor` on; where to go on, or 0. */
static uint64_t owner_lines(const struct telemetry_sources *sources, struct owner_query *query,
	uint64_t cursor, struct lines *lines)
{
	uint64_t end_ns = clock_now_ns() + NAT_REPLY_TIME_NS;

	query->cursor = (uint32_t)cursor;
	for (uint64_t position = cursor >> 32; position <= sources->path->count; position++) {
		const struct lcore_context *context = sources->path->context[position - 1];

		while (context->nat != NULL && query->cursor != UINT32_MAX) {
			uint32_t room = lines_room(lines);

			if (room == 0 || clock_now_ns() > end_ns)
				return nat_cursor((uint32_t)position, query->cursor);
			query->max = RTE_MIN(room, (uint32_t)NAT_VIEWS_A_LOOK);
			nat_query_look(context, query);
			query_lines(sources, query, context->lcore, lines);
		}
		query->cursor = 0;
	}
	return 0;
}

static int lines_reply(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	enum record_kind kind, struct rte_tel_data *data)
{
	struct lines lines = { .data = rte_tel_data_alloc() };
	struct owner_query *query = malloc(sizeof(*query));
	uint64_t cursor = asked->cursor, next = 0;

	if (lines.data == NULL || query == NULL) {
		free(query);
		rte_tel_data_free(lines.data);
		return -ENOMEM;
	}
	rte_tel_data_start_array(lines.data, RTE_TEL_STRING_VAL);
	query->kind = kind;
	query->filter = telemetry_nat_filter(asked);
	if (kind == RECORD_BINDINGS && cursor >> 32 == 0)
		next = rule_lines(sources, asked, (uint32_t)cursor, &lines);
	if (next == 0)
		next = owner_lines(sources, query, cursor >> 32 == 0 ? nat_cursor(1, 0) : cursor, &lines);
	free(query);
	rte_tel_data_start_dict(data);
	rte_tel_data_add_dict_u64(data, "next", next);
	return rte_tel_data_add_dict_container(data, "lines", lines.data, 0);
}

int session_lines_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	return lines_reply(sources, asked, RECORD_SESSIONS, data);
}

int binding_lines_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	return lines_reply(sources, asked, RECORD_BINDINGS, data);
}
