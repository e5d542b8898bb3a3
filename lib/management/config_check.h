/* SPDX-License-Identifier: BSD-3-Clause */
/* What a table of keys cannot tell: whether the parts of a configuration go together. */
#pragma once

#include "management/config.h"
#include "management/config_document.h"

struct config_rule {
	const char *sentence; /* what must hold, for the manual */
	/* Adds what does not hold to document->errors. Fields that could not be read are zero: not worth a second
	 * error. */
	void (*check)(const struct config *config, struct config_document *document);
};

extern const struct config_rule config_rules[]; /* ends with a sentence of NULL */

/* Fills in the defaults that depend on other parts. Before the rules. */
void config_derive(struct config *config);

/* The port that has this address, or NULL. */
const struct config_port *config_port_of_address(const struct config *config, uint32_t network_order);

/* Whether a network of a port or segment, or a route that is no black hole, has the address. */
bool config_is_routed(const struct config *config, uint32_t network_order);

/* The services of the segments: config_check_services.c */
void config_derive_services(struct config *config);
void config_check_port_control(const struct config *config, struct config_document *document);
void config_check_dhcp_relays(const struct config *config, struct config_document *document);

/* Rules on hosts and neighbours that are configured: config_check_hosts.c */
void config_check_neighbours(const struct config *config, struct config_document *document);
void config_check_hosts(const struct config *config, struct config_document *document);

/* Rules on networks and addresses: config_check_network.c */
void config_check_networks(const struct config *config, struct config_document *document);
void config_check_public_addresses(const struct config *config, struct config_document *document);

/* Rules on pools: config_check_pools.c */
void config_check_pools(const struct config *config, struct config_document *document);
void config_check_address_count(const struct config *config, struct config_document *document);

/* Rules on NAT: config_check_nat.c */
void config_check_source(const struct config *config, struct config_document *document);
void config_check_static(const struct config *config, struct config_document *document);
void config_check_forward(const struct config *config, struct config_document *document);
void config_check_bypass(
	const struct config *config, struct config_document *document); /* config_check_bypass.c */
