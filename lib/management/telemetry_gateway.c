/* SPDX-License-Identifier: BSD-3-Clause */
/* The gateway as a whole: who it is, its configuration, its drops, the ledger of moves and the slow path. */
#include "management/telemetry_private.h"

#include "base/clock.h"
#include "base/ip_address.h"
#include "management/drop_sum.h"
#include "stage/fast_path_level.h"
#include <errno.h>
#include <rte_cycles.h>
#include <rte_version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *wall_time_text(uint64_t wall_ns, char text[WALL_TIME_TEXT])
{
	time_t seconds = (time_t)(wall_ns / NS_PER_SECOND);
	struct tm utc;
	size_t n;

	gmtime_r(&seconds, &utc);
	n = strftime(text, WALL_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + n, WALL_TIME_TEXT - n, ".%03uZ", (unsigned)(wall_ns % NS_PER_SECOND / NS_PER_MS));
	return text;
}

static uint64_t wall_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

int info_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	static const char *const plan[] = { [CONFIG_PLAN_FUSED] = "fused",
		[CONFIG_PLAN_SPLIT] = "split",
		[CONFIG_PLAN_EXPLICIT] = "explicit" };
	uint64_t now_ns = clock_now_ns(), up_ns = now_ns - sources->started_ns;
	char text[WALL_TIME_TEXT];
	struct telemetry_object info;

	(void)asked;
	object_start_in(&info, data);
	object_string(&info, "name", sources->config->name);
	object_string(&info, "version", VXGATE_VERSION);
	object_string(&info, "dpdk", rte_version());
	object_string(&info, "isa", fast_path_level()->name);
	object_u64(&info, "pid", (uint64_t)getpid());
	object_string(&info, "started", wall_time_text(wall_now_ns() - up_ns, text));
	object_u64(&info, "uptime_s", up_ns / NS_PER_SECOND);
	object_string(&info, "plan", plan[sources->config->lcores.plan]);
	object_u64(&info, "packet_lcores", sources->path->count);
	object_u64(&info, "tsc_hz", rte_get_tsc_hz());
	object_u64(&info, "now_ns", now_ns);
	return 0;
}

/* How much of `text` makes one piece: whole lines where they fit. */
static size_t piece_length(const char *text)
{
	size_t length = strnlen(text, TELEMETRY_STRING_MAX);

	if (text[length] == '\0')
		return length;
	for (size_t i = length; i > 0; i--)
		if (text[i - 1] == '\n')
			return i;
	return length;
}

int configuration_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	char *text = config_to_json(sources->config);
	struct telemetry_object reply;
	struct telemetry_list pieces;
	char piece[RTE_TEL_MAX_STRING_LEN];

	if (text == NULL)
		return -ENOMEM;
	size_t length = strlen(text), at = RTE_MIN((size_t)asked->cursor, length);
	list_start(&pieces);
	/* A piece takes twice its length when each of its bytes is escaped. */
	while (at < length && pieces.bytes < 15 * 1024 - 2 * sizeof(piece)) {
		size_t n = piece_length(text + at);

		snprintf(piece, sizeof(piece), "%.*s", (int)n, text + at);
		list_string(&pieces, piece);
		at += n;
	}
	object_start_in(&reply, data);
	object_u64(&reply, "next", at < length ? at : 0);
	object_list(&reply, "pieces", &pieces);
	free(text);
	return 0;
}

int drops_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	struct telemetry_reply reply;
	uint64_t sum[DROP_REASONS];

	drop_sum(sources->path, sources->slowpath, sum);
	reply_start(&reply, data, asked->count);
	for (uint64_t i = asked->cursor; i < DROP_REASONS; i++) {
		struct telemetry_object row;

		if (reply_room(&reply, 256) == 0) {
			reply.next = i;
			break;
		}
		object_start(&row);
		object_string(&row, "name", drop_reason_text[i].name);
		object_u64(&row, "count", sum[i]);
		object_string(&row, "sentence", drop_reason_text[i].sentence);
		reply_row(&reply, &row);
	}
	return reply_end(&reply, "drops");
}

static void move_row(const struct data_plane *plane, const struct move_record *move, uint64_t now_ns,
	struct telemetry_object *row)
{
	char text[WALL_TIME_TEXT];

	object_start(row);
	object_u64(row, "serial", move->serial);
	object_string(row, "time", wall_time_text(move->wall_ns, text));
	object_u64(row, "age_s", now_ns > move->when_ns ? (now_ns - move->when_ns) / NS_PER_SECOND : 0);
	object_string(row, "segment", interface_name(plane, interface_of_segment(move->segment)));
	object_mac(row, "mac", &move->mac);
	object_ipv4(row, "ip", move->ip);
	object_ipv4(row, "old_vtep", move->old_vtep);
	object_ipv4(row, "new_vtep", move->new_vtep);
	object_u64(row, "late_packets", move->late_packets);
	object_u64(row, "repeats", move->repeats);
	object_u64(row, "silent_ms", move->silent_ns / NS_PER_MS);
	object_u64(row, "found_by_probe", move->found_by_probe);
	if (move->sessions_kept >= 0)
		object_u64(row, "sessions_kept", (uint64_t)move->sessions_kept);
}

static bool move_wanted(const struct telemetry_parameters *asked, const struct move_record *move)
{
	/* Newest first; the cursor is the serial of the last one given, so that new moves shift nothing. */
	if (asked->cursor != 0 && move->serial >= asked->cursor)
		return false;
	if (!segment_wanted(asked, move->segment))
		return false;
	if (asked->given & TELEMETRY_MAC && !rte_is_same_ether_addr(&asked->mac, &move->mac))
		return false;
	if (asked->given & TELEMETRY_VTEP && asked->vtep != move->old_vtep && asked->vtep != move->new_vtep)
		return false;
	return !(asked->given & TELEMETRY_ADDRESS) || asked->address == move->ip;
}

int moves_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	struct move_record *moves = calloc(MOVES_KEPT, sizeof(*moves));
	uint64_t now_ns = clock_now_ns(), last = 0;
	struct telemetry_reply reply;

	if (moves == NULL)
		return -ENOMEM;
	uint32_t count = slowpath_moves(sources->slowpath, moves, MOVES_KEPT, 0);
	reply_start(&reply, data, asked->count);
	for (uint32_t i = 0; i < count; i++) {
		struct telemetry_object row;

		if (!move_wanted(asked, &moves[i]))
			continue;
		if (reply_room(&reply, 420) == 0) {
			reply.next = last;
			break;
		}
		last = moves[i].serial;
		move_row(sources->plane, &moves[i], now_ns, &row);
		reply_row(&reply, &row);
	}
	free(moves);
	return reply_end(&reply, "moves");
}

static void object_punts(struct telemetry_object *object, const struct packet_path *path)
{
	static const char *const name[PUNT_REASONS] = {
		[PUNT_ARP] = "arp",
		[PUNT_LOCAL] = "local",
		[PUNT_UNRESOLVED] = "unresolved",
		[PUNT_TTL_EXPIRED] = "ttl_expired",
		[PUNT_NO_ROUTE] = "no_route",
		[PUNT_TOO_BIG] = "too_big",
		[PUNT_IGMP] = "igmp",
		[PUNT_BROADCAST] = "broadcast",
		[PUNT_NAT_REFUSED] = "nat_refused",
		[PUNT_NAT_SYN] = "nat_syn",
	};
	struct telemetry_object punts;

	object_start(&punts);
	for (unsigned reason = 0; reason < PUNT_REASONS; reason++) {
		uint64_t sum = 0;

		for (uint16_t i = 0; i < path->count; i++)
			sum += recent(path->context[i]->counters.punted[reason]);
		object_u64(&punts, name[reason], sum);
	}
	object_object(object, "punted", &punts);
}

int slowpath_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	const struct slowpath_counters *c = slowpath_counters(sources->slowpath);
	struct telemetry_object object;

	(void)asked;
	object_start_in(&object, data);
#define COUNTER(field) object_u64(&object, #field, recent(c->field))
	COUNTER(arp_requests_received);
	COUNTER(arp_replies_received);
	COUNTER(arp_requests_sent);
	COUNTER(arp_replies_sent);
	COUNTER(arp_ignored);
	COUNTER(neighbours_failed);
	COUNTER(neighbours_refused);
	COUNTER(address_conflicts);
	COUNTER(echo_replies_sent);
	COUNTER(icmp_errors_sent);
	COUNTER(icmp_errors_limited);
	COUNTER(syns_held);
	COUNTER(syns_not_held);
	COUNTER(syns_refused);
	COUNTER(tcp_resets_sent);
	COUNTER(tcp_resets_limited);
	COUNTER(macs_learned);
	COUNTER(macs_aged);
	COUNTER(macs_refused);
	COUNTER(duplicate_macs);
	COUNTER(moves);
	COUNTER(silent_probes_unicast);
	COUNTER(silent_probes_flooded);
	COUNTER(silent_found);
	COUNTER(pending_queued);
	COUNTER(pending_sent);
	COUNTER(pending_dropped);
	COUNTER(igmp_reports_sent);
	COUNTER(vteps_discovered);
	COUNTER(vteps_refused);
#undef COUNTER
	object_punts(&object, sources->path);
	return 0;
}
