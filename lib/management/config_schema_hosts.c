/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the table about hosts and neighbours that are configured instead of learned. */
#include "management/config_schema_private.h"

static const struct config_key neighbour_keys[] = {
	{ .name = "address",
		.meaning = "Its address, in a network of the port.",
		.type = CONFIG_TEXT,
		.format = &config_format_host,
		.required = true,
		FIELD(config_neighbour, address) },
	{ .name = "mac",
		.meaning = "Its MAC address. What ARP says of this neighbour is not believed.",
		.type = CONFIG_TEXT,
		.format = &config_format_mac,
		.required = true,
		FIELD(config_neighbour, mac) },
	{ NULL },
};
const struct config_object config_neighbour_object = {
	.meaning = "A neighbour of the port with a fixed MAC address: a router that is a next hop, a VTEP.",
	.keys = neighbour_keys,
};

static const struct config_key host_keys[] = {
	{ .name = "address",
		.meaning = "Its address, in the network of the segment.",
		.type = CONFIG_TEXT,
		.format = &config_format_host,
		.required = true,
		FIELD(config_host, address) },
	{ .name = "mac",
		.meaning = "Its MAC address. What ARP says of this address is not believed.",
		.type = CONFIG_TEXT,
		.format = &config_format_mac,
		.required = true,
		FIELD(config_host, mac) },
	{ .name = "vtep",
		.meaning = "The VTEP that it is behind at first; one of the segment.",
		.type = CONFIG_TEXT,
		.format = &config_format_host,
		.required = true,
		FIELD(config_host, vtep) },
	{ NULL },
};
const struct config_object config_host_object = {
	.meaning = "A host with a fixed MAC address. It is never asked for and never forgotten, however "
		   "silent. When "
		   "it speaks from behind another VTEP it has moved there, as any host.",
	.keys = host_keys,
};
