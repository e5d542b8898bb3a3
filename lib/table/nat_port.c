/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_port.h"
#include "table/nat_memory.h"
#include <errno.h>

#define MALLOC_OVERHEAD 64u /* of a bitmap of blocks and its marks */

/* Ids count through the owner's blocks of one address. Row r of an address has one block of each owner: block
 * r * owners + owner - address; where devices steer, r * owners + (owner xor turn). The first row may begin before the pool's first block; its ids are never free.
 * Of a deterministic pool each owner has all ids, and takes those of its hosts: as if it were alone. */
struct share {
	uint32_t owner, owners, address;
	uint8_t shift;
};

static struct share share_of(const struct nat_ports *ports, uint32_t address)
{
	const struct nat_address *of = &ports->addresses->address[address];

	if (of->computed)
		return (struct share){ 0, 1, 0, of->block_shift };
	if (ports->addresses
			->steered) /* in each row the owners are in another order, which is no sum but an xor */
		return (struct share){ ports->owner ^ of->turn, ports->owners, 0, of->block_shift };
	return (struct share){ ports->owner, ports->owners, address, of->block_shift };
}

static uint32_t row_of(const struct share *share, uint16_t port)
{
	uint32_t place = ((uint32_t)port >> share->shift) + share->address;

	return share->owners == 1 ? place : place / share->owners; /* a division costs more than the test */
}

static struct nat_port_set *set_of(const struct nat_ports *ports, uint32_t address, enum nat_port_class class)
{
	return &ports->set[address * NAT_CLASSES + class];
}

static uint32_t id_of(const struct nat_port_set *set, const struct share *share, uint16_t port)
{
	uint32_t row = row_of(share, port) - set->first_row;

	return (row << share->shift) + (port & ((1u << share->shift) - 1));
}

static uint32_t port_of(const struct nat_port_set *set, const struct share *share, uint32_t id)
{
	uint32_t row = (id >> share->shift) + set->first_row;

	/* Wraps for an id before the pool's first block, which is far beyond any port. */
	return ((row * share->owners + share->owner - share->address) << share->shift) +
	       (id & ((1u << share->shift) - 1));
}

/* The id of a port if it lies in one of the owner's blocks from the pool's first to its last, else ID_NONE. That the port is
 * one of the pool's is seen from its being free: the others never are. */
static uint32_t id_if_ours(const struct nat_port_set *set, const struct share *share, uint16_t port)
{
	uint32_t row = row_of(share, port), id;

	if (share->owners > 1 &&
		((uint32_t)port >> share->shift) + share->address - row * share->owners != share->owner)
		return ID_NONE;
	id = ((row - set->first_row) << share->shift) + (port & ((1u << share->shift) - 1));
	return id < set->pool.free.size ? id : ID_NONE;
}

static const struct nat_pool *pool_of(const struct nat_ports *ports, uint32_t address)
{
	return &ports->addresses->pool[ports->addresses->address[address].pool];
}

static bool in_range(const struct nat_pool *pool, uint32_t port)
{
	return port <= UINT16_MAX && nat_pool_place(pool, (uint16_t)port) != NAT_PLACE_NONE;
}

bool nat_port_is_ours(const struct nat_ports *ports, uint32_t address, uint16_t port)
{
	const struct nat_address *of = &ports->addresses->address[address];

	return nat_address_is_dynamic(ports->addresses, of, port) &&
	       (ports->owners == 1 || of->computed ||
		       nat_address_owner(ports->addresses, address, port, ports->owners) == ports->owner);
}

uint32_t nat_port_row(const struct nat_ports *ports, uint32_t address, uint16_t port)
{
	const struct share share = share_of(ports, address);

	return row_of(&share, port) - set_of(ports, address, 0)->first_row;
}

uint32_t nat_port_rows(const struct nat_ports *ports, uint32_t address)
{
	return set_of(ports, address, 0)->pool.free.size >> ports->addresses->address[address].block_shift;
}

uint32_t nat_port_of_row(const struct nat_ports *ports, uint32_t address, uint32_t row)
{
	const struct share share = share_of(ports, address);

	return port_of(set_of(ports, address, 0), &share, row << share.shift);
}

/* Ports grow with ids, so those outside of the pool's ranges are the first ones, the last ones, and those between two
 * ranges. */
static void outside_take(
	const struct nat_ports *ports, struct nat_port_set *set, uint32_t number, const struct share *share)
{
	const struct nat_pool *pool = pool_of(ports, number);
	struct id_pool *free = &set->pool.free;

	for (uint32_t id = 0; id < free->size && !in_range(pool, port_of(set, share, id)); id++)
		id_pool_take_exact(free, id);
	for (uint32_t id = free->size; id > 0 && !in_range(pool, port_of(set, share, id - 1)); id--)
		id_pool_take_exact(free, id - 1);
	for (uint32_t i = 1; i < pool->ranges; i++)
		for (uint32_t port = pool->range[i - 1].last + 1u; port < pool->range[i].first; port++)
			if (share->owners == 1 || nat_address_owner(ports->addresses, number, (uint16_t)port,
							  ports->owners) == ports->owner)
				id_pool_take_exact(free, id_of(set, share, (uint16_t)port));
}

/* Ids from the first to the last port of a pool: of the blocks between, also those outside of the pool's ranges. */
static uint32_t ids_of(const struct nat_pool *pool, const struct share *share)
{
	uint32_t rows =
		row_of(share, pool->range[pool->ranges - 1].last) - row_of(share, pool->range[0].first) + 1;

	return rows << share->shift;
}

static int set_init(const struct nat_ports *ports, struct nat_port_set *set, uint32_t number)
{
	const struct nat_pool *pool = pool_of(ports, number);
	const struct share share = share_of(ports, number);
	bool rests = ports->turn_ticks > 0 && !pool->blocks && pool->plan.hosts == 0;

	if (pool->ranges == 0)
		return -EINVAL;
	set->first_row = row_of(&share, pool->range[0].first);
	uint32_t ids = ids_of(pool, &share);
	set->memory = nat_memory_take(1, resting_pool_bytes(ids, rests));
	if (set->memory == NULL)
		return -ENOMEM;
	int status = resting_pool_init_in(&set->pool, ids, rests, set->memory);
	if (status < 0)
		return status;
	outside_take(ports, set, number, &share);
	set->usable = set->pool.free.free;
	return 0;
}

int nat_ports_init(struct nat_ports *ports, const struct nat_address_table *addresses, uint16_t owner,
	uint16_t owners, uint32_t rest_ticks)
{
	int status = 0;

	*ports = (struct nat_ports){ .addresses = addresses,
		.owner = owner,
		.owners = owners,
		.turn_ticks = (rest_ticks + RESTING_PARTS - 1) / RESTING_PARTS };
	ports->set = nat_memory_take((size_t)addresses->count * NAT_CLASSES + 1, sizeof(*ports->set));
	ports->use = nat_memory_take(addresses->pools + 1, sizeof(*ports->use));
	if (ports->set == NULL || ports->use == NULL)
		status = -ENOMEM;
	for (uint32_t i = 0; i < addresses->count * NAT_CLASSES && status == 0; i++)
		if (addresses->address[i / NAT_CLASSES].pool != NAT_POOL_NONE)
			status = set_init(ports, &ports->set[i], i / NAT_CLASSES);
	if (status == 0)
		status = nat_blocks_init(ports);
	if (status < 0)
		nat_ports_destroy(ports);
	return status;
}

void nat_ports_destroy(struct nat_ports *ports)
{
	nat_blocks_destroy(ports);
	for (uint32_t i = 0; ports->set != NULL && i < ports->addresses->count * NAT_CLASSES; i++)
		nat_memory_give(ports->set[i].memory);
	nat_memory_give(ports->set);
	nat_memory_give(ports->use);
	*ports = (struct nat_ports){ 0 };
}

size_t nat_ports_bytes(const struct nat_ports *ports)
{
	size_t bytes = nat_blocks_bytes(ports) + (ports->addresses->pools + 1) * sizeof(*ports->use);

	for (uint32_t i = 0; i < ports->addresses->count * NAT_CLASSES; i++)
		bytes += sizeof(*ports->set) +
			 resting_pool_bytes(ports->set[i].pool.free.size, ports->set[i].pool.mark != NULL);
	return bytes;
}

/* Of one address of the pool. */
static struct memory_need address_need(const struct nat_pool_settings *settings, const struct nat_pool *pool,
	const struct share *share, bool rests)
{
	uint32_t ids = ids_of(pool, share), rows = ids >> share->shift;
	bool ports_rest = rests && !pool->blocks && !settings->deterministic;
	struct memory_need need = { 0 };

	for (int i = 0; i < NAT_CLASSES; i++)
		memory_need_add(&need, nat_memory_need(1, resting_pool_bytes(ids, ports_rest)));
	if (pool->blocks) {
		memory_need_add(
			&need, memory_of_process(1, resting_pool_bytes(rows, rests) + MALLOC_OVERHEAD));
		memory_need_add(&need, memory_of_table(rows, sizeof(struct nat_block)));
	}
	return need;
}

struct memory_need nat_ports_need(const struct nat_settings *settings, uint16_t owner)
{
	uint64_t addresses = (uint64_t)settings->static_count + settings->forward_count;
	uint32_t number = 0;
	struct memory_need need = nat_memory_need(settings->pool_count + 1, sizeof(struct nat_pool_use));

	for (uint32_t p = 0; p < settings->pool_count; p++) {
		const struct nat_pool_settings *from = &settings->pool[p];
		struct nat_pool pool = { 0 };

		if (nat_pool_ports_set(&pool, from) < 0 || pool.ranges == 0)
			continue;
		for (uint32_t r = 0; r < from->range_count; r++)
			for (uint64_t ip = from->range[r].first; ip <= from->range[r].last; ip++, number++) {
				const struct share share =
					from->deterministic ? (struct share){ 0, 1, 0, pool.block_shift }
							    : (struct share){ owner, settings->owners, number,
								      pool.block_shift };
				memory_need_add(
					&need, address_need(from, &pool, &share, settings->port_rest_s > 0));
			}
	}
	addresses += number;
	memory_need_add(&need, nat_memory_need(addresses * NAT_CLASSES + 1, sizeof(struct nat_port_set)));
	memory_need_add(&need, nat_memory_need(addresses, sizeof(struct nat_block_set)));
	return need;
}

static void set_advance(struct nat_ports *ports, uint32_t number)
{
	struct nat_port_set *set = &ports->set[number];

	if (set->pool.mark != NULL && set->pool.turn != ports->turn)
		nat_ports_use(ports, number / NAT_CLASSES)->resting[number % NAT_CLASSES] -=
			resting_pool_advance(&set->pool, ports->turn);
}

void nat_ports_turn(struct nat_ports *ports, uint32_t tick)
{
	uint32_t sets = ports->addresses->count * NAT_CLASSES;

	ports->tick = tick;
	if (ports->turn_ticks == 0 || sets == 0)
		return;
	ports->turn = tick / ports->turn_ticks;
	/* Who takes a port brings its set to this turn; the others follow one by one, for the figures. */
	ports->next_set = ports->next_set + 1 < sets ? ports->next_set + 1 : 0;
	set_advance(ports, ports->next_set);
	if (ports->next_set % NAT_CLASSES == 0)
		nat_blocks_advance(ports, ports->next_set / NAT_CLASSES);
}

static uint16_t port_taken(
	struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint32_t port)
{
	struct nat_pool_use *use = nat_ports_use(ports, address);

	if (++use->used[class] > use->most[class])
		use->most[class] = use->used[class];
	return (uint16_t)port;
}

static bool take_exact(struct nat_port_set *set, const struct share *share, uint16_t port)
{
	return id_pool_take_exact(&set->pool.free, id_of(set, share, port));
}

/* Where a search that begins at random begins. */
static uint32_t random_id(const struct nat_port_set *set, uint32_t random)
{
	return (uint32_t)((uint64_t)random * set->pool.free.size >> 32);
}

void nat_port_words(const struct nat_ports *ports, uint32_t address, enum nat_port_class class,
	uint16_t wanted, uint32_t random, const void *word[2])
{
	const struct nat_port_set *set = set_of(ports, address, class);
	const struct share share = share_of(ports, address);

	word[1] = id_pool_word(&set->pool.free, random_id(set, random));
	uint32_t id = id_if_ours(set, &share, wanted);
	word[0] = id != ID_NONE ? id_pool_word(&set->pool.free, id) : word[1];
}

uint16_t nat_port_take(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t wanted,
	uint32_t random)
{
	struct nat_port_set *set = set_of(ports, address, class);
	const struct share share = share_of(ports, address);
	uint32_t id = id_if_ours(set, &share, wanted);

	set_advance(ports, address * NAT_CLASSES + class);
	if (id != ID_NONE && wanted != 0 && id_pool_take_exact(&set->pool.free, id))
		return port_taken(ports, address, class, wanted);
	id = id_pool_take(&set->pool.free, random_id(set, random));
	return id == ID_NONE ? 0 : port_taken(ports, address, class, port_of(set, &share, id));
}

/* The first free one at or after the place `from` and before `end`. */
static uint16_t take_between(
	struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint32_t from, uint32_t end)
{
	struct nat_port_set *set = set_of(ports, address, class);
	const struct share share = share_of(ports, address);
	const struct nat_pool *pool = pool_of(ports, address);
	uint32_t id = id_pool_next(&set->pool.free, id_of(set, &share, nat_pool_port(pool, from)));

	if (id == ID_NONE)
		return 0;
	uint16_t port = (uint16_t)port_of(set, &share, id);
	if (nat_pool_place(pool, port) >= end)
		return 0;
	id_pool_take_exact(&set->pool.free, id);
	return port_taken(ports, address, class, port);
}

uint16_t nat_port_take_among(struct nat_ports *ports, uint32_t address, enum nat_port_class class,
	uint32_t place, uint32_t count, uint16_t wanted, uint32_t random)
{
	const struct share share = share_of(ports, address);
	uint32_t wanted_place = nat_pool_place(pool_of(ports, address), wanted);
	uint32_t from = place + (uint32_t)((uint64_t)random * count >> 32);
	uint16_t port;

	if (wanted_place != NAT_PLACE_NONE && wanted_place - place < count &&
		take_exact(set_of(ports, address, class), &share, wanted))
		return port_taken(ports, address, class, wanted);
	port = take_between(ports, address, class, from, place + count);
	return port != 0 ? port : take_between(ports, address, class, place, from);
}

void nat_port_reserve(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port)
{
	struct nat_port_set *set = set_of(ports, address, class);
	const struct share share = share_of(ports, address);

	if (nat_port_is_ours(ports, address, port) && take_exact(set, &share, port))
		set->usable--;
}

void nat_port_give_words(const struct nat_ports *ports, uint32_t address, enum nat_port_class class,
	uint16_t port, const void *word[2])
{
	const struct nat_port_set *set = set_of(ports, address, class);
	const struct share share = share_of(ports, address);

	resting_pool_give_words(&set->pool, id_of(set, &share, port), word);
}

void nat_port_give(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port)
{
	struct nat_port_set *set = set_of(ports, address, class);
	struct nat_pool_use *use = nat_ports_use(ports, address);
	const struct share share = share_of(ports, address);

	set_advance(ports, address * NAT_CLASSES + class);
	resting_pool_give(&set->pool, id_of(set, &share, port));
	use->used[class]--;
	use->resting[class] += set->pool.mark != NULL;
}

void nat_port_return(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port)
{
	struct nat_port_set *set = set_of(ports, address, class);
	const struct share share = share_of(ports, address);

	id_pool_give(&set->pool.free, id_of(set, &share, port));
	nat_ports_use(ports, address)->used[class]--;
}

bool nat_port_wake(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port)
{
	struct nat_port_set *set = set_of(ports, address, class);
	const struct share share = share_of(ports, address);

	if (!nat_port_is_ours(ports, address, port))
		return false;
	set_advance(ports, address * NAT_CLASSES + class);
	uint32_t id = id_of(set, &share, port);
	if (!resting_pool_recall(&set->pool, id))
		return false;
	id_pool_give(&set->pool.free, id);
	nat_ports_use(ports, address)->resting[class]--;
	return true;
}

void nat_port_rest(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port)
{
	struct nat_port_set *set = set_of(ports, address, class);
	const struct share share = share_of(ports, address);

	if (!take_exact(set, &share, port))
		return;
	resting_pool_give(&set->pool, id_of(set, &share, port));
	nat_ports_use(ports, address)->resting[class]++;
}

uint32_t nat_ports_free(const struct nat_ports *ports, uint32_t address, enum nat_port_class class)
{
	const struct nat_port_set *set = set_of(ports, address, class);
	uint32_t count = set->pool.free.free;

	/* What has rested to the end is as good as free: who takes a port brings the set up to the turn first. */
	if (set->pool.turn != ports->turn && set->pool.resting > 0)
		count += resting_pool_due(&set->pool, ports->turn);
	return count;
}

uint32_t nat_ports_used(const struct nat_ports *ports, uint32_t address, enum nat_port_class class)
{
	const struct nat_port_set *set = set_of(ports, address, class);

	return set->usable - set->pool.free.free - set->pool.resting;
}
