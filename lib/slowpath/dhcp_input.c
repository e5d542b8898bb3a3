/* SPDX-License-Identifier: BSD-3-Clause */
/* The relay agent's messages (services/dhcp_relay.h) in and out: requests that clients broadcast or send to an address of
 * ours or of a server, replies to our addresses; copies to the servers, answers to the clients. */
#include "slowpath/slowpath_private.h"
#include "slowpath/udp_local.h"

#define DHCP_TTL 64

static const enum slowpath_drop refusal_drop[] = {
	[DHCP_REFUSED_MALFORMED] = SLOWPATH_DROP_DHCP_MALFORMED,
	[DHCP_REFUSED_HOPS] = SLOWPATH_DROP_DHCP_HOPS,
	[DHCP_REFUSED_SPOOFED_RELAY] = SLOWPATH_DROP_DHCP_SPOOFED_RELAY,
	[DHCP_REFUSED_OPTION_82] = SLOWPATH_DROP_DHCP_OPTION_82,
	[DHCP_REFUSED_SERVER] = SLOWPATH_DROP_DHCP_SERVER,
	[DHCP_REFUSED_UNEXPECTED] = SLOWPATH_DROP_DHCP_UNEXPECTED,
};

struct dhcp_frame {
	struct rte_ether_hdr ethernet;
	struct udp_headers headers;
	uint8_t message[UDP_LOCAL_MAX];
} __attribute__((packed));

static void servers_send(struct slowpath *slowpath, uint16_t segment, const uint8_t *message, uint16_t length)
{
	const struct dhcp_relay_settings *settings = dhcp_relay_of(slowpath->dhcp_relay, segment);

	for (uint16_t i = 0; i < settings->server_count; i++) {
		struct udp_addresses addresses = { .source = settings->gateway,
			.destination = settings->server[i],
			.source_port = DHCP_SERVER_PORT,
			.destination_port = DHCP_SERVER_PORT };
		struct rte_mbuf *m = udp_packet(slowpath, &addresses, message, length);

		if (m != NULL && inject_back(slowpath, m, INTERFACE_NONE, settings->server[i]))
			dhcp_relay_sent(slowpath->dhcp_relay, segment);
	}
}

/* The smallest packet that all ways to the servers take. */
static uint16_t servers_room(const struct slowpath *slowpath, const struct dhcp_relay_settings *settings)
{
	uint16_t room = sizeof(struct udp_headers) + UDP_LOCAL_MAX;

	for (uint16_t i = 0; i < settings->server_count; i++) {
		const struct next_hop *hop = fib_find(slowpath->plane->fib, settings->server[i]);
		if (hop->kind == NEXT_HOP_CONNECTED || hop->kind == NEXT_HOP_VIA)
			room = (uint16_t)RTE_MIN(room, data_plane_mtu(slowpath->plane, hop->interface));
	}
	return (uint16_t)(room - sizeof(struct udp_headers));
}

static void request_input(struct slowpath *slowpath, struct rte_mbuf *m, const struct udp_local *udp)
{
	uint16_t segment = segment_of_interface(packet_metadata(m)->ingress), length = udp->length;
	const struct dhcp_relay_settings *settings = dhcp_relay_of(slowpath->dhcp_relay, segment);
	_Alignas(8) uint8_t message[UDP_LOCAL_MAX];

	memcpy(message, udp->data, length);
	enum dhcp_refusal refusal = dhcp_relay_request(slowpath->dhcp_relay, segment,
		(struct dhcp_message *)message, &length, servers_room(slowpath, settings), slowpath->now_ns);
	if (refusal != DHCP_ACCEPTED) {
		packet_drop(slowpath, m, refusal_drop[refusal]);
		return;
	}
	servers_send(slowpath, segment, message, length);
	rte_pktmbuf_free(m);
}

/* Straight to the MAC, as the client has no address that answers ARP yet: where the FDB says it is now, or everywhere. */
static void client_send(struct slowpath *slowpath, const struct dhcp_delivery *delivery,
	const uint8_t *message, uint16_t length)
{
	const struct segment *segment = &slowpath->plane->segments->segment[delivery->segment];
	struct dhcp_frame frame = { .ethernet = { .dst_addr = delivery->mac,
					    .src_addr = segment->mac,
					    .ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4) } };
	struct udp_addresses addresses = { .source = segment->gateway,
		.destination = delivery->destination,
		.source_port = DHCP_SERVER_PORT,
		.destination_port = DHCP_CLIENT_PORT };
	uint16_t frame_length = (uint16_t)(offsetof(struct dhcp_frame, message) + length);
	uint32_t fdb = fdb_find(slowpath->plane->fdb, fdb_key(delivery->segment, &delivery->mac));

	if (delivery->broadcast)
		memset(&frame.ethernet.dst_addr, 0xff, sizeof(frame.ethernet.dst_addr));
	memcpy(frame.message, message, length);
	udp_headers_fill(&frame.headers, &addresses, length);
	if (delivery->broadcast || fdb == INDEX_NONE)
		inject_flood(slowpath, delivery->segment, &frame, frame_length);
	else
		inject_frame_tunnel(slowpath,
			atomic_load_explicit(
				&slowpath->plane->fdb->entry[fdb].location, memory_order_relaxed),
			&frame, frame_length);
}

static void reply_input(struct slowpath *slowpath, struct rte_mbuf *m, const struct udp_local *udp)
{
	_Alignas(8) uint8_t message[UDP_LOCAL_MAX];
	struct dhcp_delivery delivery;
	uint16_t length = udp->length;

	memcpy(message, udp->data, length);
	enum dhcp_refusal refusal = dhcp_relay_reply(slowpath->dhcp_relay, udp->source, udp->destination,
		(struct dhcp_message *)message, &length, slowpath->now_ns, &delivery);
	if (refusal != DHCP_ACCEPTED) {
		packet_drop(slowpath, m, refusal_drop[refusal]);
		return;
	}
	client_send(slowpath, &delivery, message, length);
	rte_pktmbuf_free(m);
}

static bool from_relayed_segment(const struct slowpath *slowpath, interface_id ingress)
{
	return interface_is_segment(ingress) &&
	       dhcp_relay_of(slowpath->dhcp_relay, segment_of_interface(ingress)) != NULL;
}

/* 1542: the same port for both, so the operation tells them apart. A segment without relay has only replies for us: those
 * of a server in it. */
bool dhcp_input(struct slowpath *slowpath, struct rte_mbuf *m, const struct udp_local *udp)
{
	bool reply = udp->length > 0 && udp->data[0] == DHCP_REPLY;

	if (udp->destination_port != DHCP_SERVER_PORT || !slowpath->dhcp_relays)
		return false;
	if (!reply && !from_relayed_segment(slowpath, packet_metadata(m)->ingress))
		return false;
	if (udp->length > UDP_LOCAL_MAX)
		packet_drop(slowpath, m, SLOWPATH_DROP_DHCP_MALFORMED);
	else if (reply)
		reply_input(slowpath, m, udp);
	else
		request_input(slowpath, m, udp);
	return true;
}
