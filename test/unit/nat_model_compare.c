/* SPDX-License-Identifier: BSD-3-Clause */
/* All that can be seen of the tables of NAT is what the model says. */
#include "nat_model.h"

static void session_compare(struct gateway *gateway, struct model *model, const struct nat_session_view *view)
{
	const struct model_session flow = { .segment = view->segment,
		.protocol = view->protocol,
		.inside = view->inside,
		.inside_port = view->inside_port,
		.remote = view->remote,
		.remote_port = view->remote_port };
	const struct model_session *s = model_find_up(model, &flow);

	model_assert(model, s != NULL, "a session that should not be");
	model_assert(model, s->outside == view->outside && s->outside_port == view->outside_port,
		"another public endpoint");
	model_assert(model, strcmp(view->state, nat_state_text[s->state].name) == 0, "state %s", view->state);
	model_assert(
		model, s->packets[0] == view->packets_up && s->packets[1] == view->packets_down, "packets");
	if (s->state != NAT_STATE_MAPPING)
		model_assert(model, view->idle_s == (model->tick - s->last_seen) / TICKS_PER_S, "idle time");
	model_assert(model,
		nat_host_sessions(gateway->nat, s->segment, s->inside) ==
			model_host_sessions(model, s->segment, s->inside),
		"sessions of the host");
}

static void sessions_compare(struct gateway *gateway, struct model *model)
{
	static struct nat_session_view view[MODEL_SESSIONS + 1];
	uint32_t count = 0;

	for (uint16_t owner = 0; owner < gateway->owners; owner++) {
		uint32_t cursor = 0;
		count += nat_owner_sessions(gateway->context[owner].nat, &cursor, NULL, &view[count],
			MODEL_SESSIONS + 1 - count, UINT32_MAX, model->tick);
	}
	model_assert(model, count == model->count, "%u sessions, should be %u", count, model->count);
	model_assert(model, gateway_sessions(gateway) == count, "the count of sessions");
	for (uint32_t i = 0; i < count; i++)
		session_compare(gateway, model, &view[i]);
}

static void bindings_compare(struct gateway *gateway, const struct model *model)
{
	static struct nat_binding_view view[MODEL_SESSIONS + 1];
	uint32_t count = 0, sessions = 0, dynamic = 0;
	uint64_t counted = 0;

	for (uint16_t owner = 0; owner < gateway->owners; owner++) {
		uint32_t cursor = 0;
		count += nat_owner_bindings(gateway->context[owner].nat, &cursor, NULL, &view[count],
			MODEL_SESSIONS + 1 - count, UINT32_MAX, model->tick);
		counted += nat_owner_counters(gateway->context[owner].nat)->bindings;
	}
	model_assert(model, counted == count, "the count of bindings");
	for (uint32_t i = 0; i < count; i++) {
		uint32_t of_binding = 0;
		for (uint32_t j = 0; j < model->count; j++) {
			const struct model_session *s = &model->session[j];
			of_binding += s->segment == view[i].segment && s->protocol == view[i].protocol &&
				      s->inside == view[i].inside && s->inside_port == view[i].inside_port &&
				      s->outside == view[i].outside &&
				      s->outside_port == view[i].outside_port;
		}
		model_assert(model, view[i].sessions == of_binding, "a binding of %u sessions, should be %u",
			view[i].sessions, of_binding);
		sessions += of_binding;
	}
	for (uint32_t j = 0; j < model->count; j++)
		dynamic += model->session[j].kind == NAT_KIND_DYNAMIC;
	model_assert(model, sessions == dynamic, "a binding is missing");
}

/* What one owner has of the ports of an address and protocol: each is free, rests, or is in use, and no other. */
struct ports_of_owner {
	uint32_t usable, used, rest; /* `rest`: at the least */
};

static struct ports_of_owner ports_wanted(
	const struct model *model, uint16_t owner, uint32_t address, enum nat_port_class class)
{
	uint32_t pool = model_address_pool(model, address);
	const struct nat_pool_settings *of = &model->pool[pool];
	struct ports_of_owner wanted = { 0 };

	for (uint32_t i = 0; i < MODEL_PORTS; i++) {
		const struct model_port *port = &model->port[address][class][i];
		uint16_t number = (uint16_t)(MODEL_PORT_FIRST + i);
		bool ours;

		if (!model_pool_has(model, pool, number) || port->forwarded)
			continue;
		ours = model->settings.owners == 1 ||
		       model_owner_of_port(model, model_protocol(class), address, number) == owner;
		wanted.usable += ours || of->deterministic;
		wanted.used += ours && port->sessions > 0;
		wanted.rest += ours && port->sessions == 0 && port->was_used && of->port_block == 0 &&
			       !of->deterministic &&
			       model->tick - port->freed < model->settings.port_rest_s * TICKS_PER_S;
	}
	return wanted;
}

static void ports_compare(struct gateway *gateway, const struct model *model)
{
	struct nat_pool_use sum[MODEL_OWNERS][MODEL_POOLS] = { 0 };

	for (uint32_t i = 0; i < MODEL_OWNERS * MODEL_ADDRESSES * NAT_CLASSES; i++) {
		uint16_t owner = (uint16_t)(i / (MODEL_ADDRESSES * NAT_CLASSES));
		uint32_t address = i / NAT_CLASSES % MODEL_ADDRESSES;
		enum nat_port_class class = (enum nat_port_class)(i % NAT_CLASSES);
		if (owner >= gateway->owners)
			break;
		const struct nat_ports *ports = &gateway->context[owner].nat->ports;
		const struct resting_pool *ids = &ports->set[address * NAT_CLASSES + class].pool;
		const struct ports_of_owner wanted = ports_wanted(model, owner, address, class);

		for (uint32_t id = 0; id < ids->free.size && ids->mark != NULL; id++)
			model_assert(model, !(id_pool_is_free(&ids->free, id) && resting_pool_rests(ids, id)),
				"a port is free and rests");
		model_assert(model, ids->free.free + ids->resting + wanted.used == wanted.usable,
			"%u ports are free, %u rest, %u are in use, of %u", ids->free.free, ids->resting,
			wanted.used, wanted.usable);
		model_assert(model, ids->resting >= wanted.rest, "a port does not rest");
		struct nat_pool_use *use = &sum[owner][model_address_pool(model, address)];
		use->used[class] += wanted.used;
		use->resting[class] += ids->resting;
	}
	for (uint16_t owner = 0; owner < gateway->owners; owner++)
		for (uint32_t p = 0; p < MODEL_POOLS; p++) {
			const struct nat_pool_use *use = &gateway->context[owner].nat->ports.use[p];
			model_assert(model, memcmp(use->used, sum[owner][p].used, sizeof(use->used)) == 0,
				"the figures of ports in use");
			model_assert(model,
				memcmp(use->resting, sum[owner][p].resting, sizeof(use->resting)) == 0,
				"the figures of ports that rest");
		}
}

/* The same for the port blocks of an address. */
static void blocks_of_address_compare(
	const struct nat_ports *ports, const struct model *model, uint32_t address, struct nat_pool_use *sum)
{
	const struct nat_block_set *set = &ports->blocks.set[address];
	uint32_t pool = model_address_pool(model, address), used = 0, usable = 0;

	for (uint32_t row = 0; row < set->rows.free.size; row++) {
		uint32_t port = nat_port_of_row(ports, address, row);
		if (port > UINT16_MAX || !model_pool_has(model, pool, (uint16_t)port))
			continue;
		const struct model_block *wanted =
			&model->block[address][(port - MODEL_PORT_FIRST) / MODEL_BLOCK];
		const struct nat_block *block = &ports->blocks.block[set->first + row];
		model_assert(model, block->used == wanted->bindings,
			"a block has %u bindings, should have %u", block->used, wanted->bindings);
		model_assert(model,
			wanted->bindings == 0 ||
				(block->inside == wanted->inside && block->segment == wanted->segment),
			"a block has another host");
		usable++;
		used += wanted->bindings > 0;
	}
	model_assert(model, set->rows.free.free + set->rows.resting + used == usable,
		"%u blocks are free, %u rest, %u are in use, of %u", set->rows.free.free, set->rows.resting,
		used, usable);
	sum->blocks += usable;
	sum->blocks_used += used;
	sum->blocks_resting += set->rows.resting;
}

static void blocks_compare(struct gateway *gateway, const struct model *model)
{
	for (uint16_t owner = 0; owner < gateway->owners; owner++) {
		const struct nat_ports *ports = &gateway->context[owner].nat->ports;
		for (uint32_t p = 0; p < MODEL_POOLS; p++) {
			struct nat_pool_use sum = { 0 };
			if (model->pool[p].port_block == 0)
				continue;
			for (uint32_t address = 0; address < MODEL_ADDRESSES; address++)
				if (model_address_pool(model, address) == p)
					blocks_of_address_compare(ports, model, address, &sum);
			model_assert(model,
				ports->use[p].blocks == sum.blocks &&
					ports->use[p].blocks_used == sum.blocks_used &&
					ports->use[p].blocks_resting == sum.blocks_resting,
				"the figures of blocks");
		}
	}
}

static void hosts_compare(struct gateway *gateway, const struct model *model)
{
	uint64_t hosts = 0;

	for (uint16_t owner = 0; owner < gateway->owners; owner++)
		hosts += nat_owner_counters(gateway->context[owner].nat)->hosts;
	model_assert(model, hosts == model->hosts, "%lu hosts, should be %u", hosts, model->hosts);
	for (uint32_t i = 0; i < model->hosts; i++) {
		const struct model_host *wanted = &model->host[i];
		const struct nat_owner *owner =
			gateway->context[nat_owner_of_inside(gateway->nat, wanted->segment, wanted->inside)]
				.nat;
		struct nat_host host = nat_host_find(&owner->hosts,
			nat_host_hash(&owner->hash_key, wanted->segment, wanted->inside), wanted->segment,
			wanted->inside);
		model_assert(model, host.line != NULL, "a host is missing");
		const struct nat_host_quota *quota = nat_host_quota(&owner->hosts, host);
		if (quota == NULL)
			continue;
		model_assert(model,
			quota->ports == model_host_bindings(model, wanted->segment, wanted->inside),
			"the host counts %u ports", quota->ports);
		uint32_t blocks = 0, of_host = 0;
		for (uint32_t at = quota->chain; at != NAT_BLOCK_NONE; blocks++)
			at = owner->ports.blocks.block[at - 1].next;
		for (uint32_t address = 0; address < MODEL_ADDRESSES; address++)
			of_host +=
				model->pool[model_address_pool(model, address)].port_block == 0
					? 0
					: model_host_blocks(model, wanted->segment, wanted->inside, address);
		model_assert(
			model, blocks == of_host, "the host has %u blocks, should have %u", blocks, of_host);
	}
}

void model_compare(struct gateway *gateway, struct model *model)
{
	sessions_compare(gateway, model);
	bindings_compare(gateway, model);
	ports_compare(gateway, model);
	blocks_compare(gateway, model);
	hosts_compare(gateway, model);
}
