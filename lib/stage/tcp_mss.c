/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/tcp_mss.h"
#include "packet/checksum.h"
#include "table/data_plane.h"
#include <string.h>

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_MSS_LENGTH = 4 };

#define HEADERS 40u /* of IP and TCP, without options: what an MSS does not count (RFC 6691) */

/* The most that an interface lets through; UINT16_MAX where nothing is to be clamped. */
static uint16_t mss_limit(const struct data_plane *plane, interface_id interface)
{
	if (interface == INTERFACE_NONE)
		return UINT16_MAX;
	uint16_t fits = (uint16_t)(data_plane_mtu(plane, interface) - HEADERS);
	if (!interface_is_segment(interface))
		return fits;
	uint16_t most = plane->segments->segment[segment_of_interface(interface)].tcp_mss_max;
	return most < fits ? most : fits;
}

/* A segment that says so passes the MSS as it is; between two ports there is nobody to ask, and nothing is changed. */
static bool clamps(const struct data_plane *plane, interface_id from, interface_id to)
{
	bool some = false;

	for (int side = 0; side < 2; side++) {
		interface_id interface = side == 0 ? from : to;
		if (!interface_is_segment(interface))
			continue;
		if (plane->segments->segment[segment_of_interface(interface)].tcp_mss_max == 0)
			return false;
		some = true;
	}
	return some;
}

/* The value may lie across two words of the sum: then its bytes count the other way round. */
static void value_set(struct rte_tcp_hdr *tcp, uint8_t *value, uint16_t mss)
{
	uint16_t before, after = rte_cpu_to_be_16(mss);
	bool odd = (value - (uint8_t *)tcp) & 1;

	memcpy(&before, value, sizeof(before));
	memcpy(value, &after, sizeof(after));
	uint32_t delta = odd ? checksum_delta16(rte_bswap16(before), rte_bswap16(after))
			     : checksum_delta16(before, after);
	tcp->cksum = checksum_apply(tcp->cksum, checksum_fold(delta));
}

static void options_clamp(struct rte_tcp_hdr *tcp, uint8_t *option, const uint8_t *end, uint16_t limit)
{
	while (option < end && *option != OPTION_END) {
		if (*option == OPTION_NOP) {
			option++;
			continue;
		}
		if (end - option < 2 || option[1] < 2 || option[1] > end - option)
			return;
		if (*option == OPTION_MSS && option[1] == OPTION_MSS_LENGTH &&
			(uint16_t)(option[2] << 8 | option[3]) > limit)
			value_set(tcp, option + 2, limit);
		option += option[1];
	}
}

void tcp_mss_clamp(
	const struct data_plane *plane, interface_id from, interface_id to, struct rte_tcp_hdr *tcp)
{
	if (!clamps(plane, from, to))
		return;
	uint16_t in = mss_limit(plane, from), out = mss_limit(plane, to);
	uint8_t *options = (uint8_t *)(tcp + 1), *end = (uint8_t *)tcp + (tcp->data_off >> 4) * 4;

	options_clamp(tcp, options, end, in < out ? in : out);
}
