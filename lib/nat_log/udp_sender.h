/* SPDX-License-Identifier: BSD-3-Clause */
/* A UDP socket of the host's own stack, to one peer, that never blocks. One thread. */
#pragma once

#include "base/ip_address.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct udp_sender {
	int fd;
	struct sockaddr_in peer;
	uint64_t errors;
	int last_error; /* errno of the last one */
};

/* `source` of family AF_UNSPEC: as the host chooses. 0 or -errno. A peer without a route is not an error here. */
int udp_sender_open(struct udp_sender *sender, const struct ip_address *peer, uint16_t port,
	const struct ip_address *source);
void udp_sender_close(struct udp_sender *sender);
/* True when the datagram left the host's stack, which may learn only later that nobody took it. */
bool udp_sender_send(struct udp_sender *sender, const void *data, size_t length);
/* What the path takes as a payload, as far as the host knows; 0: it does not. */
size_t udp_sender_payload(const struct udp_sender *sender);
