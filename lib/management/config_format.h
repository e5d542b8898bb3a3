/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of text in a configuration: addresses, names and so on. Each has one way to read it, one to print it, and a
 * pattern (ECMA 262) for the JSON Schema that accepts the same texts, save for what only arithmetic can tell. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_TEXT_MAX 256 /* bytes, of any printed format */

struct config_format {
	const char *wanted;  /* an IPv4 address such as "192.0.2.1" */
	const char *pattern; /* without the anchors */
	/* Stores the text. NULL, or what is wrong with it; CONFIG_NOT_THIS_FORMAT when `wanted` says it all. `field` is the
	 * place of `size` bytes where it goes; `second` is that of a format with two parts. */
	const char *(*store)(const char *text, void *field, size_t size, void *second);
	/* False when none is set. */
	bool (*print)(const void *field, const void *second, char text[CONFIG_TEXT_MAX]);
	/* A text of parts with commas between may also be a list of them: the pattern of one, and how many at most. */
	const char *part;
	unsigned parts;
};

#define CONFIG_NOT_THIS_FORMAT ""

extern const struct config_format config_format_name;              /* char[CONFIG_NAME_MAX] */
extern const struct config_format config_format_label;             /* char[CONFIG_LABEL_MAX] */
extern const struct config_format config_format_device;            /* char[] */
extern const struct config_format config_format_mac;               /* struct rte_ether_addr: unicast */
extern const struct config_format config_format_host;              /* struct ip_address: of one host */
extern const struct config_format config_format_group;             /* struct ip_address: multicast */
extern const struct config_format config_format_interface_address; /* struct ip_prefix: host and prefix */
extern const struct config_format config_format_network;           /* struct ip_prefix: host bits are zero */
extern const struct config_format config_format_member;       /* struct ip_prefix: a network or one host */
extern const struct config_format config_format_host_range;   /* struct config_nat_range */
extern const struct config_format config_format_port_ranges;  /* struct config_nat_ports */
extern const struct config_format config_format_endpoint;     /* struct ip_address, second: uint16_t */
extern const struct config_format config_format_lcore_on_cpu; /* struct config_cpu: "2@1" */

#define CONFIG_LCORE_MAX 127  /* as DPDK's packages are built */
#define CONFIG_CPU_MAX   1023 /* of a cpu_set_t */
