/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/instances.h"

#include "vxgatectl/telemetry_client.h"
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INSTANCES_MAX 64
#define FILE_PREFIX   "vxgate-"
#define SOCKET_NAME   "dpdk_telemetry.v2"

/* Where the EAL puts its run-time files, by its own rule. */
static const char *runtime_directory(void)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");

	if (directory != NULL)
		return directory;
	if (getuid() == 0)
		return "/var/run";
	directory = getenv("XDG_RUNTIME_DIR");
	return directory != NULL ? directory : "/tmp";
}

/* A gateway that crashed leaves its socket behind; nobody listens to it. One that is only slow is there. */
static int instance_runs(const struct instance *instance)
{
	struct telemetry_client client;
	int rc = client_open(&client, instance->socket, 1000);

	client_close(&client);
	return rc == 0 || rc == -ETIMEDOUT || rc == -ECONNRESET;
}

static int instance_of_path(const char *path, struct instance *instance)
{
	const char *prefix = strstr(path, "/dpdk/" FILE_PREFIX), *end = strrchr(path, '/');

	if (prefix == NULL || strlen(path) >= sizeof(instance->socket))
		return -EINVAL;
	prefix += strlen("/dpdk/" FILE_PREFIX);
	if (end <= prefix || (size_t)(end - prefix) >= sizeof(instance->name))
		return -EINVAL;
	snprintf(instance->name, sizeof(instance->name), "%.*s", (int)(end - prefix), prefix);
	snprintf(instance->socket, sizeof(instance->socket), "%s", path);
	return 0;
}

size_t instances_find(struct instance *found, size_t max)
{
	char pattern[512];
	glob_t paths;
	size_t n = 0;

	snprintf(pattern, sizeof(pattern), "%s/dpdk/" FILE_PREFIX "*/" SOCKET_NAME, runtime_directory());
	if (glob(pattern, 0, NULL, &paths) != 0)
		return 0;
	for (size_t i = 0; i < paths.gl_pathc && n < max; i++)
		if (instance_of_path(paths.gl_pathv[i], &found[n]) == 0 && instance_runs(&found[n]))
			n++;
	globfree(&paths);
	return n;
}

static int instance_none(
	const char *name, const struct instance *found, size_t count, char *error, size_t size)
{
	size_t at = 0;

	if (count == 0 && name == NULL)
		at = (size_t)snprintf(error, size, "no gateway runs here");
	else if (count == 0)
		at = (size_t)snprintf(error, size, "no gateway named '%s' runs here, nor any other", name);
	else if (name == NULL)
		at = (size_t)snprintf(error, size, "several gateways run here, say --name NAME:");
	else
		at = (size_t)snprintf(error, size, "no gateway named '%s' runs here; there are:", name);
	for (size_t i = 0; i < count && at < size; i++)
		at += (size_t)snprintf(error + at, size - at, " %s", found[i].name);
	if (count == 0 && at < size)
		snprintf(error + at, size - at, " (looked in %s/dpdk/" FILE_PREFIX "*%s)",
			runtime_directory(), getuid() == 0 ? "" : "; gateways of root are seen by root");
	return -ENOENT;
}

int instance_choose(const char *name, struct instance *chosen, char *error, size_t error_size)
{
	struct instance found[INSTANCES_MAX];
	size_t count = instances_find(found, INSTANCES_MAX);

	for (size_t i = 0; i < count; i++) {
		if (name == NULL ? count == 1 : strcmp(found[i].name, name) == 0) {
			*chosen = found[i];
			return 0;
		}
	}
	return instance_none(name, found, count, error, error_size);
}
