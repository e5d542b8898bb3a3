/* SPDX-License-Identifier: BSD-3-Clause */
/* NAT-PMP requests and responses (RFC 6886), for clients that do not know PCP. */
#include "services/port_control_private.h"
#include <netinet/in.h>
#include <rte_common.h>
#include <string.h>

static enum nat_pmp_result pmp_result(enum pcp_result result)
{
	switch (result) {
	case PCP_SUCCESS:
		return NAT_PMP_SUCCESS;
	case PCP_NOT_AUTHORIZED:
		return NAT_PMP_NOT_AUTHORIZED;
	case PCP_UNSUPP_OPCODE:
		return NAT_PMP_UNSUPP_OPCODE;
	case PCP_NO_RESOURCES:
	case PCP_USER_EX_QUOTA:
		return NAT_PMP_NO_RESOURCES;
	default:
		return NAT_PMP_NETWORK_FAILURE;
	}
}

static struct nat_pmp_response *response_start(struct port_control *control, uint8_t opcode,
	enum pcp_result result, uint16_t length, uint64_t now_ns, struct port_control_response *response)
{
	struct nat_pmp_response *pmp = (struct nat_pmp_response *)response->bytes;

	*pmp = (struct nat_pmp_response){ .version = NAT_PMP_VERSION,
		.opcode = (uint8_t)(opcode | PCP_RESPONSE),
		.result = rte_cpu_to_be_16((uint16_t)pmp_result(result)),
		.epoch = rte_cpu_to_be_32(port_control_epoch(control, now_ns)) };
	response->length = length;
	control->counters.pcp_results[result]++;
	return pmp;
}

static void map_response(struct port_control *control, const uint8_t *request, enum pcp_result result,
	rte_be16_t outside_port, uint32_t lifetime, uint64_t now_ns, struct port_control_response *response)
{
	const struct nat_pmp_map_request *map = (const struct nat_pmp_map_request *)request;
	struct nat_pmp_response *pmp =
		response_start(control, map->opcode, result, NAT_PMP_RESPONSE_MAP, now_ns, response);

	pmp->inside_port = map->inside_port;
	pmp->outside_port = outside_port;
	pmp->lifetime = rte_cpu_to_be_32(lifetime);
}

static void map_request(struct port_control *control, const struct port_control_client *client,
	const uint8_t *bytes, uint64_t now_ns, port_control_ask *ask, void *context,
	struct port_control_response *response)
{
	static const uint8_t no_nonce[NONCE_LENGTH];
	const struct nat_pmp_map_request *map = (const struct nat_pmp_map_request *)bytes;
	struct port_request request = { .nonce = no_nonce,
		.nat = { .operation = map->lifetime == 0 ? NAT_MAPPING_END : NAT_MAPPING_MAKE,
			.protocol = map->opcode == NAT_PMP_MAP_UDP ? IPPROTO_UDP : IPPROTO_TCP,
			.segment = client->segment,
			.inside = client->address,
			.inside_port = map->inside_port,
			.wanted_port = map->outside_port,
			.lifetime_s = rte_be_to_cpu_32(map->lifetime) } };
	enum pcp_result result;

	if (map->lifetime == 0 && map->inside_port == 0) {
		result = port_request_end_all(control, &request, now_ns, ask, context);
		map_response(control, bytes, result, 0, 0, now_ns, response);
		return;
	}
	result = map->inside_port == 0 ? PCP_NOT_AUTHORIZED
				       : port_request_ask(control, client, &request, bytes, sizeof(*map),
						 now_ns, ask, context);
	if (result != PCP_SUCCESS)
		map_response(control, bytes, result, 0, 0, now_ns, response);
}

static void address_request(struct port_control *control, const struct port_control_client *client,
	const uint8_t *bytes, uint64_t now_ns, port_control_ask *ask, void *context,
	struct port_control_response *response)
{
	static const uint8_t no_nonce[NONCE_LENGTH];
	const struct port_request request = { .nonce = no_nonce,
		.nat = { .operation = NAT_MAPPING_ADDRESS,
			.protocol = IPPROTO_UDP,
			.segment = client->segment,
			.inside = client->address } };
	enum pcp_result result = port_request_ask(control, client, &request, bytes, 2, now_ns, ask, context);

	if (result != PCP_SUCCESS)
		response_start(control, NAT_PMP_ADDRESS, result, NAT_PMP_RESPONSE_ADDRESS, now_ns, response);
}

/* The whole request comes back, behind the result and the epoch (RFC 6886 section 3.5). */
static void opcode_refuse(struct port_control *control, const uint8_t *bytes, uint16_t length,
	uint64_t now_ns, struct port_control_response *response)
{
	size_t copied = RTE_MIN((size_t)length, (size_t)PCP_LENGTH_MAX), shortest = NAT_PMP_RESPONSE_SHORT;

	response_start(
		control, bytes[1], PCP_UNSUPP_OPCODE, (uint16_t)RTE_MAX(copied, shortest), now_ns, response);
	if (copied > shortest)
		memcpy(response->bytes + shortest, bytes + shortest, copied - shortest);
}

void nat_pmp_request(struct port_control *control, const struct port_control_client *client,
	const uint8_t *bytes, uint16_t length, uint64_t now_ns, port_control_ask *ask, void *context,
	struct port_control_response *response)
{
	if (bytes[1] == NAT_PMP_ADDRESS)
		address_request(control, client, bytes, now_ns, ask, context, response);
	else if (bytes[1] > NAT_PMP_MAP_TCP)
		opcode_refuse(control, bytes, length, now_ns, response);
	else if (length >= sizeof(struct nat_pmp_map_request))
		map_request(control, client, bytes, now_ns, ask, context, response);
}

void nat_pmp_answer(struct port_control *control, const struct pending *pending, enum pcp_result result,
	const struct nat_mapping_answer *answer, uint64_t now_ns, struct port_control_response *response)
{
	if (pending->asked.operation == NAT_MAPPING_ADDRESS)
		response_start(control, NAT_PMP_ADDRESS, result, NAT_PMP_RESPONSE_ADDRESS, now_ns, response)
			->outside = result == PCP_SUCCESS ? answer->outside : 0;
	else if (result == PCP_SUCCESS && pending->asked.operation == NAT_MAPPING_MAKE)
		map_response(control, pending->request, result, answer->outside_port, answer->lifetime_s,
			now_ns, response);
	else
		map_response(control, pending->request, result, 0, 0, now_ns, response);
}
