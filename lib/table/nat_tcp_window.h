/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a TCP connection stands in its sequence numbers, so that a RST by somebody who only knows the addresses and ports
 * ends no session (RFC 7857 section 2.2).
 *
 * A session keeps the upper 16 bits of the latest sequence number of either way: units of 64 KiB. They are set by a
 * SYN while the connection opens and follow the packets from then on, as long as these do not leap: what is lost before
 * it gets here comes again in order. A RST counts when it is within one unit of that. One that does not count is still
 * translated (the receiver's own check is exact, RFC 5961 section 3), and the session stays as it is. */
#pragma once

#include "table/nat_session.h"
#include <rte_byteorder.h>

#define NAT_TCP_LEAP 16u /* units: 1 MiB; and one unit back, for what was overtaken */

struct nat_owner;

/* States in which a SYN says where the connection starts, as a bit mask. */
#define NAT_STATES_SYN_SETS                                                                                  \
	(1u << NAT_TCP_OPENED_INSIDE | 1u << NAT_TCP_OPENED_OUTSIDE | 1u << NAT_TCP_CLOSING |                \
		1u << NAT_TCP_RESET)

static inline uint16_t nat_tcp_unit(const uint8_t *number)
{
	uint16_t unit;

	memcpy(&unit, number, sizeof(unit));
	return rte_be_to_cpu_16(unit);
}

/* Of other protocols `l4` holds something else; the result is then never looked at. `flags` as in NAT_STATE_FLAGS. */
static __rte_always_inline void nat_tcp_follow(
	struct nat_session *session, const uint8_t *l4, uint8_t flags, uint8_t state, const enum nat_way way)
{
	uint16_t kept = session->sequence[way], now = nat_tcp_unit(l4 + 4);
	bool near = (uint16_t)(now - kept + 1u) <= NAT_TCP_LEAP + 1u;
	bool starts = NAT_STATES_SYN_SETS >> state & flags / RTE_TCP_SYN_FLAG & 1u;

	session->sequence[way] = near || starts ? now : kept;
}

/* What a RST does to the session's state, if it counts. A RST does not refresh the idle time (RFC 7857 section 7.1), but
 * for the one that resets: from then on the session has four minutes. */
void nat_tcp_reset(struct nat_owner *owner, struct nat_session *session, const uint8_t *l4, uint32_t tick,
	enum nat_way way);
