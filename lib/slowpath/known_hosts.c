/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbours and hosts that are configured instead of learned: they are in the tables before the first packet. Their MAC
 * stays. Where a host is follows its frames as with any other: what is configured is where it is at first. */
#include "base/ip_address.h"
#include "base/log.h"
#include "slowpath/slowpath_private.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int known_hosts_init(struct slowpath *slowpath, const struct slowpath_settings *settings)
{
	if (settings->known_host_count == 0)
		return 0;
	slowpath->known_host = calloc(settings->known_host_count, sizeof(*slowpath->known_host));
	if (slowpath->known_host == NULL)
		return -ENOMEM;
	memcpy(slowpath->known_host, settings->known_host,
		settings->known_host_count * sizeof(*slowpath->known_host));
	slowpath->known_host_count = settings->known_host_count;
	return 0;
}

static bool host_place(struct slowpath *slowpath, const struct known_host *host)
{
	uint16_t segment = segment_of_interface(host->interface);
	uint32_t tunnel = vtep_discover(slowpath, segment, host->vtep);

	return tunnel != INDEX_NONE &&
	       fdb_learn(slowpath, fdb_key(segment, &host->mac), tunnel) != INDEX_NONE;
}

void known_hosts_start(struct slowpath *slowpath)
{
	char address[IP_ADDRESS_TEXT];

	for (uint32_t i = 0; i < slowpath->known_host_count; i++) {
		const struct known_host *host = &slowpath->known_host[i];

		if ((interface_is_segment(host->interface) && !host_place(slowpath, host)) ||
			!neighbour_fix(slowpath, host->interface, host->ip, &host->mac))
			log_warning("%s: no room for the host %s",
				interface_name(slowpath->plane, host->interface),
				ipv4_text(host->ip, address));
	}
	free(slowpath->known_host);
	slowpath->known_host = NULL;
	slowpath->known_host_count = 0;
}
