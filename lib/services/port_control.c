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

static void mapping_free(struct port_control *control, struct mapping *mapping)
{
	mapping->until_ns = 0;
	control->counters.mappings--;
}

/* Of all protocols, if that of the request is 0. */
static bool mapping_is_of(const struct mapping *mapping, const struct nat_mapping_request *nat)
{
	return mapping->inside == nat->inside && mapping->segment == nat->segment &&
	       (mapping->protocol == nat->protocol || nat->protocol == 0);
}

/* The mapping of an inside endpoint, or NULL. Also ends, for this table, those whose time is over, and tells how many the
 * host has and where a new one would go. */
static struct mapping *mapping_find(struct port_control *control, const struct nat_mapping_request *nat,
	uint64_t now_ns, uint32_t *of_host, struct mapping **room)
{
	struct mapping *found = NULL;

	*of_host = 0;
	*room = control->top < MAPPINGS_MAX ? &control->mapping[control->top] : NULL;
	for (uint32_t i = 0; i < control->top; i++) {
		struct mapping *mapping = &control->mapping[i];

		if (mapping->until_ns != 0 && mapping->until_ns <= now_ns)
			mapping_free(control, mapping);
		if (mapping->until_ns == 0) {
			*room = mapping;
			continue;
		}
		*of_host += mapping->inside == nat->inside && mapping->segment == nat->segment;
		if (mapping_is_of(mapping, nat) && mapping->inside_port == nat->inside_port)
			found = mapping;
	}
	return found;
}

static void mapping_forget(struct port_control *control, const struct nat_mapping_request *nat)
{
	for (uint32_t i = 0; i < control->top; i++) {
		struct mapping *mapping = &control->mapping[i];

		if (mapping->until_ns != 0 && mapping_is_of(mapping, nat) &&
			mapping->inside_port == nat->inside_port) {
			mapping_free(control, mapping);
			return;
		}
	}
}

static struct pending *pending_room(struct port_control *control, uint64_t now_ns)
{
	for (uint32_t i = 0; i < PENDING_MAX; i++) {
		struct pending *pending = &control->pending[i];
		if (pending->id == 0 || now_ns - pending->since_ns > PENDING_NS)
			return pending;
	}
	return NULL;
}

static bool port_is_allowed(const struct port_control_settings *settings, uint16_t port)
{
	for (uint16_t i = 0; i < settings->port_ranges; i++)
		if (port >= settings->ports[i].first && port <= settings->ports[i].last)
			return true;
	return false;
}

/* What was granted may always be ended. */
static enum pcp_result policy_look(
	struct port_control *control, const struct port_request *request, uint64_t now_ns)
{
	const struct nat_mapping_request *nat = &request->nat;
	const struct port_control_settings *settings = &control->settings[nat->segment];
	uint16_t port = rte_be_to_cpu_16(nat->inside_port);
	bool ends = nat->operation == NAT_MAPPING_END;
	struct mapping *room;
	uint32_t of_host;

	if ((nat->inside & settings->mask) != settings->prefix)
		return PCP_NOT_AUTHORIZED;
	if (nat->operation == NAT_MAPPING_ADDRESS)
		return PCP_SUCCESS;
	if (!ends && !port_is_allowed(settings, port))
		return PCP_NOT_AUTHORIZED;
	/* A PEER changes no mapping: it does no more than a packet of the host would. */
	if (nat->operation == NAT_MAPPING_PEER)
		return PCP_SUCCESS;
	const struct mapping *mapping = mapping_find(control, nat, now_ns, &of_host, &room);
	if (mapping != NULL && memcmp(mapping->nonce, request->nonce, NONCE_LENGTH) != 0)
		return PCP_NOT_AUTHORIZED;
	if (nat->operation != NAT_MAPPING_MAKE || mapping != NULL)
		return PCP_SUCCESS;
	if (of_host >= settings->mappings_max)
		return PCP_USER_EX_QUOTA;
	return room == NULL ? PCP_NO_RESOURCES : PCP_SUCCESS;
}

enum pcp_result port_request_ask(struct port_control *control, const struct port_control_client *client,
	const struct port_request *request, const uint8_t *bytes, uint16_t length, uint64_t now_ns,
	port_control_ask *ask, void *context)
{
	const struct port_control_settings *settings = &control->settings[client->segment];
	enum pcp_result result = policy_look(control, request, now_ns);
	struct pending *pending = pending_room(control, now_ns);

	if (result != PCP_SUCCESS)
		return result;
	if (pending == NULL)
		return PCP_NO_RESOURCES;
	*pending = (struct pending){
		.since_ns = now_ns, .client = *client, .asked = request->nat, .length = length
	};
	if (request->nat.operation != NAT_MAPPING_END)
		pending->asked.lifetime_s = RTE_MIN(
			RTE_MAX(request->nat.lifetime_s, PORT_CONTROL_LIFETIME_MIN), settings->lifetime_max);
	control->last_id = control->last_id == UINT32_MAX ? 1 : control->last_id + 1;
	pending->asked.id = control->last_id;
	memcpy(pending->nonce, request->nonce, NONCE_LENGTH);
	memcpy(pending->request, bytes, length);
	if (!ask(context, &pending->asked))
		return PCP_NO_RESOURCES;
	pending->id = pending->asked.id;
	if (request->nat.operation == NAT_MAPPING_END)
		mapping_forget(control, &request->nat);
	return PCP_SUCCESS;
}

enum pcp_result port_request_end_all(struct port_control *control, const struct port_request *request,
	uint64_t now_ns, port_control_ask *ask, void *context)
{
	struct nat_mapping_request nat = request->nat;
	bool refused = false;

	nat.operation = NAT_MAPPING_END;
	nat.id = 0; /* nobody waits for the answer */
	for (uint32_t i = 0; i < control->top; i++) {
		struct mapping *mapping = &control->mapping[i];

		if (mapping->until_ns <= now_ns || !mapping_is_of(mapping, &request->nat))
			continue;
		if (memcmp(mapping->nonce, request->nonce, NONCE_LENGTH) != 0) {
			refused = true;
			continue;
		}
		nat.protocol = mapping->protocol;
		nat.inside_port = mapping->inside_port;
		if (!ask(context, &nat))
			return PCP_NO_RESOURCES;
		mapping_free(control, mapping);
	}
	return refused ? PCP_NOT_AUTHORIZED : PCP_SUCCESS;
}

static void mapping_note(struct port_control *control, const struct pending *pending,
	const struct nat_mapping_answer *answer, uint64_t now_ns)
{
	struct mapping *room;
	uint32_t of_host;
	struct mapping *mapping = mapping_find(control, &pending->asked, now_ns, &of_host, &room);

	if (mapping == NULL && room == NULL)
		return; /* as good as one that the client gave up: it ends by itself */
	if (mapping == NULL) {
		mapping = room;
		control->top = RTE_MAX(control->top, (uint32_t)(mapping - control->mapping) + 1);
		control->counters.mappings++;
	}
	*mapping = (struct mapping){ .until_ns = now_ns + answer->lifetime_s * NS_PER_SECOND,
		.inside = pending->asked.inside,
		.inside_port = pending->asked.inside_port,
		.segment = pending->asked.segment,
		.protocol = pending->asked.protocol };
	memcpy(mapping->nonce, pending->nonce, NONCE_LENGTH);
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
	response->to = pending->client;
	if (pending->request[0] == NAT_PMP_VERSION)
		nat_pmp_answer(control, pending, result_of(answer->status), answer, now_ns, response);
	else
		pcp_answer(control, pending, result_of(answer->status), answer, now_ns, response);
	control->counters.responses++;
	pending->id = 0;
}

void port_control_cleared(struct port_control *control, const struct nat_mapping_answer *cleared)
{
	const struct nat_mapping_request what = { .protocol = cleared->protocol,
		.segment = cleared->segment,
		.inside = cleared->inside,
		.inside_port = cleared->inside_port };

	mapping_forget(control, &what);
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
