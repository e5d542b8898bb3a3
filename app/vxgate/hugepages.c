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

/* Calls `visit` for each place where hugepages are mounted; returns their number. */
static unsigned each_hugetlbfs(
	void (*visit)(const char *directory, const char *argument), const char *argument)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	unsigned found = 0;

	if (mounts == NULL)
		return 0;
	while ((entry = getmntent(mounts)) != NULL) {
		if (strcmp(entry->mnt_type, "hugetlbfs") != 0)
			continue;
		if (visit != NULL)
			visit(entry->mnt_dir, argument);
		found++;
	}
	endmntent(mounts);
	return found;
}

static void files_remove(const char *directory, const char *prefix)
{
	DIR *files = opendir(directory);
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

void hugepage_facts_read(struct hugepage_facts *facts)
{
	DIR *sizes = opendir(SIZES_DIRECTORY);
	unsigned long long page_kib;
	struct dirent *entry;

	facts->free_mib = 0;
	facts->mounted = each_hugetlbfs(NULL, NULL) > 0;
	if (sizes == NULL)
		return;
	while ((entry = readdir(sizes)) != NULL)
		if (sscanf(entry->d_name, "hugepages-%llukB", &page_kib) == 1)
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
