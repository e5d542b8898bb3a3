/* SPDX-License-Identifier: BSD-3-Clause */
#include "nat_model.h"

/* The state machine, written as prose says it. */
static enum nat_state state_after(enum nat_state state, bool up, uint8_t flags)
{
	bool rst = flags & RTE_TCP_RST_FLAG, fin = !rst && flags & RTE_TCP_FIN_FLAG,
	     syn = !rst && !fin && flags & RTE_TCP_SYN_FLAG;

	switch (state) {
	case NAT_TCP_OPENED_INSIDE:
	case NAT_TCP_OPENED_OUTSIDE:
		if (up == (state == NAT_TCP_OPENED_INSIDE))
			return state;
		/* a refusal acknowledges the SYN */
		return rst   ? (flags & RTE_TCP_ACK_FLAG ? NAT_TCP_RESET : state)
		       : syn ? NAT_TCP_ESTABLISHED
			     : state;
	case NAT_TCP_ESTABLISHED:
		return rst ? NAT_TCP_RESET : !fin ? state : up ? NAT_TCP_FIN_INSIDE : NAT_TCP_FIN_OUTSIDE;
	case NAT_TCP_FIN_INSIDE:
		return rst ? NAT_TCP_RESET : fin && !up ? NAT_TCP_CLOSING : state;
	case NAT_TCP_FIN_OUTSIDE:
		return rst ? NAT_TCP_RESET : fin && up ? NAT_TCP_CLOSING : state;
	case NAT_TCP_CLOSING:
		return !syn ? state : up ? NAT_TCP_OPENED_INSIDE : NAT_TCP_OPENED_OUTSIDE;
	case NAT_TCP_RESET:
		return rst    ? state
		       : !syn ? NAT_TCP_ESTABLISHED
		       : up   ? NAT_TCP_OPENED_INSIDE
			      : NAT_TCP_OPENED_OUTSIDE;
	default:
		return state;
	}
}

static bool is_opening(enum nat_state state)
{
	return state == NAT_TCP_OPENED_INSIDE || state == NAT_TCP_OPENED_OUTSIDE;
}

/* A RST that cannot be checked, against its sender's sequence numbers or the SYN that it refuses, changes nothing, and one
 * that changes nothing does not keep the session alive. */
static void note_reset(const struct model *model, struct model_session *s, bool up, uint8_t flags)
{
	enum nat_state after = state_after(s->state, up, flags);

	if (after == s->state || !s->synchronised[is_opening(s->state) ? up : !up])
		return;
	s->state = after;
	s->last_seen = model->tick;
}

void model_note(const struct model *model, struct model_session *s, bool up, uint8_t flags)
{
	enum nat_state before = s->state;

	s->packets[!up]++;
	if (s->protocol == IPPROTO_TCP && flags & RTE_TCP_RST_FLAG) {
		note_reset(model, s, up, flags);
		return;
	}
	if (s->protocol == IPPROTO_TCP) {
		s->state = state_after(before, up, flags);
		if (flags & RTE_TCP_SYN_FLAG &&
			(is_opening(before) || before == NAT_TCP_CLOSING || before == NAT_TCP_RESET))
			s->synchronised[!up] = true;
	}
	if (s->protocol == IPPROTO_UDP && !up && model->settings.udp_refresh_outbound_only)
		return;
	if (before != NAT_TCP_CLOSING || s->state != NAT_TCP_CLOSING)
		s->last_seen = model->tick;
}

uint32_t model_timeout(const struct model *model, enum nat_state state)
{
	const struct nat_settings *settings = &model->settings;

	switch (state) {
	case NAT_STATE_MAPPING:
		return 0; /* after its end */
	case NAT_STATE_UDP:
		return settings->udp_s * TICKS_PER_S;
	case NAT_STATE_ICMP:
		return settings->icmp_s * TICKS_PER_S;
	case NAT_TCP_ESTABLISHED:
	case NAT_TCP_FIN_INSIDE:
	case NAT_TCP_FIN_OUTSIDE:
		return settings->tcp_established_s * TICKS_PER_S;
	case NAT_TCP_OPENED_INSIDE:
	case NAT_TCP_OPENED_OUTSIDE:
		return settings->tcp_opening_s * TICKS_PER_S;
	default:
		return settings->tcp_closing_s * TICKS_PER_S;
	}
}
