/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/config_services.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void dhcp_relay_copy(const struct config_segment *segment, struct dhcp_relay_settings *relay)
{
	const struct config_dhcp_relay *from = &segment->dhcp_relay;

	*relay = (struct dhcp_relay_settings){ .gateway = segment->gateway.address.v4,
		.server_count = (uint16_t)from->server_count,
		.hops_max = from->max_hops,
		.option_82 = from->option_82,
		.trusted = from->trusted };
	for (uint32_t i = 0; i < from->server_count; i++)
		relay->server[i] = from->server[i].v4;
	memcpy(relay->id.circuit, from->circuit_id, sizeof(relay->id.circuit));
	memcpy(relay->id.remote, from->remote_id, sizeof(relay->id.remote));
}

_Static_assert(CONFIG_LABEL_MAX == DHCP_AGENT_ID_MAX, "circuit and remote ID");

int config_services_make(const struct config *config, struct slowpath_settings *settings)
{
	uint32_t *mac_age = calloc(config->segment_count + 1, sizeof(*mac_age));
	struct dhcp_relay_settings *relay = calloc(config->segment_count + 1, sizeof(*relay));

	*settings = (struct slowpath_settings){ .segment_mac_age_s = mac_age, .dhcp_relay = relay };
	if (mac_age == NULL || relay == NULL) {
		config_services_free(settings);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < config->segment_count; i++) {
		mac_age[i] = config->segment[i].mac_age;
		dhcp_relay_copy(&config->segment[i], &relay[i]);
	}
	return 0;
}

void config_services_free(struct slowpath_settings *settings)
{
	free((void *)(uintptr_t)settings->segment_mac_age_s);
	free((void *)(uintptr_t)settings->dhcp_relay);
	*settings = (struct slowpath_settings){ 0 };
}
