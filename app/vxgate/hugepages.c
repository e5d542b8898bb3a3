/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgate/hugepages.h"

#include "vxgate/memory_plan.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SIZES_DIRECTORY "/sys/kernel/mm/hugepages"
#define MOUNT_DIRECTORY "/dev/hugepages" /* config/vxgate.service lets the gateway write there */

static uint64_t number_of(uint64_t page_kib, const char *file_name)
{
	char path[128];
	uint64_t number = 0;
	FILE *file;

	snprintf(path, sizeof(path), SIZES_DIRECTORY "/hugepages-%" PRIu64 "kB/%s", page_kib, file_name);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%" SCNu64, &number) != 1)
		number = 0;
	fclose(file);
	return number;
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

struct mounts {
	uint64_t kib[HUGEPAGE_SIZES_MAX];
	uint32_t count;
};

static void mount_add(const struct mntent *mount, void *to)
{
	struct mounts *mounts = to;
	uint64_t kib = hugepage_mount_kib(mount->mnt_opts);

	if (kib != 0 && mounts->count < HUGEPAGE_SIZES_MAX)
		mounts->kib[mounts->count++] = kib;
}

/* Where no mount says its size, as on old kernels, all count. */
static bool size_is_mounted(const struct mounts *mounts, uint64_t kib)
{
	for (uint32_t i = 0; i < mounts->count; i++)
		if (mounts->kib[i] == kib)
			return true;
	return mounts->count == 0;
}

static void size_add(struct hugepage_facts *facts, uint64_t kib, bool mounted)
{
	uint64_t free = number_of(kib, "free_hugepages"), promised = number_of(kib, "resv_hugepages");
	uint32_t at = facts->sizes;

	if (at == HUGEPAGE_SIZES_MAX || kib == 0)
		return;
	for (; at > 0 && facts->size[at - 1].kib > kib; at--)
		facts->size[at] = facts->size[at - 1];
	facts->size[at] = (struct hugepage_size){ .kib = kib,
		.pages = number_of(kib, "nr_hugepages"),
		.free = free > promised ? free - promised : 0,
		.mounted = mounted };
	facts->sizes++;
}

void hugepage_facts_read(struct hugepage_facts *facts)
{
	struct mounts mounts = { 0 };
	bool any = each_hugetlbfs(mount_add, &mounts) > 0;
	DIR *sizes = opendir(SIZES_DIRECTORY);
	struct dirent *entry;
	uint64_t kib;

	*facts = (struct hugepage_facts){ .ordinary = memory_available() };
	if (sizes == NULL)
		return;
	while ((entry = readdir(sizes)) != NULL)
		if (sscanf(entry->d_name, "hugepages-%" SCNu64 "kB", &kib) == 1)
			size_add(facts, kib, any && size_is_mounted(&mounts, kib));
	closedir(sizes);
}

/* ---- what there is ---- */

static uint64_t free_kib(const struct hugepage_size *size)
{
	return size->free * size->kib;
}

uint64_t hugepage_free_mib(const struct hugepage_facts *facts)
{
	uint64_t kib = 0;

	for (uint32_t i = 0; i < facts->sizes; i++)
		kib += facts->size[i].mounted ? free_kib(&facts->size[i]) : 0;
	return kib / 1024;
}

const struct hugepage_size *hugepage_size_for(const struct hugepage_facts *facts, uint64_t mib)
{
	const struct hugepage_size *mounted = NULL;

	for (uint32_t i = 0; i < facts->sizes; i++) {
		if (free_kib(&facts->size[i]) >= mib * 1024)
			return &facts->size[i];
		if (facts->size[i].mounted && mounted == NULL)
			mounted = &facts->size[i];
	}
	return mounted == NULL && facts->sizes > 0 ? &facts->size[0] : mounted;
}

/* ---- in words ---- */

struct words {
	char *text;
	size_t size, at;
};

static void say(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct words *words, const char *format, ...)
{
	va_list arguments;

	if (words->at >= words->size)
		return;
	va_start(arguments, format);
	words->at += (size_t)vsnprintf(words->text + words->at, words->size - words->at, format, arguments);
	va_end(arguments);
}

/* 2048 KiB: 2 and 'M'. */
static uint64_t in_unit(uint64_t kib, char *unit)
{
	*unit = kib >= 1024 * 1024 ? 'G' : kib >= 1024 ? 'M' : 'k';
	return *unit == 'G' ? kib / (1024 * 1024) : *unit == 'M' ? kib / 1024 : kib;
}

static uint64_t pages_for(uint64_t kib, const struct hugepage_size *size)
{
	return (kib + size->kib - 1) / size->kib;
}

void hugepage_count_text(const struct hugepage_facts *facts, const struct hugepage_size *wanted, uint64_t mib,
	char *text, size_t size)
{
	uint64_t pages = pages_for(mib * 1024, wanted), kib = 0;
	struct words words = { text, size, 0 };
	const char *and = "";
	char unit;
	uint64_t number = in_unit(wanted->kib, &unit);

	say(&words, "%" PRIu64 " hugepage%s of %" PRIu64 " %cB, and ", pages, pages == 1 ? "" : "s", number,
		unit);
	for (uint32_t i = 0; i < facts->sizes; i++) {
		const struct hugepage_size *of = &facts->size[i];
		if (of != wanted && of->free == 0)
			continue;
		number = in_unit(of->kib, &unit);
		say(&words, "%s%" PRIu64 " of %" PRIu64 " %cB%s", and, of->free, number, unit,
			of == wanted || of->mounted ? "" : " that are not mounted");
		kib += free_kib(of);
		and = " and ";
	}
	say(&words, " are free (%" PRIu64 " bytes)", kib * 1024);
}

void hugepage_advice_text(const struct hugepage_facts *facts, const struct hugepage_size *wanted,
	uint64_t mib, char *text, size_t size)
{
	uint64_t have_kib = hugepage_free_mib(facts) * 1024 + (wanted->mounted ? 0 : free_kib(wanted));
	uint64_t more = pages_for(mib * 1024 > have_kib ? mib * 1024 - have_kib : 0, wanted);
	struct words words = { text, size, 0 };
	char unit;
	uint64_t number = in_unit(wanted->kib, &unit);

	text[0] = '\0';
	if (more * wanted->kib > facts->ordinary / 1024)
		return;
	if (!wanted->mounted)
		say(&words,
			"a hugetlbfs: mkdir -p " MOUNT_DIRECTORY " && mount -t hugetlbfs -o pagesize=%" PRIu64
			"%c hugetlbfs " MOUNT_DIRECTORY,
			number, unit);
	if (more > 0)
		say(&words,
			"%s%" PRIu64 " more page%s: echo %" PRIu64 " > " SIZES_DIRECTORY "/hugepages-%" PRIu64
			"kB/nr_hugepages",
			wanted->mounted ? "" : ", and ", more, more == 1 ? "" : "s", wanted->pages + more,
			wanted->kib);
}

static void lack_text(const struct hugepage_facts *facts, uint64_t mib, char *text, size_t size)
{
	const struct hugepage_size *wanted = hugepage_size_for(facts, mib);
	char count[HUGEPAGE_TEXT], advice[HUGEPAGE_TEXT];
	struct words words = { text, size, 0 };

	say(&words, "%" PRIu64 " bytes are needed, ", mib * 1024 * 1024);
	if (wanted == NULL) {
		say(&words, "and there are no hugepages: this kernel has none in " SIZES_DIRECTORY);
		return;
	}
	hugepage_count_text(facts, wanted, mib, count, sizeof(count));
	hugepage_advice_text(facts, wanted, mib, advice, sizeof(advice));
	say(&words, "%s%s; ", count, wanted->mounted ? "" : ", but no hugetlbfs for them is mounted");
	if (advice[0] != '\0')
		say(&words, "want %s", advice);
	else
		say(&words, "the %" PRIu64 " bytes of memory that are free are not enough to make more",
			facts->ordinary);
}

int hugepage_choose(enum config_hugepages wanted, uint32_t memory_mib, const struct hugepage_facts *facts,
	bool *use, char *reason, size_t size)
{
	reason[0] = '\0';
	*use = wanted != CONFIG_HUGEPAGES_NO && hugepage_free_mib(facts) >= memory_mib;
	if (*use || wanted == CONFIG_HUGEPAGES_NO)
		return 0;
	lack_text(facts, memory_mib, reason, size);
	return wanted == CONFIG_HUGEPAGES_YES ? -ENOMEM : 0;
}
