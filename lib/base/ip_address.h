/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses and prefixes that carry their family, for configuration and display. The packet path has tables of
 * its own for each family and works on rte_be32_t. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ip_address {
	uint8_t family; /* AF_INET, AF_INET6, or AF_UNSPEC where none is set */
	union {
		uint32_t v4; /* network byte order */
		uint8_t v6[16];
	};
};

struct ip_prefix {
	struct ip_address
		address; /* as written: host bits are kept ("192.0.2.1/24" is an interface address) */
	uint8_t length;  /* bits */
};

#define IP_ADDRESS_TEXT 46 /* bytes, with the terminating zero */
#define IP_PREFIX_TEXT  50

int ip_address_parse(const char *text, struct ip_address *address); /* 0 or -EINVAL */
int ip_prefix_parse(const char *text, struct ip_prefix *prefix);    /* 0 or -EINVAL; a length is required */
const char *ip_address_text(const struct ip_address *address, char text[IP_ADDRESS_TEXT]);
const char *ip_prefix_text(const struct ip_prefix *prefix, char text[IP_PREFIX_TEXT]);
const char *ipv4_text(uint32_t network_order, char text[IP_ADDRESS_TEXT]);

/* The mask of an IPv4 prefix, network byte order. */
uint32_t ipv4_mask(uint8_t length);
bool ipv4_prefix_contains(const struct ip_prefix *prefix, uint32_t network_order);
