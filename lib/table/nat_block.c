/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_block.h"
#include "table/nat_memory.h"
#include "table/nat_port.h"
#include <assert.h>
#include <errno.h>

#define ROWS_TO_RECALL 8u /* looked at for a resting block that the holder had */

static const struct nat_pool *pool_of(const struct nat_ports *ports, uint32_t address)
{
	uint16_t pool = ports->addresses->address[address].pool;

	return pool == NAT_POOL_NONE ? NULL : &ports->addresses->pool[pool];
}

static bool address_has_blocks(const struct nat_ports *ports, uint32_t address)
{
	const struct nat_pool *pool = pool_of(ports, address);

	return pool != NULL && pool->blocks;
}

/* Rows whose block is no whole block of the pool are never free. */
static int set_init(struct nat_ports *ports, uint32_t address)
{
	struct nat_block_set *set = &ports->blocks.set[address];
	uint32_t rows = nat_port_rows(ports, address);
	int status = resting_pool_init(&set->rows, rows, ports->turn_ticks > 0);

	if (status < 0)
		return status;
	set->first = ports->blocks.count;
	ports->blocks.count += rows;
	for (uint32_t row = 0; row < rows; row++) {
		uint32_t port = nat_port_of_row(ports, address, row);
		if (port > UINT16_MAX ||
			nat_pool_place(pool_of(ports, address), (uint16_t)port) == NAT_PLACE_NONE)
			id_pool_take_exact(&set->rows.free, row);
	}
	nat_ports_use(ports, address)->blocks += set->rows.free.free;
	return 0;
}

int nat_blocks_init(struct nat_ports *ports)
{
	struct nat_blocks *blocks = &ports->blocks;
	bool any = false;
	int status = 0;

	for (uint32_t i = 0; i < ports->addresses->pools; i++)
		any |= ports->addresses->pool[i].blocks;
	if (!any)
		return 0;
	blocks->set = nat_memory_take(ports->addresses->count, sizeof(*blocks->set));
	if (blocks->set == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < ports->addresses->count && status == 0; i++)
		if (address_has_blocks(ports, i))
			status = set_init(ports, i);
	blocks->block = nat_memory_take(blocks->count + 1, sizeof(*blocks->block));
	return status == 0 && blocks->block == NULL ? -ENOMEM : status;
}

void nat_blocks_destroy(struct nat_ports *ports)
{
	struct nat_blocks *blocks = &ports->blocks;

	for (uint32_t i = 0; blocks->set != NULL && i < ports->addresses->count; i++)
		if (blocks->set[i].rows.free.size > 0)
			resting_pool_destroy(&blocks->set[i].rows);
	nat_memory_give(blocks->set);
	nat_memory_give(blocks->block);
	*blocks = (struct nat_blocks){ 0 };
}

size_t nat_blocks_bytes(const struct nat_ports *ports)
{
	const struct nat_blocks *blocks = &ports->blocks;
	size_t bytes = 0;

	if (blocks->set == NULL)
		return 0;
	for (uint32_t i = 0; i < ports->addresses->count; i++)
		bytes += sizeof(blocks->set[i]) +
			 resting_pool_bytes(blocks->set[i].rows.free.size, blocks->set[i].rows.mark != NULL);
	return bytes + (blocks->count + 1) * sizeof(*blocks->block);
}

void nat_blocks_advance(struct nat_ports *ports, uint32_t address)
{
	if (ports->blocks.set == NULL || !address_has_blocks(ports, address))
		return;
	struct resting_pool *rows = &ports->blocks.set[address].rows;
	if (rows->mark != NULL && rows->turn != ports->turn)
		nat_ports_use(ports, address)->blocks_resting -= resting_pool_advance(rows, ports->turn);
}

uint32_t nat_blocks_free(const struct nat_ports *ports, uint32_t address)
{
	const struct resting_pool *rows = &ports->blocks.set[address].rows;

	return rows->free.free + resting_pool_due(rows, ports->turn);
}

static bool is_holders(const struct nat_block *block, const struct nat_block_holder *holder)
{
	return block->inside == holder->inside && block->segment == holder->segment;
}

static uint32_t row_home(const struct nat_block_set *set, const struct nat_block_holder *holder)
{
	return (uint32_t)((uint64_t)holder->hash * set->rows.free.size >> 32);
}

static uint16_t port_in_row(struct nat_ports *ports, uint32_t address, enum nat_port_class class,
	uint32_t row, uint16_t wanted, uint32_t random)
{
	const struct nat_pool *pool = pool_of(ports, address);
	uint32_t place = nat_pool_place(pool, (uint16_t)nat_port_of_row(ports, address, row));

	return nat_port_take_among(ports, address, class, place, 1u << pool->block_shift, wanted, random);
}

static bool row_recall_one(
	struct nat_ports *ports, uint32_t address, uint32_t row, const struct nat_block_holder *holder)
{
	struct nat_block_set *set = &ports->blocks.set[address];

	if (!is_holders(&ports->blocks.block[set->first + row], holder) ||
		!resting_pool_recall(&set->rows, row))
		return false;
	nat_ports_use(ports, address)->blocks_resting--;
	return true;
}

/* The holder's former row, that of the wanted port or one near where it is looked for first, out of its rest; or ID_NONE. */
static uint32_t row_recall(
	struct nat_ports *ports, uint32_t address, const struct nat_block_holder *holder, uint16_t wanted)
{
	struct nat_block_set *set = &ports->blocks.set[address];
	uint32_t size = set->rows.free.size, home = row_home(set, holder);

	if (nat_port_is_ours(ports, address, wanted) &&
		row_recall_one(ports, address, nat_port_row(ports, address, wanted), holder))
		return nat_port_row(ports, address, wanted);
	for (uint32_t row = home; row < RTE_MIN(home + ROWS_TO_RECALL, size); row++)
		if (row_recall_one(ports, address, row, holder))
			return row;
	return ID_NONE;
}

/* Back to rest, or free at once when nobody has used it since it was. */
static void row_give(struct nat_ports *ports, uint32_t address, uint32_t row, bool rests)
{
	struct nat_block_set *set = &ports->blocks.set[address];

	if (!rests) {
		id_pool_give(&set->rows.free, row);
		return;
	}
	nat_blocks_advance(ports, address);
	resting_pool_give(&set->rows, row);
	nat_ports_use(ports, address)->blocks_resting += set->rows.mark != NULL;
}

static void block_tell(struct nat_ports *ports, uint32_t address, uint32_t row, const struct nat_block *block,
	enum nat_event_type type)
{
	const struct nat_address *of = &ports->addresses->address[address];
	uint16_t first = (uint16_t)nat_port_of_row(ports, address, row);

	if (ports->events != NULL)
		nat_event_block(ports->events, type, 0, block->segment, block->inside, of->ip, first,
			(uint16_t)(first + (1u << of->block_shift) - 1));
}

/* A port in one more block for the holder, which becomes the first of its chain. A block whose ports of the class are
 * all forwarded gives none, and goes back. */
static int block_add(struct nat_ports *ports, uint32_t address, enum nat_port_class class,
	const struct nat_block_holder *holder, uint16_t wanted, uint32_t random)
{
	struct nat_block_set *set = &ports->blocks.set[address];
	struct nat_pool_use *use = nat_ports_use(ports, address);
	uint32_t row = row_recall(ports, address, holder, wanted);
	bool recalled = row != ID_NONE;

	if (!recalled)
		row = id_pool_take(&set->rows.free, row_home(set, holder));
	if (row == ID_NONE)
		return -EADDRNOTAVAIL;
	uint16_t port = port_in_row(ports, address, class, row, wanted, random);
	if (port == 0) {
		row_give(ports, address, row, recalled);
		return -EADDRNOTAVAIL;
	}
	if (++use->blocks_used > use->blocks_most)
		use->blocks_most = use->blocks_used;
	ports->blocks.block[set->first + row] = (struct nat_block){ .next = *holder->chain,
		.inside = holder->inside,
		.segment = holder->segment,
		.used = 1,
		.recalled = recalled };
	*holder->chain = set->first + row + 1;
	block_tell(ports, address, row, &ports->blocks.block[set->first + row], NAT_EVENT_BLOCK_TAKEN);
	return port;
}

int nat_block_port_take(struct nat_ports *ports, uint32_t address, enum nat_port_class class,
	const struct nat_block_holder *holder, uint16_t wanted, uint32_t random)
{
	struct nat_block_set *set = &ports->blocks.set[address];
	uint32_t held = 0;

	nat_blocks_advance(ports, address);
	if (nat_port_is_ours(ports, address, wanted)) {
		uint32_t row = nat_port_row(ports, address, wanted);
		struct nat_block *block = &ports->blocks.block[set->first + row];
		uint16_t port = block->used > 0 && is_holders(block, holder)
					? port_in_row(ports, address, class, row, wanted, random)
					: 0;
		if (port != 0) {
			block->used++;
			return port;
		}
	}
	for (uint32_t *link = holder->chain; *link != NAT_BLOCK_NONE; held++) {
		uint32_t at = *link;
		struct nat_block *block = &ports->blocks.block[at - 1];
		uint16_t port = port_in_row(ports, address, class, at - 1 - set->first, wanted, random);
		if (port != 0) {
			/* To the front: where one port was free, there are more, and a host may hold many full blocks. */
			*link = block->next;
			block->next = *holder->chain;
			*holder->chain = at;
			block->used++;
			return port;
		}
		link = &block->next;
	}
	return held < holder->most ? block_add(ports, address, class, holder, wanted, random) : -EDQUOT;
}

void nat_block_port_give(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port,
	uint32_t *chain, bool was_used)
{
	struct nat_block_set *set = &ports->blocks.set[address];
	struct nat_pool_use *use = nat_ports_use(ports, address);
	uint32_t row = nat_port_row(ports, address, port), number = set->first + row;
	struct nat_block *block = &ports->blocks.block[number];

	assert(block->used > 0);
	nat_port_return(ports, address, class, port);
	if (--block->used > 0)
		return;
	while (*chain != number + 1)
		chain = &ports->blocks.block[*chain - 1].next;
	*chain = block->next;
	use->blocks_used--;
	block_tell(ports, address, row, block, NAT_EVENT_BLOCK_RETURNED);
	row_give(ports, address, row, was_used || block->recalled);
}
