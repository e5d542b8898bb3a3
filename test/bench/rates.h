/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections that come and go, in the terms of RFC 9693: maximum connection establishment rate, connection tear-down
 * rate, connection tracking table capacity, and what new connections cost beside established ones.
 *
 * Sessions end by their timeouts of minutes. Where as many must end as begin, the gateway's clock jumps, so that all
 * sessions of one generation are over at once, and goes on so fast that the sweep gets round once while the next
 * generation begins: the table stays nearly full, and each session is made, looked at and ended. */
#pragma once

#include "interference.h"
#include "series.h"
#include "subject.h"
#include <stdio.h>

enum rate {
	RATE_SETUP,       /* first packets into an empty table until it is full */
	RATE_EXPIRY,      /* the end of all sessions by timeout */
	RATE_CLEAR,       /* the same by an operator's command */
	RATE_SETUP_CHURN, /* first packets while as many sessions end */
	RATE_SYN,         /* SYNs of new connections into an empty table until it is full */
	RATE_TCP,         /* whole connections of six packets, while as many end */
	RATE_NEW_0,       /* packets up, of established connections; nothing ends meanwhile */
	RATE_NEW_1,       /* the same with one in a hundred the first one of a new flow */
	RATE_NEW_5,
	RATE_NEW_10,
	RATES
};

struct rates {
	uint32_t sessions;           /* that the table is made for */
	uint32_t offered, taken;     /* flows, and sessions of them when there were too many */
	struct series cycles[RATES]; /* a session, a connection, or a packet */
	struct interference_watch watch;
};

void rates_measure(
	struct rates *rates, uint32_t sessions, uint32_t rounds, uint32_t bursts, struct rte_mempool *pool);
void rates_print(const struct rates *rates, FILE *out);
/* A member of an object of JSON. */
void rates_write_json(const struct rates *rates, FILE *out);
