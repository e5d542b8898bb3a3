/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP errors (RFC 5508 section 4): the packet that an error quotes is one that NAT translated, so the error goes
 * the way back, with the quoted headers as the receiver sent them and all checksums right. Errors neither keep a
 * session alive nor end it (REQ-7: they are no proof of anything).
 *
 * An error that comes down quotes what went up: its source is our outside endpoint. One that goes up quotes what came
 * down: its destination is the inside endpoint. */
#include "stage/nat_private.h"

enum {
	ICMP_UNREACHABLE = 3,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER = 12,
	ICMP_HEADER = 8,
	QUOTED_L4_MIN = 8, /* RFC 792: at least 64 bits of the data */
};

/* Source quench is not among them: it is deprecated and ignored (RFC 6633). */
bool nat_icmp_is_error(uint8_t type)
{
	return type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER;
}

/* The quoted headers; false when they are cut off or malformed. */
struct quoted {
	struct rte_ipv4_hdr *ip;
	uint8_t *l4;
	uint16_t l4_length; /* as much as is quoted */
};

static bool quoted_parse(uint8_t *message, uint16_t length, struct quoted *quoted)
{
	uint16_t room = (uint16_t)(length - ICMP_HEADER), header_length;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(message + ICMP_HEADER);

	if (length < ICMP_HEADER + sizeof(*ip) || ip->version_ihl >> 4 != 4)
		return false;
	header_length = (uint16_t)((ip->version_ihl & 15) * 4);
	/* A fragment beyond the first quotes no ports. */
	if (header_length < sizeof(*ip) || room < header_length + QUOTED_L4_MIN ||
		ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_OFFSET_MASK) ||
		rte_raw_cksum(ip, header_length) != 0xffff)
		return false;
	*quoted = (struct quoted){
		.ip = ip, .l4 = (uint8_t *)ip + header_length, .l4_length = (uint16_t)(room - header_length)
	};
	return true;
}

static bool quoted_flow(const struct quoted *quoted, enum nat_way way, struct nat_flow *flow)
{
	const struct nat_l4_layout *layout = &nat_l4_layout[quoted->ip->next_proto_id % NAT_PROTOCOLS];
	bool icmp = quoted->ip->next_proto_id == IPPROTO_ICMP;
	rte_be16_t source, destination;

	if (nat_port_class(quoted->ip->next_proto_id) < 0)
		return false;
	if (icmp && !nat_icmp_is_query(quoted->l4[0]))
		return false;
	source = *nat_field16(quoted->l4, layout->port[NAT_UP]);
	destination = *nat_field16(quoted->l4, layout->port[NAT_DOWN]);
	flow->protocol = quoted->ip->next_proto_id;
	if (way == NAT_DOWN) {
		flow->outside = quoted->ip->src_addr;
		flow->outside_port = source;
		flow->remote = quoted->ip->dst_addr;
		flow->remote_port = icmp ? 0 : destination;
	} else {
		flow->inside = quoted->ip->dst_addr;
		flow->inside_port = destination;
		flow->remote = quoted->ip->src_addr;
		flow->remote_port = icmp ? 0 : source;
	}
	return true;
}

bool nat_icmp_quoted_flow(const uint8_t *l4, uint16_t length, enum nat_way way, struct nat_flow *flow)
{
	struct quoted quoted;

	return quoted_parse((uint8_t *)(uintptr_t)l4, length, &quoted) && quoted_flow(&quoted, way, flow);
}

/* Writes a 16-bit word of the message and returns what that does to the message's checksum. */
static uint32_t word_set(uint16_t *word, uint16_t value)
{
	uint32_t delta = checksum_delta16(*word, value);

	*word = value;
	return delta;
}

/* The address of a quoted header need not be aligned. */
static uint32_t address_set(void *address, rte_be32_t value)
{
	rte_be32_t before;

	memcpy(&before, address, sizeof(before));
	memcpy(address, &value, sizeof(value));
	return checksum_delta32(before, value);
}

/* Puts the endpoint that the receiver knows into the quoted headers. Their own checksums are mended as far as they
 * are quoted: of TCP, the checksum often is not. Returns the delta of the message. */
static uint32_t quoted_rewrite(const struct quoted *quoted, bool source, rte_be32_t address, rte_be16_t port)
{
	const struct nat_l4_layout *layout = &nat_l4_layout[quoted->ip->next_proto_id % NAT_PROTOCOLS];
	uint16_t *ip_checksum = &quoted->ip->hdr_checksum;
	uint16_t *l4_checksum = nat_field16(quoted->l4, layout->checksum);
	uint16_t address_delta, l4_delta, mended;
	uint32_t delta, port_delta;

	delta = address_set(source ? &quoted->ip->src_addr : &quoted->ip->dst_addr, address);
	address_delta = checksum_fold(delta);
	port_delta = word_set(
		nat_field16(quoted->l4, source ? layout->port[NAT_UP] : layout->port[NAT_DOWN]), port);
	delta += port_delta;
	delta += word_set(ip_checksum, checksum_apply(*ip_checksum, address_delta));
	if (quoted->l4_length < layout->checksum + sizeof(uint16_t))
		return delta;
	l4_delta = checksum_fold(
		quoted->ip->next_proto_id == IPPROTO_ICMP ? port_delta : port_delta + address_delta);
	mended = quoted->ip->next_proto_id == IPPROTO_UDP ? checksum_apply_udp(*l4_checksum, l4_delta)
							  : checksum_apply(*l4_checksum, l4_delta);
	return delta + word_set(l4_checksum, mended);
}

/* The checksum of the message after a change of what it quotes. */
static void message_mend(const struct nat_packet *packet, uint32_t delta)
{
	uint16_t *checksum = nat_field16(packet->l4, nat_l4_layout[IPPROTO_ICMP].checksum);

	*checksum = checksum_apply(*checksum, checksum_fold(delta));
}

/* The address of the error itself. */
static void outer_rewrite(struct rte_ipv4_hdr *ip, bool source, rte_be32_t address)
{
	uint32_t delta = address_set(source ? &ip->src_addr : &ip->dst_addr, address);

	ip->hdr_checksum = checksum_apply(ip->hdr_checksum, checksum_fold(delta));
}

static uint8_t error_down(struct nat_burst *burst, struct packet_metadata *meta,
	const struct nat_packet *packet, const struct quoted *quoted, struct nat_session *session)
{
	uint8_t refused = nat_down_refused(burst, meta, packet->ip, session->segment);

	if (refused != 0)
		return refused;
	ipv4_decrement_ttl(packet->ip);
	outer_rewrite(packet->ip, false, session->inside);
	message_mend(packet, quoted_rewrite(quoted, true, session->inside, session->inside_port));
	nat_down_route(burst, meta, session);
	return STAGE_MAC_LOOKUP;
}

/* Whoever sent the error, a router of the inside perhaps, goes out by the binding's public address (REQ-5). */
static uint8_t error_up(
	const struct nat_packet *packet, const struct quoted *quoted, const struct nat_session *session)
{
	outer_rewrite(packet->ip, true, session->outside);
	message_mend(packet, quoted_rewrite(quoted, false, session->outside, session->outside_port));
	return STAGE_MAC_LOOKUP;
}

/* About a protocol that static bindings alone translate: what it quotes has one address changed, as on its way here. */
static uint8_t portless_down(struct nat_burst *burst, struct packet_metadata *meta,
	const struct nat_packet *packet, const struct quoted *quoted)
{
	const struct nat_flow flow = { .protocol = quoted->ip->next_proto_id,
		.outside = quoted->ip->src_addr };
	struct nat_way_in in;

	if (!nat_portless_passes(flow.protocol) || !nat_rule_in_flow(burst->owner->nat, &flow, &in))
		return nat_miss(burst, meta, packet, DROP_NAT_ICMP_EMBEDDED);
	uint8_t refused = nat_down_refused(burst, meta, packet->ip, in.segment);
	if (refused != 0)
		return refused;
	ipv4_decrement_ttl(packet->ip);
	outer_rewrite(packet->ip, false, in.inside);
	message_mend(
		packet, nat_portless_rewrite(quoted->ip, quoted->l4, quoted->l4_length, true, in.inside));
	nat_portless_route(burst, meta, &in);
	return STAGE_MAC_LOOKUP;
}

static uint8_t portless_up(struct nat_burst *burst, struct packet_metadata *meta,
	const struct nat_packet *packet, const struct quoted *quoted)
{
	uint8_t protocol = quoted->ip->next_proto_id;
	struct nat_way_out out;

	if (nat_is_bypassed(burst, packet) || !nat_portless_passes(protocol) ||
		!nat_rule_out(&burst->owner->nat->rules, (uint16_t)packet->kin, protocol,
			quoted->ip->dst_addr, 0, &out) ||
		out.kind != NAT_KIND_STATIC)
		return nat_miss(burst, meta, packet, DROP_NAT_ICMP_EMBEDDED);
	outer_rewrite(packet->ip, true, out.outside);
	message_mend(
		packet, nat_portless_rewrite(quoted->ip, quoted->l4, quoted->l4_length, false, out.outside));
	return STAGE_MAC_LOOKUP;
}

uint8_t nat_icmp_error(struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet)
{
	struct nat_owner *owner = burst->owner;
	struct packet_metadata *meta = packet_metadata(m);
	uint16_t length = (uint16_t)(m->data_len - meta->l4_offset);
	struct nat_flow flow = { .segment = (uint16_t)packet->kin };
	struct quoted quoted;
	uint32_t number = INDEX_NONE;

	if (!quoted_parse(packet->l4, length, &quoted) ||
		rte_raw_cksum(packet->l4, length) != 0xffff) /* REQ-3 */
		return nat_miss(burst, meta, packet, DROP_NAT_ICMP_EMBEDDED);
	if (nat_port_class(quoted.ip->next_proto_id) < 0)
		return packet->way == NAT_DOWN ? portless_down(burst, meta, packet, &quoted)
					       : portless_up(burst, meta, packet, &quoted);
	if (!quoted_flow(&quoted, packet->way, &flow))
		return nat_miss(burst, meta, packet, DROP_NAT_ICMP_EMBEDDED);
	number = packet->way == NAT_DOWN ? nat_session_find_down(owner, &flow)
					 : nat_session_find_up(owner, &flow);
	if (number == INDEX_NONE)
		return nat_miss(burst, meta, packet, DROP_NAT_ICMP_EMBEDDED);
	return packet->way == NAT_DOWN ? error_down(burst, meta, packet, &quoted, &owner->session[number])
				       : error_up(packet, &quoted, &owner->session[number]);
}
