/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ICMP = 1, TCP = 6, UDP = 17 };

uint16_t frame_get16(const struct frame *frame, uint16_t at)
{
	return (uint16_t)(frame->bytes[at] << 8 | frame->bytes[at + 1]);
}

uint32_t frame_get32(const struct frame *frame, uint16_t at)
{
	return (uint32_t)frame_get16(frame, at) << 16 | frame_get16(frame, (uint16_t)(at + 2));
}

void frame_put16(struct frame *frame, uint16_t at, uint16_t value)
{
	frame->bytes[at] = (uint8_t)(value >> 8);
	frame->bytes[at + 1] = (uint8_t)value;
}

void frame_put32(struct frame *frame, uint16_t at, uint32_t value)
{
	frame_put16(frame, at, (uint16_t)(value >> 16));
	frame_put16(frame, (uint16_t)(at + 2), (uint16_t)value);
}

void mac_from_text(const char *text, uint8_t mac[6])
{
	unsigned b[6];

	memset(mac, 0, 6);
	if (text == NULL)
		return;
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6) {
		fprintf(stderr, "not a MAC address: %s\n", text);
		abort();
	}
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
}

uint32_t ipv4_from_text(const char *text)
{
	unsigned b[4];

	if (text == NULL || sscanf(text, "%u.%u.%u.%u", &b[0], &b[1], &b[2], &b[3]) != 4) {
		fprintf(stderr, "not an IPv4 address: %s\n", text ? text : "NULL");
		abort();
	}
	return b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

/* RFC 1071, one 16-bit word after the other. */
static uint32_t sum_bytes(const uint8_t *bytes, uint32_t length, uint32_t sum)
{
	for (uint32_t i = 0; i < length; i++)
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
	return sum;
}

static uint16_t sum_finish(uint32_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void frame_mend_ip(struct frame *frame, uint16_t ip)
{
	uint16_t header = (uint16_t)((frame->bytes[ip] & 15) * 4);

	frame_put16(frame, (uint16_t)(ip + 10), 0);
	frame_put16(frame, (uint16_t)(ip + 10), sum_finish(sum_bytes(&frame->bytes[ip], header, 0)));
}

void frame_mend_l4(struct frame *frame, uint16_t ip)
{
	uint16_t header = (uint16_t)((frame->bytes[ip] & 15) * 4);
	uint16_t length = (uint16_t)(frame_get16(frame, (uint16_t)(ip + 2)) - header);
	uint16_t l4 = (uint16_t)(ip + header);
	uint8_t protocol = frame->bytes[ip + 9];
	uint16_t field = (uint16_t)(l4 + (protocol == UDP ? 6 : protocol == TCP ? 16 : 2));
	uint32_t sum =
		protocol == ICMP ? 0 : sum_bytes(&frame->bytes[ip + 12], 8, (uint32_t)protocol + length);

	if (protocol != ICMP && protocol != TCP && protocol != UDP)
		return;
	frame_put16(frame, field, 0);
	uint16_t value = sum_finish(sum_bytes(&frame->bytes[l4], length, sum));
	frame_put16(frame, field, protocol == UDP && value == 0 ? 0xffff : value);
}

void frame_halve_l4(struct frame *frame, uint16_t ip)
{
	uint8_t protocol = frame->bytes[ip + 9];
	uint32_t sum = protocol + (uint32_t)frame_get16(frame, (uint16_t)(ip + 2)) - 20;

	frame_put16(frame, (uint16_t)(ip + 20 + (protocol == UDP ? 6 : 16)),
		(uint16_t)~sum_finish(sum_bytes(&frame->bytes[ip + 12], 8, sum)));
}

static uint8_t tcp_flags(const char *text)
{
	static const char letter[] = "FSRPAU";
	uint8_t flags = 0;

	for (; *text != '\0'; text++) {
		const char *at = strchr(letter, *text);
		if (at == NULL)
			abort();
		flags = (uint8_t)(flags | 1u << (at - letter));
	}
	return flags;
}

static void put_data(struct frame *frame, uint16_t length)
{
	if (frame->length + length > FRAME_MAX)
		abort();
	for (uint16_t i = 0; i < length; i++)
		frame->bytes[frame->length + i] = (uint8_t)('a' + i % 26);
	frame->length = (uint16_t)(frame->length + length);
}

static void put_l4(struct frame *frame, const struct packet *packet, uint8_t protocol)
{
	uint16_t l4 = frame->length;

	if (protocol == UDP) {
		frame_put16(frame, l4, packet->from_port);
		frame_put16(frame, (uint16_t)(l4 + 2), packet->to_port);
		frame_put16(frame, (uint16_t)(l4 + 4), (uint16_t)(8 + packet->data));
		frame->length = (uint16_t)(l4 + 8);
	} else if (protocol == TCP) {
		frame_put16(frame, l4, packet->from_port);
		frame_put16(frame, (uint16_t)(l4 + 2), packet->to_port);
		frame_put32(frame, (uint16_t)(l4 + 4), packet->tcp_sequence ? packet->tcp_sequence : 1000);
		frame_put32(frame, (uint16_t)(l4 + 8), packet->tcp_acknowledged);
		frame->bytes[l4 + 12] = (uint8_t)((5 + packet->tcp_options_length / 4) << 4);
		frame->bytes[l4 + 13] = tcp_flags(packet->tcp ? packet->tcp : "A");
		frame_put16(frame, (uint16_t)(l4 + 14), 64000);
		if (packet->tcp_options_length > 0)
			memcpy(&frame->bytes[l4 + 20], packet->tcp_options, packet->tcp_options_length);
		frame->length = (uint16_t)(l4 + 20 + packet->tcp_options_length);
	} else if (protocol == ICMP) {
		frame->bytes[l4] = packet->icmp_type;
		frame->bytes[l4 + 1] = packet->icmp_code;
		frame_put16(frame, (uint16_t)(l4 + 4), packet->icmp_id);
		frame_put16(
			frame, (uint16_t)(l4 + 6), packet->quote ? packet->icmp_mtu : packet->icmp_sequence);
		frame->length = (uint16_t)(l4 + 8);
	}
}

static void put_quote(struct frame *frame, const struct packet *packet)
{
	uint16_t length = packet->quote_length;

	if (length == 0)
		length = (uint16_t)(packet->quote->length - 14);
	if (length > 548)
		length = 548;
	memcpy(&frame->bytes[frame->length], &packet->quote->bytes[14], length);
	frame->length = (uint16_t)(frame->length + length);
}

static void put_ethernet(struct frame *frame, const char *to, const char *from, uint16_t type)
{
	memset(frame, 0, sizeof(*frame));
	mac_from_text(to, &frame->bytes[0]);
	mac_from_text(from, &frame->bytes[6]);
	frame_put16(frame, 12, type);
	frame->length = 14;
}

/* The IPv4 header; total length and checksum are put in when the packet is whole. */
static void put_ip(struct frame *frame, const struct packet *packet, uint8_t protocol)
{
	uint16_t ip = frame->length;

	frame->bytes[ip] = (uint8_t)(0x45 + packet->options_length / 4);
	frame_put16(frame, (uint16_t)(ip + 4), packet->ip_id);
	frame_put16(frame, (uint16_t)(ip + 6),
		(uint16_t)(packet->fragment_offset | (packet->more_fragments ? 0x2000 : 0) |
			   (packet->dont_fragment ? 0x4000 : 0)));
	frame->bytes[ip + 8] = packet->ttl ? packet->ttl : 64;
	frame->bytes[ip + 9] = protocol;
	frame_put32(frame, (uint16_t)(ip + 12), ipv4_from_text(packet->from));
	frame_put32(frame, (uint16_t)(ip + 16), ipv4_from_text(packet->to));
	if (packet->options_length > 0)
		memcpy(&frame->bytes[ip + 20], packet->options, packet->options_length);
	frame->length = (uint16_t)(ip + 20 + packet->options_length);
}

void frame_build(struct frame *frame, const struct packet *packet)
{
	uint8_t protocol = packet->protocol ? packet->protocol : UDP;

	put_ethernet(frame, packet->mac_to, packet->mac_from, 0x0800);
	put_ip(frame, packet, protocol);
	if (packet->fragment_offset == 0)
		put_l4(frame, packet, protocol);
	if (packet->quote != NULL)
		put_quote(frame, packet);
	put_data(frame, packet->data);
	frame_put16(frame, 16, (uint16_t)(frame->length - 14));
	if (packet->fragment_offset == 0 && !(protocol == UDP && packet->no_udp_checksum))
		frame_mend_l4(frame, 14);
	frame_mend_ip(frame, 14);
	if (frame->length < packet->pad_to)
		frame->length = packet->pad_to;
}

void frame_encapsulate(struct frame *frame, const struct tunnel_packet *tunnel, const struct frame *inner)
{
	struct packet outer = {
		.mac_to = tunnel->mac_to,
		.mac_from = tunnel->mac_from,
		.from = tunnel->from,
		.to = tunnel->to,
		.from_port = tunnel->from_port ? tunnel->from_port : 50000,
		.to_port = tunnel->to_port ? tunnel->to_port : 4789,
	};

	put_ethernet(frame, outer.mac_to, outer.mac_from, 0x0800);
	outer.data = (uint16_t)(8 + inner->length);
	put_ip(frame, &outer, UDP);
	put_l4(frame, &outer, UDP);
	frame->bytes[frame->length] = 0x08;
	frame_put32(frame, (uint16_t)(frame->length + 4), tunnel->vni << 8);
	memcpy(&frame->bytes[frame->length + 8], inner->bytes, inner->length);
	frame->length = (uint16_t)(frame->length + 8 + inner->length);
	frame_put16(frame, 16, (uint16_t)(frame->length - 14));
	if (tunnel->udp_checksum)
		frame_mend_l4(frame, 14);
	frame_mend_ip(frame, 14);
}

void frame_arp(struct frame *frame, const struct arp *arp)
{
	put_ethernet(frame, arp->mac_to ? arp->mac_to : "ff:ff:ff:ff:ff:ff", arp->mac_from,
		arp->operation >= 3 ? 0x8035 : 0x0806);
	frame_put16(frame, 14, 1);
	frame_put16(frame, 16, 0x0800);
	frame->bytes[18] = 6;
	frame->bytes[19] = 4;
	frame_put16(frame, 20, arp->operation);
	mac_from_text(arp->sender_mac ? arp->sender_mac : arp->mac_from, &frame->bytes[22]);
	frame_put32(frame, 28, arp->sender ? ipv4_from_text(arp->sender) : 0);
	mac_from_text(arp->target_mac, &frame->bytes[32]);
	frame_put32(frame, 38, arp->target ? ipv4_from_text(arp->target) : 0);
	frame->length = 42;
}
