/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/ipv4_parse.h"

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LSRR = 131, OPTION_SSRR = 137 };

/* Source routes let a sender choose the way around filters, so they are refused (RFC 7126 sections 4.3 and 4.4);
 * other options pass if their lengths hold. */
uint8_t ipv4_parse_options(const struct rte_ipv4_hdr *ip, uint16_t header_length)
{
	const uint8_t *option = (const uint8_t *)(ip + 1), *end = (const uint8_t *)ip + header_length;

	while (option < end && *option != OPTION_END) {
		if (*option == OPTION_NOP) {
			option++;
			continue;
		}
		if (*option == OPTION_LSRR || *option == OPTION_SSRR)
			return verdict_drop(DROP_IPV4_SOURCE_ROUTE);
		if (end - option < 2 || option[1] < 2 || option[1] > end - option)
			return verdict_drop(DROP_IPV4_OPTIONS);
		option += option[1];
	}
	return IPV4_PARSED;
}
