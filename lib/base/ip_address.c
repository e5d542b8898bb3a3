/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/ip_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int ip_address_parse(const char *text, struct ip_address *address)
{
	struct ip_address parsed = { 0 };

	if (inet_pton(AF_INET, text, &parsed.v4) == 1)
		parsed.family = AF_INET;
	else if (inet_pton(AF_INET6, text, parsed.v6) == 1)
		parsed.family = AF_INET6;
	else
		return -EINVAL;
	*address = parsed;
	return 0;
}

/* A decimal number without sign, spaces or leading zeros; -1 when it is not one of at most `max`. */
static int parse_length(const char *text, int max)
{
	int length = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		length = length * 10 + (*text - '0');
		if (length > max)
			return -1;
	}
	return length;
}

int ip_prefix_parse(const char *text, struct ip_prefix *prefix)
{
	const char *slash = strchr(text, '/');
	char address_text[IP_ADDRESS_TEXT];
	struct ip_prefix parsed = { 0 };
	size_t size;
	int length;

	if (slash == NULL)
		return -EINVAL;
	size = (size_t)(slash - text);
	if (size >= sizeof(address_text))
		return -EINVAL;
	memcpy(address_text, text, size);
	address_text[size] = '\0';
	if (ip_address_parse(address_text, &parsed.address) < 0)
		return -EINVAL;
	length = parse_length(slash + 1, parsed.address.family == AF_INET ? 32 : 128);
	if (length < 0)
		return -EINVAL;
	parsed.length = (uint8_t)length;
	*prefix = parsed;
	return 0;
}

const char *ip_address_text(const struct ip_address *address, char text[IP_ADDRESS_TEXT])
{
	if (address->family == AF_INET || address->family == AF_INET6)
		inet_ntop(address->family, address->v6, text, IP_ADDRESS_TEXT);
	else
		snprintf(text, IP_ADDRESS_TEXT, "none");
	return text;
}

const char *ip_prefix_text(const struct ip_prefix *prefix, char text[IP_PREFIX_TEXT])
{
	char address[IP_ADDRESS_TEXT];

	snprintf(text, IP_PREFIX_TEXT, "%s/%u", ip_address_text(&prefix->address, address), prefix->length);
	return text;
}

const char *ipv4_text(uint32_t network_order, char text[IP_ADDRESS_TEXT])
{
	inet_ntop(AF_INET, &network_order, text, IP_ADDRESS_TEXT);
	return text;
}

uint32_t ipv4_mask(uint8_t length)
{
	return length == 0 ? 0 : htonl(UINT32_MAX << (32 - length));
}

bool ipv4_prefix_contains(const struct ip_prefix *prefix, uint32_t network_order)
{
	return prefix->address.family == AF_INET &&
	       ((prefix->address.v4 ^ network_order) & ipv4_mask(prefix->length)) == 0;
}
