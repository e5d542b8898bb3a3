/* SPDX-License-Identifier: BSD-3-Clause */
/* The port control server's datagrams (services/port_control.h) in and out, and its questions to NAT. */
#include "slowpath/udp_local.h"
#include "table/nat_mapping.h"

#define ALL_HOSTS        RTE_BE32(0xe0000001) /* 224.0.0.1 */
#define ANNOUNCED_A_TURN 16u                  /* segments */
#define QUEUE_WAIT_NS    NS_PER_MS            /* until an owner's full queue is tried again */

struct announcement_frame {
	struct rte_ether_hdr ethernet;
	struct udp_headers headers;
	uint8_t message[sizeof(struct pcp_header)]; /* or less */
} __attribute__((packed));
_Static_assert(sizeof(struct pcp_header) >= NAT_PMP_RESPONSE_ADDRESS, "either message fits");

static bool question(void *slowpath, const struct nat_mapping_request *request)
{
	return nat_ask(slowpath, request);
}

static void response_send(struct slowpath *slowpath, const struct port_control_response *response)
{
	const struct segment *segment = &slowpath->plane->segments->segment[response->to.segment];
	const struct udp_addresses addresses = { .source = segment->gateway,
		.destination = response->to.address,
		.source_port = PCP_PORT,
		.destination_port = response->to.port };

	if (response->length == 0)
		return;
	struct rte_mbuf *m = udp_packet(slowpath, &addresses, response->bytes, response->length);
	if (m != NULL)
		inject_back(slowpath, m, segment->interface, response->to.address);
}

/* Only to the gateway's address of a segment that has the service, from a host of that segment. */
bool port_control_input(struct slowpath *slowpath, struct rte_mbuf *m, const struct udp_local *udp)
{
	interface_id ingress = packet_metadata(m)->ingress;
	struct port_control_response response;

	if (udp->destination_port != PCP_PORT || slowpath->port_control == NULL ||
		!interface_is_segment(ingress) ||
		port_control_of(slowpath->port_control, segment_of_interface(ingress)) == NULL ||
		!own_address_on(slowpath, ingress, udp->destination) ||
		!on_link(slowpath, ingress, udp->source))
		return false;
	const struct port_control_client client = {
		.segment = segment_of_interface(ingress), .address = udp->source, .port = udp->source_port
	};
	port_control_request(slowpath->port_control, &client, udp->data, udp->length, slowpath->now_ns,
		question, slowpath, &response);
	response_send(slowpath, &response);
	rte_pktmbuf_free(m);
	return true;
}

void port_control_answer_input(struct slowpath *slowpath, const struct nat_mapping_answer *answer)
{
	struct port_control_response response;

	if (slowpath->port_control == NULL)
		return;
	if (answer->operation == NAT_MAPPING_CLEARED) {
		port_control_cleared(slowpath->port_control, answer, slowpath->now_ns);
		return;
	}
	port_control_answer(slowpath->port_control, answer, slowpath->now_ns, &response);
	response_send(slowpath, &response);
}

/* To all hosts of the segment. */
static void announcement_send(struct slowpath *slowpath, uint16_t index, const void *message, uint16_t length)
{
	const struct segment *segment = &slowpath->plane->segments->segment[index];
	const struct udp_addresses addresses = { .source = segment->gateway,
		.destination = ALL_HOSTS,
		.source_port = PCP_PORT,
		.destination_port = PCP_CLIENT_PORT };
	struct announcement_frame frame = { .ethernet = { .src_addr = segment->mac,
						    .ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4) } };

	multicast_mac(ALL_HOSTS, &frame.ethernet.dst_addr);
	memcpy(frame.message, message, length);
	udp_headers_fill(&frame.headers, &addresses, length);
	inject_flood(
		slowpath, index, &frame, (uint16_t)(offsetof(struct announcement_frame, message) + length));
}

static void segment_announce(
	struct slowpath *slowpath, uint16_t index, const struct port_control_settings *settings)
{
	struct port_control_announcement *announcement = &slowpath->announcement;

	announcement->nat_pmp.outside = settings->outside;
	announcement_send(slowpath, index, &announcement->pcp, sizeof(announcement->pcp));
	announcement_send(slowpath, index, &announcement->nat_pmp, NAT_PMP_RESPONSE_ADDRESS);
}

unsigned port_control_run(struct slowpath *slowpath)
{
	uint16_t *at = &slowpath->announce_segment, segments = slowpath->plane->segments->count;
	unsigned sent = 0, ended;

	if (slowpath->port_control == NULL)
		return 0;
	ended = port_control_end_more(slowpath->port_control, slowpath->now_ns, question, slowpath);
	if (*at == segments && slowpath->now_ns >= port_control_announce_due_ns(slowpath->port_control)) {
		port_control_announce(slowpath->port_control, slowpath->now_ns, &slowpath->announcement);
		*at = 0;
	}
	for (; *at < segments && sent < ANNOUNCED_A_TURN; (*at)++) {
		const struct port_control_settings *settings = port_control_of(slowpath->port_control, *at);
		if (settings != NULL) {
			segment_announce(slowpath, *at, settings);
			sent++;
		}
	}
	return sent + ended;
}

uint64_t port_control_next_due_ns(const struct slowpath *slowpath)
{
	if (slowpath->port_control == NULL)
		return UINT64_MAX;
	if (slowpath->announce_segment < slowpath->plane->segments->count)
		return 0;
	return RTE_MIN(port_control_announce_due_ns(slowpath->port_control),
		port_control_is_ending(slowpath->port_control) ? slowpath->now_ns + QUEUE_WAIT_NS
							       : UINT64_MAX);
}
