/* SPDX-License-Identifier: BSD-3-Clause */
/* The long way of a packet through nat_gateway: what is rare, and what has no session. */
#include "stage/nat_private.h"
#include <errno.h>

static enum drop_reason refusal_reason(int64_t error)
{
	switch (error) {
	case -EADDRNOTAVAIL:
		return DROP_NAT_NO_PORTS;
	case -EDQUOT:
		return DROP_NAT_HOST_PORTS;
	case -EUSERS:
		return DROP_NAT_HOST_SESSIONS;
	case -EBUSY:
		return DROP_NAT_HOST_RATE;
	case -ENFILE:
		return DROP_NAT_TABLE_FULL;
	default: /* -EEXIST: the other session of the same flow has it */
		return DROP_NAT_FILTERED;
	}
}

/* A drop that management answers, as long as that is not too often; what it gets is counted here. */
static uint8_t drop_told(const struct nat_burst *burst, struct rte_mbuf *m, enum drop_reason reason,
	enum punt_reason punt, struct tick_meter *meter)
{
	if (meter->tick != burst->tick)
		*meter = (struct tick_meter){ .tick = burst->tick };
	if (meter->told == DROPS_TOLD_A_TICK)
		return verdict_drop(reason);
	meter->told++;
	burst->context->counters.drop[reason]++;
	packet_metadata(m)->punt = (uint8_t)punt;
	return VERDICT_PUNT;
}

uint8_t nat_open_refused(const struct nat_burst *burst, struct rte_mbuf *m, int64_t error)
{
	enum drop_reason reason = refusal_reason(error);

	if (packet_metadata(m)->nat != NAT_FROM_INSIDE || reason == DROP_NAT_FILTERED)
		return verdict_drop(reason);
	return drop_told(burst, m, reason, PUNT_NAT_REFUSED, &burst->context->refusals_told);
}

/* What a packet from outside ends as that no binding lets in. Of a SYN management hears, too. */
static uint8_t unsolicited(const struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet,
	enum drop_reason reason)
{
	bool syn = nat_packet_protocol(packet) == IPPROTO_TCP && nat_packet_opens(packet);

	return syn && burst->owner->nat->unsolicited_syn_told
		       ? drop_told(burst, m, reason, PUNT_NAT_SYN, &burst->context->syns_told)
		       : verdict_drop(reason);
}

/* Why a packet that belongs to no session and opens none has to go. */
static enum drop_reason opens_none(const struct nat_packet *packet)
{
	return nat_packet_protocol(packet) == IPPROTO_TCP ? DROP_NAT_TCP_STATE : DROP_NAT_ICMP_TYPE;
}

/* A host with a forward alone has flows that no rule translates, and some have a bypass: they go out as they are. */
static uint8_t open_up(struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet,
	const struct nat_flow *flow)
{
	struct nat_owner *owner = burst->owner;
	struct nat_opening opening = { .flow = *flow, .inside_hash = nat_flow_inside_hash(owner, flow) };
	struct nat_way_out out;
	int64_t number;

	if (nat_is_bypassed(burst, packet) || !nat_rule_out(&owner->nat->rules, flow->segment, flow->protocol,
						      flow->inside, flow->inside_port, &out))
		return nat_untranslated(packet_metadata(m));
	if (!nat_packet_opens(packet))
		return verdict_drop(opens_none(packet));
	if (!nat_admits(burst, packet))
		return verdict_drop(DROP_NAT_NEW_SESSION_BUDGET);
	nat_open_ask(owner, &opening);
	number = nat_open_reserve(owner, &opening, burst->tick);
	if (number == 0)
		number = nat_open_commit(owner, &opening, burst->tick);
	if (number < 0)
		return nat_open_refused(burst, m, number);
	return nat_translate(burst, m, packet, &owner->session[number], NAT_UP);
}

/* From outside to a dynamic binding: what its pool's filtering lets in (RFC 4787 REQ-8). A ping asks for the address, not
 * for the host that has an identifier of it just then. */
static uint8_t open_bound(struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet,
	const struct nat_flow *flow, bool admitted)
{
	struct nat_owner *owner = burst->owner;
	struct packet_metadata *meta = packet_metadata(m);
	uint32_t first = nat_binding_find_outside(owner, flow, nat_flow_outside_hash(owner, flow));

	if (first == INDEX_NONE && flow->protocol == IPPROTO_TCP && nat_port_is_of_pool(owner->nat, flow))
		return unsolicited(burst, m, packet, DROP_NAT_NO_BINDING);
	if (first == INDEX_NONE)
		return nat_miss(burst, meta, packet, DROP_NAT_NO_BINDING);
	if (nat_packet_protocol(packet) == IPPROTO_ICMP)
		return nat_miss(burst, meta, packet, DROP_NAT_FILTERED);
	if (!nat_packet_opens(packet) || !nat_binding_admits(owner, first, flow->remote))
		return unsolicited(burst, m, packet, DROP_NAT_FILTERED);
	if (!admitted && !nat_admits(burst, packet))
		return verdict_drop(DROP_NAT_NEW_SESSION_BUDGET);
	uint8_t refused = nat_down_refused(burst, meta, packet->ip, owner->session[first].segment);
	if (refused != 0)
		return refused;
	int64_t number = nat_binding_open(owner, first, flow, burst->tick);
	if (number < 0)
		return nat_open_refused(burst, m, number);
	return nat_translate(burst, m, packet, &owner->session[number], NAT_DOWN);
}

/* Is it asked whether there may be a new session before it is known whether there would be? A flood costs less so. Not where
 * the gateway itself is meant. */
static bool is_asked_early(const struct nat *nat, struct rte_mbuf *m, const struct nat_packet *packet,
	const struct nat_flow *flow)
{
	return nat_packet_protocol(packet) != IPPROTO_ICMP && nat_packet_opens(packet) &&
	       (!(packet_metadata(m)->flags & PACKET_TO_SELF) || nat_is_of_hosts(nat, flow));
}

/* From outside rules open sessions, and what filtering lets through to a dynamic binding. */
static uint8_t open_down(struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet,
	const struct nat_flow *flow)
{
	struct nat_owner *owner = burst->owner;
	bool early = is_asked_early(owner->nat, m, packet, flow);
	struct nat_way_in in;
	int64_t number;

	if (early && !nat_admits(burst, packet))
		return verdict_drop(DROP_NAT_NEW_SESSION_BUDGET);
	if (!nat_rule_in_flow(owner->nat, flow, &in))
		return open_bound(burst, m, packet, flow, early);
	if (!nat_packet_opens(packet))
		return verdict_drop(opens_none(packet));
	uint8_t refused = nat_down_refused(burst, packet_metadata(m), packet->ip, in.segment);
	if (refused != 0)
		return refused;
	if (!early && !nat_admits(burst, packet))
		return verdict_drop(DROP_NAT_NEW_SESSION_BUDGET);
	number = nat_open_from_outside(owner, flow, burst->tick);
	if (number < 0)
		return nat_open_refused(burst, m, number);
	return nat_translate(burst, m, packet, &owner->session[number], NAT_DOWN);
}

/* A query from outside asks for one of our own hosts; in a dynamic session it would reach one that never
 * meant to be asked. */
static bool is_unwanted_query(const struct nat_packet *packet, const struct nat_session *session)
{
	return nat_packet_protocol(packet) == IPPROTO_ICMP && packet->way == NAT_DOWN &&
	       session->kind == NAT_KIND_DYNAMIC && nat_icmp_is_request(packet->l4[0]);
}

static uint8_t flow_slow(struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet)
{
	struct nat_owner *owner = burst->owner;
	const struct nat_flow flow = nat_packet_flow(packet);
	uint32_t number = packet->way == NAT_UP ? nat_session_find_up(owner, &flow)
						: nat_session_find_down(owner, &flow);

	if (number != INDEX_NONE && !is_unwanted_query(packet, &owner->session[number]))
		return nat_translate(burst, m, packet, &owner->session[number], (enum nat_way)packet->way);
	return packet->way == NAT_UP ? open_up(burst, m, packet, &flow) : open_down(burst, m, packet, &flow);
}

static uint8_t icmp_slow(struct nat_burst *burst, struct rte_mbuf *m, struct nat_packet *packet)
{
	uint8_t type = packet->l4[0];
	uint16_t identifier;

	if (nat_icmp_is_error(type))
		return nat_icmp_error(burst, m, packet);
	if (!nat_icmp_is_query(type))
		return nat_miss(burst, packet_metadata(m), packet, DROP_NAT_ICMP_TYPE);
	identifier = *nat_field16(packet->l4, nat_l4_layout[IPPROTO_ICMP].port[NAT_UP]);
	packet->ports = packet->way == NAT_UP ? identifier : (uint32_t)identifier << 16;
	return flow_slow(burst, m, packet);
}

uint8_t nat_gateway_slow(struct nat_burst *burst, struct rte_mbuf *m, struct nat_packet *packet)
{
	if (packet_metadata(m)->flags & PACKET_FRAGMENT && nat_port_class(nat_packet_protocol(packet)) >= 0) {
		uint8_t verdict = nat_fragment(burst, m, packet);
		if (verdict != 0)
			return verdict;
	}
	return packet_metadata(m)->nat & NAT_HAIRPIN ? nat_hairpin(burst, m, packet)
						     : nat_gateway_once(burst, m, packet);
}

uint8_t nat_gateway_once(struct nat_burst *burst, struct rte_mbuf *m, struct nat_packet *packet)
{
	struct packet_metadata *meta = packet_metadata(m);

	if (nat_port_class(nat_packet_protocol(packet)) < 0)
		return nat_portless(burst, m, packet);
	if (meta->flags & PACKET_LATER_FRAGMENT)
		return nat_fragment_later(burst, m, packet);
	switch (nat_packet_protocol(packet)) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return flow_slow(burst, m, packet);
	default:
		return icmp_slow(burst, m, packet);
	}
}
