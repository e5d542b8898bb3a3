/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/fib.h"
#include "packet/ipv4_address.h"
#include <errno.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define TREE_NODE_BYTES                                                                                      \
	160u /* with what the mempool puts around it, and its place in the ring of free ones */
#define TREE_POOL_BYTES (1u << 20) /* the mempool itself: a cache for each lcore */

#define NODES_A_ROUTE 2u /* of the tree of prefixes: the leaf, and where its way parts from another's */

static uint32_t next_hops(uint32_t capacity)
{
	return RTE_MIN(capacity + 1, FIB_NEXT_HOPS - 1);
}

/* Tables of 256 addresses, for prefixes longer than 24. */
static uint32_t long_prefixes(uint32_t routes)
{
	return RTE_MIN(routes + 16, 32767u);
}

/* What DIR-24-8 has: two bytes for each /24, and for each address of the long ones; and its tree, in a mempool. */
struct memory_need fib_need(uint32_t capacity)
{
	uint32_t routes = next_hops(capacity);
	struct memory_need need = memory_of_table((1u << 24) + 256u * (long_prefixes(routes) + 1), 2);

	memory_need_add(&need, memory_of_table((uint64_t)routes * NODES_A_ROUTE, TREE_NODE_BYTES));
	memory_need_add(&need, memory_of_table(1, TREE_POOL_BYTES));
	memory_need_add(&need, memory_of_table(routes, sizeof(struct next_hop)));
	memory_need_add(&need, memory_of_process(routes, sizeof(struct fib_route)));
	memory_need_add(&need, memory_of_process(1, sizeof(struct fib)));
	return need;
}

struct fib *fib_create(uint32_t capacity)
{
	static _Atomic uint32_t serial; /* rte_fib names are global */
	struct fib *fib = calloc(1, sizeof(*fib));
	char name[32];

	if (fib == NULL)
		return NULL;
	snprintf(name, sizeof(name), "fib-%u", atomic_fetch_add(&serial, 1));
	fib->capacity = fib->route_capacity = next_hops(capacity);
	struct rte_fib_conf conf = {
		.type = RTE_FIB_DIR24_8,
		.default_nh = 0,
		.max_routes = (int)(fib->capacity * NODES_A_ROUTE),
		.dir24_8 = { .nh_sz = RTE_FIB_DIR24_8_2B, .num_tbl8 = long_prefixes(fib->capacity) },
	};
	fib->fib = rte_fib_create(name, SOCKET_ID_ANY, &conf);
	if (fib->fib == NULL) {
		errno = rte_errno;
		free(fib);
		return NULL;
	}
	fib->next_hop = rte_zmalloc("next_hop", fib->capacity * sizeof(*fib->next_hop), 64);
	fib->route = calloc(fib->route_capacity, sizeof(*fib->route));
	if (fib->next_hop == NULL || fib->route == NULL) {
		fib_destroy(fib);
		errno = ENOMEM;
		return NULL;
	}
	fib->next_hop[0] = (struct next_hop){ .kind = NEXT_HOP_NONE, .interface = INTERFACE_NONE };
	fib->count = 1;
	return fib;
}

void fib_destroy(struct fib *fib)
{
	if (fib == NULL)
		return;
	rte_fib_free(fib->fib);
	rte_free(fib->next_hop);
	free(fib->route);
	free(fib);
}

/* Routes that lead the same way share a next hop. */
static int next_hop_index(struct fib *fib, const struct next_hop *hop)
{
	for (uint32_t i = 1; i < fib->count; i++) {
		const struct next_hop *other = &fib->next_hop[i];
		if (other->kind == hop->kind && other->interface == hop->interface &&
			other->gateway == hop->gateway && other->prefix_length == hop->prefix_length &&
			other->dhcp_server == hop->dhcp_server)
			return (int)i;
	}
	if (fib->count == fib->capacity)
		return -ENOSPC;
	fib->next_hop[fib->count] = *hop;
	return (int)fib->count++;
}

int fib_add(struct fib *fib, rte_be32_t prefix, uint8_t length, const struct next_hop *hop)
{
	if (fib->route_count == fib->route_capacity)
		return -ENOSPC;
	for (uint32_t i = 0; i < fib->route_count; i++)
		if (fib->route[i].prefix == prefix && fib->route[i].length == length)
			return -EEXIST;
	int at = next_hop_index(fib, hop);
	if (at < 0)
		return at;
	int status = rte_fib_add(fib->fib, rte_be_to_cpu_32(prefix), length, (uint64_t)at);
	if (status < 0)
		return status;
	fib->route[fib->route_count++] = (struct fib_route){ prefix, length, (uint16_t)at };
	return 0;
}

void fib_find_bulk(const struct fib *fib, const rte_be32_t *address, uint16_t *hops, uint16_t count)
{
	uint32_t host_order[64];
	uint64_t found[64];

	for (uint16_t i = 0; i < count; i++)
		host_order[i] = rte_be_to_cpu_32(address[i]);
	rte_fib_lookup_bulk(fib->fib, host_order, found, count);
	for (uint16_t i = 0; i < count; i++)
		hops[i] = (uint16_t)found[i];
}

static inline void block_set(struct fib *fib, rte_be32_t address, bool out)
{
	uint16_t block = (uint16_t)address;
	uint64_t bit = UINT64_C(1) << block % 64;

	fib->out[block / 64] = out ? fib->out[block / 64] | bit : fib->out[block / 64] & ~bit;
}

void fib_finish(struct fib *fib)
{
	for (uint32_t block = 0; block < FIB_BLOCKS; block += 64) {
		rte_be32_t address[64];
		uint16_t hop[64];

		for (uint32_t i = 0; i < 64; i++)
			address[i] = rte_cpu_to_be_32((block + i) << 16);
		fib_find_bulk(fib, address, hop, 64);
		for (uint32_t i = 0; i < 64; i++)
			block_set(fib, address[i],
				next_hop_leads_out(&fib->next_hop[hop[i]]) &&
					!ipv4_source_impossible(address[i]));
	}
	for (uint32_t i = 0; i < fib->route_count; i++)
		if (fib->route[i].length > 16)
			block_set(fib, fib->route[i].prefix, false);
}

const struct next_hop *fib_find(const struct fib *fib, rte_be32_t address)
{
	uint16_t hop;

	fib_find_bulk(fib, &address, &hop, 1);
	return &fib->next_hop[hop];
}
