/* SPDX-License-Identifier: BSD-3-Clause */
/* The sockets that a DPDK driver opened: af_packet and af_xdp offer no RX interrupts, but one can sleep on their
 * sockets, which the driver keeps to itself. */
#pragma once

#include <stddef.h>

#define SOCKET_FINDER_MAX 1024

struct open_files {
	int fd[SOCKET_FINDER_MAX];
	size_t count;
};

void open_files_list(struct open_files *files);
/* Sockets of `domain` (AF_PACKET, AF_XDP) that are open now and were not in `before`, oldest first, at most `max`.
 * Packet sockets only those bound to the interface. Returns their number. */
size_t socket_find_new(
	const struct open_files *before, int domain, unsigned interface_index, int *sockets, size_t max);
/* Packet sockets also see what the host itself sends on the interface; it never came in by the wire. */
int packet_socket_ignore_outgoing(int socket);
