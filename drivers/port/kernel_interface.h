/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's side of a port that lives on a kernel interface (af_packet, af_xdp): what has to be so for frames to
 * come whole and as they were on the wire. All that was changed is put back by kernel_interface_close. */
#pragma once

#include "port/xdp_guard.h"
#include <net/if.h>
#include <rte_ether.h>
#include <stdbool.h>
#include <stdint.h>

struct kernel_interface {
	char name[IFNAMSIZ];
	unsigned index; /* 0: not open */
	struct rte_ether_addr mac;
	bool is_veth;
	int socket; /* for ioctls, and for what the kernel undoes by itself when the process ends */
	struct xdp_guard guard;
	struct {
		unsigned mtu; /* 0: not changed */
		bool was_down, merged, merged_hardware;
	} before;
};

/* 0 or -errno; the reason is logged, with the port's name. */
int kernel_interface_open(struct kernel_interface *interface, const char *port, const char *name);
void kernel_interface_close(struct kernel_interface *interface);

/* The interface up, its MTU at least `mtu`. */
int kernel_interface_bring_up(struct kernel_interface *interface, const char *port, uint16_t mtu);
/* Nobody merges packets into larger ones before they reach us: neither GRO or LRO here, nor the peer of a veth, which
 * else sends its 64 KB segments as they are, nor the reassembly of fragments. Warns where that cannot be had. */
void kernel_interface_keep_packets_whole(struct kernel_interface *interface, const char *port);
/* Frames for other MACs, or for all multicast groups, until it is closed. */
int kernel_interface_accept(struct kernel_interface *interface, bool all_macs, bool all_groups);
bool kernel_interface_running(const struct kernel_interface *interface);
