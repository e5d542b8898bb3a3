/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP (RFC 826) and RARP (RFC 903) for IPv4 over Ethernet, without the Ethernet header. */
#pragma once

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <stdint.h>

struct arp_packet {
	rte_be16_t hardware_type; /* 1: Ethernet */
	rte_be16_t protocol_type; /* 0x0800: IPv4 */
	uint8_t hardware_length;  /* 6 */
	uint8_t protocol_length;  /* 4 */
	rte_be16_t operation;     /* enum arp_operation */
	struct rte_ether_addr sender_mac;
	rte_be32_t sender_ip;
	struct rte_ether_addr target_mac;
	rte_be32_t target_ip;
} __attribute__((packed));
_Static_assert(sizeof(struct arp_packet) == 28, "RFC 826");

enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2, RARP_REQUEST = 3, RARP_REPLY = 4 };
enum { ARP_HARDWARE_ETHERNET = 1, ETHER_TYPE_ARP = 0x0806, ETHER_TYPE_RARP = 0x8035 };
