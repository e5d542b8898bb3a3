/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/steering.h"

#include "management/config_check.h"
#include "management/config_pool.h"
#include "table/nat_address.h"
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const steering_method_name[] = {
	[STEERING_NONE] = "handoff", [STEERING_RSS] = "rss", [STEERING_RULES] = "rules"
};
static const char note[] =
	"steering by RSS or rte_flow rules is tested in software, against rte_softrss, not on a NIC";

/* All that the steps below work on. */
struct planning {
	struct steering *steering;
	const struct config *config;
	const struct lcore_plan *plan;
	const struct port_steering_facts *facts;
	const struct steering_device *device;
};

static void because(struct steering_port *port, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void because(struct steering_port *port, const char *format, ...)
{
	size_t used = strlen(port->why);
	va_list arguments;

	if (used > 0)
		used += (size_t)snprintf(port->why + used, sizeof(port->why) - used, "; ");
	if (used >= sizeof(port->why))
		return;
	va_start(arguments, format);
	vsnprintf(port->why + used, sizeof(port->why) - used, format, arguments);
	va_end(arguments);
}

/* ---- which queue leads to which owner ---- */

static bool queue_find(const struct lcore_plan_entry *entry, uint16_t port, uint16_t *queue)
{
	for (uint16_t i = 0; i < entry->rx_count; i++)
		if (entry->rx[i].port == port) {
			*queue = entry->rx[i].queue;
			return true;
		}
	return false;
}

/* False: some owner does not receive by the port. */
static bool queues_find(const struct planning *at, uint16_t number)
{
	struct steering_port *port = &at->steering->port[number];
	uint16_t owner = 0;

	for (uint16_t i = 0; i < at->plan->count; i++) {
		const struct lcore_plan_entry *entry = &at->plan->entry[i];

		if (!(entry->stages & 1u << STAGE_NAT_GATEWAY))
			continue;
		if (!queue_find(entry, number, &port->queue[owner])) {
			because(port,
				"lcore %u, which owns sessions, has no receive queue of the port (rx_queues "
				"is %u)",
				entry->lcore, at->config->port[number].rx_queues);
			return false;
		}
		owner++;
	}
	return true;
}

/* ---- from the VTEPs ---- */

static bool inside_possible(const struct planning *at, uint16_t number)
{
	struct steering_port *port = &at->steering->port[number];
	const struct port_steering_facts *facts = &at->facts[number];

	if (facts->inner_source && facts->table_size > 0)
		return true;
	because(port, "the device does not hash the source of inner headers alone");
	return false;
}

static int inside_program(const struct planning *at, uint16_t number)
{
	const struct nat_steering_settings *nat = &at->steering->nat;
	const struct port_steering_facts *facts = &at->facts[number];
	uint16_t queue[PORT_RSS_TABLE_MAX], size = (uint16_t)RTE_MIN(facts->table_size, PORT_RSS_TABLE_MAX);
	uint8_t key[UINT8_MAX];

	nat_steering_inside_key(nat, key, facts->key_size);
	for (uint16_t i = 0; i < size; i++)
		queue[i] = at->steering->port[number]
				   .queue[nat_steering_inside_owner(i, nat->indexes, at->steering->owners)];
	return at->device->by_rss(at->device->context, number, PORT_RSS_INNER_SOURCE, key, facts->key_size,
		queue, facts->table_size);
}

/* The owner must be the same whichever port a host's packets come by: so all tables repeat the smallest one. */
static void inside_steer(const struct planning *at, uint16_t number)
{
	struct steering_port *port = &at->steering->port[number];
	int rc = inside_program(at, number);

	if (rc < 0) {
		because(port, "the device refuses to hash the inner source: %s", strerror(-rc));
		return;
	}
	port->method = STEERING_RSS;
	at->steering->nat.inside = true;
}

/* ---- from outside ---- */

/* The ports in a row that have one owner, in every pool: -1 when pools differ. */
static int block_shift_find(const struct config_nat *nat)
{
	int shift = -1;

	for (uint32_t i = 0; i < nat->pool_count; i++) {
		const struct config_nat_pool *pool = &nat->pool[i];
		int its = pool->port_block == 0 ? -1 : __builtin_ctz(pool->port_block);

		if (its >= 0 && shift >= 0 && its != shift)
			return -1;
		shift = its >= 0 ? its : shift;
	}
	return shift >= 0 ? shift : __builtin_ctz(NAT_PORT_BLOCK);
}

struct rule_list {
	struct port_steering_rule *rule; /* [STEERING_RULES_MAX] */
	uint32_t count;                  /* may be more than there is room for */
};

static void rule_add(struct rule_list *list, const struct port_steering_rule *rule)
{
	if (list->count < STEERING_RULES_MAX)
		list->rule[list->count] = *rule;
	list->count++;
}

/* Addresses that differ in bits below the block alone have the same owners: one rule an owner and protocol. */
static void prefix_rules(const struct steering *steering, const struct steering_port *port, uint32_t ip,
	uint8_t length, struct rule_list *list)
{
	uint8_t shift = steering->nat.block_shift;
	uint16_t turn = nat_steering_turn(rte_cpu_to_be_32(ip), shift, steering->owners);
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };

	for (uint32_t p = 0; p < RTE_DIM(protocols); p++)
		for (uint16_t block = 0; block < steering->owners; block++)
			rule_add(list, &(struct port_steering_rule){ .address = rte_cpu_to_be_32(ip),
					       .address_mask = rte_cpu_to_be_32(UINT32_MAX << (32 - length)),
					       .port = rte_cpu_to_be_16((uint16_t)(block << shift)),
					       .port_mask = rte_cpu_to_be_16(
						       (uint16_t)((steering->owners - 1u) << shift)),
					       .protocol = protocols[p],
					       .queue = port->queue[block ^ turn],
					       .priority = 1 });
}

static void range_rules(const struct steering *steering, const struct steering_port *port,
	const struct config_nat_range *range, struct rule_list *list)
{
	uint8_t longest = (uint8_t)(32 - steering->nat.block_shift);
	uint64_t at = range->first;

	while (at <= range->last && list->count <= STEERING_RULES_MAX) {
		uint8_t length = 32;
		while (length > longest && (at & ((UINT64_C(2) << (32 - length)) - 1)) == 0 &&
			at + (UINT64_C(2) << (32 - length)) - 1 <= range->last)
			length--;
		prefix_rules(steering, port, (uint32_t)at, length, list);
		at += UINT64_C(1) << (32 - length);
	}
}

/* Static bindings and forwards belong to the owner of their host, which is known where hosts are steered too. */
static void binding_rules(const struct steering *steering, const struct steering_port *port,
	const struct config_nat *nat, struct rule_list *list)
{
	struct nat_inside_map map;

	if (!steering->nat.inside)
		return;
	nat_inside_map_make(&map, &steering->nat, steering->owners);
	for (uint32_t i = 0; i < nat->static_count; i++)
		rule_add(list, &(struct port_steering_rule){ .address = nat->static_binding[i].outside.v4,
				       .address_mask = UINT32_MAX,
				       .queue = port->queue[nat_steering_owner(
					       &map, nat->static_binding[i].inside.v4)] });
	for (uint32_t i = 0; i < nat->forward_count; i++)
		rule_add(list,
			&(struct port_steering_rule){ .address = nat->forward[i].outside.v4,
				.address_mask = UINT32_MAX,
				.protocol = nat->forward[i].protocol,
				.port = rte_cpu_to_be_16(nat->forward[i].outside_port),
				.port_mask = UINT16_MAX,
				.queue = port->queue[nat_steering_owner(&map, nat->forward[i].inside.v4)] });
}

uint32_t steering_rules(const struct steering *steering, const struct config *config, uint16_t number,
	struct port_steering_rule *rules)
{
	const struct steering_port *port = &steering->port[number];
	struct rule_list list = { .rule = rules };

	binding_rules(steering, port, &config->nat, &list);
	for (uint32_t i = 0; i < config->nat.pool_count; i++) {
		const struct config_nat_pool *pool = &config->nat.pool[i];
		struct config_pool_walk walk = { 0 };
		struct config_nat_range piece;

		while (!pool->deterministic && config_pool_piece(pool, &walk, &piece))
			range_rules(steering, port, &piece, &list);
	}
	return list.count;
}

static bool outside_by_rules(const struct planning *at, uint16_t number)
{
	struct steering_port *port = &at->steering->port[number];
	struct port_steering_rule *rules = calloc(STEERING_RULES_MAX, sizeof(*rules));
	char reason[96] = "no memory";
	uint32_t count = 0;
	int rc = -1;

	if (rules != NULL) {
		count = steering_rules(at->steering, at->config, number, rules);
		if (count > STEERING_RULES_MAX)
			snprintf(reason, sizeof(reason), "there would be more than %u", STEERING_RULES_MAX);
		else
			rc = at->device->by_rules(
				at->device->context, number, rules, count, reason, sizeof(reason));
	}
	free(rules);
	if (rc < 0) {
		because(port, "no flow rules: %s", reason);
		return false;
	}
	port->method = STEERING_RULES;
	port->rules = count;
	return true;
}

static bool outside_by_rss(const struct planning *at, uint16_t number)
{
	struct steering_port *port = &at->steering->port[number];
	const struct port_steering_facts *facts = &at->facts[number];
	uint16_t queue[PORT_RSS_TABLE_MAX], size = (uint16_t)RTE_MIN(facts->table_size, PORT_RSS_TABLE_MAX);
	uint16_t owners = at->steering->owners;
	uint8_t key[UINT8_MAX];

	if (!facts->destination || facts->table_size < owners) {
		because(port, "the device does not hash the destination alone");
		return false;
	}
	nat_steering_outside_key(at->steering->nat.block_shift, owners, key, facts->key_size);
	for (uint16_t i = 0; i < size; i++)
		queue[i] = port->queue[nat_steering_outside_owner(i, owners)];
	int rc = at->device->by_rss(at->device->context, number, PORT_RSS_DESTINATION, key, facts->key_size,
		queue, facts->table_size);
	if (rc < 0) {
		because(port, "the device refuses to hash the destination: %s", strerror(-rc));
		return false;
	}
	port->method = STEERING_RSS;
	return true;
}

static void outside_steer(const struct planning *at, uint16_t number)
{
	struct steering_port *port = &at->steering->port[number];
	int shift = block_shift_find(&at->config->nat);

	if (!rte_is_power_of_2(at->steering->owners)) {
		because(port, "the %u lcores that own sessions are no power of two", at->steering->owners);
	} else if (shift < 0) {
		because(port, "the port blocks of the pools are of different sizes");
	} else if (!nat_steering_outside_fits((uint8_t)shift, at->steering->owners)) {
		because(port, "there are fewer port blocks than lcores that own sessions");
	} else {
		at->steering->nat.block_shift = (uint8_t)shift;
		if (outside_by_rules(at, number) || outside_by_rss(at, number))
			at->steering->nat.outside = true;
	}
}

/* ---- all ports ---- */

static void roles_find(const struct planning *at)
{
	struct steering *steering = at->steering;
	const struct config_port *underlay = config_port_of_address(at->config, at->config->vxlan.source.v4);

	for (uint16_t i = 0; i < steering->port_count; i++) {
		steering->port[i].name = at->config->port[i].name;
		steering->port[i].inside = at->config->vxlan.present && &at->config->port[i] == underlay;
		steering->port[i].outside = !steering->port[i].inside || steering->port_count == 1;
	}
}

/* What no device could change. */
static bool is_worth_it(const struct planning *at, uint16_t number)
{
	struct steering_port *port = &at->steering->port[number];

	if (at->steering->owners == 1)
		because(port, "one lcore owns all sessions");
	else if (at->facts[number].software)
		because(port, "a software device");
	else if (port->inside && port->outside)
		because(port, "tunnels and the outside come by one port");
	else
		return queues_find(at, number);
	return false;
}

void steering_make(struct steering *steering, const struct config *config, const struct lcore_plan *plan,
	const struct port_steering_facts *facts, const uint8_t key[NAT_STEERING_KEY],
	const struct steering_device *device)
{
	const struct planning at = { steering, config, plan, facts, device };
	bool worth[PORT_MAX];

	memset(steering, 0, sizeof(*steering));
	steering->port_count = (uint16_t)config->port_count;
	for (uint16_t i = 0; i < plan->count; i++)
		steering->owners = (uint16_t)(steering->owners +
					      ((plan->entry[i].stages & 1u << STAGE_NAT_GATEWAY) != 0));
	steering->nat.indexes = NAT_STEERING_INDEXES;
	memcpy(steering->nat.key, key, NAT_STEERING_KEY);
	roles_find(&at);
	for (uint16_t i = 0; i < steering->port_count; i++) {
		worth[i] = is_worth_it(&at, i) && (!steering->port[i].inside || inside_possible(&at, i));
		if (worth[i] && steering->port[i].inside)
			steering->nat.indexes = (uint16_t)RTE_MIN(steering->nat.indexes, facts[i].table_size);
	}
	for (uint16_t i = 0; i < steering->port_count; i++)
		if (worth[i] && steering->port[i].inside)
			inside_steer(&at, i);
	for (uint16_t i = 0; i < steering->port_count; i++)
		if (worth[i] && steering->port[i].outside)
			outside_steer(&at, i);
}

const char *steering_note(const struct steering *steering, const struct steering_port *port)
{
	for (uint16_t i = 0; i < steering->port_count; i++)
		if (steering->port[i].method != STEERING_NONE && (port == NULL || port == &steering->port[i]))
			return note;
	return "";
}

uint32_t steering_block(const struct steering *steering, const struct steering_port *port)
{
	return port->outside && port->method != STEERING_NONE ? 1u << steering->nat.block_shift : 0;
}
