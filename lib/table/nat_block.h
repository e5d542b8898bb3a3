/* SPDX-License-Identifier: BSD-3-Clause */
/* Port blocks: in a pool with blocks, an inside host gets whole blocks of its public address, for all protocols, and
 * its bindings take their ports there; so a log of blocks says who had a port. A block without bindings goes back, and
 * rests; its last holder may have it again at once. The ports of one block belong to one owner.
 * Owner lcore only. */
#pragma once

#include "base/resting_pool.h"
#include "table/nat_address.h"

#define NAT_BLOCK_NONE 0u

struct nat_block {
	uint32_t next;     /* block of the same host: number plus one, or NAT_BLOCK_NONE */
	rte_be32_t inside; /* who has it, or had it last */
	uint16_t segment;
	uint16_t used; /* its ports in bindings, all protocols; 0: nobody has it */
	bool recalled; /* it was taken out of its rest, which has to be made up for */
};

struct nat_block_set { /* of one address */
	struct resting_pool rows;
	uint32_t first; /* number of the block of row 0 */
};

struct nat_blocks {
	struct nat_block *block;
	struct nat_block_set *set; /* [address]; NULL: no pool has blocks */
	uint32_t count;
};

struct nat_block_holder {
	uint32_t *chain; /* of its blocks, beginning with NAT_BLOCK_NONE: kept here */
	rte_be32_t inside;
	uint16_t segment;
	uint32_t most; /* blocks that it may have */
	uint32_t
		hash; /* of the host: where a block for it is looked for first, so that it tends to get the same */
};

struct nat_ports;
int nat_blocks_init(struct nat_ports *ports);
void nat_blocks_destroy(struct nat_ports *ports);
size_t nat_blocks_bytes(const struct nat_ports *ports);
void nat_blocks_advance(struct nat_ports *ports, uint32_t address); /* ends rests */

/* A port out of the holder's blocks, or of one more. Port, -EADDRNOTAVAIL: no block is free, or -EDQUOT: the holder has
 * as many as it may. */
int nat_block_port_take(struct nat_ports *ports, uint32_t address, enum nat_port_class class,
	const struct nat_block_holder *holder, uint16_t wanted, uint32_t random);
/* `was_used`: else the block, if it is empty then, need not rest. */
void nat_block_port_give(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port,
	uint32_t *chain, bool was_used);
uint32_t nat_blocks_free(const struct nat_ports *ports, uint32_t address);
