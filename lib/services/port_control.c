/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may open which port, and which mappings there are. */
#include "services/port_control_private.h"
#include <errno.h>
#include <rte_common.h>
#include <stdlib.h>
#include <string.h>

#define ANNOUNCEMENTS     10u
#define ANNOUNCE_DELAY_NS NS_PER_SECOND /* until the tunnels lead somewhere */
#define ANNOUNCE_GAP_NS   (250 * NS_PER_MS)
#define PENDING_NS        (5 * NS_PER_SECOND) /* an owner that has not answered by then will not */

struct port_control *port_control_create(const struct port_control_settings *settings, uint16_t segments)
{
	struct port_control *control = calloc(1, sizeof(*control));

	if (control == NULL)
		return NULL;
	control->settings = calloc(segments + 1u, sizeof(*control->settings));
	if (control->settings == NULL) {
		free(control);
		errno = ENOMEM;
		return NULL;
	}
	memcpy(control->settings, settings, segments * sizeof(*settings));
	control->segments = segments;
	return control;
}

void port_control_start(struct port_control *control, uint64_t now_ns)
{
	control->started_ns = now_ns;
	control->announced = 0;
	control->announce_ns = now_ns + ANNOUNCE_DELAY_NS;
}

uint64_t port_control_announce_due_ns(const struct port_control *control)
{
	return control->announced < ANNOUNCEMENTS ? control->announce_ns : UINT64_MAX;
}

void port_control_announce(
	struct port_control *control, uint64_t now_ns, struct port_control_announcement *announcement)
{
	rte_be32_t epoch = rte_cpu_to_be_32(port_control_epoch(control, now_ns));

	*announcement = (struct port_control_announcement){
		.pcp = { .version = PCP_VERSION, .opcode = PCP_ANNOUNCE | PCP_RESPONSE, .epoch = epoch },
		.nat_pmp = { .version = NAT_PMP_VERSION,
			.opcode = NAT_PMP_ADDRESS | PCP_RESPONSE,
			.epoch = epoch }
	};
	control->announce_ns = now_ns + (ANNOUNCE_GAP_NS << control->announced);
	control->announced++;
}

void port_control_destroy(struct port_control *control)
{
	if (control == NULL)
		return;
	free(control->settings);
	free(control);
}

const struct port_control_settings *port_control_of(const struct port_control *control, uint16_t segment)
{
	return segment < control->segments && control->settings[segment].enabled ? &control->settings[segment]
										 : NULL;
}

const struct port_control_counters *port_control_counters(const struct port_control *control)
{
	return &control->counters;
}

uint32_t port_control_epoch(const struct port_control *control, uint64_t now_ns)
{
	return (uint32_t)((now_ns - control->started_ns) / NS_PER_SECOND);
}

static bool pending_waits(const struct pending *pending, uint64_t now_ns)
{
	return pending->id != 0 && now_ns - pending->since_ns <= PENDING_NS;
}

static struct pending *pending_room(struct port_control *control, uint64_t now_ns)
{
	for (uint32_t i = 0; i < PENDING_MAX; i++)
		if (!pending_waits(&control->pending[i], now_ns))
			return &control->pending[i];
	return NULL;
}

/* Is NAT being asked to map this inside endpoint? Counts what it is being asked for that the host will have besides the
 * mappings in the table. */
static bool is_being_made(const struct port_control *control, const struct nat_mapping_request *nat,
	uint64_t now_ns, uint32_t *of_host)
{
	bool made = false;

	*of_host = 0;
	for (uint32_t i = 0; i < PENDING_MAX; i++) {
		const struct pending *pending = &control->pending[i];
		const struct nat_mapping_request *asked = &pending->asked;

		if (!pending_waits(pending, now_ns) || asked->operation != NAT_MAPPING_MAKE ||
			asked->inside != nat->inside || asked->segment != nat->segment)
			continue;
		*of_host += pending->counts;
		made |= asked->protocol == nat->protocol && asked->inside_port == nat->inside_port;
	}
	return made;
}

static bool port_is_allowed(const struct port_control_settings *settings, uint16_t port)
{
	for (uint16_t i = 0; i < settings->port_ranges; i++)
		if (port >= settings->ports[i].first && port <= settings->ports[i].last)
			return true;
	return false;
}

/* What the policy says of a request besides its result. */
struct permit {
	struct mapping *mapping; /* that it is about, or whose resting public port it may have; NULL: none */
	bool is_repeated;        /* NAT is being asked for the same: its answer will do */
	bool counts;             /* the host would have one more */
	bool its_own;            /* it may have the public port of `mapping`, and no other */
};

/* A host that has as many as it may still gets its own back. */
static enum pcp_result limit_look(const struct port_control_settings *settings, uint32_t of_host,
	const struct mapping_look *look, struct permit *permit)
{
	bool full = look->held >= MAPPINGS_MAX, enough = of_host >= settings->mappings_max;

	if (look->found != NULL && look->found->counts)
		permit->its_own = full || enough;
	else if (full || enough)
		return enough ? PCP_USER_EX_QUOTA : PCP_NO_RESOURCES;
	permit->counts = !permit->its_own;
	return PCP_SUCCESS;
}

/* What was granted may always be ended. */
static enum pcp_result policy_look(struct port_control *control, const struct port_request *request,
	uint64_t now_ns, struct permit *permit)
{
	const struct nat_mapping_request *nat = &request->nat;
	const struct port_control_settings *settings = &control->settings[nat->segment];
	bool ends = nat->operation == NAT_MAPPING_END;
	struct mapping_look look;
	uint32_t being_made;

	if ((nat->inside & settings->mask) != settings->prefix)
		return PCP_NOT_AUTHORIZED;
	if (nat->operation == NAT_MAPPING_ADDRESS)
		return PCP_SUCCESS;
	if (!ends && !port_is_allowed(settings, rte_be_to_cpu_16(nat->inside_port)))
		return PCP_NOT_AUTHORIZED;
	/* A PEER changes no mapping: it does no more than a packet of the host would. */
	if (nat->operation == NAT_MAPPING_PEER)
		return PCP_SUCCESS;
	permit->is_repeated = is_being_made(control, nat, now_ns, &being_made);
	if (permit->is_repeated)
		return PCP_SUCCESS;
	mapping_look(control, nat, now_ns, &look);
	permit->mapping = look.found;
	bool open = look.found != NULL && look.found->state == MAPPING_OPEN;
	if (open && memcmp(look.found->nonce, request->nonce, NONCE_LENGTH) != 0)
		return PCP_NOT_AUTHORIZED;
	return ends || open ? PCP_SUCCESS : limit_look(settings, look.of_host + being_made, &look, permit);
}

/* The public endpoint that the host has or had is the one to have, unless it takes no other than one that it names. */
static void mapping_keep(const struct port_control *control, const struct mapping *mapping,
	const struct permit *permit, uint64_t now_ns, struct nat_mapping_request *asked)
{
	if (mapping == NULL || (asked->or_nothing && asked->wanted_port != 0 && !permit->its_own &&
				       mapping->state == MAPPING_OPEN))
		return;
	asked->wanted_outside = mapping->outside;
	asked->wanted_port = mapping->outside_port;
	asked->recall = mapping_is_hosts_alone(control, mapping, now_ns);
	asked->or_nothing |= permit->its_own;
}

enum pcp_result port_request_ask(struct port_control *control, const struct port_control_client *client,
	const struct port_request *request, const uint8_t *bytes, uint16_t length, uint64_t now_ns,
	port_control_ask *ask, void *context)
{
	const struct port_control_settings *settings = &control->settings[client->segment];
	struct permit permit = { 0 };
	enum pcp_result result = policy_look(control, request, now_ns, &permit);
	struct pending *pending = pending_room(control, now_ns);

	if (result != PCP_SUCCESS || permit.is_repeated)
		return result;
	if (pending == NULL)
		return PCP_NO_RESOURCES;
	*pending = (struct pending){ .since_ns = now_ns,
		.client = *client,
		.asked = request->nat,
		.counts = permit.counts,
		.its_own = permit.its_own,
		.length = length };
	if (request->nat.operation != NAT_MAPPING_END)
		pending->asked.lifetime_s = RTE_MIN(
			RTE_MAX(request->nat.lifetime_s, PORT_CONTROL_LIFETIME_MIN), settings->lifetime_max);
	if (request->nat.operation == NAT_MAPPING_MAKE)
		mapping_keep(control, permit.mapping, &permit, now_ns, &pending->asked);
	control->last_id = control->last_id == UINT32_MAX ? 1 : control->last_id + 1;
	pending->asked.id = control->last_id;
	memcpy(pending->nonce, request->nonce, NONCE_LENGTH);
	memcpy(pending->request, bytes, length);
	/* What waits to be ended is ended first. */
	if (request->nat.operation == NAT_MAPPING_MAKE && permit.mapping != NULL &&
		permit.mapping->state == MAPPING_ENDING &&
		!mapping_end(control, permit.mapping, now_ns, ask, context))
		return PCP_NO_RESOURCES;
	if (!ask(context, &pending->asked))
		return PCP_NO_RESOURCES;
	pending->id = pending->asked.id;
	if (request->nat.operation == NAT_MAPPING_END && permit.mapping != NULL &&
		permit.mapping->inside_port == request->nat.inside_port)
		mapping_ended(control, permit.mapping, now_ns);
	return PCP_SUCCESS;
}

static enum pcp_result result_of(int32_t status)
{
	switch (status) {
	case 0:
		return PCP_SUCCESS;
	case -ENOENT: /* no rule of NAT is for this host */
	case -EPERM:  /* one is, and an operator made it (RFC 6887 section 15.1, RFC 6886 section 3.4) */
		return PCP_NOT_AUTHORIZED;
	case -EADDRINUSE:
		return PCP_CANNOT_PROVIDE_EXTERNAL;
	case -EDQUOT:
		return PCP_USER_EX_QUOTA;
	default:
		return PCP_NO_RESOURCES;
	}
}

void port_control_answer(struct port_control *control, const struct nat_mapping_answer *answer,
	uint64_t now_ns, struct port_control_response *response)
{
	struct pending *pending = NULL;

	response->length = 0;
	for (uint32_t i = 0; i < PENDING_MAX && pending == NULL && answer->id != 0; i++)
		if (control->pending[i].id == answer->id)
			pending = &control->pending[i];
	if (pending == NULL)
		return;
	if (answer->status == 0 && pending->asked.operation == NAT_MAPPING_MAKE && !answer->by_rule)
		mapping_note(control, pending, answer, now_ns);
	enum pcp_result result = pending->its_own && answer->status == -EADDRINUSE
					 ? PCP_USER_EX_QUOTA
					 : result_of(answer->status);
	response->to = pending->client;
	if (pending->request[0] == NAT_PMP_VERSION)
		nat_pmp_answer(control, pending, result, answer, now_ns, response);
	else
		pcp_answer(control, pending, result, answer, now_ns, response);
	control->counters.responses++;
	pending->id = 0;
}

void port_control_request(struct port_control *control, const struct port_control_client *client,
	const uint8_t *bytes, uint16_t length, uint64_t now_ns, port_control_ask *ask, void *context,
	struct port_control_response *response)
{
	response->length = 0;
	response->to = *client;
	control->counters.requests++;
	/* Too short to be answered, or an answer itself (RFC 6887 section 8.2, RFC 6886 section 3.5). */
	if (length < 2 || bytes[1] & PCP_RESPONSE)
		return;
	if (bytes[0] == NAT_PMP_VERSION)
		nat_pmp_request(control, client, bytes, length, now_ns, ask, context, response);
	else
		pcp_request(control, client, bytes, length, now_ns, ask, context, response);
	control->counters.responses += response->length > 0;
}
