/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_tcp_state.h"

const struct nat_state_text nat_state_text[NAT_STATES] = {
	[NAT_STATE_UDP] = { "udp", NAT_TIMER_UDP },
	[NAT_STATE_ICMP] = { "icmp", NAT_TIMER_ICMP },
	[NAT_STATE_MAPPING] = { "mapping", NAT_TIMER_UDP },
	[NAT_TCP_OPENED_INSIDE] = { "opened-inside", NAT_TIMER_TCP_OPENING },
	[NAT_TCP_OPENED_OUTSIDE] = { "opened-outside", NAT_TIMER_TCP_OPENING },
	[NAT_TCP_ESTABLISHED] = { "established", NAT_TIMER_TCP_ESTABLISHED },
	[NAT_TCP_FIN_INSIDE] = { "fin-inside", NAT_TIMER_TCP_ESTABLISHED },
	[NAT_TCP_FIN_OUTSIDE] = { "fin-outside", NAT_TIMER_TCP_ESTABLISHED },
	[NAT_TCP_CLOSING] = { "closing", NAT_TIMER_TCP_CLOSING },
	[NAT_TCP_RESET] = { "reset", NAT_TIMER_TCP_CLOSING },
};

#define OPEN_IN  NAT_TCP_OPENED_INSIDE
#define OPEN_OUT NAT_TCP_OPENED_OUTSIDE
#define ESTAB    NAT_TCP_ESTABLISHED
#define FIN_IN   NAT_TCP_FIN_INSIDE
#define FIN_OUT  NAT_TCP_FIN_OUTSIDE
#define CLOSING  NAT_TCP_CLOSING
#define RESET    NAT_TCP_RESET

/* The state after a packet with none of the flags, SYN, FIN, RST; of several, RST outweighs FIN and FIN outweighs SYN. */
#define AFTER(none, syn, fin, rst)                                                                           \
	{                                                                                                    \
		none, fin, syn, fin, rst, rst, rst, rst                                                      \
	}
#define ALWAYS(state) AFTER(state, state, state, state)

/* Sections are of RFC 6146, which RFC 7857 section 2 takes over for NAT44. A SYN while closing starts the connection
 * anew on the same binding: hosts reuse a port from TIME-WAIT (RFC 1122 section 4.2.2.13). In the two opened states a
 * RST says that the opening was refused, and a FIN without the other side's SYN means nothing yet. */
const uint8_t nat_state_next[NAT_STATES][NAT_WAYS][NAT_STATE_FLAGS + 1] = {
	[NAT_STATE_UDP] = { ALWAYS(NAT_STATE_UDP), ALWAYS(NAT_STATE_UDP) },
	[NAT_STATE_ICMP] = { ALWAYS(NAT_STATE_ICMP), ALWAYS(NAT_STATE_ICMP) },
	[NAT_STATE_MAPPING] = { ALWAYS(NAT_STATE_MAPPING), ALWAYS(NAT_STATE_MAPPING) },
	/* 3.5.2.2 "V6 INIT": established by the SYN of the other side, be it an answer or a simultaneous open */
	[NAT_TCP_OPENED_INSIDE] = { [NAT_UP] = ALWAYS(OPEN_IN),
		[NAT_DOWN] = AFTER(OPEN_IN, ESTAB, OPEN_IN, RESET) },
	/* 3.5.2.2 "V4 INIT" */
	[NAT_TCP_OPENED_OUTSIDE] = { [NAT_UP] = AFTER(OPEN_OUT, ESTAB, OPEN_OUT, RESET),
		[NAT_DOWN] = ALWAYS(OPEN_OUT) },
	/* 3.5.2.2 "ESTABLISHED" */
	[NAT_TCP_ESTABLISHED] = { [NAT_UP] = AFTER(ESTAB, ESTAB, FIN_IN, RESET),
		[NAT_DOWN] = AFTER(ESTAB, ESTAB, FIN_OUT, RESET) },
	/* 3.5.2.2 "V6 FIN RCV" */
	[NAT_TCP_FIN_INSIDE] = { [NAT_UP] = AFTER(FIN_IN, FIN_IN, FIN_IN, RESET),
		[NAT_DOWN] = AFTER(FIN_IN, FIN_IN, CLOSING, RESET) },
	/* 3.5.2.2 "V4 FIN RCV" */
	[NAT_TCP_FIN_OUTSIDE] = { [NAT_UP] = AFTER(FIN_OUT, FIN_OUT, CLOSING, RESET),
		[NAT_DOWN] = AFTER(FIN_OUT, FIN_OUT, FIN_OUT, RESET) },
	/* 3.5.2.2 "V6 FIN + V4 FIN RCV": packets pass, the timer runs on */
	[NAT_TCP_CLOSING] = { [NAT_UP] = AFTER(CLOSING, OPEN_IN, CLOSING, CLOSING),
		[NAT_DOWN] = AFTER(CLOSING, OPEN_OUT, CLOSING, CLOSING) },
	/* 3.5.2.2 "TRANS": a packet other than a RST brings the connection back */
	[NAT_TCP_RESET] = { [NAT_UP] = AFTER(ESTAB, OPEN_IN, ESTAB, RESET),
		[NAT_DOWN] = AFTER(ESTAB, OPEN_OUT, ESTAB, RESET) },
};
