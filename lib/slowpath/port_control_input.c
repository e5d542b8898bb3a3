/* SPDX-License-Identifier: BSD-3-Clause */
/* The port control server's datagrams (services/port_control.h) in and out, and its questions to NAT. */
#include "slowpath/udp_local.h"
#include "table/nat_mapping.h"

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
	port_control_answer(slowpath->port_control, answer, slowpath->now_ns, &response);
	response_send(slowpath, &response);
}
