/* SPDX-License-Identifier: BSD-3-Clause */
/* What an IPv4 address says by itself. */
#pragma once

#include <rte_byteorder.h>
#include <stdbool.h>

/* Multicast, limited broadcast, loopback and "this network" can be no sender (RFC 1812 section 5.3.7). */
static inline bool ipv4_source_impossible(rte_be32_t address)
{
	uint8_t first = (uint8_t)(rte_be_to_cpu_32(address) >> 24);

	return first == 0 || first == 127 || first >= 224;
}
