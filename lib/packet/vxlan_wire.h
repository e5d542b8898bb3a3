/* SPDX-License-Identifier: BSD-3-Clause */
/* VXLAN header and encapsulation (RFC 7348 section 5). */
#pragma once

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <stdint.h>

struct vxlan_header {
	uint8_t flags; /* the I bit must be set; the other bits are ignored on receipt */
	uint8_t reserved1[3];
	uint8_t vni[3];    /* network byte order */
	uint8_t reserved2; /* ignored on receipt */
} __attribute__((packed));
_Static_assert(sizeof(struct vxlan_header) == 8, "RFC 7348 section 5");

enum { VXLAN_FLAG_VNI = 0x08, VXLAN_UDP_PORT = 4789, VXLAN_VNI_MAX = 0xffffff };

/* All that goes before the inner frame. */
struct vxlan_outer {
	struct rte_ether_hdr ethernet;
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
	struct vxlan_header vxlan;
} __attribute__((packed));
_Static_assert(sizeof(struct vxlan_outer) == 50, "Ethernet, IPv4, UDP, VXLAN");

/* What VXLAN costs of the underlay's MTU: outer IPv4, UDP, VXLAN and the inner Ethernet header. */
enum { VXLAN_OVERHEAD = 20 + 8 + 8 + 14 };

static inline uint32_t vxlan_vni(const struct vxlan_header *h)
{
	return (uint32_t)h->vni[0] << 16 | (uint32_t)h->vni[1] << 8 | h->vni[2];
}
