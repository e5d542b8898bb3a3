/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/config_services.h"
#include "management/config_pool.h"
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

static bool prefixes_meet(const struct ip_prefix *one, const struct ip_prefix *other)
{
	return ipv4_prefix_contains(one, other->address.v4) || ipv4_prefix_contains(other, one->address.v4);
}

/* The one public address of all hosts that may open ports, or 0. */
static rte_be32_t outside_of_all(const struct config_nat *nat, const struct config_port_control *control)
{
	struct config_nat_range address = { 0 };

	for (uint32_t i = 0; i < nat->static_count; i++)
		if (nat->static_binding[i].segment == control->segment &&
			ipv4_prefix_contains(&control->prefix, nat->static_binding[i].inside.v4))
			return 0;
	for (uint32_t i = 0; i < nat->source_count; i++) {
		const struct config_nat_pool *pool = &nat->pool[nat->source[i].pool];
		struct config_pool_walk walk = { 0 };
		uint32_t before = address.first;

		if (nat->source[i].segment != control->segment ||
			!prefixes_meet(&nat->source[i].prefix, &control->prefix))
			continue;
		if (pool->address_count != 1 || !config_pool_piece(pool, &walk, &address) ||
			(before != 0 && before != address.first))
			return 0;
	}
	return rte_cpu_to_be_32(address.first);
}

static void port_control_copy(const struct config_nat *nat, const struct config_port_control *from,
	struct port_control_settings *control)
{
	*control = (struct port_control_settings){ .enabled = true,
		.prefix = from->prefix.address.v4,
		.mask = ipv4_mask(from->prefix.length),
		.port_ranges = (uint16_t)from->ports.count,
		.mappings_max = from->max_mappings,
		.lifetime_max = from->max_lifetime,
		.port_rest_s = nat->port_rest,
		.outside = outside_of_all(nat, from) };
	for (uint32_t i = 0; i < from->ports.count; i++) {
		control->ports[i].first = from->ports.range[i].first;
		control->ports[i].last = from->ports.range[i].last;
	}
}

/* NULL: no memory. */
static struct known_host *known_hosts_make(const struct config *config, uint32_t *count)
{
	struct known_host *known;

	*count = 0;
	for (uint32_t i = 0; i < config->port_count; i++)
		*count += config->port[i].neighbour_count;
	for (uint32_t i = 0; i < config->segment_count; i++)
		*count += config->segment[i].host_count;
	struct known_host *to = known = calloc(*count + 1, sizeof(*known));
	for (uint32_t i = 0; known != NULL && i < config->port_count; i++)
		for (uint32_t j = 0; j < config->port[i].neighbour_count; j++) {
			const struct config_neighbour *from = &config->port[i].neighbour[j];
			*to++ = (struct known_host){
				.interface = (interface_id)i, .ip = from->address.v4, .mac = from->mac
			};
		}
	for (uint32_t i = 0; known != NULL && i < config->segment_count; i++)
		for (uint32_t j = 0; j < config->segment[i].host_count; j++) {
			const struct config_host *from = &config->segment[i].host[j];
			*to++ = (struct known_host){ .interface = interface_of_segment((uint16_t)i),
				.ip = from->address.v4,
				.mac = from->mac,
				.vtep = from->vtep.v4 };
		}
	return known;
}

_Static_assert(CONFIG_PORT_RANGES == PORT_CONTROL_RANGES, "all of them fit");
_Static_assert(CONFIG_LABEL_MAX == DHCP_AGENT_ID_MAX, "circuit and remote ID");

int config_services_make(const struct config *config, struct slowpath_settings *settings)
{
	uint32_t *mac_age = calloc(config->segment_count + 1, sizeof(*mac_age));
	struct dhcp_relay_settings *relay = calloc(config->segment_count + 1, sizeof(*relay));

	struct port_control_settings *control = calloc(config->segment_count + 1, sizeof(*control));

	*settings = (struct slowpath_settings){
		.segment_mac_age_s = mac_age, .dhcp_relay = relay, .port_control = control
	};
	settings->known_host = known_hosts_make(config, &settings->known_host_count);
	if (mac_age == NULL || relay == NULL || control == NULL || settings->known_host == NULL) {
		config_services_free(settings);
		return -ENOMEM;
	}
	settings->unsolicited_syn_told = config->nat.tcp.unsolicited_syn_told;
	for (uint32_t i = 0; i < config->segment_count; i++) {
		mac_age[i] = config->segment[i].mac_age;
		dhcp_relay_copy(&config->segment[i], &relay[i]);
	}
	for (uint32_t i = 0; i < config->nat.port_control_count; i++)
		port_control_copy(&config->nat, &config->nat.port_control[i],
			&control[config->nat.port_control[i].segment]);
	return 0;
}

void config_services_free(struct slowpath_settings *settings)
{
	free((void *)(uintptr_t)settings->segment_mac_age_s);
	free((void *)(uintptr_t)settings->dhcp_relay);
	free((void *)(uintptr_t)settings->port_control);
	free((void *)(uintptr_t)settings->known_host);
	*settings = (struct slowpath_settings){ 0 };
}
