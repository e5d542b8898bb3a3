/* SPDX-License-Identifier: BSD-3-Clause */
/* Flows whose addresses and ports somebody has chosen: with a hash in mind, at random, or with few endpoints inside. All in the same room of
 * 1024 workloads, 2^14 inside ports, 2^24 remote addresses and 2^14 remote ports. */
#pragma once

#include "traffic.h"

#define TUPLE_KERNEL 24u /* bits of the flow's number that are used */

enum tuple_kind {
	TUPLES_RANDOM,
	TUPLES_SEQUENTIAL, /* counting through workloads, then inside ports */
	TUPLES_CRC,        /* all with one CRC32C over addresses and ports, whatever its seed */
	TUPLES_SERVERS,    /* to 64 endpoints inside */
	TUPLES_SOCKETS,    /* of endpoints inside that have 16 each */
	TUPLE_KINDS
};
extern const char *const tuple_kind_name[TUPLE_KINDS];

struct tuples {
	enum tuple_kind kind;
	uint64_t kernel[TUPLE_KERNEL]; /* differences that the CRC does not see */
};

/* For flows of a world with one segment. Exits when a CRC sees a difference that it should not. */
void tuples_make(struct tuples *tuples, enum tuple_kind kind);
/* All but the inside address. */
struct flow_ends tuples_ends(const struct tuples *tuples, uint32_t flow);
