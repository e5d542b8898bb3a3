/* SPDX-License-Identifier: BSD-3-Clause */
/* What others keep of their throughput while somebody attacks the gateway. */
#pragma once

#include "flood.h"
#include "interference.h"
#include "series.h"
#include "tuples.h"
#include <stdio.h>

#define ATTACK_WAYS 2 /* WAY_UP, WAY_DOWN: of the established sessions */

struct attacks {
	uint32_t sessions;
	struct {
		struct series alone[ATTACK_WAYS], beside[ATTACK_WAYS]; /* cycles an established packet */
		struct series mixed[ATTACK_WAYS]; /* of one of these and one of the flood, in one turn */
		struct series flood[ATTACK_WAYS]; /* cycles of one of these, in bursts of their own */
	} flood[FLOODS];
	struct {
		struct series packet[ATTACK_WAYS];
		struct series new_session; /* cycles */
	} tuples[TUPLE_KINDS];
	uint32_t fragment_datagrams, fragments_waiting; /* kept after their flood */
	struct interference_watch watch;
};

/* Exits when an established packet is lost, or when more is kept of fragments than the bounds say. */
void attacks_measure(struct attacks *attacks, uint32_t sessions, uint32_t rounds, uint32_t bursts,
	struct rte_mempool *pool);
void attacks_print(const struct attacks *attacks, FILE *out);
/* A member of an object of JSON. */
void attacks_write_json(const struct attacks *attacks, FILE *out);
