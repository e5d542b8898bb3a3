/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragmentation (RFC 791 section 3.2) of packets that are larger than the MTU of their way out and have DF clear. The
 * packet inside a tunnel is cut, never the tunnel's own (RFC 7348 section 4.3), and after NAT, so that each fragment leaves
 * with the address that the whole would have had. mac_lookup sends here what it has found the way of: each fragment gets
 * the Ethernet header and the metadata of the whole. A packet that is a fragment itself may be cut again. */
#include "stage/ipv4_parse.h"
#include "stage/packet_path.h"
#include "table/data_plane.h"
#include <string.h>

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_COPIED = 0x80 };

#define HEADER_MAX 60u
#define UNIT       8u /* bytes that the fragment offset counts */

/* How a packet is cut. */
struct cut {
	uint8_t header[HEADER_MAX]; /* of the fragments beyond the first */
	uint16_t first_header, header_length;
	uint16_t first, each; /* bytes of payload: of the first fragment, of the others but the last */
	uint16_t payload;     /* of the whole */
	uint16_t count;
};

/* The header with those of its options alone that go with each fragment (RFC 791 section 3.1), padded to words. The
 * options' lengths have been checked when the packet was received. */
static uint16_t later_header(uint8_t header[HEADER_MAX], const struct rte_ipv4_hdr *ip, uint16_t length)
{
	const uint8_t *option = (const uint8_t *)(ip + 1), *end = (const uint8_t *)ip + length;
	uint16_t at = sizeof(*ip);

	memcpy(header, ip, sizeof(*ip));
	while (option < end && *option != OPTION_END) {
		if (*option == OPTION_NOP) {
			option++;
			continue;
		}
		if (*option & OPTION_COPIED) {
			memcpy(header + at, option, option[1]);
			at = (uint16_t)(at + option[1]);
		}
		option += option[1];
	}
	while (at % 4 != 0)
		header[at++] = OPTION_END;
	header[0] = (uint8_t)(0x40 | at / 4);
	return at;
}

/* False when there is no way to cut it. */
static bool cut_plan(struct cut *cut, const struct rte_ipv4_hdr *ip, uint16_t mtu)
{
	cut->first_header = rte_ipv4_hdr_len(ip);
	if (mtu < HEADER_MAX + UNIT)
		return false;
	cut->header_length = later_header(cut->header, ip, cut->first_header);
	cut->payload = (uint16_t)(rte_be_to_cpu_16(ip->total_length) - cut->first_header);
	cut->first = (uint16_t)((mtu - cut->first_header) / UNIT * UNIT);
	cut->each = (uint16_t)((mtu - cut->header_length) / UNIT * UNIT);
	if (cut->payload <= cut->first)
		return false;
	cut->count = (uint16_t)(1 + (cut->payload - cut->first + cut->each - 1) / cut->each);
	return cut->count <= BURST_MAX;
}

/* Puts length, offset and MF (that of the whole in the last one) into a header and sums it. `at`: payload before it. */
static void header_finish(
	struct rte_ipv4_hdr *ip, uint16_t header, uint16_t payload, uint16_t of_whole, uint16_t at, bool last)
{
	uint16_t offset = (uint16_t)((of_whole & RTE_IPV4_HDR_OFFSET_MASK) + at / UNIT);

	if (!last || of_whole & RTE_IPV4_HDR_MF_FLAG)
		offset |= RTE_IPV4_HDR_MF_FLAG;
	ip->fragment_offset = rte_cpu_to_be_16(offset);
	ip->total_length = rte_cpu_to_be_16((uint16_t)(header + payload));
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, header);
}

static void later_fragment(
	struct rte_mbuf *piece, struct rte_mbuf *whole, const struct cut *cut, uint16_t at, uint16_t length)
{
	const uint8_t *payload = rte_pktmbuf_mtod_offset(
		whole, const uint8_t *, (uint16_t)(L3_OFFSET + cut->first_header + at));
	uint16_t of_whole = rte_be_to_cpu_16(frame_ipv4(whole)->fragment_offset);
	struct packet_metadata *meta = packet_metadata(piece);
	uint8_t *frame = rte_pktmbuf_mtod(piece, uint8_t *);

	memcpy(frame, rte_pktmbuf_mtod(whole, const uint8_t *), L3_OFFSET);
	memcpy(frame + L3_OFFSET, cut->header, cut->header_length);
	memcpy(frame + L3_OFFSET + cut->header_length, payload, length);
	piece->data_len = (uint16_t)(L3_OFFSET + cut->header_length + length);
	piece->pkt_len = piece->data_len;
	header_finish(
		frame_ipv4(piece), cut->header_length, length, of_whole, at, at + length == cut->payload);
	*meta = *packet_metadata(whole);
	meta->flags |= PACKET_FRAGMENT | PACKET_LATER_FRAGMENT;
	meta->l4_offset = 0;
}

/* The whole becomes the first fragment, once the others have their part. */
static void first_fragment(struct rte_mbuf *m, const struct cut *cut)
{
	uint16_t of_whole = rte_be_to_cpu_16(frame_ipv4(m)->fragment_offset);

	m->data_len = (uint16_t)(L3_OFFSET + cut->first_header + cut->first);
	m->pkt_len = m->data_len;
	header_finish(frame_ipv4(m), cut->first_header, cut->first, of_whole, 0, false);
	packet_metadata(m)->flags |= PACKET_FRAGMENT;
}

static uint8_t fragment_one(struct lcore_context *context, struct rte_mbuf *m)
{
	struct packet_metadata *meta = packet_metadata(m);
	struct rte_mbuf *piece[BURST_MAX] = { m };
	struct cut cut;

	meta->fit = 0;
	if (unlikely(!cut_plan(&cut, frame_ipv4(m), data_plane_mtu(context->plane, meta->egress))))
		return verdict_drop(DROP_TOO_BIG);
	if (unlikely(rte_pktmbuf_alloc_bulk(m->pool, &piece[1], cut.count - 1u) < 0))
		return verdict_drop(DROP_FRAGMENT_NO_BUFFER);
	for (uint16_t i = 1, at = cut.first; i < cut.count; i++, at = (uint16_t)(at + cut.each))
		later_fragment(piece[i], m, &cut, at, (uint16_t)RTE_MIN(cut.each, cut.payload - at));
	first_fragment(m, &cut);
	context->counters.fragmented++;
	context->counters.fragments_made += cut.count;
	packet_path_pass(context, interface_is_segment(meta->egress) ? STAGE_VXLAN_ENCAP : STAGE_TRANSMIT,
		piece, cut.count);
	return VERDICT_KEPT;
}

void fragment_process(
	struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict)
{
	for (uint16_t i = 0; i < count; i++)
		verdict[i] = fragment_one(context, packets[i]);
}
