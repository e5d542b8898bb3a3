/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/telemetry_parameters.h"

#include "base/ip_address.h"
#include "table/nat.h"
#include "table/nat_tcp_state.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int number_parse(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	if (text[0] < '0' || text[0] > '9') /* strtoull would take a sign */
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno != 0 || *end != '\0' || *value > max ? -EINVAL : 0;
}

static int ipv4_parse(const char *text, rte_be32_t *address)
{
	struct ip_address parsed;

	if (ip_address_parse(text, &parsed) != 0 || parsed.family != AF_INET)
		return -EINVAL;
	*address = parsed.v4;
	return 0;
}

/* 0 would stand for any, and a command that ends what matches would end everything. */
static int filter_number_parse(const char *text, uint64_t max, uint64_t *value)
{
	int rc = number_parse(text, max, value);

	return rc == 0 && *value == 0 ? -EINVAL : rc;
}

static int endpoint_parse(char *text, struct telemetry_endpoint *endpoint)
{
	char *colon = strchr(text, ':');
	uint64_t port = 0;

	if (colon != NULL) {
		*colon = '\0';
		if (filter_number_parse(colon + 1, UINT16_MAX, &port) != 0)
			return -EINVAL;
	}
	endpoint->port = (uint16_t)port;
	if (colon == text)
		return 0;
	return ipv4_parse(text, &endpoint->address) != 0 || endpoint->address == 0 ? -EINVAL : 0;
}

static int protocol_parse(const char *text, uint8_t *protocol)
{
	static const struct {
		const char *name;
		uint8_t number;
	} known[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "icmp", IPPROTO_ICMP } };
	uint64_t number;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(text, known[i].name) == 0) {
			*protocol = known[i].number;
			return 0;
		}
	}
	if (filter_number_parse(text, UINT8_MAX, &number) != 0)
		return -EINVAL;
	*protocol = (uint8_t)number;
	return 0;
}

static int segment_parse(const char *text, const struct data_plane *plane, uint16_t *segment)
{
	uint64_t vni;

	for (uint16_t i = 0; i < plane->segments->count; i++) {
		if (strcmp(plane->segments->segment[i].name, text) == 0) {
			*segment = i;
			return 0;
		}
	}
	if (number_parse(text, UINT32_MAX, &vni) != 0)
		return -ENOENT;
	for (uint16_t i = 0; i < plane->segments->count; i++) {
		if (plane->segments->segment[i].vni == vni) {
			*segment = i;
			return 0;
		}
	}
	return -ENOENT;
}

static int interface_parse(const char *text, const struct data_plane *plane, interface_id *interface)
{
	uint16_t segment;

	for (interface_id i = 0; i < PORT_MAX; i++) {
		if (plane->port[i].used && strcmp(plane->port[i].name, text) == 0) {
			*interface = i;
			return 0;
		}
	}
	if (segment_parse(text, plane, &segment) != 0)
		return -ENOENT;
	*interface = interface_of_segment(segment);
	return 0;
}

static int mac_parse(const char *text, struct rte_ether_addr *mac)
{
	return rte_ether_unformat_addr(text, mac) == 0 ? 0 : -EINVAL;
}

static int state_parse(const char *text, const char **state)
{
	for (size_t i = 0; i < NAT_STATES; i++)
		if (strcmp(nat_state_text[i].name, text) == 0)
			*state = nat_state_text[i].name;
	return *state == NULL ? -ENOENT : 0;
}

static int kind_parse(const char *text, const char **kind)
{
	for (size_t i = 0; i < NAT_KINDS; i++)
		if (strcmp(nat_kind_name[i], text) == 0)
			*kind = nat_kind_name[i];
	return *kind == NULL ? -EINVAL : 0;
}

static const struct {
	const char *name, *wanted;
} key_text[] = {
	/* bit i of enum telemetry_key */
	{ "cursor", "a cursor from an earlier reply" },
	{ "count", "a number of rows" },
	{ "segment", "the name or the VNI of a segment" },
	{ "protocol", "tcp, udp, icmp or a protocol number" },
	{ "inside", "ADDRESS, ADDRESS:PORT or :PORT" },
	{ "outside", "ADDRESS, ADDRESS:PORT or :PORT" },
	{ "remote", "ADDRESS, ADDRESS:PORT or :PORT" },
	{ "port", "a port number" },
	{ "mac", "a MAC address" },
	{ "vtep", "the IPv4 address of a VTEP" },
	{ "address", "an IPv4 address" },
	{ "interface", "the name of a port or a segment" },
	{ "state", "a state of sessions, such as established" },
	{ "kind", "dynamic, static or forward" },
	{ "all", "1" },
};
#define KEYS (sizeof(key_text) / sizeof(key_text[0]))

static int value_parse(
	uint32_t key, char *value, const struct data_plane *plane, struct telemetry_parameters *p)
{
	uint64_t number = 0;
	int rc = 0;

	switch (key) {
	case TELEMETRY_CURSOR:
		return number_parse(value, UINT64_MAX, &p->cursor);
	case TELEMETRY_COUNT:
		rc = number_parse(value, UINT32_MAX, &number);
		p->count = (uint32_t)number;
		return rc;
	case TELEMETRY_SEGMENT:
		return segment_parse(value, plane, &p->segment);
	case TELEMETRY_PROTOCOL:
		return protocol_parse(value, &p->protocol);
	case TELEMETRY_INSIDE:
		return endpoint_parse(value, &p->inside);
	case TELEMETRY_OUTSIDE:
		return endpoint_parse(value, &p->outside);
	case TELEMETRY_REMOTE:
		return endpoint_parse(value, &p->remote);
	case TELEMETRY_PORT:
		rc = filter_number_parse(value, UINT16_MAX, &number);
		p->port = (uint16_t)number;
		return rc;
	case TELEMETRY_MAC:
		return mac_parse(value, &p->mac);
	case TELEMETRY_VTEP:
		return ipv4_parse(value, &p->vtep);
	case TELEMETRY_ADDRESS:
		return ipv4_parse(value, &p->address);
	case TELEMETRY_INTERFACE:
		return interface_parse(value, plane, &p->interface);
	case TELEMETRY_STATE:
		return state_parse(value, &p->state);
	case TELEMETRY_KIND:
		return kind_parse(value, &p->kind);
	case TELEMETRY_ALL:
		p->all = strcmp(value, "1") == 0;
		return p->all ? 0 : -EINVAL;
	}
	return -EINVAL;
}

static void unknown_key(const char *key, uint32_t allowed, char *error, size_t size)
{
	int n = snprintf(error, size, "unknown parameter '%s'; there are:", key);

	for (size_t i = 0; i < KEYS && n > 0 && (size_t)n < size; i++)
		if (allowed & 1u << i)
			n += snprintf(error + n, size - (size_t)n, " %s", key_text[i].name);
}

static int parameter_parse(char *item, uint32_t allowed, const struct data_plane *plane,
	struct telemetry_parameters *parameters, char *error, size_t size)
{
	char *value = strchr(item, '=');

	if (value == NULL) {
		snprintf(error, size, "'%s' is not KEY=VALUE", item);
		return -EINVAL;
	}
	*value++ = '\0';
	for (size_t i = 0; i < KEYS; i++) {
		if (!(allowed & 1u << i) || strcmp(item, key_text[i].name) != 0)
			continue;
		parameters->given |= 1u << i;
		char found[48];
		snprintf(found, sizeof(found), "%s", value);
		int rc = value_parse(1u << i, value, plane, parameters);
		if (rc == -ENOENT)
			snprintf(error, size, "no %s '%s' here", item, found);
		else if (rc != 0)
			snprintf(error, size, "%s: found '%s', wanted %s", item, found, key_text[i].wanted);
		return rc == 0 ? 0 : -EINVAL;
	}
	unknown_key(item, allowed, error, size);
	return -EINVAL;
}

int telemetry_parameters_parse(const char *text, uint32_t allowed, const struct data_plane *plane,
	struct telemetry_parameters *parameters, char *error, size_t error_size)
{
	char copy[1024], *rest = copy, *item;

	*parameters = (struct telemetry_parameters){ 0 };
	if (text == NULL)
		return 0;
	if ((size_t)snprintf(copy, sizeof(copy), "%s", text) >= sizeof(copy)) {
		snprintf(error, error_size, "the parameters are too long");
		return -EINVAL;
	}
	while ((item = strsep(&rest, ",")) != NULL) {
		if (item[0] == '\0')
			continue;
		if (parameter_parse(item, allowed, plane, parameters, error, error_size) != 0)
			return -EINVAL;
	}
	return 0;
}
