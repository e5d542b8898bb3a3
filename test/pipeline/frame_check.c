/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ICMP = 1, TCP = 6, UDP = 17 };

static bool sum_is_right(const uint8_t *bytes, uint32_t length, uint32_t sum)
{
	for (uint32_t i = 0; i < length; i++)
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

static bool l4_sum_is_right(const struct frame *frame, const struct frame_view *v)
{
	uint16_t length = (uint16_t)(v->ip_total - v->ip_header);

	if (v->protocol == UDP && frame_get16(frame, (uint16_t)(v->l4 + 6)) == 0)
		return true;
	if (v->protocol == UDP) /* which may end before the packet does */
		length = frame_get16(frame, (uint16_t)(v->l4 + 4));
	uint32_t pseudo = v->protocol == ICMP ? 0 : (uint32_t)v->protocol + length;
	for (int i = 12; v->protocol != ICMP && i < 20; i += 2)
		pseudo += frame_get16(frame, (uint16_t)(v->ip + i));
	return sum_is_right(&frame->bytes[v->l4], length, pseudo);
}

static bool icmp_is_error(uint8_t type)
{
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* The packet inside an ICMP error may be cut short; its IP header must be whole, with the checksum that the sender
 * of the original would find in it. */
static const char *check_quote(const struct frame *frame, uint16_t at, uint16_t length)
{
	struct frame_view v = { .ip = at };

	if (length < 20)
		return "quoted packet is short";
	v.ip_header = (uint16_t)((frame->bytes[at] & 15) * 4);
	v.ip_total = frame_get16(frame, (uint16_t)(at + 2));
	v.l4 = (uint16_t)(at + v.ip_header);
	v.protocol = frame->bytes[at + 9];
	if (frame->bytes[at] >> 4 != 4 || v.ip_header < 20 || v.ip_header > length ||
		v.ip_header > v.ip_total)
		return "quoted ip header length";
	if (!sum_is_right(&frame->bytes[at], v.ip_header, 0))
		return "quoted ip checksum";
	if (length < v.ip_total && length < v.ip_header + 8)
		return "quoted packet is short"; /* RFC 792 */
	uint16_t least = v.protocol == TCP ? 20 : 8;
	if (length < v.ip_total || v.ip_total - v.ip_header < least)
		return NULL;
	if (v.protocol == UDP && frame_get16(frame, (uint16_t)(v.l4 + 4)) > v.ip_total - v.ip_header)
		return "quoted udp length";
	bool has_sum = v.protocol == ICMP || v.protocol == UDP || v.protocol == TCP;
	return has_sum && !l4_sum_is_right(frame, &v) ? "quoted l4 checksum" : NULL;
}

static const char *check_l4(const struct frame *frame, struct frame_view *v)
{
	uint16_t length = (uint16_t)(v->ip_total - v->ip_header);
	uint16_t header = v->protocol == TCP ? 20 : 8;

	if (v->protocol != UDP && v->protocol != TCP && v->protocol != ICMP)
		return NULL;
	if (length < header)
		return "l4 header is short";
	v->l4 = (uint16_t)(v->ip + v->ip_header);
	if (v->protocol == TCP)
		header = (uint16_t)((frame->bytes[v->l4 + 12] >> 4) * 4);
	if (header < 8 || header > length)
		return "l4 header length";
	v->data = (uint16_t)(v->l4 + header);
	v->data_length = (uint16_t)(length - header);
	if (v->fragment)
		return NULL;
	if (v->protocol == UDP) {
		uint16_t datagram = frame_get16(frame, (uint16_t)(v->l4 + 4));
		if (datagram < 8 || datagram > length)
			return "udp length";
		v->data_length = (uint16_t)(datagram - 8);
	}
	if (!l4_sum_is_right(frame, v))
		return v->protocol == UDP   ? "udp checksum"
		       : v->protocol == TCP ? "tcp checksum"
					    : "icmp checksum";
	if (v->protocol == ICMP && icmp_is_error(frame->bytes[v->l4]))
		return check_quote(frame, v->data, v->data_length);
	return NULL;
}

static const char *check_ip(const struct frame *frame, struct frame_view *v)
{
	uint16_t left = (uint16_t)(frame->length - v->ethernet - 14);

	v->ip = (uint16_t)(v->ethernet + 14);
	if (left < 20)
		return "ip header is short";
	if (frame->bytes[v->ip] >> 4 != 4)
		return "ip version";
	v->ip_header = (uint16_t)((frame->bytes[v->ip] & 15) * 4);
	v->ip_total = frame_get16(frame, (uint16_t)(v->ip + 2));
	if (v->ip_header < 20 || v->ip_header > v->ip_total)
		return "ip header length";
	if (v->ip_total > left)
		return "ip total length";
	if (!sum_is_right(&frame->bytes[v->ip], v->ip_header, 0))
		return "ip checksum";
	v->protocol = frame->bytes[v->ip + 9];
	uint16_t offset = frame_get16(frame, (uint16_t)(v->ip + 6));
	v->fragment = (offset & 0x3fff) != 0;
	if ((offset & 0x1fff) != 0)
		return NULL;
	return check_l4(frame, v);
}

static const char *check_ethernet(const struct frame *frame, uint16_t vxlan_port, struct frame_view *v);

/* The UDP datagram is VXLAN: go on with the frame inside. */
static const char *check_tunnel(const struct frame *frame, struct frame_view *v)
{
	struct frame_view outer = *v;

	if (outer.ip + outer.ip_total != frame->length)
		return "bytes after the outer packet";
	if (outer.data_length < 8 + 14)
		return "vxlan is short";
	if (frame->bytes[outer.data] != 0x08 || (frame_get32(frame, outer.data) & 0xffffff) != 0 ||
		frame->bytes[outer.data + 7] != 0)
		return "vxlan flags or reserved bits";
	*v = (struct frame_view){ .tunnelled = true,
		.outer_ip = outer.ip,
		.outer_udp = outer.l4,
		.vxlan = outer.data,
		.ethernet = (uint16_t)(outer.data + 8) };
	return check_ethernet(frame, 0, v);
}

static const char *check_ethernet(const struct frame *frame, uint16_t vxlan_port, struct frame_view *v)
{
	if (frame->length < v->ethernet + 14)
		return "ethernet header is short";
	v->ether_type = frame_get16(frame, (uint16_t)(v->ethernet + 12));
	if (v->ether_type == 0x0806 || v->ether_type == 0x8035)
		return frame->length < v->ethernet + 42 ? "arp is short" : NULL;
	if (v->ether_type != 0x0800)
		return NULL;
	const char *wrong = check_ip(frame, v);
	if (wrong != NULL)
		return wrong;
	if (vxlan_port != 0 && v->protocol == UDP && v->l4 != 0 &&
		frame_get16(frame, (uint16_t)(v->l4 + 2)) == vxlan_port)
		return check_tunnel(frame, v);
	return NULL;
}

const char *frame_check(const struct frame *frame, uint16_t vxlan_port, struct frame_view *view)
{
	memset(view, 0, sizeof(*view));
	return check_ethernet(frame, vxlan_port, view);
}

bool frame_fault_is_end_to_end(const char *fault)
{
	return strcmp(fault, "udp checksum") == 0 || strcmp(fault, "tcp checksum") == 0 ||
	       strcmp(fault, "icmp checksum") == 0 || strncmp(fault, "quoted", 6) == 0;
}

struct line {
	char *text;
	size_t used;
};

static void __attribute__((format(printf, 2, 3))) put(struct line *line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int n = vsnprintf(line->text + line->used, FRAME_TEXT - line->used, format, arguments);
	va_end(arguments);
	if (n > 0)
		line->used += (size_t)n;
	if (line->used >= FRAME_TEXT)
		line->used = FRAME_TEXT - 1;
}

static void put_mac(struct line *line, const struct frame *frame, uint16_t at)
{
	const uint8_t *b = &frame->bytes[at];

	put(line, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

static void put_address(struct line *line, const struct frame *frame, uint16_t at)
{
	const uint8_t *b = &frame->bytes[at];

	put(line, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}

/* "A > B" or "A:p > B:q" of the packet at `ip`. */
static void put_ends(struct line *line, const struct frame *frame, uint16_t ip, uint16_t ports)
{
	put_address(line, frame, (uint16_t)(ip + 12));
	if (ports != 0)
		put(line, ":%u", frame_get16(frame, ports));
	put(line, " > ");
	put_address(line, frame, (uint16_t)(ip + 16));
	if (ports != 0)
		put(line, ":%u", frame_get16(frame, (uint16_t)(ports + 2)));
}

static void put_tcp_flags(struct line *line, uint8_t flags)
{
	static const char letter[] = "FSRPAU";

	for (int i = 0; letter[i] != '\0'; i++)
		if (flags & 1 << i)
			put(line, "%c", letter[i]);
}

static void put_quote(struct line *line, const struct frame *frame, uint16_t at, uint16_t length)
{
	uint16_t header = (uint16_t)((frame->bytes[at] & 15) * 4), l4 = (uint16_t)(at + header);
	uint8_t protocol = length >= header + 8 ? frame->bytes[at + 9] : 255;

	put(line, " quoting {");
	if (protocol == UDP || protocol == TCP) {
		put(line, protocol == UDP ? "udp " : "tcp ");
		put_ends(line, frame, at, l4);
	} else if (protocol == ICMP) {
		put(line, "icmp %u/%u ", frame->bytes[l4], frame->bytes[l4 + 1]);
		put_ends(line, frame, at, 0);
		put(line, " id %u", frame_get16(frame, (uint16_t)(l4 + 4)));
	} else if (protocol != 255) {
		put(line, "protocol %u ", protocol);
		put_ends(line, frame, at, 0);
	}
	put(line, "}");
}

static void put_icmp(struct line *line, const struct frame *frame, const struct frame_view *v)
{
	uint8_t type = frame->bytes[v->l4], code = frame->bytes[v->l4 + 1];

	if (type == 8 || type == 0)
		put(line, "icmp %s ", type == 8 ? "echo" : "echo-reply");
	else
		put(line, "icmp %u/%u ", type, code);
	put_ends(line, frame, v->ip, 0);
	if (type == 8 || type == 0)
		put(line, " id %u seq %u", frame_get16(frame, (uint16_t)(v->l4 + 4)),
			frame_get16(frame, (uint16_t)(v->l4 + 6)));
	if (type == 3 && code == 4)
		put(line, " mtu %u", frame_get16(frame, (uint16_t)(v->l4 + 6)));
}

static void put_ip(struct line *line, const struct frame *frame, const struct frame_view *v)
{
	bool later = v->fragment && v->l4 == 0;

	if (v->l4 == 0) {
		put(line, later ? "fragment of protocol %u " : "protocol %u ", v->protocol);
		put_ends(line, frame, v->ip, 0);
	} else if (v->protocol == ICMP) {
		put_icmp(line, frame, v);
	} else {
		put(line, v->protocol == UDP ? "udp " : "tcp ");
		put_ends(line, frame, v->ip, v->l4);
		if (v->protocol == TCP) {
			put(line, " ");
			put_tcp_flags(line, frame->bytes[v->l4 + 13]);
		}
	}
	uint16_t offset = frame_get16(frame, (uint16_t)(v->ip + 6));
	put(line, " ttl %u", frame->bytes[v->ip + 8]);
	if (offset & 0x4000)
		put(line, " df");
	if (v->fragment)
		put(line, " offset %u%s", offset & 0x1fff, offset & 0x2000 ? " more" : "");
	if (v->protocol == ICMP && v->l4 != 0 && icmp_is_error(frame->bytes[v->l4]))
		put_quote(line, frame, v->data, v->data_length);
	else
		put(line, " data %u", v->l4 ? v->data_length : v->ip_total - v->ip_header);
}

static void put_arp(struct line *line, const struct frame *frame, uint16_t arp)
{
	uint16_t operation = frame_get16(frame, (uint16_t)(arp + 6));

	put(line, "%s ",
		operation == 1   ? "arp-request"
		: operation == 2 ? "arp-reply"
		: operation == 3 ? "rarp"
				 : "arp-?");
	put_mac(line, frame, (uint16_t)(arp + 8));
	put(line, " ");
	put_address(line, frame, (uint16_t)(arp + 14));
	put(line, " > ");
	put_mac(line, frame, (uint16_t)(arp + 18));
	put(line, " ");
	put_address(line, frame, (uint16_t)(arp + 24));
}

static void put_macs(struct line *line, const struct frame *frame, uint16_t ethernet)
{
	put_mac(line, frame, (uint16_t)(ethernet + 6));
	put(line, " > ");
	put_mac(line, frame, ethernet);
	put(line, " | ");
}

const char *frame_text(const struct frame *frame, char text[FRAME_TEXT])
{
	struct line line = { .text = text };
	struct frame_view v;
	const char *wrong = frame_check(frame, 4789, &v);

	text[0] = '\0';
	if (frame->length >= 14)
		put_macs(&line, frame, 0);
	if (v.tunnelled) {
		put(&line, "vxlan %u ", frame_get32(frame, (uint16_t)(v.vxlan + 4)) >> 8);
		put_ends(&line, frame, v.outer_ip, v.outer_udp);
		put(&line, " ttl %u%s | ", frame->bytes[v.outer_ip + 8],
			frame_get16(frame, (uint16_t)(v.outer_ip + 6)) & 0x4000 ? " df" : "");
		if (frame->length >= v.ethernet + 14)
			put_macs(&line, frame, v.ethernet);
	}
	if (wrong != NULL)
		put(&line, "BAD %s (%u bytes)", wrong, frame->length);
	else if (v.ip != 0)
		put_ip(&line, frame, &v);
	else if (v.ether_type == 0x0806 || v.ether_type == 0x8035)
		put_arp(&line, frame, (uint16_t)(v.ethernet + 14));
	else
		put(&line, "type 0x%04x", v.ether_type);
	return text;
}

bool frame_matches(const struct frame *frame, const char *pattern)
{
	char text[FRAME_TEXT];

	return fnmatch(pattern, frame_text(frame, text), 0) == 0;
}
