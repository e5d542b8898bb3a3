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

/* A copy of the request, as a response with this result (section 8.2). */
static struct pcp_header *response_start(struct port_control *control, const uint8_t *request,
	uint16_t length, enum pcp_result result, uint32_t lifetime, uint64_t now_ns,
	struct port_control_response *response)
{
	uint16_t copied = length < PCP_LENGTH_MAX ? length : PCP_LENGTH_MAX;
	uint16_t padded = (uint16_t)RTE_MAX((size_t)RTE_ALIGN_CEIL(copied, 4u), sizeof(struct pcp_header));
	struct pcp_header *header = (struct pcp_header *)response->bytes;

	memset(response->bytes, 0, padded);
	memcpy(response->bytes, request, copied);
	response->length = padded;
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

/* What the options say; those that are not known and need not be are passed over (section 7.3). */
static enum pcp_result options_read(
	const uint8_t *bytes, uint16_t length, uint16_t at, uint8_t opcode, struct nat_mapping_request *nat)
{
	while (at < length) {
		struct pcp_option_header option;

		if (length - at < (int)sizeof(option))
			return PCP_MALFORMED_OPTION;
		memcpy(&option, bytes + at, sizeof(option));
		uint16_t data = rte_be_to_cpu_16(option.length);
		uint32_t size = sizeof(option) + RTE_ALIGN_CEIL((uint32_t)data, 4u);
		if (size > (uint32_t)(length - at))
			return PCP_MALFORMED_OPTION;
		if (option.code == PCP_OPTION_PREFER_FAILURE && opcode == PCP_MAP) {
			if (data != 0 || nat->or_nothing)
				return PCP_MALFORMED_OPTION;
			nat->or_nothing = true;
		} else if (!(option.code & PCP_OPTION_OPTIONAL)) {
			return PCP_UNSUPP_OPTION; /* THIRD_PARTY and FILTER among them */
		}
		at = (uint16_t)(at + size);
	}
	return PCP_SUCCESS;
}

static enum pcp_result map_check(const struct pcp_map *map, bool peer, uint32_t lifetime)
{
	if (map->protocol == 0 && map->inside_port != 0)
		return PCP_MALFORMED_REQUEST;
	if (map->protocol != IPPROTO_TCP && map->protocol != IPPROTO_UDP)
		return PCP_UNSUPP_PROTOCOL;
	if (!peer && map->inside_port == 0 && lifetime != 0) /* all ports of the host: no */
		return PCP_UNSUPP_PROTOCOL;
	return PCP_SUCCESS;
}

static enum pcp_result peer_read(const uint8_t *bytes, struct nat_mapping_request *nat)
{
	struct pcp_peer peer;

	memcpy(&peer, bytes + sizeof(struct pcp_header), sizeof(peer));
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
	uint16_t body = header->opcode == PCP_MAP ? sizeof(struct pcp_map) : sizeof(struct pcp_peer);
	uint32_t lifetime = rte_be_to_cpu_32(header->lifetime);
	enum pcp_result result;

	if (length < sizeof(*header) + body)
		return PCP_MALFORMED_REQUEST;
	memcpy(map, bytes + sizeof(*header), sizeof(*map));
	request->nonce = map->nonce;
	request->nat = (struct nat_mapping_request){ .operation = NAT_MAPPING_MAKE,
		.protocol = map->protocol,
		.segment = client->segment,
		.inside = client->address,
		.inside_port = map->inside_port,
		.wanted_port = map->outside_port,
		.wanted_outside = address_is_v4(&map->outside) ? map->outside.v4 : 0,
		.lifetime_s = lifetime };
	result = options_read(
		bytes, length, (uint16_t)(sizeof(*header) + body), header->opcode, &request->nat);
	if (result == PCP_SUCCESS)
		result = map_check(map, header->opcode == PCP_PEER, lifetime);
	if (result == PCP_SUCCESS && header->opcode == PCP_PEER)
		result = peer_read(bytes, &request->nat);
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
		result = options_read(bytes, length, sizeof(struct pcp_header), PCP_ANNOUNCE, &request.nat);
	} else if (result == PCP_SUCCESS) {
		result = request_read(client, bytes, length, &request, &map);
		if (result == PCP_SUCCESS && bytes[1] == PCP_MAP && request.nat.lifetime_s == 0) {
			result = port_request_end(control, &request, now_ns, ask, context);
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

	if (result != PCP_SUCCESS)
		return;
	map->outside_port = answer->outside_port;
	address_set(&map->outside, answer->outside);
}
