/* SPDX-License-Identifier: BSD-3-Clause */
/* The long way of a packet through nat_gateway: what opens sessions, and what is rare. */
#include "stage/nat_private.h"
#include <errno.h>

static enum drop_reason open_refused(int64_t error)
{
	switch (error) {
	case -EADDRNOTAVAIL:
		return DROP_NAT_NO_PORTS;
	case -ENFILE:
		return DROP_NAT_TABLE_FULL;
	default: /* -EEXIST: the other session of the same flow has it */
		return DROP_NAT_FILTERED;
	}
}

static bool opens_session(const struct nat_packet *packet)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
		return nat_tcp_opens(packet->l4[13]);
	case IPPROTO_ICMP:
		return packet->l4[0] == RTE_IP_ICMP_ECHO_REQUEST;
	default:
		return true;
	}
}

/* Why a packet that belongs to no session and opens none has to go. */
static enum drop_reason opens_none(const struct nat_packet *packet)
{
	return packet->protocol == IPPROTO_TCP ? DROP_NAT_TCP_STATE : DROP_NAT_ICMP_TYPE;
}

static uint8_t open_up(struct lcore_context *context, struct rte_mbuf *m, const struct nat_packet *packet,
	struct nat_flow *flow, uint32_t *budget)
{
	struct nat_owner *owner = context->nat;
	struct nat_way_out out;
	int64_t number;

	if (!opens_session(packet) || *budget == 0) {
		if (!nat_rule_out(&owner->nat->rules, flow->segment, flow->protocol, flow->inside,
			    flow->inside_port, &out))
			return STAGE_MAC_LOOKUP;
		return verdict_drop(*budget == 0 && opens_session(packet) ? DROP_NAT_NEW_SESSION_BUDGET
									  : opens_none(packet));
	}
	number = nat_open_from_inside(owner, flow, context->tick);
	if (number == -ENOENT) /* a host with a forward alone: its other flows go out as they are */
		return STAGE_MAC_LOOKUP;
	(*budget)--;
	if (number < 0)
		return verdict_drop(open_refused(number));
	return nat_translate(context, owner, m, packet, &owner->session[number]);
}

/* From outside only rules open sessions. A dynamic binding lets in what answers one of its sessions, no more: address
 * and port dependent filtering (RFC 4787 section 5). */
static uint8_t open_down(struct lcore_context *context, struct rte_mbuf *m, const struct nat_packet *packet,
	struct nat_flow *flow, uint32_t *budget)
{
	struct nat_owner *owner = context->nat;
	struct packet_metadata *meta = packet_metadata(m);
	struct nat_way_in in;
	int64_t number;

	if (!nat_rule_in_flow(owner->nat, flow, &in)) {
		bool bound = nat_binding_find_outside(owner, flow) != INDEX_NONE;
		if (bound && packet->protocol != IPPROTO_ICMP)
			return verdict_drop(DROP_NAT_FILTERED);
		return nat_miss(meta, bound ? DROP_NAT_FILTERED : DROP_NAT_NO_BINDING);
	}
	if (!opens_session(packet))
		return verdict_drop(opens_none(packet));
	uint8_t refused = nat_down_refused(context, meta, packet->ip, in.segment);
	if (refused != 0)
		return refused;
	if (*budget == 0)
		return verdict_drop(DROP_NAT_NEW_SESSION_BUDGET);
	(*budget)--;
	number = nat_open_from_outside(owner, flow, context->tick);
	if (number < 0)
		return verdict_drop(open_refused(number));
	return nat_translate(context, owner, m, packet, &owner->session[number]);
}

/* An echo request from outside asks for one of our own hosts; in a dynamic session it would reach one that never
 * meant to be asked. */
static bool is_unwanted_query(const struct nat_packet *packet, const struct nat_session *session)
{
	return packet->protocol == IPPROTO_ICMP && packet->way == NAT_DOWN &&
	       session->kind == NAT_KIND_DYNAMIC && packet->l4[0] == RTE_IP_ICMP_ECHO_REQUEST;
}

static uint8_t flow_slow(
	struct lcore_context *context, struct rte_mbuf *m, const struct nat_packet *packet, uint32_t *budget)
{
	struct nat_owner *owner = context->nat;
	struct nat_flow flow = nat_packet_flow(packet);
	uint32_t number = packet->way == NAT_UP ? nat_session_find_up(owner, &flow)
						: nat_session_find_down(owner, &flow);

	if (number != INDEX_NONE && !is_unwanted_query(packet, &owner->session[number]))
		return nat_translate(context, owner, m, packet, &owner->session[number]);
	return packet->way == NAT_UP ? open_up(context, m, packet, &flow, budget)
				     : open_down(context, m, packet, &flow, budget);
}

static uint8_t icmp_slow(
	struct lcore_context *context, struct rte_mbuf *m, struct nat_packet *packet, uint32_t *budget)
{
	uint8_t type = packet->l4[0];
	uint16_t identifier;

	if (nat_icmp_is_error(type))
		return nat_icmp_error(context, m, packet);
	if (type != RTE_IP_ICMP_ECHO_REQUEST && type != RTE_IP_ICMP_ECHO_REPLY)
		return nat_miss(packet_metadata(m), DROP_NAT_ICMP_TYPE);
	identifier = *nat_field16(packet->l4, nat_l4_layout[IPPROTO_ICMP].source);
	packet->ports = packet->way == NAT_UP ? identifier : (uint32_t)identifier << 16;
	return flow_slow(context, m, packet, budget);
}

uint8_t nat_gateway_slow(
	struct lcore_context *context, struct rte_mbuf *m, struct nat_packet *packet, uint32_t *budget)
{
	struct packet_metadata *meta = packet_metadata(m);

	if (context->owner_count > 1 && meta->owner != context->owner_index)
		return verdict_drop(DROP_NAT_STALE_OWNER);
	if (meta->flags & PACKET_FRAGMENT)
		return verdict_drop(DROP_NAT_FRAGMENT);
	switch (packet->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return flow_slow(context, m, packet, budget);
	case IPPROTO_ICMP:
		return icmp_slow(context, m, packet, budget);
	default:
		return nat_miss(meta, DROP_NAT_PROTOCOL);
	}
}
