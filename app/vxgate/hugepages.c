/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgate/hugepages.h"

#include <dirent.h>
#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SIZES_DIRECTORY "/sys/kernel/mm/hugepages"

static uint64_t free_mib_of(const char *size_directory, uint64_t page_kib)
{
	char path[300];
	unsigned long long pages = 0;
	FILE *file;

	snprintf(path, sizeof(path), SIZES_DIRECTORY "/%s/free_hugepages", size_directory);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * page_kib / 1024;
}

uint64_t hugepage_mount_kib(const char *options)
{
	const char *given = strstr(options, "pagesize=");
	unsigned long long size;
	char unit = '\0';

	if (given == NULL || sscanf(given, "pagesize=%llu%c", &size, &unit) < 1)
		return 0;
	switch (unit) {
	case 'G':
		return size << 20;
	case 'M':
		return size << 10;
	case 'K':
		return size;
	default:
		return size >> 10;
	}
}

/* Calls `visit` for each place where hugepages are mounted; returns their number. */
static unsigned each_hugetlbfs(void (*visit)(const struct mntent *entry, void *argument), void *argument)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	unsigned found = 0;

	if (mounts == NULL)
		return 0;
	while ((entry = getmntent(mounts)) != NULL) {
		if (strcmp(entry->mnt_type, "hugetlbfs") != 0)
			continue;
		visit(entry, argument);
		found++;
	}
	endmntent(mounts);
	return found;
}

static void files_remove(const struct mntent *mount, void *of)
{
	DIR *files = opendir(mount->mnt_dir);
	const char *prefix = of;
	size_t length = strlen(prefix);
	struct dirent *entry;

	if (files == NULL)
		return;
	while ((entry = readdir(files)) != NULL)
		if (strncmp(entry->d_name, prefix, length) == 0)
			unlinkat(dirfd(files), entry->d_name, 0);
	closedir(files);
}

void hugepage_files_remove(const char *name)
{
	char prefix[CONFIG_NAME_MAX + 16];

	snprintf(prefix, sizeof(prefix), "vxgate-%smap_", name);
	each_hugetlbfs(files_remove, prefix);
}

#define SIZES_MAX 8

struct sizes {
	uint64_t kib[SIZES_MAX];
	uint32_t count;
};

static void size_add(const struct mntent *mount, void *to)
{
	struct sizes *sizes = to;
	uint64_t kib = hugepage_mount_kib(mount->mnt_opts);

	if (kib != 0 && sizes->count < SIZES_MAX)
		sizes->kib[sizes->count++] = kib;
}

/* Where no mount says its size, as on old kernels, all count. */
static bool size_is_mounted(const struct sizes *sizes, uint64_t kib)
{
	for (uint32_t i = 0; i < sizes->count; i++)
		if (sizes->kib[i] == kib)
			return true;
	return sizes->count == 0;
}

void hugepage_facts_read(struct hugepage_facts *facts)
{
	struct sizes mounted = { 0 };
	DIR *sizes = opendir(SIZES_DIRECTORY);
	unsigned long long page_kib;
	struct dirent *entry;

	facts->free_mib = 0;
	facts->mounted = each_hugetlbfs(size_add, &mounted) > 0;
	if (sizes == NULL)
		return;
	while ((entry = readdir(sizes)) != NULL)
		if (sscanf(entry->d_name, "hugepages-%llukB", &page_kib) == 1 &&
			size_is_mounted(&mounted, page_kib))
			facts->free_mib += free_mib_of(entry->d_name, page_kib);
	closedir(sizes);
}

int hugepage_choose(enum config_hugepages wanted, uint32_t memory_mib, const struct hugepage_facts *facts,
	bool *use, char *reason, size_t size)
{
	bool enough = facts->mounted && facts->free_mib >= memory_mib;

	reason[0] = '\0';
	*use = wanted != CONFIG_HUGEPAGES_NO && enough;
	if (*use || wanted == CONFIG_HUGEPAGES_NO)
		return 0;
	if (facts->free_mib < memory_mib)
		snprintf(reason, size, "%llu MiB of hugepages are free, memory.mib is %u",
			(unsigned long long)facts->free_mib, memory_mib);
	else
		snprintf(reason, size, "hugepages are reserved, but no hugetlbfs is mounted");
	return wanted == CONFIG_HUGEPAGES_YES ? -ENOMEM : 0;
}
