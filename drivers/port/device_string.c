/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/device_string.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A virtual device is named after its driver, with anything behind it: "net_tap0", "net_tap_left". "virtio_" is an alias
 * of "net_virtio_". */
static const struct {
	const char *driver;
	enum device_kind kind;
} drivers[] = {
	{ "net_af_packet", DEVICE_AF_PACKET },
	{ "net_af_xdp", DEVICE_AF_XDP },
	{ "net_tap", DEVICE_TAP },
	{ "net_memif", DEVICE_MEMIF },
	{ "net_pcap", DEVICE_PCAP },
	{ "net_ring", DEVICE_RING },
	{ "net_null", DEVICE_NULL },
	{ "net_", DEVICE_OTHER },
	{ "virtio_", DEVICE_OTHER },
};

/* "0000:3b:00.0" or "3b:00.0" */
static bool is_pci_address(const char *name)
{
	unsigned domain, bus, device, function;
	int length = 0;

	if (sscanf(name, "%4x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &length) == 4)
		return name[length] == '\0';
	length = 0;
	if (sscanf(name, "%2x:%2x.%1x%n", &bus, &device, &function, &length) == 3)
		return name[length] == '\0';
	return false;
}

static int kind_of(const char *name, enum device_kind *kind)
{
	if (is_pci_address(name)) {
		*kind = DEVICE_PCI;
		return 0;
	}
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		if (strncmp(name, drivers[i].driver, strlen(drivers[i].driver)) == 0) {
			*kind = drivers[i].kind;
			return 0;
		}
	}
	return -EINVAL;
}

int device_string_parse(const char *text, struct device_string *device)
{
	const char *comma = strchr(text, ',');
	size_t length = comma != NULL ? (size_t)(comma - text) : strlen(text);
	int rc;

	memset(device, 0, sizeof(*device));
	if (length >= sizeof(device->name))
		return -ENAMETOOLONG;
	memcpy(device->name, text, length);
	for (size_t i = 0; i < length; i++)
		if (isspace((unsigned char)text[i]))
			return -EINVAL;
	rc = kind_of(device->name, &device->kind);
	if (rc < 0)
		return rc;
	if (comma != NULL) {
		if (strlen(comma + 1) >= sizeof(device->arguments))
			return -ENAMETOOLONG;
		strcpy(device->arguments, comma + 1);
	}
	if (device->kind == DEVICE_AF_PACKET || device->kind == DEVICE_AF_XDP) {
		if (!device_string_argument(device, "iface", device->interface, sizeof(device->interface)) ||
			device->interface[0] == '\0')
			return -EINVAL;
	}
	return 0;
}

bool device_string_argument(const struct device_string *device, const char *key, char *value, size_t size)
{
	size_t key_length = strlen(key);
	const char *at = device->arguments;

	while (*at != '\0') {
		size_t length = strcspn(at, ",");
		if (length > key_length && at[key_length] == '=' && strncmp(at, key, key_length) == 0) {
			size_t value_length = length - key_length - 1;
			if (value_length >= size)
				return false;
			memcpy(value, at + key_length + 1, value_length);
			value[value_length] = '\0';
			return true;
		}
		at += length;
		at += *at == ',';
	}
	return false;
}

int device_string_default(struct device_string *device, const char *key, unsigned value)
{
	char given[DEVICE_ARGUMENTS_MAX];
	size_t used = strlen(device->arguments), room = sizeof(device->arguments) - used;
	int length;

	if (device_string_argument(device, key, given, sizeof(given)))
		return 0;
	length = snprintf(device->arguments + used, room, "%s%s=%u", used > 0 ? "," : "", key, value);
	if ((size_t)length >= room) {
		device->arguments[used] = '\0';
		return -ENAMETOOLONG;
	}
	return 0;
}
