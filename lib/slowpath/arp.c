/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP (RFC 826, RFC 5227): answers for our own addresses only, asks, and learns neighbours. */
#include "base/ip_address.h"
#include "base/log.h"
#include "packet/arp_wire.h"
#include "slowpath/slowpath_private.h"

struct arp_frame {
	struct rte_ether_hdr ethernet;
	struct arp_packet arp;
	uint8_t padding[18]; /* to the 60 bytes of the shortest Ethernet frame */
} __attribute__((packed));
_Static_assert(sizeof(struct arp_frame) == 60, "the shortest Ethernet frame, without FCS");

static const struct rte_ether_addr broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static struct arp_frame arp_frame_make(const struct slowpath *slowpath, interface_id interface,
	uint16_t operation, const struct rte_ether_addr *to, rte_be32_t sender_ip)
{
	const struct rte_ether_addr *mac = interface_mac(slowpath, interface);

	return (struct arp_frame){
		.ethernet = { .dst_addr = *to, .src_addr = *mac, .ether_type = RTE_BE16(ETHER_TYPE_ARP) },
		.arp = { .hardware_type = RTE_BE16(ARP_HARDWARE_ETHERNET),
			.protocol_type = RTE_BE16(RTE_ETHER_TYPE_IPV4),
			.hardware_length = 6,
			.protocol_length = 4,
			.operation = rte_cpu_to_be_16(operation),
			.sender_mac = *mac,
			.sender_ip = sender_ip },
	};
}

void arp_ask(struct slowpath *slowpath, interface_id interface, rte_be32_t ip)
{
	struct arp_frame frame = arp_frame_make(
		slowpath, interface, ARP_REQUEST, &broadcast, interface_address(slowpath, interface, ip));

	frame.arp.target_ip = ip;
	slowpath->counters.arp_requests_sent++;
	if (interface_is_segment(interface))
		inject_flood(slowpath, segment_of_interface(interface), &frame, sizeof(frame));
	else
		inject_frame_port(slowpath, interface, &frame, sizeof(frame));
}

void arp_ask_host(
	struct slowpath *slowpath, interface_id interface, rte_be32_t ip, uint64_t mac, uint32_t tunnel)
{
	struct rte_ether_addr to;

	fdb_key_mac(mac, &to);
	struct arp_frame frame = arp_frame_make(
		slowpath, interface, ARP_REQUEST, &to, interface_address(slowpath, interface, ip));
	frame.arp.target_ip = ip;
	slowpath->counters.arp_requests_sent++;
	if (interface_is_segment(interface))
		inject_frame_tunnel(slowpath, tunnel, &frame, sizeof(frame));
	else
		inject_frame_port(slowpath, interface, &frame, sizeof(frame));
}

static bool arp_is_valid(const struct arp_frame *frame)
{
	const struct arp_packet *arp = &frame->arp;

	return frame->ethernet.ether_type == RTE_BE16(ETHER_TYPE_ARP) &&
	       arp->hardware_type == RTE_BE16(ARP_HARDWARE_ETHERNET) &&
	       arp->protocol_type == RTE_BE16(RTE_ETHER_TYPE_IPV4) && arp->hardware_length == 6 &&
	       arp->protocol_length == 4 &&
	       (arp->operation == RTE_BE16(ARP_REQUEST) || arp->operation == RTE_BE16(ARP_REPLY)) &&
	       rte_is_valid_assigned_ether_addr(&arp->sender_mac);
}

/* Someone else uses an address of ours (RFC 5227 section 2.4). There is nothing to yield to: it is configured. */
static void address_conflict(struct slowpath *slowpath, interface_id interface, const struct arp_packet *arp)
{
	char address[IP_ADDRESS_TEXT];
	const uint8_t *mac = arp->sender_mac.addr_bytes;

	slowpath->counters.address_conflicts++;
	if (token_bucket_take(&slowpath->conflict_log, slowpath->now_ns))
		log_warning("%s: %02x:%02x:%02x:%02x:%02x:%02x also uses our address %s",
			interface_name(slowpath->plane, interface), mac[0], mac[1], mac[2], mac[3], mac[4],
			mac[5], ipv4_text(arp->sender_ip, address));
}

/* RFC 826: whoever asks us will be spoken to, so it is learned; of others only what is known is brought up to date.
 * The sender of an address probe has no address yet (RFC 5227 section 2.1.1). */
static void arp_learn(
	struct slowpath *slowpath, interface_id interface, const struct arp_packet *arp, bool asks_us)
{
	if (arp->sender_ip == 0)
		return;
	if (rte_is_same_ether_addr(&arp->sender_mac, interface_mac(slowpath, interface)))
		return; /* our own, come back by a loop */
	if (own_address_by_arp(slowpath, interface, arp->sender_ip, 0)) {
		address_conflict(slowpath, interface, arp);
		return;
	}
	if (address_is_unicast(arp->sender_ip) && on_link(slowpath, interface, arp->sender_ip))
		neighbour_learn(slowpath, interface, arp->sender_ip, &arp->sender_mac, asks_us);
}

static void arp_answer(
	struct slowpath *slowpath, interface_id interface, const struct arp_frame *request, uint32_t tunnel)
{
	struct arp_frame frame = arp_frame_make(
		slowpath, interface, ARP_REPLY, &request->ethernet.src_addr, request->arp.target_ip);

	frame.arp.target_mac = request->arp.sender_mac;
	frame.arp.target_ip = request->arp.sender_ip;
	slowpath->counters.arp_replies_sent++;
	if (!interface_is_segment(interface))
		inject_frame_port(slowpath, interface, &frame, sizeof(frame));
	else if (tunnel != INDEX_NONE)
		inject_frame_tunnel(slowpath, tunnel, &frame, sizeof(frame));
}

/* The first frame of a new VTEP has no tunnel yet. */
static uint32_t ingress_tunnel(struct slowpath *slowpath, const struct packet_metadata *meta)
{
	if (meta->tunnel != INDEX_NONE || !interface_is_segment(meta->ingress))
		return meta->tunnel;
	return vtep_discover(slowpath, segment_of_interface(meta->ingress), meta->next_hop);
}

void arp_input(struct slowpath *slowpath, struct rte_mbuf *m)
{
	const struct packet_metadata *meta = packet_metadata(m);
	const struct arp_frame *frame = rte_pktmbuf_mtod(m, const struct arp_frame *);
	interface_id interface = meta->ingress;

	if (m->data_len < offsetof(struct arp_frame, padding) || !arp_is_valid(frame)) {
		packet_drop(slowpath, m, SLOWPATH_DROP_ARP_MALFORMED);
		return;
	}
	bool request = frame->arp.operation == RTE_BE16(ARP_REQUEST);
	bool ours = own_address_by_arp(slowpath, interface, frame->arp.target_ip, frame->arp.sender_ip);
	uint32_t tunnel = ingress_tunnel(slowpath, meta);

	slowpath->counters.arp_requests_received += request;
	slowpath->counters.arp_replies_received += !request;
	if (interface_is_segment(interface) && tunnel != INDEX_NONE &&
		rte_is_same_ether_addr(&frame->ethernet.src_addr, &frame->arp.sender_mac))
		fdb_learn(slowpath, fdb_key(segment_of_interface(interface), &frame->arp.sender_mac), tunnel);
	arp_learn(slowpath, interface, &frame->arp, request && ours);
	if (request && ours && frame->arp.sender_ip != frame->arp.target_ip)
		arp_answer(slowpath, interface, frame, tunnel);
	else if (!ours)
		slowpath->counters.arp_ignored++;
	rte_pktmbuf_free(m);
}
