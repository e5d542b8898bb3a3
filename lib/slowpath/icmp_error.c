/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP errors that a router sends (RFC 792, RFC 1812 section 4.3, RFC 1191 for the MTU): from the address of the
 * interface that the packet came in by, quoting as much of it as 576 bytes hold, at a bounded rate, and never about
 * what must not be answered. */
#include "slowpath/slowpath_private.h"
#include <netinet/in.h>
#include <rte_icmp.h>
#include <string.h>

#define ERROR_LENGTH_MAX 576  /* RFC 1812 section 4.3.2.3 */
#define ERROR_TOS        0xc0 /* internetwork control: RFC 1812 section 4.3.2.5 */
#define ERROR_TTL        64

struct icmp_error {
	uint8_t type, code;
	uint16_t checksum;
	rte_be16_t unused;
	rte_be16_t mtu; /* with fragmentation needed (RFC 1191 section 4), else 0 */
} __attribute__((packed));
_Static_assert(sizeof(struct icmp_error) == 8, "RFC 792");

/* Queries and their answers (RFC 1122 section 3.2.2); anything else is or may be an error message. */
static bool icmp_type_is_query(uint8_t type)
{
	return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

static bool is_icmp_error(const struct rte_ipv4_hdr *ip, uint16_t header_length, uint16_t length)
{
	const uint8_t *type = (const uint8_t *)ip + header_length;

	return ip->next_proto_id == IPPROTO_ICMP && (length <= header_length || !icmp_type_is_query(*type));
}

/* RFC 1812 section 4.3.2.7. */
static bool may_be_answered(
	const struct slowpath *slowpath, struct rte_mbuf *m, uint16_t header_length, uint16_t length)
{
	const struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = packet_ipv4(m);
	interface_id ingress = packet_metadata(m)->ingress;

	if (rte_is_multicast_ether_addr(&ethernet->dst_addr) ||
		(packet_metadata(m)->flags & PACKET_LOCAL_ORIGIN))
		return false;
	if (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_OFFSET_MASK))
		return false;
	if (!address_is_unicast(ip->src_addr) || !address_is_unicast(ip->dst_addr) ||
		is_icmp_error(ip, header_length, length))
		return false;
	if (interface_is_segment(ingress) && on_link(slowpath, ingress, ip->src_addr))
		return ip->src_addr !=
		       slowpath->plane->segments->segment[segment_of_interface(ingress)].gateway;
	uint8_t from = fib_find(slowpath->plane->fib, ip->src_addr)->kind;
	uint8_t to = fib_find(slowpath->plane->fib, ip->dst_addr)->kind;
	/* A hairpinned packet has its sender's public address by now, and NAT knows the way back. */
	bool hairpinned =
		interface_is_segment(ingress) && (from == NEXT_HOP_NAT || from == NEXT_HOP_LOCAL_NAT);
	return (from == NEXT_HOP_CONNECTED || from == NEXT_HOP_VIA || hairpinned) && to != NEXT_HOP_BROADCAST;
}

static struct rte_mbuf *error_packet(struct slowpath *slowpath, const struct rte_ipv4_hdr *about,
	uint16_t quoted, rte_be32_t from, const struct icmp_error *error)
{
	uint16_t total = (uint16_t)(sizeof(struct rte_ipv4_hdr) + sizeof(*error) + quoted);
	struct rte_mbuf *m = control_packet(slowpath, (uint16_t)(L3_OFFSET + total));

	if (m == NULL)
		return NULL;
	struct rte_ipv4_hdr *ip = packet_ipv4(m);
	*ip = (struct rte_ipv4_hdr){ .version_ihl = RTE_IPV4_VHL_DEF,
		.type_of_service = ERROR_TOS,
		.total_length = rte_cpu_to_be_16(total),
		.time_to_live = ERROR_TTL,
		.next_proto_id = IPPROTO_ICMP,
		.src_addr = from,
		.dst_addr = about->src_addr };
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	struct icmp_error *icmp = (struct icmp_error *)(ip + 1);
	*icmp = *error;
	memcpy(icmp + 1, about, quoted);
	icmp->checksum = (uint16_t)~rte_raw_cksum(icmp, sizeof(*icmp) + quoted);
	packet_metadata(m)->protocol = IPPROTO_ICMP;
	packet_metadata(m)->l4_offset = L3_OFFSET + sizeof(*ip);
	return m;
}

void icmp_error_send(struct slowpath *slowpath, struct rte_mbuf *m, uint8_t type, uint8_t code, uint16_t mtu)
{
	const struct rte_ipv4_hdr *about = packet_ipv4(m);
	interface_id ingress = packet_metadata(m)->ingress;
	struct icmp_error error = { .type = type, .code = code, .mtu = rte_cpu_to_be_16(mtu) };

	if (m->data_len < L3_OFFSET + sizeof(*about) || ingress == INTERFACE_NONE)
		return;
	uint16_t header_length = rte_ipv4_hdr_len(about);
	uint16_t length =
		(uint16_t)RTE_MIN((uint32_t)rte_be_to_cpu_16(about->total_length), m->data_len - L3_OFFSET);
	if (header_length < sizeof(*about) || length < header_length ||
		!may_be_answered(slowpath, m, header_length, length))
		return;
	rte_be32_t from = interface_address(slowpath, ingress, about->src_addr);
	if (from == 0)
		return;
	if (!token_bucket_take(&slowpath->icmp_errors, slowpath->now_ns)) {
		slowpath->counters.icmp_errors_limited++;
		return;
	}
	const uint16_t room = ERROR_LENGTH_MAX - sizeof(*about) - sizeof(error);
	struct rte_mbuf *answer = error_packet(slowpath, about, length < room ? length : room, from, &error);
	if (answer != NULL && inject_back(slowpath, answer, ingress, about->src_addr))
		slowpath->counters.icmp_errors_sent++;
}
