/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "services/port_control.h"

#define MAPPINGS_MAX 8192u
#define PENDING_MAX  256u
#define NONCE_LENGTH 12u

struct mapping {
	uint64_t until_ns; /* 0: free */
	rte_be32_t inside;
	rte_be16_t inside_port;
	uint16_t segment;
	uint8_t protocol;
	uint8_t nonce[NONCE_LENGTH]; /* zero for NAT-PMP, which has none */
};

/* A request that NAT is asked about. */
struct pending {
	uint32_t id; /* 0: free */
	uint64_t since_ns;
	struct port_control_client client;
	struct nat_mapping_request asked;
	uint8_t nonce[NONCE_LENGTH];
	uint16_t length; /* of the request */
	uint8_t request[PCP_LENGTH_MAX];
};

struct port_control {
	struct port_control_settings *settings; /* [segments] */
	uint16_t segments;
	uint64_t started_ns, announce_ns;
	uint32_t announced; /* how often */
	uint32_t last_id;
	uint32_t top; /* no mapping at or beyond this was ever used */
	struct port_control_counters counters;
	struct mapping mapping[MAPPINGS_MAX];
	struct pending pending[PENDING_MAX];
};

/* What a request means, however it was written. */
struct port_request {
	struct nat_mapping_request nat;
	const uint8_t *nonce;
};

/* May it? Then NAT is asked, and PCP_SUCCESS says that the response comes later. port_control.c */
enum pcp_result port_request_ask(struct port_control *control, const struct port_control_client *client,
	const struct port_request *request, const uint8_t *bytes, uint16_t length, uint64_t now_ns,
	port_control_ask *ask, void *context);
/* Ends all mappings of the host, of one protocol, or with protocol 0 of any; answered at once. */
enum pcp_result port_request_end_all(struct port_control *control, const struct port_request *request,
	uint64_t now_ns, port_control_ask *ask, void *context);
uint32_t port_control_epoch(const struct port_control *control, uint64_t now_ns);

/* pcp_message.c: requests and responses of PCP, nat_pmp_message.c: of NAT-PMP. */
void pcp_request(struct port_control *control, const struct port_control_client *client, const uint8_t *bytes,
	uint16_t length, uint64_t now_ns, port_control_ask *ask, void *context,
	struct port_control_response *response);
void pcp_answer(struct port_control *control, const struct pending *pending, enum pcp_result result,
	const struct nat_mapping_answer *answer, uint64_t now_ns, struct port_control_response *response);
void nat_pmp_request(struct port_control *control, const struct port_control_client *client,
	const uint8_t *bytes, uint16_t length, uint64_t now_ns, port_control_ask *ask, void *context,
	struct port_control_response *response);
void nat_pmp_answer(struct port_control *control, const struct pending *pending, enum pcp_result result,
	const struct nat_mapping_answer *answer, uint64_t now_ns, struct port_control_response *response);
