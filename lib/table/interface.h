/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports as the packet path and the slow path see them. Written at start by management. */
#pragma once

#include "packet/packet_metadata.h"
#include <rte_ether.h>
#include <stdatomic.h>
#include <stdbool.h>

#define PORT_NAME_MAX      32
#define PORT_ADDRESSES_MAX 16

struct port_address {
	rte_be32_t address;
	uint8_t length;
};

struct port_interface {
	bool used;
	char name[PORT_NAME_MAX];
	uint16_t device; /* DPDK port id */
	uint16_t mtu;    /* of IP packets */
	struct rte_ether_addr mac;
	bool partial_checksums; /* the device may hand over half-finished L4 checksums */
	bool rx_ip_checksum;    /* the device checks the IP header and flags bad ones */
	bool rx_l4_checksum;
	struct port_address address[PORT_ADDRESSES_MAX];
	uint16_t address_count;
	_Atomic uint8_t link; /* enum port_link; written by the management lcore as it changes */
};

enum port_link { PORT_LINK_UNKNOWN, PORT_LINK_UP, PORT_LINK_DOWN, PORT_LINK_GONE };
