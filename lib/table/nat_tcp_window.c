/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_tcp_window.h"
#include "table/nat_owner.h"

#define TCP_ACKNOWLEDGED 8 /* offsets in the header */
#define TCP_FLAGS        13

/* A refusal acknowledges the SYN (RFC 9293 section 3.5.2), which may have carried a little data. */
static bool refuses(const struct nat_session *session, const uint8_t *l4, enum nat_way way)
{
	uint16_t opened = session->sequence[way == NAT_UP ? NAT_DOWN : NAT_UP];

	return l4[TCP_FLAGS] & RTE_TCP_ACK_FLAG &&
	       (uint16_t)(nat_tcp_unit(l4 + TCP_ACKNOWLEDGED) - opened) <= 1;
}

void nat_tcp_reset(struct nat_owner *owner, struct nat_session *session, const uint8_t *l4, uint32_t tick,
	enum nat_way way)
{
	uint8_t after = nat_state_next[session->state][way][RTE_TCP_RST_FLAG];
	bool counts;

	if (after == session->state)
		return;
	if (session->state == NAT_TCP_OPENED_INSIDE || session->state == NAT_TCP_OPENED_OUTSIDE)
		counts = refuses(session, l4, way);
	else
		counts = (uint16_t)(nat_tcp_unit(l4 + 4) - session->sequence[way] + 1) <= 2;
	if (!counts) {
		owner->counters.tcp_resets_ignored++;
		return;
	}
	session->state = after;
	session->last_seen = tick;
}
