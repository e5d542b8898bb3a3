/* SPDX-License-Identifier: BSD-3-Clause */
/* The packets of the tests: built from a description, checked in full and shown as one line of text.
 *
 * Nothing here is shared with the gateway: no header, no checksum function, so that the code under test is never its
 * own witness. Bytes are put and read one by one; every checksum is summed over every byte it covers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX  2048
#define FRAME_TEXT 640

struct frame {
	uint16_t length;
	uint8_t bytes[FRAME_MAX];
};

/* An IPv4 packet in an Ethernet frame. What is left 0 or NULL is the usual value. */
struct packet {
	const char *mac_to, *mac_from;           /* "02:00:00:00:00:01"; NULL: zero */
	const char *from, *to;                   /* IPv4 addresses */
	uint8_t protocol;                        /* 0: UDP */
	uint16_t from_port, to_port;             /* UDP and TCP */
	const char *tcp;                         /* flags, of "FSRPAU"; NULL: "A" */
	uint32_t tcp_sequence, tcp_acknowledged; /* sequence 0: 1000 */
	const uint8_t *tcp_options;
	uint8_t tcp_options_length; /* a multiple of 4 */
	uint8_t icmp_type, icmp_code;
	uint16_t icmp_id, icmp_sequence;
	uint16_t icmp_mtu;         /* of "fragmentation needed" */
	const struct frame *quote; /* ICMP errors: the frame that they are about */
	uint16_t quote_length;     /* bytes of its IP packet; 0: all, but at most 548 */
	uint16_t data;             /* bytes after the L4 header */
	uint8_t ttl;               /* 0: 64 */
	uint16_t ip_id;
	uint16_t fragment_offset; /* in units of 8 bytes; beyond 0 there is no L4 header, only data */
	bool more_fragments, dont_fragment;
	bool no_udp_checksum;   /* send 0 */
	const uint8_t *options; /* of IPv4 */
	uint8_t options_length; /* a multiple of 4 */
	uint16_t pad_to;        /* frame length to pad up to */
};
void frame_build(struct frame *frame, const struct packet *packet);

/* The outer headers of a VTEP. */
struct tunnel_packet {
	const char *mac_to, *mac_from;
	const char *from, *to; /* VTEP addresses */
	uint32_t vni;
	uint16_t from_port; /* 0: 50000 */
	uint16_t to_port;   /* 0: 4789 */
	bool udp_checksum;  /* else 0, as most VTEPs send */
};
void frame_encapsulate(struct frame *frame, const struct tunnel_packet *tunnel, const struct frame *inner);

struct arp {
	const char *mac_to, *mac_from; /* of the Ethernet header; mac_to NULL: broadcast */
	uint16_t operation;            /* 1 request, 2 reply; 3 is sent as RARP */
	const char *sender_mac, *sender, *target_mac,
		*target; /* sender_mac NULL: mac_from; target_mac NULL: zero */
};
void frame_arp(struct frame *frame, const struct arp *arp);

/* What is where in a frame, once it has been checked. */
struct frame_view {
	bool tunnelled;                      /* VXLAN: then the fields below are those of the inner frame */
	uint16_t outer_ip, outer_udp, vxlan; /* offsets */
	uint16_t ethernet, ether_type;
	uint16_t ip, ip_header, ip_total; /* 0: not IPv4 */
	uint16_t l4, data, data_length;   /* 0: none here */
	uint8_t protocol;
	bool fragment;
};
/* NULL when every length and checksum of the frame, of the tunnel, of the inner packet and of a packet that an ICMP
 * error quotes is right; else what is wrong. `vxlan_port` is the UDP port that is taken for VXLAN, or 0. */
const char *frame_check(const struct frame *frame, uint16_t vxlan_port, struct frame_view *view);

/* A fault that a gateway leaves for the receiver to find: it keeps a wrong L4 checksum wrong, and does not look into
 * the errors that it forwards. */
bool frame_fault_is_end_to_end(const char *fault);

/* One line, such as
 *   52:54:00:00:00:02 > 02:00:5e:00:50:01 | udp 198.51.100.7:53 > 10.0.1.11:4000 ttl 63 data 18
 * with "MAC > MAC | vxlan 5001 192.0.2.1:50000 > 192.0.2.11:4789 ttl 64 df | " before it for a tunnelled one, and
 * "BAD what" at the end of a malformed one. */
const char *frame_text(const struct frame *frame, char text[FRAME_TEXT]);
/* Does the text of the frame match the pattern? ('*' and '?' as in file names.) */
bool frame_matches(const struct frame *frame, const char *pattern);

/* Bytes in and out, network byte order. */
uint16_t frame_get16(const struct frame *frame, uint16_t at);
uint32_t frame_get32(const struct frame *frame, uint16_t at);
void frame_put16(struct frame *frame, uint16_t at, uint16_t value);
void frame_put32(struct frame *frame, uint16_t at, uint32_t value);
/* The checksum that the IPv4 header at `ip` should have, put there. */
void frame_mend_ip(struct frame *frame, uint16_t ip);
/* The same for the UDP, TCP or ICMP checksum of the packet at `ip`. */
void frame_mend_l4(struct frame *frame, uint16_t ip);
/* The UDP or TCP checksum as a kernel leaves it in a packet that it hands to a veth: the sum of the pseudo header alone, not
 * complemented. */
void frame_halve_l4(struct frame *frame, uint16_t ip);

void mac_from_text(const char *text, uint8_t mac[6]);
uint32_t ipv4_from_text(const char *text); /* host byte order */
