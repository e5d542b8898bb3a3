/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_port.h"
#include "table/nat_memory.h"
#include <errno.h>

/* Ids count through the owner's blocks of one address. Row r of an address has one block of each owner: block
 * r * owners + owner - address. The first row may begin before the pool's first block; its ids are never free. */
static uint32_t row_of(const struct nat_ports *ports, uint32_t address, uint16_t port)
{
	uint32_t place = port / NAT_PORT_BLOCK + address;

	return ports->owners == 1 ? place : place / ports->owners; /* a division costs more than the test */
}

static uint32_t id_of(
	const struct nat_ports *ports, const struct nat_port_set *set, uint32_t address, uint16_t port)
{
	uint32_t row = row_of(ports, address, port) - set->first_row;

	return row * NAT_PORT_BLOCK + port % NAT_PORT_BLOCK;
}

static uint32_t port_of(
	const struct nat_ports *ports, const struct nat_port_set *set, uint32_t address, uint32_t id)
{
	uint32_t row = id / NAT_PORT_BLOCK + set->first_row;

	/* Wraps for an id before the pool's first block, which is far beyond any port. */
	return (row * ports->owners + ports->owner - address) * NAT_PORT_BLOCK + id % NAT_PORT_BLOCK;
}

/* 0 says "none", and is no port that a peer could answer to. */
static bool in_range(const struct nat_address *address, uint32_t port)
{
	return port >= address->port_first && port <= address->port_last && port != 0;
}

static int set_init(const struct nat_ports *ports, struct nat_port_set *set, uint32_t number)
{
	const struct nat_address *address = &ports->addresses->address[number];
	uint32_t last_row = row_of(ports, number, address->port_last);
	int status;

	set->first_row = row_of(ports, number, address->port_first);
	status = id_pool_init(&set->free, (last_row - set->first_row + 1) * NAT_PORT_BLOCK);
	if (status < 0)
		return status;
	/* Ports grow with ids, so those outside of the pool's range are the first ones and the last ones. */
	for (uint32_t id = 0; id < set->free.size && !in_range(address, port_of(ports, set, number, id));
		id++)
		id_pool_take_exact(&set->free, id);
	for (uint32_t id = set->free.size; id > 0 && !in_range(address, port_of(ports, set, number, id - 1));
		id--)
		id_pool_take_exact(&set->free, id - 1);
	set->usable = set->free.free;
	return 0;
}

int nat_ports_init(
	struct nat_ports *ports, const struct nat_address_table *addresses, uint16_t owner, uint16_t owners)
{
	int status = 0;

	*ports = (struct nat_ports){ .addresses = addresses, .owner = owner, .owners = owners };
	ports->set = nat_memory_take((size_t)addresses->count * NAT_CLASSES + 1, sizeof(*ports->set));
	if (ports->set == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < addresses->count * NAT_CLASSES && status == 0; i++)
		if (addresses->address[i / NAT_CLASSES].pool != NAT_POOL_NONE)
			status = set_init(ports, &ports->set[i], i / NAT_CLASSES);
	if (status < 0)
		nat_ports_destroy(ports);
	return status;
}

void nat_ports_destroy(struct nat_ports *ports)
{
	for (uint32_t i = 0; ports->set != NULL && i < ports->addresses->count * NAT_CLASSES; i++)
		if (ports->set[i].free.size > 0)
			id_pool_destroy(&ports->set[i].free);
	nat_memory_give(ports->set);
	*ports = (struct nat_ports){ 0 };
}

size_t nat_ports_bytes(const struct nat_ports *ports)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < ports->addresses->count * NAT_CLASSES; i++)
		bytes += sizeof(*ports->set) + id_pool_bytes(ports->set[i].free.size);
	return bytes;
}

static bool is_ours(const struct nat_ports *ports, uint32_t address, uint16_t port)
{
	return nat_address_is_dynamic(&ports->addresses->address[address], port) &&
	       (ports->owners == 1 || nat_port_owner(address, port, ports->owners) == ports->owner);
}

uint16_t nat_port_take(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t wanted,
	uint32_t random)
{
	struct nat_port_set *set = &ports->set[address * NAT_CLASSES + class];
	uint32_t id;

	if (wanted != 0 && is_ours(ports, address, wanted) &&
		id_pool_take_exact(&set->free, id_of(ports, set, address, wanted)))
		return wanted;
	id = id_pool_take(&set->free, (uint32_t)((uint64_t)random * set->free.size >> 32));
	return id == ID_NONE ? 0 : (uint16_t)port_of(ports, set, address, id);
}

void nat_port_reserve(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port)
{
	struct nat_port_set *set = &ports->set[address * NAT_CLASSES + class];

	if (is_ours(ports, address, port) && id_pool_take_exact(&set->free, id_of(ports, set, address, port)))
		set->usable--;
}

void nat_port_give(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port)
{
	struct nat_port_set *set = &ports->set[address * NAT_CLASSES + class];

	id_pool_give(&set->free, id_of(ports, set, address, port));
}
