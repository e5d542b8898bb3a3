/* SPDX-License-Identifier: BSD-3-Clause */
/* How the ports bring packets to the lcores that own their flows, so that none is handed over from lcore to lcore: decided
 * once, at start, from what the devices can do.
 *
 *   what comes in        brought to its owner by                         handed over nevertheless
 *   from the VTEPs       RSS by the inner source address                 nothing
 *   from outside         rules by address and port block, or             ICMP, and fragments: they have no ports; what is for
 *                        RSS by destination address and port             static bindings, forwards and deterministic pools
 *
 * Where a device can do neither, which all software devices are taken to be, any lcore takes any packet, sees it through, and
 * hands over what only the owner can see to. That is never wrong, only slower. */
#pragma once

#include "management/config.h"
#include "port/port_steering.h"
#include "stage/packet_path.h"
#include "table/nat.h"

enum steering_method { STEERING_NONE, STEERING_RSS, STEERING_RULES };
extern const char *const steering_method_name[]; /* "handoff", "rss", "rules" */

#define STEERING_RULES_MAX 1024u
#define STEERING_WHY       192

struct steering_port {
	const char *name;
	bool inside, outside; /* what comes in by it: from the VTEPs, from outside */
	enum steering_method method;
	uint32_t rules;
	char why[STEERING_WHY];        /* why not better; "" when it is the best */
	uint16_t queue[NAT_OWNER_MAX]; /* of each owner */
};

struct steering {
	struct nat_steering_settings nat; /* who owns what, so that this is right */
	uint16_t owners, port_count;
	struct steering_port port[PORT_MAX];
};

/* How devices are told: as drivers/port/port_steering.h, by the number of the port in the configuration. */
struct steering_device {
	int (*by_rss)(void *context, uint16_t port, enum port_rss kind, uint8_t *key, uint8_t key_size,
		const uint16_t *queue, uint16_t table_size);
	int (*by_rules)(void *context, uint16_t port, const struct port_steering_rule *rules, uint32_t count,
		char *reason, size_t size);
	void *context;
};

/* Decides and tells the devices. `facts`: of each port. `key`: random bytes. */
void steering_make(struct steering *steering, const struct config *config, const struct lcore_plan *plan,
	const struct port_steering_facts *facts, const uint8_t key[NAT_STEERING_KEY],
	const struct steering_device *device);

/* The rules of a port, as the device was told them: STEERING_RULES_MAX at most. Returns how many there are. */
uint32_t steering_rules(const struct steering *steering, const struct config *config, uint16_t number,
	struct port_steering_rule *rules);
/* How many public ports in a row come to one queue by it; 0: they are not brought by their numbers. */
uint32_t steering_block(const struct steering *steering, const struct steering_port *port);
/* What to know of a port that brings packets home by itself, or of any (`port` NULL) of them; "" where none does. */
const char *steering_note(const struct steering *steering, const struct steering_port *port);
