/* SPDX-License-Identifier: BSD-3-Clause */
/* Keeps the packets of an af_packet port as they were on the wire, by a small XDP program on its interface. Two parts of
 * the kernel would else change them:
 *
 * - A veth passes on what its sender's stack made for a segmentation offload: frames of up to 64 KB, which no buffer of
 *   ours holds. The kernel takes that offload from the peer as long as this end has an XDP program in the driver, since
 *   such programs see single packets.
 * - The af_packet driver puts its sockets into a fanout group that reassembles IPv4 fragments, and there is no option
 *   against it. The program gives fragments another EtherType, which the kernel does not look into; the port gives them
 *   theirs back (ethernet_device.c).
 *
 * The attachment is a file descriptor: when the process ends, however it does, the program goes. */
#pragma once

#include <stdbool.h>

/* IEEE 802 - Local Experimental Ethertype 1. */
#define XDP_GUARD_FRAGMENT 0x88b5

struct xdp_guard {
	int link;       /* -1: not attached */
	bool in_driver; /* else in the kernel's generic place, where the peer of a veth keeps its offload */
};

/* 0 or -errno. -EBUSY or -EEXIST: the interface has an XDP program of somebody else's. */
int xdp_guard_attach(struct xdp_guard *guard, unsigned interface_index);
void xdp_guard_detach(struct xdp_guard *guard);
