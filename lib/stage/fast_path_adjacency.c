/* SPDX-License-Identifier: BSD-3-Clause */
/* The ways to next hops outside that the packets of a burst go, each looked up once: what is the same for all packets of a burst
 * need not be asked for each. */
#include "stage/fast_path_private.h"
#include "table/nat.h"

uint32_t fast_path_next_hop(
	const struct fast_burst *burst, const struct fast_packet *packet, struct nat_session *session)
{
	uint16_t number;

	if (ipv4_source_impossible(session->remote))
		return 0;
	fib_find_bulk(burst->plane->fib, &session->remote, &number, 1);
	const struct next_hop *hop = &burst->plane->fib->next_hop[number];
	if (hop->kind != NEXT_HOP_VIA && hop->kind != NEXT_HOP_CONNECTED)
		return 0;
	if (number <= UINT8_MAX && is_ours(burst, packet))
		session->next_hop = (uint8_t)number;
	return number;
}

/* Fills in the way to a next hop, once a burst; NULL: none of those that take the fast path. */
static const struct adjacency *adjacency_find(
	struct fast_burst *burst, uint32_t number, rte_be32_t destination)
{
	struct adjacency *adjacency = &burst->adjacency[number % ADJACENCIES];
	const struct next_hop *hop = &burst->plane->fib->next_hop[number];
	const struct neighbour_table *neighbours = burst->plane->neighbours;
	bool via = hop->kind == NEXT_HOP_VIA;

	adjacency->key = ADJACENCY_NONE;
	adjacency->mask = 0;
	if (hop->dhcp_server || interface_is_segment(hop->interface) ||
		!burst->context->tx[hop->interface].mine)
		return NULL;
	uint32_t at = neighbour_find(neighbours, hop->interface, via ? hop->gateway : destination);
	if (at == INDEX_NONE)
		return NULL;
	uint64_t mac = atomic_load_explicit(&neighbours->entry[at].mac, memory_order_acquire);
	if (mac == 0)
		return NULL;
	uint64_t source = fdb_mac_bits(&burst->plane->port[hop->interface].mac);
	fdb_touch(&neighbours->entry[at].last_used, burst->tick);
	*adjacency = (struct adjacency){ .key = (uint64_t)number << 32 | (via ? 0 : destination),
		.ethernet = mac | source << 48,
		.ethernet_rest = (uint32_t)(source >> 16),
		.mask = via ? 0 : UINT32_MAX,
		.tx = &burst->context->tx[hop->interface],
		.mtu = burst->plane->port[hop->interface].mtu };
	return adjacency;
}

const struct adjacency *fast_path_adjacency(struct fast_burst *burst, uint32_t number, rte_be32_t destination)
{
	const struct adjacency *known = adjacency_known(burst, number, destination);

	return known != NULL ? known : adjacency_find(burst, number, destination);
}

const struct adjacency *fast_path_adjacency_of_session(
	struct fast_burst *burst, const struct fast_packet *packet, struct nat_session *session)
{
	uint32_t number = session->next_hop;

	if (number == 0 && (number = fast_path_next_hop(burst, packet, session)) == 0)
		return NULL;
	return fast_path_adjacency(burst, number, session->remote);
}
