/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "services/port_control.h"

#define MAPPINGS_MAX 8192u
#define PENDING_MAX  256u
#define NONCE_LENGTH 12u

enum mapping_state {
	MAPPING_FREE,
	MAPPING_OPEN,
	MAPPING_ENDING,  /* for its host it has ended, and NAT has yet to be told */
	MAPPING_RESTING, /* ended; nobody else has its public port yet */
};

struct mapping {
	uint64_t until_ns; /* open: when it ends; resting: when its public port may be anyone's */
	rte_be32_t inside, outside;
	rte_be16_t inside_port, outside_port;
	uint16_t segment;
	uint8_t protocol;
	uint8_t state;               /* enum mapping_state */
	bool counts;                 /* against the limits; what does not may be given up */
	uint8_t nonce[NONCE_LENGTH]; /* zero for NAT-PMP, which has none */
};

/* A request that NAT is asked about. */
struct pending {
	uint32_t id; /* 0: free */
	uint64_t since_ns;
	struct port_control_client client;
	struct nat_mapping_request asked;
	bool counts;  /* the host would have one mapping more */
	bool its_own; /* the host may have the port that it had, but no more */
	bool ended;   /* by its host, since it was asked for */
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
	uint32_t top;    /* no mapping at or beyond this was ever used */
	uint32_t ending; /* mappings in that state */
	struct port_control_counters counters;
	struct mapping mapping[MAPPINGS_MAX + PENDING_MAX]; /* so that what NAT is being asked for has room */
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
/* port_mapping.c */
/* What the table has for a request. Mappings whose time is over end by it. */
struct mapping_look {
	struct mapping
		*found; /* of the inside endpoint, or else the host's resting one of the wanted public port */
	struct mapping *room; /* for a new one */
	uint32_t of_host;     /* those of the host that count */
	uint32_t held;        /* all that count */
};
void mapping_look(struct port_control *control, const struct nat_mapping_request *nat, uint64_t now_ns,
	struct mapping_look *look);
/* Nobody else can have had its public port since. */
bool mapping_is_hosts_alone(
	const struct port_control *control, const struct mapping *mapping, uint64_t now_ns);
/* NAT has made what was asked for. */
void mapping_note(struct port_control *control, const struct pending *pending,
	const struct nat_mapping_answer *answer, uint64_t now_ns);
/* NAT has been asked to end it. */
void mapping_ended(struct port_control *control, struct mapping *mapping, uint64_t now_ns);
/* Asks NAT to; false: it takes no more now. */
bool mapping_end(struct port_control *control, struct mapping *mapping, uint64_t now_ns,
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
