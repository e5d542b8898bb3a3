/* SPDX-License-Identifier: BSD-3-Clause */
/* What a session knows of its flow: for TCP the state machine of RFC 7857 section 2 (that of RFC 6146 section 3.5.2,
 * for two IPv4 sides), as a table; for UDP and ICMP one state each, so that a packet of any protocol takes the same
 * steps. Each state has one of five idle times (RFC 5382 REQ-5, RFC 4787 REQ-5, RFC 5508 REQ-2). */
#pragma once

#include <netinet/in.h>
#include <rte_tcp.h>
#include <stdbool.h>
#include <stdint.h>

enum nat_state {
	NAT_STATE_UDP,
	NAT_STATE_ICMP,
	NAT_STATE_MAPPING,      /* no flow: a binding that was asked for (nat_mapping.h) */
	NAT_TCP_OPENED_INSIDE,  /* SYN from inside seen */
	NAT_TCP_OPENED_OUTSIDE, /* SYN from outside seen */
	NAT_TCP_ESTABLISHED,    /* SYN of both sides seen */
	NAT_TCP_FIN_INSIDE,     /* the inside has finished, the outside may still send */
	NAT_TCP_FIN_OUTSIDE,
	NAT_TCP_CLOSING, /* FIN of both sides seen */
	NAT_TCP_RESET,   /* RST seen; anything else shows that it was not meant, or a forgery */
	NAT_STATES
};

enum nat_timer {
	NAT_TIMER_TCP_ESTABLISHED,
	NAT_TIMER_TCP_OPENING, /* told apart by RFC 7857 section 2.1 */
	NAT_TIMER_TCP_CLOSING,
	NAT_TIMER_UDP,
	NAT_TIMER_ICMP,
	NAT_TIMERS
};

/* Directions index arrays: what comes from inside goes up. */
enum nat_way { NAT_UP, NAT_DOWN, NAT_WAYS };

struct nat_state_text {
	const char *name;
	enum nat_timer timer;
};
extern const struct nat_state_text nat_state_text[NAT_STATES];

/* By the flags of the packet that the states know of: NAT_STATE_FLAGS. */
#define NAT_STATE_FLAGS (RTE_TCP_FIN_FLAG | RTE_TCP_SYN_FLAG | RTE_TCP_RST_FLAG)
extern const uint8_t nat_state_next[NAT_STATES][NAT_WAYS][NAT_STATE_FLAGS + 1];
/* Beside the next state: the idle time starts anew. */
#define NAT_STATE_REFRESHES 0x80u

/* States whose idle time starts anew with a packet, as a bit mask. Not CLOSING: stray packets must not keep a finished
 * connection (RFC 6146 section 3.5.2.2, state "V6 FIN + V4 FIN RCV"). */
#define NAT_STATES_REFRESHED (~(1u << NAT_TCP_CLOSING))

/* Only a SYN alone opens a session: anything else belongs to a connection that we do not know (RFC 7857 section 2). */
static inline bool nat_tcp_opens(uint8_t flags)
{
	return (flags & (NAT_STATE_FLAGS | RTE_TCP_ACK_FLAG)) == RTE_TCP_SYN_FLAG;
}

static inline enum nat_state nat_state_first(uint8_t protocol, enum nat_way way)
{
	if (protocol == IPPROTO_TCP)
		return way == NAT_UP ? NAT_TCP_OPENED_INSIDE : NAT_TCP_OPENED_OUTSIDE;
	return protocol == IPPROTO_UDP ? NAT_STATE_UDP : NAT_STATE_ICMP;
}
