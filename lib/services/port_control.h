/* SPDX-License-Identifier: BSD-3-Clause */
/* The port control server of the segments (PCP, RFC 6887; NAT-PMP, RFC 6886): a workload opens a public port for itself.
 * Pure code on bytes and the clock; the slow path moves the datagrams and asks NAT (slowpath/port_control_input.c).
 *
 *   a request that can be answered at once (wrong, refused, ANNOUNCE)   -> the response
 *   any other                                                          -> what to ask NAT; the response comes with the answer
 *
 * Which mappings there are, whose they are (by the nonce) and until when is known here; their public ports are held by the
 * owner of the host (table/nat_mapping.h), which ends them at the same time by itself, and tells of those that an operator
 * ended. One thread, but for the counters,
 * which any thread may read. */
#pragma once

#include "base/clock.h"
#include "services/pcp_wire.h"
#include "table/nat_mapping.h"
#include <stdbool.h>

#define PORT_CONTROL_RANGES       16
#define PORT_CONTROL_LIFETIME_MIN 120u /* seconds (RFC 6887 section 15) */

struct port_control_settings { /* of one segment */
	bool enabled;
	rte_be32_t prefix, mask; /* the hosts that may */
	struct {
		uint16_t first, last;
	} ports[PORT_CONTROL_RANGES];
	uint16_t port_ranges;  /* the inside ports that they may open */
	uint32_t mappings_max; /* of one host, with those that it ended and whose ports rest */
	uint32_t port_rest_s;  /* how long NAT lets a port rest */
	uint32_t lifetime_max; /* seconds */
	rte_be32_t outside;    /* the public address of all these hosts; 0: they have more than one */
};

struct port_control_counters {
	uint64_t requests, responses;
	uint64_t pcp_results[PCP_EXCESSIVE_REMOTE_PEERS +
			     1]; /* of the responses, NAT-PMP's as the PCP ones they stand for */
	uint64_t mappings;       /* a gauge: with time left when last looked at */
};

struct port_control;
/* `settings` [segments] are copied. NULL with errno. */
struct port_control *port_control_create(const struct port_control_settings *settings, uint16_t segments);
/* The epoch of the answers begins (RFC 6887 section 8.5). */
void port_control_start(struct port_control *control, uint64_t now_ns);
void port_control_destroy(struct port_control *control);
/* NULL: the segment has none. */
const struct port_control_settings *port_control_of(const struct port_control *control, uint16_t segment);
const struct port_control_counters *port_control_counters(const struct port_control *control);

struct port_control_client { /* who asked */
	uint16_t segment;
	rte_be32_t address;
	uint16_t port; /* host byte order */
};

struct port_control_response {
	struct port_control_client to;
	uint16_t length; /* 0: there is none */
	uint8_t bytes[PCP_LENGTH_MAX];
};

/* NAT is asked by this; false when it cannot take more now. */
typedef bool port_control_ask(void *context, const struct nat_mapping_request *request);

/* A datagram to the server. Fills in the response, or asks NAT. */
void port_control_request(struct port_control *control, const struct port_control_client *client,
	const uint8_t *bytes, uint16_t length, uint64_t now_ns, port_control_ask *ask, void *context,
	struct port_control_response *response);
/* What NAT has answered. */
void port_control_answer(struct port_control *control, const struct nat_mapping_answer *answer,
	uint64_t now_ns, struct port_control_response *response);

/* NAT has ended a mapping before its time: its host may open it again, and it counts no more. */
void port_control_cleared(
	struct port_control *control, const struct nat_mapping_answer *cleared, uint64_t now_ns);

/* Mappings that a host ended all at once wait until NAT can be asked for each. Asks for as many as it takes; how many. */
unsigned port_control_end_more(
	struct port_control *control, uint64_t now_ns, port_control_ask *ask, void *context);
bool port_control_is_ending(const struct port_control *control);

/* After a start all hosts are told, without having asked, that what was mapped before is gone (RFC 6887 section 14.1.2, RFC 6886
 * section 3.2.1): ten times, a second after the start, 250 ms after that, and then each time after twice as long. When the
 * next one is due; UINT64_MAX: no more. */
uint64_t port_control_announce_due_ns(const struct port_control *control);
/* What goes to PCP_CLIENT_PORT of the hosts of each segment, a message of either protocol. That of NAT-PMP has the segment's
 * own `outside`, which is left to the caller; it is as long as NAT_PMP_RESPONSE_ADDRESS. */
struct port_control_announcement {
	struct pcp_header pcp;
	struct nat_pmp_response nat_pmp;
};
void port_control_announce(
	struct port_control *control, uint64_t now_ns, struct port_control_announcement *announcement);
