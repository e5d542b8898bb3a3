/* SPDX-License-Identifier: BSD-3-Clause */
/* The hosts around the gateway: they answer ARP where they live, and send what a test tells them to. */
#include "gateway_private.h"
#include <rte_debug.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_mac(const uint8_t *bytes, const char *text)
{
	uint8_t mac[6];

	mac_from_text(text, mac);
	return memcmp(bytes, mac, 6) == 0;
}

struct host *gateway_host(struct gateway *gateway, const char *name)
{
	for (int i = 0; i < HOSTS_MAX; i++)
		if (gateway->host[i].name != NULL && strcmp(gateway->host[i].name, name) == 0)
			return &gateway->host[i];
	rte_exit(EXIT_FAILURE, "the test's world has no host %s\n", name);
}

static const struct host *vtep_host(const struct gateway *gateway, const char *address)
{
	for (int i = 0; i < HOSTS_MAX; i++) {
		const struct host *host = &gateway->host[i];
		if (host->name != NULL && host->vni == 0 && strcmp(host->ip, address) == 0)
			return host;
	}
	rte_exit(EXIT_FAILURE, "the test's world has no VTEP %s\n", address);
}

static const char *vxlan_source(const struct gateway *gateway)
{
	static char text[IP_ADDRESS_TEXT];

	return ip_address_text(&gateway->config->vxlan.source, text);
}

void gateway_segment_mac(const struct gateway *gateway, uint32_t vni, char text[18])
{
	for (uint32_t i = 0; i < gateway->config->segment_count; i++) {
		const uint8_t *b = gateway->config->segment[i].mac.addr_bytes;
		if (gateway->config->segment[i].vni != vni)
			continue;
		snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
		return;
	}
	rte_exit(EXIT_FAILURE, "the test's world has no segment %u\n", vni);
}

static void host_encapsulate(
	const struct gateway *gateway, const struct host *host, const struct frame *inner, struct frame *out)
{
	const struct host *vtep = vtep_host(gateway, host->vtep);

	frame_encapsulate(out,
		&(struct tunnel_packet){ .mac_to = gateway_port_mac(vtep->port),
			.mac_from = vtep->mac,
			.from = vtep->ip,
			.to = vxlan_source(gateway),
			.vni = host->vni },
		inner);
}

void gateway_host_sends_frame(struct gateway *gateway, const char *name, const struct frame *inner)
{
	const struct host *host = gateway_host(gateway, name);
	struct frame frame;

	if (host->vni != 0)
		host_encapsulate(gateway, host, inner, &frame);
	else
		frame = *inner;
	if (!gateway_send(gateway, host->vni ? UNDERLAY : host->port, &frame))
		rte_exit(EXIT_FAILURE, "a receive queue of the test is full\n");
}

void gateway_host_frame(
	struct gateway *gateway, const char *name, const struct packet *packet, struct frame *frame)
{
	const struct host *host = gateway_host(gateway, name);
	struct packet filled = *packet;
	struct frame inner;
	char mac[18];

	if (host->vni != 0)
		gateway_segment_mac(gateway, host->vni, mac);
	else
		memcpy(mac, gateway_port_mac(host->port), sizeof(mac));
	if (filled.mac_from == NULL)
		filled.mac_from = host->mac;
	if (filled.mac_to == NULL)
		filled.mac_to = mac;
	if (filled.from == NULL)
		filled.from = host->ip;
	frame_build(&inner, &filled);
	if (host->vni != 0)
		host_encapsulate(gateway, host, &inner, frame);
	else
		*frame = inner;
}

void gateway_host_sends(struct gateway *gateway, const char *name, const struct packet *packet)
{
	const struct host *host = gateway_host(gateway, name);
	struct frame frame;

	gateway_host_frame(gateway, name, packet, &frame);
	if (!gateway_send(gateway, host->vni ? UNDERLAY : host->port, &frame))
		rte_exit(EXIT_FAILURE, "a receive queue of the test is full\n");
}

/* Does the frame reach the host: its port; its segment and VTEP (or the group), and its MAC or all? */
static bool reaches(
	const struct host *host, uint16_t port, const struct frame *frame, const struct frame_view *view)
{
	if (!(frame->bytes[view->ethernet] & 1) && !same_mac(&frame->bytes[view->ethernet], host->mac))
		return false;
	if (host->vni == 0)
		return !view->tunnelled && host->port == port;
	uint32_t to = frame_get32(frame, (uint16_t)(view->outer_ip + 16));
	return view->tunnelled && frame_get32(frame, (uint16_t)(view->vxlan + 4)) >> 8 == host->vni &&
	       (to == ipv4_from_text(host->vtep) || to >> 28 == 14);
}

static void answer(
	struct gateway *gateway, const struct host *host, const struct frame *request, uint16_t arp)
{
	struct frame reply;

	frame_arp(&reply, &(struct arp){ .mac_from = host->mac, .operation = 2, .sender = host->ip });
	memcpy(&reply.bytes[0], &request->bytes[arp + 8], 6);
	memcpy(&reply.bytes[32], &request->bytes[arp + 8], 10);
	gateway_host_sends_frame(gateway, host->name, &reply);
}

bool gateway_hosts_take(struct gateway *gateway, uint16_t port, const struct frame *frame)
{
	struct frame_view view;
	bool known = false;

	if (frame_check(frame, 4789, &view) != NULL)
		return false;
	if (view.protocol == 17 && frame_get16(frame, (uint16_t)(view.l4 + 2)) == 5350)
		return !gateway->show_announcements;
	if (view.ether_type != 0x0806)
		return false;
	uint16_t arp = (uint16_t)(view.ethernet + 14);
	if (frame_get16(frame, (uint16_t)(arp + 6)) != 1)
		return false;
	gateway->arp_requests++;
	for (int i = 0; i < HOSTS_MAX && !gateway->show_arp; i++) {
		const struct host *host = &gateway->host[i];
		if (host->name == NULL ||
			ipv4_from_text(host->ip) != frame_get32(frame, (uint16_t)(arp + 24)) ||
			(host->vni != 0) != view.tunnelled)
			continue;
		if (host->vni != 0 && frame_get32(frame, (uint16_t)(view.vxlan + 4)) >> 8 != host->vni)
			continue;
		known = true;
		if (!host->silent && reaches(host, port, frame, &view))
			answer(gateway, host, frame, arp);
	}
	return known;
}
