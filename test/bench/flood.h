/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that do harm, in bursts of their own beside those of established sessions. */
#pragma once

#include "subject.h"

enum flood_kind {
	FLOOD_FRAGMENTS,   /* from outside, of datagrams that never become whole (RFC 4787 REQ-14a) */
	FLOOD_SYN,         /* from inside, each of a new connection, while there is room for sessions */
	FLOOD_SYN_FULL,    /* the same while there is none */
	FLOOD_FIRST_FULL,  /* from inside, UDP, likewise */
	FLOOD_SYN_OUTSIDE, /* to ports that nobody has */
	FLOODS
};
extern const char *const flood_name[FLOODS], *const flood_key[FLOODS];

void flood_begin(enum flood_kind kind);
/* A burst of it through the subject's gateway: for subject->beside. */
void flood_run(struct subject *subject);
/* Turns in which as many of its packets come as of established sessions: each after one of those, where they come by the same
 * port, else a burst of each. Returns the cycles of one and one. Exits when an established packet is lost. */
double flood_mixed(struct subject *subject, enum direction direction, uint32_t turns);
/* Cycles a packet of the flood in its own bursts, since the last time. */
double flood_take(void);
void flood_end(void);
