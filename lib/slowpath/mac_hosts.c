/* SPDX-License-Identifier: BSD-3-Clause */
/* Which neighbours have a (segment, MAC): a chain through their indices, found by the key of the FDB. So a MAC that
 * is learned, or lost, finds the neighbours that depend on it without a search. */
#include "slowpath/slowpath_private.h"

uint32_t mac_hosts_first(const struct slowpath *slowpath, uint64_t key)
{
	return key_table_find(slowpath->hosts_of_mac, key);
}

static void head_set(struct slowpath *slowpath, uint64_t key, uint32_t head)
{
	uint32_t fdb = fdb_find(slowpath->plane->fdb, key);

	key_table_remove(slowpath->hosts_of_mac, key);
	if (head != INDEX_NONE && key_table_insert(slowpath->hosts_of_mac, key, head) < 0)
		head = INDEX_NONE; /* a full bucket: this MAC goes without probes, until it is learned again */
	if (fdb != INDEX_NONE)
		slowpath->plane->fdb->record[fdb].neighbour = head;
}

void mac_hosts_add(struct slowpath *slowpath, uint64_t key, uint32_t neighbour)
{
	slowpath->host[neighbour].same_mac_next = mac_hosts_first(slowpath, key);
	head_set(slowpath, key, neighbour);
}

void mac_hosts_remove(struct slowpath *slowpath, uint64_t key, uint32_t neighbour)
{
	uint32_t at = mac_hosts_first(slowpath, key);
	uint32_t next = slowpath->host[neighbour].same_mac_next;

	slowpath->host[neighbour].same_mac_next = INDEX_NONE;
	if (at == neighbour) {
		head_set(slowpath, key, next);
		return;
	}
	for (; at != INDEX_NONE; at = slowpath->host[at].same_mac_next)
		if (slowpath->host[at].same_mac_next == neighbour) {
			slowpath->host[at].same_mac_next = next;
			return;
		}
}
