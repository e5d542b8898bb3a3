/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet/flow_hash.h"
#include "base/log.h"
#include <stdlib.h>
#include <sys/random.h>

void flow_hash_key_random(struct flow_hash_key *key)
{
	if (getrandom(key, sizeof(*key), 0) != (ssize_t)sizeof(*key)) {
		log_error("no random numbers from the kernel for the key of the hash tables");
		exit(EXIT_FAILURE);
	}
	for (int i = 0; i < 4; i++)
		key->k[i] |= 1; /* a zero multiplier would map all flows to one */
}
