/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK device strings: "0000:3b:00.0", or a virtual device "net_af_packet0,iface=under0". Pure text. */
#pragma once

#include <net/if.h>
#include <stdbool.h>

enum device_kind {
	DEVICE_PCI,
	DEVICE_AF_PACKET,
	DEVICE_AF_XDP,
	DEVICE_TAP,
	DEVICE_MEMIF,
	DEVICE_PCAP,
	DEVICE_RING,
	DEVICE_NULL,
	DEVICE_OTHER /* any other virtual device of DPDK */
};

#define DEVICE_NAME_MAX      64
#define DEVICE_ARGUMENTS_MAX 320

struct device_string {
	enum device_kind kind;
	char name[DEVICE_NAME_MAX]; /* up to the first comma: unique among the devices of a process */
	char arguments[DEVICE_ARGUMENTS_MAX]; /* after it, maybe empty */
	char interface[IFNAMSIZ];             /* the kernel interface that the device opens, or empty */
};

/* 0; -EINVAL for what is no device string; -ENAMETOOLONG. */
int device_string_parse(const char *text, struct device_string *device);
/* The value of argument `key`, copied to `value`; false when it is not given or does not fit. */
bool device_string_argument(const struct device_string *device, const char *key, char *value, size_t size);
/* Adds key=value unless the key is given already. 0 or -ENAMETOOLONG. */
int device_string_default(struct device_string *device, const char *key, unsigned value);

static inline bool device_is_virtual(const struct device_string *device)
{
	return device->kind != DEVICE_PCI;
}
