/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of mappings. One that has ended stays while its public port rests: so that who opens and closes ports in a loop
 * takes no more of a pool than its limit, and so that the host gets the same port when it comes back. */
#include "services/port_control_private.h"
#include <rte_common.h>
#include <string.h>

#define REST_SLACK_NS NS_PER_SECOND /* of the table's clock against the owner's ticks and queues */

/* A port rests for its rest at least and for half of that more at most (base/resting_pool.h). */
static uint64_t rest_least_ns(const struct port_control *control, const struct mapping *mapping)
{
	return control->settings[mapping->segment].port_rest_s * NS_PER_SECOND;
}

static uint64_t rest_most_ns(const struct port_control *control, const struct mapping *mapping)
{
	uint64_t least = rest_least_ns(control, mapping);

	return least == 0 ? 0 : least + least / 2 + REST_SLACK_NS;
}

/* The public port of an ended mapping rests from `since_ns` on. */
static void mapping_rest(
	struct port_control *control, struct mapping *mapping, uint64_t since_ns, bool counts)
{
	control->counters.mappings -= mapping->state == MAPPING_OPEN;
	control->ending -= mapping->state == MAPPING_ENDING;
	mapping->state = MAPPING_RESTING;
	mapping->until_ns = since_ns + rest_most_ns(control, mapping);
	mapping->counts = counts;
}

/* What was not ended by hand frees a limit at once: a host cannot hurry that. */
static void mapping_age(struct port_control *control, struct mapping *mapping, uint64_t now_ns)
{
	if (mapping->state == MAPPING_OPEN && mapping->until_ns <= now_ns)
		mapping_rest(control, mapping, mapping->until_ns, false);
	if (mapping->state == MAPPING_RESTING && mapping->until_ns <= now_ns)
		mapping->state = MAPPING_FREE;
}

bool mapping_is_hosts_alone(
	const struct port_control *control, const struct mapping *mapping, uint64_t now_ns)
{
	uint64_t others_from_ns = mapping->until_ns - rest_most_ns(control, mapping) +
				  rest_least_ns(control, mapping) - REST_SLACK_NS;

	return mapping->state == MAPPING_OPEN || mapping->state == MAPPING_ENDING || now_ns < others_from_ns;
}

static bool is_of_host(const struct mapping *mapping, const struct nat_mapping_request *nat)
{
	return mapping->state != MAPPING_FREE && mapping->inside == nat->inside &&
	       mapping->segment == nat->segment;
}

/* What the request is about, by rank: 0: not this one. */
static unsigned rank_of(const struct mapping *mapping, const struct nat_mapping_request *nat)
{
	bool wanted = (nat->wanted_outside == 0 || nat->wanted_outside == mapping->outside) &&
		      nat->wanted_port == mapping->outside_port;

	if (mapping->protocol != nat->protocol)
		return 0;
	if (mapping->state == MAPPING_RESTING && nat->or_nothing && nat->wanted_port != 0 && !wanted)
		return 0;
	if (mapping->inside_port == nat->inside_port)
		return mapping->state == MAPPING_RESTING ? 2 : 3;
	return mapping->state == MAPPING_RESTING && wanted ? 1 : 0;
}

void mapping_look(struct port_control *control, const struct nat_mapping_request *nat, uint64_t now_ns,
	struct mapping_look *look)
{
	struct mapping *spare = NULL;
	unsigned best = 0;

	*look = (struct mapping_look){
		.room = control->top < RTE_DIM(control->mapping) ? &control->mapping[control->top] : NULL
	};
	for (uint32_t i = 0; i < control->top; i++) {
		struct mapping *mapping = &control->mapping[i];

		mapping_age(control, mapping, now_ns);
		if (mapping->state == MAPPING_FREE)
			look->room = mapping;
		else if (!mapping->counts)
			spare = mapping;
		look->held += mapping->state != MAPPING_FREE && mapping->counts;
		if (!is_of_host(mapping, nat))
			continue;
		look->of_host += mapping->counts;
		unsigned rank = rank_of(mapping, nat);
		if (rank > best) {
			best = rank;
			look->found = mapping;
		}
	}
	if (look->room == NULL)
		look->room = spare;
}

void mapping_ended(struct port_control *control, struct mapping *mapping, uint64_t now_ns)
{
	if (mapping->state == MAPPING_OPEN || mapping->state == MAPPING_ENDING)
		mapping_rest(control, mapping, now_ns, true);
}

bool mapping_end(struct port_control *control, struct mapping *mapping, uint64_t now_ns,
	port_control_ask *ask, void *context)
{
	const struct nat_mapping_request nat = { .operation =
							 NAT_MAPPING_END, /* nobody waits for the answer */
		.segment = mapping->segment,
		.inside = mapping->inside,
		.inside_port = mapping->inside_port,
		.protocol = mapping->protocol };

	if (!ask(context, &nat))
		return false;
	mapping_ended(control, mapping, now_ns);
	return true;
}

static void mapping_end_soon(struct port_control *control, struct mapping *mapping)
{
	mapping->state = MAPPING_ENDING;
	control->counters.mappings--;
	control->ending++;
}

/* What is asked for now is among all that the host ends. */
static bool is_for_all(const struct nat_mapping_request *asked, const struct nat_mapping_request *all)
{
	return asked->inside == all->inside && asked->segment == all->segment &&
	       (all->protocol == 0 || all->protocol == asked->protocol);
}

enum pcp_result port_request_end_all(struct port_control *control, const struct port_request *request,
	uint64_t now_ns, port_control_ask *ask, void *context)
{
	bool refused = false;

	for (uint32_t i = 0; i < control->top; i++) {
		struct mapping *mapping = &control->mapping[i];

		mapping_age(control, mapping, now_ns);
		if (mapping->state != MAPPING_OPEN || !is_of_host(mapping, &request->nat) ||
			(request->nat.protocol != 0 && request->nat.protocol != mapping->protocol))
			continue;
		if (memcmp(mapping->nonce, request->nonce, NONCE_LENGTH) != 0) {
			refused = true;
			continue;
		}
		mapping_end_soon(control, mapping);
	}
	for (uint32_t i = 0; i < PENDING_MAX; i++) {
		struct pending *pending = &control->pending[i];

		pending->ended |= is_for_all(&pending->asked, &request->nat) &&
				  memcmp(pending->nonce, request->nonce, NONCE_LENGTH) == 0;
	}
	port_control_end_more(control, now_ns, ask, context);
	return refused ? PCP_NOT_AUTHORIZED : PCP_SUCCESS;
}

unsigned port_control_end_more(
	struct port_control *control, uint64_t now_ns, port_control_ask *ask, void *context)
{
	unsigned ended = 0;

	for (uint32_t i = 0; i < control->top && control->ending > 0; i++) {
		struct mapping *mapping = &control->mapping[i];

		if (mapping->state != MAPPING_ENDING)
			continue;
		if (!mapping_end(control, mapping, now_ns, ask, context))
			break;
		ended++;
	}
	return ended;
}

bool port_control_is_ending(const struct port_control *control)
{
	return control->ending > 0;
}

/* A public endpoint has one entry, and an inside endpoint one that is open. */
static struct mapping *mapping_place(struct port_control *control, const struct nat_mapping_request *nat,
	const struct nat_mapping_answer *answer, uint64_t now_ns)
{
	struct mapping *place = NULL;
	struct mapping_look look;

	for (uint32_t i = 0; i < control->top; i++) {
		struct mapping *mapping = &control->mapping[i];

		if (!is_of_host(mapping, nat) || mapping->protocol != nat->protocol)
			continue;
		if (mapping->outside == answer->outside && mapping->outside_port == answer->outside_port)
			place = mapping;
		else if (mapping->inside_port == nat->inside_port)
			mapping_ended(control, mapping, now_ns);
	}
	if (place != NULL) {
		mapping_rest(control, place, now_ns, false);
		return place;
	}
	mapping_look(control, nat, now_ns, &look);
	if (look.room == &control->mapping[control->top])
		control->top++;
	return look.room;
}

void mapping_note(struct port_control *control, const struct pending *pending,
	const struct nat_mapping_answer *answer, uint64_t now_ns)
{
	struct mapping *mapping = mapping_place(control, &pending->asked, answer, now_ns);

	if (mapping == NULL)
		return; /* as good as one that the client gave up: it ends by itself */
	*mapping = (struct mapping){ .until_ns = now_ns + answer->lifetime_s * NS_PER_SECOND,
		.inside = pending->asked.inside,
		.inside_port = pending->asked.inside_port,
		.outside = answer->outside,
		.outside_port = answer->outside_port,
		.segment = pending->asked.segment,
		.protocol = pending->asked.protocol,
		.state = MAPPING_OPEN,
		.counts = true };
	memcpy(mapping->nonce, pending->nonce, NONCE_LENGTH);
	control->counters.mappings++;
	if (pending->ended)
		mapping_end_soon(control, mapping);
}

void port_control_cleared(
	struct port_control *control, const struct nat_mapping_answer *cleared, uint64_t now_ns)
{
	const struct nat_mapping_request what = { .segment = cleared->segment, .inside = cleared->inside };

	for (uint32_t i = 0; i < control->top; i++) {
		struct mapping *mapping = &control->mapping[i];

		if (mapping->state == MAPPING_OPEN && is_of_host(mapping, &what) &&
			mapping->protocol == cleared->protocol &&
			mapping->inside_port == cleared->inside_port)
			mapping_rest(control, mapping, now_ns, false);
	}
}
