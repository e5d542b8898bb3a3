/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/port_steering.h"

#include <errno.h>
#include <netinet/in.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <stdio.h>
#include <string.h>

#define INNER_SOURCE (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_L3_SRC_ONLY | RTE_ETH_RSS_LEVEL_INNERMOST)
#define DESTINATION                                                                                          \
	(RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_L3_DST_ONLY |             \
		RTE_ETH_RSS_L4_DST_ONLY)
#define KEY_MIN 16u /* bytes: the twelve of addresses and ports, and the window of the last bit */

void port_steering_facts(const struct port *port, struct port_steering_facts *facts)
{
	struct rte_eth_dev_info info;

	*facts = (struct port_steering_facts){ .software = device_is_virtual(&port->string) };
	if (facts->software || rte_eth_dev_info_get(port->device, &info) < 0)
		return;
	if (info.hash_key_size < KEY_MIN || !rte_is_power_of_2(info.reta_size))
		return;
	facts->key_size = info.hash_key_size;
	facts->table_size = info.reta_size;
	facts->inner_source = (info.flow_type_rss_offloads & INNER_SOURCE) == INNER_SOURCE;
	facts->destination = (info.flow_type_rss_offloads & DESTINATION) == DESTINATION;
}

static int table_set(uint16_t device, const uint16_t *queue, uint16_t size)
{
	struct rte_eth_rss_reta_entry64 table[PORT_RSS_TABLE_MAX / RTE_ETH_RETA_GROUP_SIZE] = { 0 };

	if (size > PORT_RSS_TABLE_MAX)
		return -ENOTSUP;
	for (uint16_t i = 0; i < size; i++) {
		struct rte_eth_rss_reta_entry64 *group = &table[i / RTE_ETH_RETA_GROUP_SIZE];
		group->mask |= UINT64_C(1) << i % RTE_ETH_RETA_GROUP_SIZE;
		group->reta[i % RTE_ETH_RETA_GROUP_SIZE] = queue[i];
	}
	return rte_eth_dev_rss_reta_update(device, table, size);
}

int port_steer_by_rss(const struct port *port, enum port_rss kind, uint8_t *key, uint8_t key_size,
	const uint16_t *queue, uint16_t table_size)
{
	struct rte_eth_rss_conf conf = { .rss_key = key,
		.rss_key_len = key_size,
		.rss_hf = kind == PORT_RSS_DESTINATION ? DESTINATION : INNER_SOURCE };
	int rc = table_set(port->device, queue, table_size);

	return rc < 0 ? rc : rte_eth_dev_rss_hash_update(port->device, &conf);
}

static struct rte_flow *rule_make(
	uint16_t device, const struct port_steering_rule *rule, bool only_try, struct rte_flow_error *error)
{
	const struct rte_flow_attr attributes = { .ingress = 1, .priority = rule->priority };
	const struct rte_flow_item_ipv4 ip = { .hdr = { .dst_addr = rule->address } },
					ip_mask = { .hdr = { .dst_addr = rule->address_mask } };
	/* The ports of both stand at the same place. */
	const struct rte_flow_item_udp ports = { .hdr = { .dst_port = rule->port } },
				       ports_mask = { .hdr = { .dst_port = rule->port_mask } };
	const struct rte_flow_item_tcp tcp = { .hdr = { .dst_port = rule->port } },
				       tcp_mask = { .hdr = { .dst_port = rule->port_mask } };
	const struct rte_flow_item pattern[] = {
		{ .type = RTE_FLOW_ITEM_TYPE_ETH },
		{ .type = RTE_FLOW_ITEM_TYPE_IPV4, .spec = &ip, .mask = &ip_mask },
		rule->protocol == IPPROTO_TCP   ? (struct rte_flow_item){ .type = RTE_FLOW_ITEM_TYPE_TCP,
							  .spec = &tcp,
							  .mask = &tcp_mask }
		: rule->protocol == IPPROTO_UDP ? (struct rte_flow_item){ .type = RTE_FLOW_ITEM_TYPE_UDP,
							  .spec = &ports,
							  .mask = &ports_mask }
						: (struct rte_flow_item){ .type = RTE_FLOW_ITEM_TYPE_END },
		{ .type = RTE_FLOW_ITEM_TYPE_END },
	};
	const struct rte_flow_action_queue queue = { .index = rule->queue };
	const struct rte_flow_action actions[] = { { .type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &queue },
		{ .type = RTE_FLOW_ACTION_TYPE_END } };
	static struct rte_flow *const would = (struct rte_flow *)1;

	if (only_try)
		return rte_flow_validate(device, &attributes, pattern, actions, error) == 0 ? would : NULL;
	return rte_flow_create(device, &attributes, pattern, actions, error);
}

int port_steer_by_rules(const struct port *port, const struct port_steering_rule *rules, uint32_t count,
	char *reason, size_t size)
{
	struct rte_flow_error error = { 0 };
	uint32_t made = 0;

	reason[0] = '\0';
	for (uint32_t i = 0; i < count; i++)
		if (rule_make(port->device, &rules[i], true, &error) == NULL)
			goto refused;
	while (made < count && rule_make(port->device, &rules[made], false, &error) != NULL)
		made++;
	if (made == count)
		return 0;
refused:
	snprintf(reason, size, "%s", error.message != NULL ? error.message : "it takes no such rule");
	if (made > 0)
		rte_flow_flush(port->device, NULL);
	return -ENOTSUP;
}
