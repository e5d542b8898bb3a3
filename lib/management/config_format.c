/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/config_format.h"

#include "management/config.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(RTE_MAX_LCORE == CONFIG_LCORE_MAX + 1, "lcores are numbered as DPDK was built");

#define OCTET      "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define HOST_OCTET "(22[0-3]|2[01][0-9]|1[3-9][0-9]|12[0-689]|1[01][0-9]|[1-9][0-9]|[1-9])"
#define ANY        OCTET "(\\." OCTET "){3}"
#define HOST       HOST_OCTET "(\\." OCTET "){3}" /* not 0/8, 127/8, nor 224.0.0.0 and above */
#define GROUP      "(22[4-9]|23[0-9])(\\." OCTET "){3}"
#define BITS       "/(3[0-2]|[12]?[0-9])"
#define BITS_NOT_0 "/(3[0-2]|[12][0-9]|[1-9])"
#define PORT       "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
#define LCORE      "(12[0-7]|1[01][0-9]|[1-9]?[0-9])"
#define CPU        "(102[0-3]|10[01][0-9]|[1-9][0-9]{1,2}|[0-9])"
#define HEX        "[0-9A-Fa-f]"
#define PCI        "(" HEX "{4}:)?" HEX "{2}:" HEX "{2}\\.[0-7]"

static const char ipv6_refused[] = "IPv6 is not supported here yet";

/* A decimal number without sign, spaces or leading zeros; -1 when it is not one of at most `max`. Moves *text. */
static int64_t take_number(const char **text, uint32_t max)
{
	const char *start = *text;
	uint64_t value = 0;

	for (; isdigit((unsigned char)**text) && value <= max; (*text)++)
		value = value * 10 + (uint64_t)(**text - '0');
	if (*text == start || value > max || (*start == '0' && *text - start > 1))
		return -1;
	return (int64_t)value;
}

/* The text before `separator` as text of its own, and what follows. NULL when there is no separator. */
static const char *split(const char *text, char separator, char head[IP_ADDRESS_TEXT])
{
	const char *at = strchr(text, separator);

	if (at == NULL || (size_t)(at - text) >= IP_ADDRESS_TEXT)
		return NULL;
	memcpy(head, text, (size_t)(at - text));
	head[at - text] = '\0';
	return at + 1;
}

static const char *host_problem(const struct ip_address *address)
{
	uint8_t first;

	if (address->family == AF_INET6)
		return ipv6_refused;
	first = (uint8_t)(ntohl(address->v4) >> 24);
	if (first == 0)
		return "an address of 0.0.0.0/8 names no host";
	if (first == 127)
		return "a loopback address names no host on the network";
	if (first >= 224 && first < 240)
		return "a multicast address names no single host";
	if (first >= 240)
		return "an address of 240.0.0.0/4 is reserved or broadcast";
	return NULL;
}

static const char *store_host(const char *text, void *field, size_t size, void *second)
{
	struct ip_address address;
	const char *problem;

	(void)size, (void)second;
	if (ip_address_parse(text, &address) < 0)
		return CONFIG_NOT_THIS_FORMAT;
	problem = host_problem(&address);
	if (problem == NULL)
		memcpy(field, &address, sizeof(address));
	return problem;
}

static const char *store_group(const char *text, void *field, size_t size, void *second)
{
	struct ip_address address;

	(void)size, (void)second;
	if (ip_address_parse(text, &address) < 0)
		return CONFIG_NOT_THIS_FORMAT;
	if (address.family == AF_INET6)
		return ipv6_refused;
	if (ntohl(address.v4) >> 28 != 0xe)
		return "this is no multicast address";
	memcpy(field, &address, sizeof(address));
	return NULL;
}

static bool print_address(const void *field, const void *second, char text[CONFIG_TEXT_MAX])
{
	const struct ip_address *address = field;

	(void)second;
	ip_address_text(address, text);
	return address->family != AF_UNSPEC;
}

static bool print_prefix(const void *field, const void *second, char text[CONFIG_TEXT_MAX])
{
	const struct ip_prefix *prefix = field;

	(void)second;
	ip_prefix_text(prefix, text);
	return prefix->address.family != AF_UNSPEC;
}

static const char *store_interface_address(const char *text, void *field, size_t size, void *second)
{
	struct ip_prefix prefix;
	uint32_t host_bits;
	const char *problem;

	(void)size, (void)second;
	if (ip_prefix_parse(text, &prefix) < 0)
		return CONFIG_NOT_THIS_FORMAT;
	problem = host_problem(&prefix.address);
	if (problem != NULL)
		return problem;
	if (prefix.length == 0)
		return "a length of 0 leaves no network";
	/* A prefix of 31 bits has two hosts (RFC 3021), one of 32 bits has one. */
	host_bits = prefix.address.v4 & ~ipv4_mask(prefix.length);
	if (prefix.length < 31 && host_bits == 0)
		return "this is the address of the network itself";
	if (prefix.length < 31 && host_bits == (uint32_t)~ipv4_mask(prefix.length))
		return "this is the broadcast address of the network";
	memcpy(field, &prefix, sizeof(prefix));
	return NULL;
}

static const char *store_network(const char *text, void *field, size_t size, void *second)
{
	struct ip_prefix prefix;

	(void)size, (void)second;
	if (ip_prefix_parse(text, &prefix) < 0)
		return CONFIG_NOT_THIS_FORMAT;
	if (prefix.address.family == AF_INET6)
		return ipv6_refused;
	if ((prefix.address.v4 & ~ipv4_mask(prefix.length)) != 0)
		return "bits after the prefix length are set";
	memcpy(field, &prefix, sizeof(prefix));
	return NULL;
}

static const char *store_member(const char *text, void *field, size_t size, void *second)
{
	struct ip_prefix prefix = { .length = 32 };
	const char *problem;

	if (strchr(text, '/') == NULL) {
		problem = store_host(text, &prefix.address, sizeof(prefix.address), NULL);
		if (problem == NULL)
			memcpy(field, &prefix, sizeof(prefix));
		return problem;
	}
	return store_network(text, field, size, second);
}

static const char *store_range_of_network(const char *text, struct config_nat_range *range)
{
	struct ip_address last = { .family = AF_INET };
	struct ip_prefix prefix;
	const char *problem = store_network(text, &prefix, sizeof(prefix), NULL);

	if (problem != NULL)
		return problem;
	if (prefix.length == 0)
		return "a length of 0 is every address there is";
	last.v4 = prefix.address.v4 | ~ipv4_mask(prefix.length);
	problem = host_problem(&prefix.address);
	if (problem == NULL)
		problem = host_problem(&last);
	if (problem != NULL)
		return problem;
	range->first = ntohl(prefix.address.v4);
	range->last = ntohl(last.v4);
	return NULL;
}

static const char *store_host_range(const char *text, void *field, size_t size, void *second)
{
	struct config_nat_range *range = field;
	struct ip_address first, last;
	char head[IP_ADDRESS_TEXT];
	const char *tail = split(text, '-', head), *problem;

	if (strchr(text, '/') != NULL)
		return store_range_of_network(text, range);
	(void)size, (void)second;
	problem = store_host(tail == NULL ? text : head, &first, sizeof(first), NULL);
	if (problem == NULL)
		problem = store_host(tail == NULL ? text : tail, &last, sizeof(last), NULL);
	if (problem != NULL)
		return problem;
	if (ntohl(first.v4) > ntohl(last.v4))
		return "the first address is above the last";
	range->first = ntohl(first.v4);
	range->last = ntohl(last.v4);
	return NULL;
}

static bool print_host_range(const void *field, const void *second, char text[CONFIG_TEXT_MAX])
{
	const struct config_nat_range *range = field;
	char first[IP_ADDRESS_TEXT], last[IP_ADDRESS_TEXT];

	(void)second;
	ipv4_text(htonl(range->first), first);
	ipv4_text(htonl(range->last), last);
	if (range->first == range->last)
		snprintf(text, CONFIG_TEXT_MAX, "%s", first);
	else
		snprintf(text, CONFIG_TEXT_MAX, "%s-%s", first, last);
	return range->first != 0;
}

/* "1024-65535"; a single port is a range of one. Moves the text on. */
static const char *take_port_range(const char **text, struct config_nat_port_range *range)
{
	int64_t first = take_number(text, UINT16_MAX), last = first;

	if (first > 0 && **text == '-') {
		(*text)++;
		last = take_number(text, UINT16_MAX);
	}
	if (first < 1 || last < 1)
		return CONFIG_NOT_THIS_FORMAT;
	*range = (struct config_nat_port_range){ (uint16_t)first, (uint16_t)last };
	return NULL;
}

static const char *store_port_ranges(const char *text, void *field, size_t size, void *second)
{
	struct config_nat_ports ports = { 0 }, *ports_field = field;
	const char *wrong = NULL;

	(void)size, (void)second;
	for (;; text++) {
		struct config_nat_port_range *range = &ports.range[ports.count];
		const char *problem;

		if (ports.count == CONFIG_PORT_RANGES)
			return "these are more than 16 ranges";
		problem = take_port_range(&text, range);
		if (problem != NULL)
			return problem;
		if (range->first > range->last)
			wrong = "the first port is above the last";
		else if (ports.count > 0 && range->first <= ports.range[ports.count - 1].last)
			wrong = "a range begins before the one ahead of it ends";
		ports.count++;
		if (*text == '\0')
			break;
		if (*text != ',')
			return CONFIG_NOT_THIS_FORMAT;
	}
	*ports_field = ports;
	return wrong;
}

static bool print_port_ranges(const void *field, const void *second, char text[CONFIG_TEXT_MAX])
{
	const struct config_nat_ports *ports = field;
	size_t at = 0;

	(void)second;
	for (uint32_t i = 0; i < ports->count; i++)
		at += (size_t)snprintf(text + at, CONFIG_TEXT_MAX - at, "%s%u-%u", i > 0 ? "," : "",
			ports->range[i].first, ports->range[i].last);
	return ports->count > 0;
}

static const char *store_endpoint(const char *text, void *field, size_t size, void *second)
{
	char head[IP_ADDRESS_TEXT];
	const char *tail = split(text, ':', head), *problem;
	uint16_t *port_field = second;
	struct ip_address address;
	int64_t port;

	/* "[2001:db8::1]:80", or an IPv6 address without a port. */
	if (text[0] == '[' || (ip_address_parse(text, &address) == 0 && address.family == AF_INET6))
		return ipv6_refused;
	if (tail == NULL)
		return CONFIG_NOT_THIS_FORMAT;
	port = take_number(&tail, UINT16_MAX);
	if (port < 1 || *tail != '\0')
		return CONFIG_NOT_THIS_FORMAT;
	problem = store_host(head, field, size, NULL);
	if (problem == NULL)
		*port_field = (uint16_t)port;
	return problem;
}

static bool print_endpoint(const void *field, const void *second, char text[CONFIG_TEXT_MAX])
{
	const struct ip_address *address = field;
	const uint16_t *port = second;
	char host[IP_ADDRESS_TEXT];

	snprintf(text, CONFIG_TEXT_MAX, "%s:%u", ip_address_text(address, host), *port);
	return address->family != AF_UNSPEC;
}

static const char *store_mac(const char *text, void *field, size_t size, void *second)
{
	struct rte_ether_addr mac;

	(void)size, (void)second;
	if (strlen(text) != 17)
		return CONFIG_NOT_THIS_FORMAT;
	for (size_t i = 0; i < 17; i++) {
		if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return CONFIG_NOT_THIS_FORMAT;
	}
	for (size_t i = 0; i < sizeof(mac.addr_bytes); i++)
		mac.addr_bytes[i] = (uint8_t)strtoul(text + 3 * i, NULL, 16);
	if (rte_is_zero_ether_addr(&mac))
		return "the MAC address of all zeros is nobody's";
	if (rte_is_multicast_ether_addr(&mac))
		return "this is a multicast or broadcast MAC address";
	memcpy(field, &mac, sizeof(mac));
	return NULL;
}

static bool print_mac(const void *field, const void *second, char text[CONFIG_TEXT_MAX])
{
	const struct rte_ether_addr *mac = field;

	(void)second;
	snprintf(text, CONFIG_TEXT_MAX, RTE_ETHER_ADDR_PRT_FMT, RTE_ETHER_ADDR_BYTES(mac));
	for (char *at = text; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	return !rte_is_zero_ether_addr(mac);
}

static const char *store_name(const char *text, void *field, size_t size, void *second)
{
	size_t length = strlen(text);

	(void)second;
	if (length == 0 || length >= size || !isalnum((unsigned char)text[0]))
		return CONFIG_NOT_THIS_FORMAT;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && strchr("-_.", text[i]) == NULL)
			return CONFIG_NOT_THIS_FORMAT;
	}
	memcpy(field, text, length + 1);
	return NULL;
}

static const char *store_label(const char *text, void *field, size_t size, void *second)
{
	size_t length = strlen(text);

	(void)second;
	if (length == 0 || length >= size)
		return CONFIG_NOT_THIS_FORMAT;
	for (size_t i = 0; i < length; i++)
		if (text[i] < '!' || text[i] > '~')
			return CONFIG_NOT_THIS_FORMAT;
	memcpy(field, text, length + 1);
	return NULL;
}

static bool print_text(const void *field, const void *second, char text[CONFIG_TEXT_MAX])
{
	(void)second;
	snprintf(text, CONFIG_TEXT_MAX, "%s", (const char *)field);
	return text[0] != '\0';
}

/* The length of a PCI address at the start of the text, 0 when there is none. */
static size_t pci_length(const char *text)
{
	static const char *const shapes[] = { "hhhh:hh:hh.o", "hh:hh.o" };

	for (size_t shape = 0; shape < 2; shape++) {
		const char *want = shapes[shape];
		size_t i;

		for (i = 0; want[i] != '\0'; i++) {
			bool fits = want[i] == 'h'   ? isxdigit((unsigned char)text[i]) != 0
				    : want[i] == 'o' ? text[i] >= '0' && text[i] <= '7'
						     : text[i] == want[i];

			if (!fits)
				break;
		}
		if (want[i] == '\0')
			return i;
	}
	return 0;
}

static size_t virtual_device_length(const char *text)
{
	if (strncmp(text, "net_", 4) != 0 && strncmp(text, "virtio_", 7) != 0)
		return 0;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

static const char *store_device(const char *text, void *field, size_t size, void *second)
{
	size_t length = strlen(text), head = pci_length(text);

	(void)second;
	if (head == 0)
		head = virtual_device_length(text);
	if (head == 0 || length >= size)
		return CONFIG_NOT_THIS_FORMAT;
	if (text[head] != '\0' && (text[head] != ',' || text[head + 1] == '\0'))
		return CONFIG_NOT_THIS_FORMAT;
	for (size_t i = head; i < length; i++) {
		if (text[i] < '!' || text[i] > '~')
			return CONFIG_NOT_THIS_FORMAT;
	}
	memcpy(field, text, length + 1);
	return NULL;
}

static const char *store_lcore_on_cpu(const char *text, void *field, size_t size, void *second)
{
	struct config_cpu *cpu = field;
	int64_t lcore, number;

	(void)size, (void)second;
	lcore = take_number(&text, CONFIG_LCORE_MAX);
	if (lcore < 0 || *text++ != '@')
		return CONFIG_NOT_THIS_FORMAT;
	number = take_number(&text, CONFIG_CPU_MAX);
	if (number < 0 || *text != '\0')
		return CONFIG_NOT_THIS_FORMAT;
	*cpu = (struct config_cpu){ .lcore = (unsigned)lcore, .cpu = (unsigned)number };
	return NULL;
}

static bool print_lcore_on_cpu(const void *field, const void *second, char text[CONFIG_TEXT_MAX])
{
	const struct config_cpu *cpu = field;

	(void)second;
	snprintf(text, CONFIG_TEXT_MAX, "%u@%u", cpu->lcore, cpu->cpu);
	return true;
}

const struct config_format config_format_name = {
	"a name of 1 to 31 letters, digits, '-', '_' and '.' that starts with a letter or digit",
	"[A-Za-z0-9][A-Za-z0-9._-]{0,30}", store_name, print_text
};
const struct config_format config_format_label = {
	"a text of 1 to 63 printable ASCII characters without spaces", "[!-~]{1,63}", store_label, print_text
};
const struct config_format config_format_device = {
	"a PCI address such as \"0000:17:00.0\" or a virtual device such as \"net_af_packet0,iface=eth1\"",
	"(?=.{1,255}$)(" PCI "|net_[a-z0-9_]*|virtio_[a-z0-9_]*)(,[!-~]+)?", store_device, print_text
};
const struct config_format config_format_mac = { "a unicast MAC address such as \"02:00:5e:00:50:01\"",
	"(?!(00:){5}00)" HEX "[02468ACEace](:" HEX "{2}){5}", store_mac, print_mac };
const struct config_format config_format_host = { "an IPv4 address of a host such as \"192.0.2.1\"", HOST,
	store_host, print_address };
const struct config_format config_format_group = { "an IPv4 multicast address such as \"239.1.1.1\"", GROUP,
	store_group, print_address };
const struct config_format config_format_interface_address = {
	"an IPv4 address with the length of its network such as \"192.0.2.1/24\"", HOST BITS_NOT_0,
	store_interface_address, print_prefix
};
const struct config_format config_format_network = { "an IPv4 network such as \"10.0.1.0/24\"", ANY BITS,
	store_network, print_prefix };
const struct config_format config_format_member = {
	"an IPv4 network such as \"192.0.2.0/24\" or an IPv4 address of a host", "(" HOST "|" ANY BITS ")",
	store_member, print_prefix
};
const struct config_format config_format_host_range = {
	"IPv4 addresses such as \"203.0.113.10-203.0.113.13\", \"203.0.113.10\" or \"203.0.113.16/28\"",
	"(" HOST "(-" HOST ")?|" HOST BITS_NOT_0 ")", store_host_range, print_host_range
};
const struct config_format config_format_port_ranges = {
	"ranges of ports such as \"1024-65535\" or \"1024-5000,6000-65535\"",
	PORT "(-" PORT ")?(," PORT "(-" PORT ")?){0,15}", store_port_ranges, print_port_ranges,
	PORT "(-" PORT ")?", CONFIG_PORT_RANGES
};
const struct config_format config_format_endpoint = {
	"an IPv4 address of a host with a port such as \"203.0.113.1:8080\"", HOST ":" PORT, store_endpoint,
	print_endpoint
};
const struct config_format config_format_lcore_on_cpu = {
	"a lcore from 0 to 127 as a number, or with its CPU such as \"2@1\"", LCORE "@" CPU,
	store_lcore_on_cpu, print_lcore_on_cpu
};
