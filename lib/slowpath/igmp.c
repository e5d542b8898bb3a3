/* SPDX-License-Identifier: BSD-3-Clause */
/* Membership of the underlay's multicast groups, as a host (RFC 2236). The state machine of its section 6, with the
 * report timer as the state: a group whose `due_ns` is set is a Delaying Member, else an Idle Member; Non-Member is
 * before igmp_start and after slowpath_leave_groups.
 *
 *   join            report at once, and reports_left more at random within 10 s     (section 3, Unsolicited Report)
 *   query received  report at random within the time that the query gives           (section 3)
 *   report received by another: ours is not needed any more                         (section 3)
 *   timer expired   report
 *   leave           leave message                                                   (section 3) */
#include "slowpath/igmp_wire.h"
#include "slowpath/slowpath_private.h"
#include <errno.h>
#include <netinet/in.h>
#include <rte_random.h>
#include <stdlib.h>

#define UNSOLICITED_REPORTS     3
#define UNSOLICITED_INTERVAL_NS (10 * NS_PER_SECOND)
#define RESPONSE_UNIT_NS        (100 * NS_PER_MS)
#define VERSION_1_RESPONSE      100 /* of a querier that gives none: section 4 */
#define CONTROL_TOS             0xc0

void multicast_mac(rte_be32_t group, struct rte_ether_addr *mac)
{
	uint32_t g = rte_be_to_cpu_32(group);

	*mac = (struct rte_ether_addr){ { 0x01, 0x00, 0x5e, (uint8_t)(g >> 16 & 0x7f), (uint8_t)(g >> 8),
		(uint8_t)g } };
}

static void igmp_send(struct slowpath *slowpath, uint8_t type, rte_be32_t group, rte_be32_t to)
{
	const struct data_plane *plane = slowpath->plane;
	struct igmp_frame frame = {
		.ethernet = { .src_addr = plane->port[slowpath->underlay].mac,
			.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4) },
		.ip = { .version_ihl = RTE_IPV4_VHL_DEF + 1,
			.type_of_service = CONTROL_TOS,
			.total_length = RTE_BE16(sizeof(frame) - sizeof(frame.ethernet)),
			.time_to_live = 1,
			.next_proto_id = IPPROTO_IGMP,
			.src_addr = plane->vtep_address,
			.dst_addr = to },
		.router_alert = IP_OPTION_ROUTER_ALERT,
		.igmp = { .type = type, .group = group },
	};

	multicast_mac(to, &frame.ethernet.dst_addr);
	frame.ip.hdr_checksum =
		(uint16_t)~rte_raw_cksum(&frame.ip, sizeof(frame.ip) + sizeof(frame.router_alert));
	frame.igmp.checksum = (uint16_t)~rte_raw_cksum(&frame.igmp, sizeof(frame.igmp));
	inject_frame_port(slowpath, slowpath->underlay, &frame, sizeof(frame));
}

static bool group_is_listed(const struct slowpath *slowpath, rte_be32_t group)
{
	for (uint16_t i = 0; i < slowpath->igmp_count; i++)
		if (slowpath->igmp[i].group == group)
			return true;
	return false;
}

int igmp_init(struct slowpath *slowpath)
{
	const struct segment_table *segments = slowpath->plane->segments;

	slowpath->igmp = calloc(segments->count + 1u, sizeof(*slowpath->igmp));
	if (slowpath->igmp == NULL)
		return -ENOMEM;
	for (uint16_t s = 0; s < segments->count && slowpath->underlay != INTERFACE_NONE; s++) {
		rte_be32_t group = segments->segment[s].group;
		if (group != 0 && !group_is_listed(slowpath, group))
			slowpath->igmp[slowpath->igmp_count++].group = group;
	}
	return 0;
}

void igmp_start(struct slowpath *slowpath)
{
	for (uint16_t i = 0; i < slowpath->igmp_count; i++) {
		slowpath->igmp[i].reports_left = UNSOLICITED_REPORTS;
		slowpath->igmp[i].due_ns = slowpath->now_ns;
	}
}

static void query_handle(struct slowpath *slowpath, const struct igmp_message *igmp)
{
	uint64_t units = igmp->max_response_time != 0 ? igmp->max_response_time : VERSION_1_RESPONSE;

	for (uint16_t i = 0; i < slowpath->igmp_count; i++) {
		struct igmp_group *group = &slowpath->igmp[i];
		if (igmp->group != 0 && igmp->group != group->group)
			continue;
		uint64_t due = slowpath->now_ns + rte_rand_max(units * RESPONSE_UNIT_NS);
		if (group->due_ns == 0 || due < group->due_ns)
			group->due_ns = due;
	}
}

static void report_heard(struct slowpath *slowpath, rte_be32_t address)
{
	for (uint16_t i = 0; i < slowpath->igmp_count; i++)
		if (slowpath->igmp[i].group == address && slowpath->igmp[i].reports_left == 0)
			slowpath->igmp[i].due_ns = 0;
}

void igmp_input(struct slowpath *slowpath, struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = packet_ipv4(m);
	uint16_t header_length = 0, length = 0;

	if (m->data_len >= L3_OFFSET + sizeof(*ip)) {
		header_length = rte_ipv4_hdr_len(ip);
		length = (uint16_t)RTE_MIN(
			(uint32_t)rte_be_to_cpu_16(ip->total_length), m->data_len - L3_OFFSET);
	}
	const struct igmp_message *igmp = (const void *)((const uint8_t *)ip + header_length);
	if (header_length < sizeof(*ip) || length < header_length + sizeof(*igmp) ||
		rte_raw_cksum(igmp, (size_t)(length - header_length)) != 0xffff) {
		packet_drop(slowpath, m, SLOWPATH_DROP_IGMP_MALFORMED);
		return;
	}
	if (packet_metadata(m)->ingress == slowpath->underlay &&
		ip->src_addr != slowpath->plane->vtep_address) {
		if (igmp->type == IGMP_QUERY)
			query_handle(slowpath, igmp);
		else if (igmp->type == IGMP_REPORT_V2 || igmp->type == IGMP_REPORT_V1)
			report_heard(slowpath, igmp->group);
	}
	rte_pktmbuf_free(m);
}

void igmp_run(struct slowpath *slowpath)
{
	for (uint16_t i = 0; i < slowpath->igmp_count; i++) {
		struct igmp_group *group = &slowpath->igmp[i];
		if (group->due_ns == 0 || group->due_ns > slowpath->now_ns)
			continue;
		igmp_send(slowpath, IGMP_REPORT_V2, group->group, group->group);
		slowpath->counters.igmp_reports_sent++;
		if (group->reports_left > 0)
			group->reports_left--;
		group->due_ns = 0;
		if (group->reports_left > 0)
			group->due_ns = slowpath->now_ns + 1 + rte_rand_max(UNSOLICITED_INTERVAL_NS);
	}
}

uint64_t igmp_next_due_ns(const struct slowpath *slowpath)
{
	uint64_t next = UINT64_MAX;

	for (uint16_t i = 0; i < slowpath->igmp_count; i++)
		if (slowpath->igmp[i].due_ns != 0)
			next = RTE_MIN(next, slowpath->igmp[i].due_ns);
	return next;
}

void slowpath_leave_groups(struct slowpath *slowpath, uint64_t now_ns)
{
	slowpath->now_ns = now_ns;
	for (uint16_t i = 0; i < slowpath->igmp_count; i++)
		igmp_send(slowpath, IGMP_LEAVE, slowpath->igmp[i].group, IGMP_ALL_ROUTERS);
	slowpath->igmp_count = 0;
	if (slowpath->channel_count > 0)
		doorbell_ring(slowpath->channel[0].doorbell);
}
