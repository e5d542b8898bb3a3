/* SPDX-License-Identifier: BSD-3-Clause */
/* The DHCP relay agent of the segments (RFC 2131, RFC 1542 section 4, RFC 3046): what becomes of a message, as pure code on
 * bytes and the clock. The slow path brings the messages and sends what comes of them (slowpath/dhcp_input.c).
 *
 *   a request   from a client of a segment, broadcast or to the gateway or a server: to each server of that segment, with
 *               the gateway's address there as that of the relay, one hop more, and option 82
 *   a reply     from one of these servers to the gateway's address, to a request of a short while ago: to the client
 *
 * Which client a reply is for is remembered by transaction and hardware address, so that segments may overlap in
 * addresses. Nothing is remembered of where the client is: that the FDB knows, so it may move between any two messages.
 * One thread, but for the counters, which any thread may read. */
#pragma once

#include "base/clock.h"
#include "services/dhcp_options.h"
#include <rte_ether.h>
#include <stdbool.h>
#include <stddef.h>

#define DHCP_SERVERS_MAX  8
#define DHCP_HOPS_DEFAULT 4                    /* RFC 1542 section 4.1.1 */
#define DHCP_HOPS_MAX     16                   /* the same */
#define DHCP_REPLY_NS     (30 * NS_PER_SECOND) /* how long a reply to a request is expected */

struct dhcp_relay_settings { /* of one segment */
	rte_be32_t gateway;  /* its own address there */
	rte_be32_t server[DHCP_SERVERS_MAX];
	uint16_t server_count; /* 0: the segment has no relay */
	uint8_t hops_max;      /* requests that have come over more are discarded */
	bool option_82;        /* add it */
	bool trusted; /* a request that has option 82 already, but no relay's address, is forwarded as it is */
	struct dhcp_agent_id id;
};

struct dhcp_relay_counters {              /* of one segment */
	uint64_t requests, requests_sent; /* received; sent, one each server */
	uint64_t replies, replies_sent;
	uint64_t option_82_left_out; /* would have been too long, or the options are malformed */
};

/* What is discarded, and why. */
enum dhcp_refusal {
	DHCP_ACCEPTED,
	DHCP_REFUSED_MALFORMED,
	DHCP_REFUSED_HOPS,
	DHCP_REFUSED_SPOOFED_RELAY, /* the request says that we have relayed it already */
	DHCP_REFUSED_OPTION_82,     /* the client is not trusted to say where it is */
	DHCP_REFUSED_SERVER,        /* a reply of someone else */
	DHCP_REFUSED_UNEXPECTED,    /* a reply to no request of late */
};

struct dhcp_relay;
/* `settings` [segments] are copied. NULL with errno. */
struct dhcp_relay *dhcp_relay_create(const struct dhcp_relay_settings *settings, uint16_t segments);
void dhcp_relay_destroy(struct dhcp_relay *relay);

/* NULL: the segment has no relay. */
const struct dhcp_relay_settings *dhcp_relay_of(const struct dhcp_relay *relay, uint16_t segment);
const struct dhcp_relay_counters *dhcp_relay_counters(const struct dhcp_relay *relay, uint16_t segment);

/* A request from the segment, which has a relay: makes it what each server is sent. `length` grows by option 82, up to
 * `room`. Each copy that is sent is to be told by dhcp_relay_sent. */
enum dhcp_refusal dhcp_relay_request(struct dhcp_relay *relay, uint16_t segment, struct dhcp_message *message,
	uint16_t *length, uint16_t room, uint64_t now_ns);
void dhcp_relay_sent(struct dhcp_relay *relay, uint16_t segment);

struct dhcp_delivery {
	uint16_t segment;
	bool broadcast;         /* to everyone in the segment, else to `mac` */
	rte_be32_t destination; /* of the IP packet */
	struct rte_ether_addr mac;
};
/* A reply from `server` to `relay_address`: makes it what the client gets, and says where that is. */
enum dhcp_refusal dhcp_relay_reply(struct dhcp_relay *relay, rte_be32_t server, rte_be32_t relay_address,
	struct dhcp_message *message, uint16_t *length, uint64_t now_ns, struct dhcp_delivery *delivery);
