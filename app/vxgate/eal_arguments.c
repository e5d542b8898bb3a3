/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgate/eal_arguments.h"

#include "port/device_string.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct list {
	char **item;
	int count;
	bool failed;
};

static void add(struct list *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct list *list, const char *format, ...)
{
	char **grown = realloc(list->item, ((size_t)list->count + 2) * sizeof(*grown));
	va_list arguments;

	if (grown == NULL) {
		list->failed = true;
		return;
	}
	list->item = grown;
	va_start(arguments, format);
	if (vasprintf(&grown[list->count], format, arguments) < 0)
		list->failed = true;
	else
		list->count++;
	va_end(arguments);
	grown[list->count] = NULL;
}

/* "0@0,1@1,2@1": each lcore on its CPU, several may share one. */
static void add_lcores(struct list *list, const struct config_lcores *lcores)
{
	char text[16 * 65];
	size_t used = (size_t)snprintf(
		text, sizeof(text), "%u@%u", lcores->management.lcore, lcores->management.cpu);

	for (uint32_t i = 0; i < lcores->packet_count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ",%u@%u", lcores->packet[i].lcore,
			lcores->packet[i].cpu);
	add(list, "--lcores=%s", text);
	add(list, "--main-lcore=%u", lcores->management.lcore);
}

static void add_devices(struct list *list, const struct config *config)
{
	unsigned pci = 0;
	struct device_string device;

	for (uint32_t i = 0; i < config->port_count; i++) {
		if (device_string_parse(config->port[i].device, &device) < 0 || device_is_virtual(&device))
			continue;
		/* An allow list: the EAL else takes every device that is bound to VFIO. */
		add(list, "--allow=%s", config->port[i].device);
		pci++;
	}
	if (pci == 0) {
		add(list, "--no-pci");
		add(list, "--iova-mode=va"); /* nothing here reads memory by physical address */
	}
}

char **eal_arguments_make(const struct eal_settings *settings, int *count)
{
	const struct config *config = settings->config;
	struct list list = { 0 };

	add(&list, "vxgate");
	add_lcores(&list, &config->lcores);
	/* Not --in-memory, which would leave no files: it excludes --no-huge, and the run-time directory is where the
	 * telemetry socket is. */
	add(&list, "--file-prefix=vxgate-%s", config->name);
	add(&list, "-m");
	add(&list, "%u", config->memory_mib);
	if (!settings->hugepages)
		add(&list, "--no-huge");
	add_devices(&list, config);
	if (strcmp(config->telemetry_socket, "off") == 0)
		add(&list, "--no-telemetry");
	add(&list, "--log-level=%s", settings->level == LOG_DEBUG ? "info" : "error");
	if (settings->level !=
		LOG_DEBUG) /* complains of a queueing discipline that few kernels have; harmless */
		add(&list, "--log-level=pmd.net.tap:critical");
	for (int i = 0; i < settings->extra_count; i++)
		add(&list, "%s", settings->extra[i]);
	if (list.failed) {
		eal_arguments_free(list.item, list.count);
		errno = ENOMEM;
		return NULL;
	}
	*count = list.count;
	return list.item;
}

void eal_arguments_free(char **arguments, int count)
{
	for (int i = 0; i < count; i++)
		free(arguments[i]);
	free(arguments);
}
