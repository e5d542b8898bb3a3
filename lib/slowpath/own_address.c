/* SPDX-License-Identifier: BSD-3-Clause */
/* Which addresses are ours, where, and which are on the link of an interface. */
#include "slowpath/slowpath_private.h"

bool address_is_unicast(rte_be32_t address)
{
	uint8_t first = (uint8_t)(rte_be_to_cpu_32(address) >> 24);

	return first != 0 && first != 127 && first < 224;
}

static bool prefix_has(rte_be32_t network, uint8_t length, rte_be32_t address)
{
	return length == 0 || (rte_be_to_cpu_32(network ^ address) >> (32 - length)) == 0;
}

bool own_address(const struct slowpath *slowpath, rte_be32_t address)
{
	uint8_t kind = fib_find(slowpath->plane->fib, address)->kind;

	return kind == NEXT_HOP_LOCAL || kind == NEXT_HOP_LOCAL_NAT || kind == NEXT_HOP_NAT;
}

bool own_address_on(const struct slowpath *slowpath, interface_id interface, rte_be32_t address)
{
	if (interface_is_segment(interface))
		return slowpath->plane->segments->segment[segment_of_interface(interface)].gateway == address;
	const struct port_interface *port = &slowpath->plane->port[interface];
	for (uint16_t i = 0; i < port->address_count; i++)
		if (port->address[i].address == address)
			return true;
	return false;
}

bool on_link(const struct slowpath *slowpath, interface_id interface, rte_be32_t address)
{
	if (interface_is_segment(interface)) {
		const struct segment *segment =
			&slowpath->plane->segments->segment[segment_of_interface(interface)];
		return prefix_has(segment->gateway, segment->prefix_length, address);
	}
	const struct port_interface *port = &slowpath->plane->port[interface];
	for (uint16_t i = 0; i < port->address_count; i++)
		if (prefix_has(port->address[i].address, port->address[i].length, address))
			return true;
	return false;
}

static bool on_any_link(const struct slowpath *slowpath, rte_be32_t address)
{
	for (interface_id port = 0; port < slowpath->plane->port_count; port++)
		if (on_link(slowpath, port, address))
			return true;
	return false;
}

bool own_address_by_arp(
	const struct slowpath *slowpath, interface_id interface, rte_be32_t address, rte_be32_t asker)
{
	if (own_address_on(slowpath, interface, address))
		return true;
	if (interface_is_segment(interface))
		return false;
	uint8_t kind = fib_find(slowpath->plane->fib, address)->kind;
	if (kind != NEXT_HOP_NAT && kind != NEXT_HOP_LOCAL_NAT)
		return false;
	/* In the prefix of this port; or in that of none, and a neighbour here takes it to be on the link. */
	if (on_link(slowpath, interface, address))
		return true;
	return !on_any_link(slowpath, address) && asker != 0 && on_link(slowpath, interface, asker);
}

rte_be32_t interface_address(const struct slowpath *slowpath, interface_id interface, rte_be32_t toward)
{
	if (interface_is_segment(interface))
		return slowpath->plane->segments->segment[segment_of_interface(interface)].gateway;
	const struct port_interface *port = &slowpath->plane->port[interface];
	for (uint16_t i = 0; i < port->address_count; i++)
		if (prefix_has(port->address[i].address, port->address[i].length, toward))
			return port->address[i].address;
	return port->address_count > 0 ? port->address[0].address : 0;
}

const struct rte_ether_addr *interface_mac(const struct slowpath *slowpath, interface_id interface)
{
	if (interface_is_segment(interface))
		return &slowpath->plane->segments->segment[segment_of_interface(interface)].mac;
	return &slowpath->plane->port[interface].mac;
}
