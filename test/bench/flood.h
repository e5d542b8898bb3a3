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
double flood_end(void); /* cycles a packet of the flood */
