/* SPDX-License-Identifier: BSD-3-Clause */
/* What the configuration says: which ports pools have, and that a forward comes before a static binding and that before
 * a pool. */
#include "nat_model.h"

rte_be32_t model_address(const struct model *model, uint32_t number)
{
	for (uint32_t p = 0; p < MODEL_POOLS; p++) {
		const struct nat_pool_range *range = model->pool[p].range;
		if (number <= range->last - range->first)
			return rte_cpu_to_be_32(range->first + number);
		number -= range->last - range->first + 1;
	}
	return 0;
}

uint32_t model_address_pool(const struct model *model, uint32_t number)
{
	uint32_t ip = rte_be_to_cpu_32(model_address(model, number)), pool = 0;

	while (ip < model->pool[pool].range->first || ip > model->pool[pool].range->last)
		pool++;
	return pool;
}

bool model_pool_has(const struct model *model, uint32_t pool, uint16_t port)
{
	const struct nat_pool_settings *of = &model->pool[pool];
	uint16_t size = of->port_block == 0 ? 1 : of->port_block;
	uint16_t first = (uint16_t)(port / size * size), last = (uint16_t)(first + size - 1);

	for (uint32_t r = 0; r < of->port_range_count; r++)
		if (first >= of->ports[r].first && last <= of->ports[r].last)
			return true;
	return false;
}

uint16_t model_owner_of_port(const struct model *model, uint8_t protocol, uint32_t address, uint16_t port)
{
	return nat_owner_of_outside(
		model->nat, protocol, model_address(model, address), rte_cpu_to_be_16(port));
}

bool model_rule_out(const struct model *model, struct model_session *flow)
{
	for (size_t i = 0; i < model->settings.forward_count; i++) {
		const struct nat_forward_settings *f = &model->settings.forward[i];
		if (f->segment == flow->segment && f->protocol == flow->protocol &&
			f->inside == flow->inside && f->inside_port == flow->inside_port) {
			flow->outside = f->outside;
			flow->outside_port = f->outside_port;
			flow->kind = NAT_KIND_FORWARD;
			return true;
		}
	}
	if (flow->segment == WEB && flow->inside == STATIC_HOST) {
		flow->outside = STATIC_IP;
		flow->outside_port = flow->inside_port;
		flow->kind = NAT_KIND_STATIC;
		return true;
	}
	flow->kind = NAT_KIND_DYNAMIC;
	return false;
}

bool model_rule_in(const struct model *model, struct model_session *flow)
{
	for (size_t i = 0; i < model->settings.forward_count; i++) {
		const struct nat_forward_settings *f = &model->settings.forward[i];
		if (f->protocol == flow->protocol && f->outside == flow->outside &&
			f->outside_port == flow->outside_port) {
			flow->segment = f->segment;
			flow->inside = f->inside;
			flow->inside_port = f->inside_port;
			flow->kind = NAT_KIND_FORWARD;
			return true;
		}
	}
	if (flow->outside != STATIC_IP)
		return false;
	flow->segment = WEB;
	flow->inside = STATIC_HOST;
	flow->inside_port = flow->outside_port;
	flow->kind = NAT_KIND_STATIC;
	return true;
}
