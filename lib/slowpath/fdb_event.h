/* SPDX-License-Identifier: BSD-3-Clause */
/* What a packet lcore tells management about source MACs: one fixed-size element a ring, one ring a lcore. */
#pragma once

#include <rte_byteorder.h>
#include <rte_ring_elem.h>
#include <stdint.h>

enum fdb_event_kind {
	FDB_EVENT_NEW,      /* a source MAC that the FDB does not have, from a known tunnel */
	FDB_EVENT_MOVED,    /* its entry now points to `tunnel`; it was `old_tunnel` */
	FDB_EVENT_NEW_VTEP, /* from a VTEP that is not known yet in a segment that takes any (multicast group) */
};

struct fdb_event {           /* 32 bytes */
	uint64_t key;        /* fdb_key(segment, MAC) */
	uint32_t tunnel;     /* INDEX_NONE with FDB_EVENT_NEW_VTEP */
	uint32_t old_tunnel; /* where the FDB had the MAC, or INDEX_NONE */
	rte_be32_t vtep;     /* outer source address */
	uint32_t fdb;        /* entry, with FDB_EVENT_MOVED */
	uint8_t kind;
	uint8_t reserved[3];
	uint32_t tick;
};
_Static_assert(sizeof(struct fdb_event) == 32, "half a cache line");

struct fdb_event_ring {
	struct rte_ring *ring;
	uint64_t lost; /* written by the packet lcore: the ring was full */
};
