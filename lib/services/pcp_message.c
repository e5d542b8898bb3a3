/* SPDX-License-Identifier: BSD-3-Clause */
/* PCP requests and responses (RFC 6887). */
#include "services/port_control_private.h"
#include <netinet/in.h>
#include <rte_common.h>
#include <string.h>

#define ERROR_SHORT_S 30   /* it may pass soon (section 7.4) */
#define ERROR_LONG_S  1800 /* it will not */

static uint32_t error_lifetime(enum pcp_result result)
{
	switch (result) {
	case PCP_NETWORK_FAILURE:
	case PCP_NO_RESOURCES:
	case PCP_USER_EX_QUOTA:
	case PCP_CANNOT_PROVIDE_EXTERNAL:
		return ERROR_SHORT_S;
	default:
		return ERROR_LONG_S;
	}
}

/* Where the options begin. */
static uint16_t body_end(uint8_t opcode)
{
	switch (opcode) {
	case PCP_MAP:
		return sizeof(struct pcp_header) + sizeof(struct pcp_map);
	case PCP_PEER:
		return sizeof(struct pcp_header) + sizeof(struct pcp_peer);
	default:
		return sizeof(struct pcp_header);
	}
}

/* The option at `*at`, which moves on behind it; false: there is not all of it. */
static bool option_take(const uint8_t *bytes, uint16_t length, uint16_t *at, struct pcp_option_header *option)
{
	if (length - *at < (int)sizeof(*option))
		return false;
	memcpy(option, bytes + *at, sizeof(*option));
	uint32_t size = sizeof(*option) + RTE_ALIGN_CEIL((uint32_t)rte_be_to_cpu_16(option->length), 4u);
	if (size > (uint32_t)(length - *at))
		return false;
	*at = (uint16_t)(*at + size);
	return true;
}

/* A request that failed comes back whole. With success come the options that were processed, so that the client sees which
 * ones were not (section 7.3). The length. */
static uint16_t request_copy(
	const uint8_t *request, uint16_t length, enum pcp_result result, uint8_t bytes[PCP_LENGTH_MAX])
{
	uint16_t copied = length < PCP_LENGTH_MAX ? length : PCP_LENGTH_MAX, at = body_end(request[1]);
	struct pcp_option_header option;

	if (result != PCP_SUCCESS) {
		memcpy(bytes, request, copied);
		return copied;
	}
	copied = at;
	memcpy(bytes, request, copied);
	while (at < length && option_take(request, length, &at, &option))
		if (option.code == PCP_OPTION_PREFER_FAILURE) { /* has no data */
			memcpy(bytes + copied, &option, sizeof(option));
			copied = (uint16_t)(copied + sizeof(option));
		}
	return copied;
}

/* A copy of the request, as a response with this result (section 8.2). */
static struct pcp_header *response_start(struct port_control *control, const uint8_t *request,
	uint16_t length, enum pcp_result result, uint32_t lifetime, uint64_t now_ns,
	struct port_control_response *response)
{
	struct pcp_header *header = (struct pcp_header *)response->bytes;

	memset(response->bytes, 0, sizeof(response->bytes));
	uint16_t copied = request_copy(request, length, result, response->bytes);
	response->length = (uint16_t)RTE_MAX((size_t)RTE_ALIGN_CEIL(copied, 4u), sizeof(*header));
	header->version = PCP_VERSION;
	header->opcode |= PCP_RESPONSE;
	header->reserved = 0;
	header->result = (uint8_t)result;
	header->lifetime = rte_cpu_to_be_32(lifetime);
	header->epoch = rte_cpu_to_be_32(port_control_epoch(control, now_ns));
	memset(header->zero, 0, sizeof(header->zero));
	control->counters.pcp_results[result]++;
	return header;
}

static bool address_is_v4(const struct pcp_address *address)
{
	return address->high[0] == 0 && address->high[1] == 0 && address->high[2] == RTE_BE32(0xffff);
}

static void address_set(struct pcp_address *address, rte_be32_t v4)
{
	*address = (struct pcp_address){ .high = { 0, 0, RTE_BE32(0xffff) }, .v4 = v4 };
}

static bool address_is_any(const struct pcp_address *address)
{
	return address->high[0] == 0 && address->high[1] == 0 && address->v4 == 0 &&
	       (address->high[2] == 0 || address->high[2] == RTE_BE32(0xffff));
}

/* What the options say; those that are not known and need not be are passed over (section 7.3). */
static enum pcp_result options_read(
	const uint8_t *bytes, uint16_t length, uint8_t opcode, struct nat_mapping_request *nat)
{
	struct pcp_option_header option;

	for (uint16_t at = body_end(opcode); at < length;) {
		if (!option_take(bytes, length, &at, &option))
			return PCP_MALFORMED_OPTION;
		if (option.code == PCP_OPTION_PREFER_FAILURE && opcode == PCP_MAP) {
			if (option.length != 0 || nat->or_nothing)
				return PCP_MALFORMED_OPTION;
			nat->or_nothing = true;
		} else if (!(option.code & PCP_OPTION_OPTIONAL)) {
			return PCP_UNSUPP_OPTION; /* THIRD_PARTY and FILTER among them */
		}
	}
	return PCP_SUCCESS;
}

static enum pcp_result protocol_check(const struct pcp_map *map)
{
	if (map->protocol == 0 && map->inside_port != 0)
		return PCP_MALFORMED_REQUEST;
	return map->protocol == IPPROTO_TCP || map->protocol == IPPROTO_UDP ? PCP_SUCCESS
									    : PCP_UNSUPP_PROTOCOL;
}

/* All ports of the host, or all protocols: these can be closed at once, but not opened. */
static enum pcp_result map_check(const struct pcp_map *map, bool ends)
{
	if (ends && map->protocol == 0 && map->inside_port == 0)
		return PCP_SUCCESS;
	if (!ends && map->protocol != 0 && map->inside_port == 0)
		return PCP_UNSUPP_PROTOCOL;
	return protocol_check(map);
}

static enum pcp_result peer_check(const uint8_t *bytes, struct nat_mapping_request *nat)
{
	struct pcp_peer peer;

	memcpy(&peer, bytes + sizeof(struct pcp_header), sizeof(peer));
	enum pcp_result result = protocol_check(&peer.map);
	if (result != PCP_SUCCESS)
		return result;
	if (!address_is_v4(&peer.remote) || peer.remote.v4 == 0 || peer.remote_port == 0 ||
		nat->inside_port == 0)
		return PCP_MALFORMED_REQUEST;
	nat->operation = NAT_MAPPING_PEER;
	nat->remote = peer.remote.v4;
	nat->remote_port = peer.remote_port;
	return PCP_SUCCESS;
}

/* MAP and PEER begin alike. */
static enum pcp_result request_read(const struct port_control_client *client, const uint8_t *bytes,
	uint16_t length, struct port_request *request, struct pcp_map *map)
{
	const struct pcp_header *header = (const struct pcp_header *)bytes;
	bool peer = header->opcode == PCP_PEER, ends = !peer && header->lifetime == 0;
	enum pcp_result result;

	if (length < body_end(header->opcode))
		return PCP_MALFORMED_REQUEST;
	memcpy(map, bytes + sizeof(*header), sizeof(*map));
	request->nonce = map->nonce;
	request->nat = (struct nat_mapping_request){ .operation = ends ? NAT_MAPPING_END : NAT_MAPPING_MAKE,
		.protocol = map->protocol,
		.segment = client->segment,
		.inside = client->address,
		.inside_port = map->inside_port,
		.wanted_port = map->outside_port,
		.wanted_outside = address_is_v4(&map->outside) ? map->outside.v4 : 0,
		.lifetime_s = rte_be_to_cpu_32(header->lifetime) };
	result = options_read(bytes, length, header->opcode, &request->nat);
	if (result == PCP_SUCCESS)
		result = peer ? peer_check(bytes, &request->nat) : map_check(map, ends);
	/* An address of IPv6, and no other will do. */
	if (result == PCP_SUCCESS && request->nat.or_nothing && !address_is_v4(&map->outside) &&
		!address_is_any(&map->outside))
		result = PCP_CANNOT_PROVIDE_EXTERNAL;
	return result;
}

static enum pcp_result header_check(
	const struct port_control_client *client, const uint8_t *bytes, uint16_t length)
{
	const struct pcp_header *header = (const struct pcp_header *)bytes;

	if (header->version != PCP_VERSION)
		return PCP_UNSUPP_VERSION;
	if (length < sizeof(*header) || length > PCP_LENGTH_MAX || length % 4 != 0)
		return PCP_MALFORMED_REQUEST;
	if (header->opcode > PCP_PEER)
		return PCP_UNSUPP_OPCODE;
	if (!address_is_v4(&header->client) || header->client.v4 != client->address)
		return PCP_ADDRESS_MISMATCH;
	return PCP_SUCCESS;
}

void pcp_request(struct port_control *control, const struct port_control_client *client, const uint8_t *bytes,
	uint16_t length, uint64_t now_ns, port_control_ask *ask, void *context,
	struct port_control_response *response)
{
	enum pcp_result result = header_check(client, bytes, length);
	struct port_request request = { 0 };
	struct pcp_map map;
	bool answered = true;

	if (result == PCP_SUCCESS && bytes[1] == PCP_ANNOUNCE) {
		result = options_read(bytes, length, PCP_ANNOUNCE, &request.nat);
	} else if (result == PCP_SUCCESS) {
		result = request_read(client, bytes, length, &request, &map);
		if (result == PCP_SUCCESS && request.nat.operation == NAT_MAPPING_END &&
			map.inside_port == 0) {
			result = port_request_end_all(control, &request, now_ns, ask, context);
		} else if (result == PCP_SUCCESS) {
			result = port_request_ask(
				control, client, &request, bytes, length, now_ns, ask, context);
			answered = result != PCP_SUCCESS;
		}
	}
	if (answered)
		response_start(control, bytes, length, result,
			result == PCP_SUCCESS ? 0 : error_lifetime(result), now_ns, response);
}

void pcp_answer(struct port_control *control, const struct pending *pending, enum pcp_result result,
	const struct nat_mapping_answer *answer, uint64_t now_ns, struct port_control_response *response)
{
	uint32_t lifetime = result == PCP_SUCCESS ? answer->lifetime_s : error_lifetime(result);
	struct pcp_header *header = response_start(
		control, pending->request, pending->length, result, lifetime, now_ns, response);
	struct pcp_map *map = (struct pcp_map *)(header + 1);

	if (result != PCP_SUCCESS || pending->asked.operation == NAT_MAPPING_END)
		return;
	map->outside_port = answer->outside_port;
	address_set(&map->outside, answer->outside);
}
