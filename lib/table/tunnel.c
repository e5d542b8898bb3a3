/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/tunnel.h"
#include <errno.h>
#include <netinet/in.h>
#include <rte_malloc.h>
#include <stdlib.h>

struct memory_need tunnel_table_need(uint32_t capacity)
{
	struct memory_need need = memory_of_table(RTE_MAX(capacity, 1u), sizeof(struct tunnel));

	memory_need_add(&need, memory_of_process(1, sizeof(struct tunnel_table)));
	memory_need_add(&need, key_table_need(capacity));
	return need;
}

struct tunnel_table *tunnel_table_create(uint32_t capacity)
{
	struct tunnel_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->capacity = capacity;
	table->tunnel = rte_zmalloc("tunnel", RTE_MAX(capacity, 1u) * sizeof(*table->tunnel), 64);
	table->index = key_table_create(capacity);
	if (table->tunnel == NULL || table->index == NULL) {
		tunnel_table_destroy(table);
		errno = ENOMEM;
		return NULL;
	}
	return table;
}

void tunnel_table_destroy(struct tunnel_table *table)
{
	if (table == NULL)
		return;
	key_table_destroy(table->index);
	rte_free(table->tunnel);
	free(table);
}

int64_t tunnel_add(struct tunnel_table *table, uint16_t segment, rte_be32_t vtep)
{
	if (table->count == table->capacity)
		return -ENOSPC;
	struct tunnel *tunnel = &table->tunnel[table->count];
	tunnel->segment = segment;
	tunnel->vtep = vtep;
	tunnel->port = INTERFACE_NONE;
	atomic_store_explicit(&tunnel->version, 2, memory_order_relaxed);
	int status = key_table_insert(table->index, tunnel_key(segment, vtep), table->count);
	if (status < 0)
		return status;
	return table->count++;
}

static void header_fill(struct tunnel_header *h, const struct tunnel_source *source, rte_be32_t vtep)
{
	*h = (struct tunnel_header){
		.outer = {
			.ethernet = {.dst_addr = source->next_hop_mac,
				.src_addr = source->port_mac,
				.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4)},
			.ip = {.version_ihl = RTE_IPV4_VHL_DEF,
				.fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
				.time_to_live = source->ttl,
				.next_proto_id = IPPROTO_UDP,
				.src_addr = source->address,
				.dst_addr = vtep},
			.udp = {.dst_port = source->udp_port},
			.vxlan = {.flags = VXLAN_FLAG_VNI,
				.vni = {(uint8_t)(source->vni >> 16), (uint8_t)(source->vni >> 8), (uint8_t)source->vni}},
		},
		.inner = {.src_addr = source->gateway_mac, .ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4)},
	};
	/* With a total length of 0; the encapsulation adds the length of each packet (RFC 1624). */
	h->outer.ip.hdr_checksum = rte_ipv4_cksum(&h->outer.ip);
}

void tunnel_set_header(struct tunnel *tunnel, const struct tunnel_source *source)
{
	uint32_t version = atomic_load_explicit(&tunnel->version, memory_order_relaxed);

	atomic_store_explicit(&tunnel->version, version + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	header_fill(&tunnel->header, source, tunnel->vtep);
	tunnel->mtu = source->mtu;
	atomic_store_explicit(&tunnel->ready, true, memory_order_relaxed);
	atomic_store_explicit(&tunnel->version, version + 2, memory_order_release);
}

void tunnel_set_unready(struct tunnel *tunnel)
{
	atomic_store_explicit(&tunnel->ready, false, memory_order_release);
	atomic_fetch_add_explicit(&tunnel->version, 2, memory_order_release);
}
