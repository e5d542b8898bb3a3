/* SPDX-License-Identifier: BSD-3-Clause */
/* Internet checksum, incremental (RFC 1624, equation 3) and in full (RFC 1071). All 16-bit words are taken as they
 * lie in the packet (network byte order): one's complement sums do not care.
 *
 * A delta is the folded sum of ~old + new; applying it to a header checksum: checksum_apply. */
#pragma once

#include <rte_ip.h>
#include <stdbool.h>
#include <stdint.h>

static inline uint16_t checksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static inline uint32_t checksum_delta16(uint16_t before, uint16_t after)
{
	return (uint32_t)(uint16_t)~before + after;
}

static inline uint32_t checksum_delta32(uint32_t before, uint32_t after)
{
	return checksum_delta16((uint16_t)before, (uint16_t)after) +
	       checksum_delta16((uint16_t)(before >> 16), (uint16_t)(after >> 16));
}

/* HC' = ~(~HC + ~m + m'), which is HC less the delta, modulo 65535, where 0 stands for what is 0: a borrow is one less. */
static inline uint16_t checksum_apply(uint16_t checksum, uint16_t delta)
{
	uint16_t difference;
	bool borrow = __builtin_sub_overflow(checksum, delta, &difference);

	return (uint16_t)(difference - borrow);
}

/* UDP over IPv4: 0 says "no checksum" and stays; a sum that comes out as 0 is sent as 0xffff (RFC 768). */
static inline uint16_t checksum_apply_udp(uint16_t checksum, uint16_t delta)
{
	if (checksum == 0)
		return 0;
	checksum = checksum_apply(checksum, delta);
	return checksum == 0 ? 0xffff : checksum;
}

/* Is the checksum of an IPv4 header without options right? Then its 16-bit words add up to a multiple of 65535, as one's
 * complement arithmetic is arithmetic modulo that; not to 0, as the version is among them. Words of 64 bits add up to the
 * same remainder, and one multiplication by the inverse says whether it is 0: of multiples alone the product is small. */
static inline bool ipv4_checksum_is_right(const struct rte_ipv4_hdr *ip)
{
	const uint64_t inverse = UINT64_C(0xfffefffefffeffff);
	uint64_t sum, second;
	uint32_t last;

	__builtin_memcpy(&sum, ip, sizeof(sum));
	__builtin_memcpy(&second, (const uint8_t *)ip + 8, sizeof(second));
	__builtin_memcpy(&last, (const uint8_t *)ip + 16, sizeof(last));
	sum += second;
	sum += sum < second; /* 2^64 leaves the remainder 1 */
	sum += last;
	sum += sum < last;
	return sum * inverse <= UINT64_MAX / 65535;
}

/* One less in the TTL's byte, as a delta of the header checksum. */
#define CHECKSUM_TTL_DELTA ((uint16_t)~RTE_BE16(0x0100))

/* Decrement the TTL and mend the header checksum (RFC 1141). */
static inline void ipv4_decrement_ttl(struct rte_ipv4_hdr *ip)
{
	ip->hdr_checksum = checksum_apply(ip->hdr_checksum, CHECKSUM_TTL_DELTA);
	ip->time_to_live--;
}

/* A port fed by a virtual device of the kernel (veth, tap) can deliver TCP and UDP packets whose checksum the
 * sender's stack left half-finished for an offload that never ran: the field then holds the folded sum of the pseudo
 * header, not complemented. Recognise that and complete the sum. A right checksum has that value once in 65,536
 * times; completing it then gives it back unchanged. `l4_length` bytes from `l4` are in one piece.
 * Returns true when it wrote. */
bool checksum_complete_partial(const struct rte_ipv4_hdr *ip, void *l4, uint16_t l4_length);
