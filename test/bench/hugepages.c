/* SPDX-License-Identifier: BSD-3-Clause */
#include "hugepages.h"

#include <fcntl.h>
#include <rte_common.h>
#include <rte_debug.h>
#include <rte_eal.h>
#include <rte_memory.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define POOL        "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define LARGE       "/sys/kernel/mm/hugepages/hugepages-1048576kB/" /* of 1 GB: used when there are free ones */
#define LARGE_PAGES 512                                             /* of POOL in one of LARGE */

/* Who measures, and may change the number of pages, holds this lock until it ends, however it ends: what is free meanwhile may be
 * meant for it, and two measurements at once spoil each other's figures. In it stands "PID", and while the number is another one
 * "PID BEFORE CHANGED", so that the next process puts back what one that was killed could not. peers/hugepages.py does the same. */
#define LOCK "/run/vxgate-bench.lock"

struct note {
	long pid, before, changed;
};

static long number_read(const char *path)
{
	FILE *file = fopen(path, "r");
	long number = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%ld", &number) != 1)
		number = 0;
	fclose(file);
	return number;
}

static bool number_write(const char *path, long number)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		return false;
	bool written = fprintf(file, "%ld\n", number) > 0;
	return fclose(file) == 0 && written;
}

static struct note note_read(int lock)
{
	struct note note = { 0 };
	char text[80] = "";

	if (pread(lock, text, sizeof(text) - 1, 0) > 0) {
		text[strcspn(text, "\n")] = '\0';
		sscanf(text, "%ld %ld %ld", &note.pid, &note.before, &note.changed);
	}
	return note;
}

/* What is left behind the new line until the file is cut off there is not read. */
static void note_write(int lock, const struct note *note)
{
	char text[80];
	int length = snprintf(text, sizeof(text), "%ld", note->pid);

	if (note->changed != 0)
		length += snprintf(text + length, sizeof(text) - (size_t)length, " %ld %ld", note->before,
			note->changed);
	text[length++] = '\n';
	if (pwrite(lock, text, (size_t)length, 0) != length || ftruncate(lock, length) < 0)
		rte_exit(EXIT_FAILURE, "cannot write %s\n", LOCK);
}

/* Without those that a process has as surplus, and that go with it. */
static long pages_lasting(void)
{
	return number_read(POOL "nr_hugepages") - number_read(POOL "surplus_hugepages");
}

/* The lock, or -1: only root changes the number. Exits when another process has it. */
static int lock_take(void)
{
	int lock = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (lock < 0)
		return -1;
	bool taken = flock(lock, LOCK_EX | LOCK_NB) == 0;
	struct note last = note_read(lock);
	if (!taken) {
		fprintf(stderr,
			"bench: process %ld measures; two at once would spoil each other's figures: wait for "
			"it, "
			"or end it\n",
			last.pid);
		exit(EXIT_FAILURE);
	}
	long pages = pages_lasting();
	if (pages > last.before && pages <= last.changed)
		number_write(POOL "nr_hugepages", last.before);
	note_write(lock, &(struct note){ .pid = getpid() });
	return lock;
}

/* Returns how many there were that last. */
static long pages_add(int lock, long count)
{
	long before = pages_lasting(), changed = number_read(POOL "nr_hugepages") + count;

	note_write(lock, &(struct note){ getpid(), before, changed });
	number_write(POOL "nr_hugepages", changed);
	return before;
}

/* Pages in use stay with us, as surplus. */
static void pages_put_back(int lock, long before)
{
	number_write(POOL "nr_hugepages", before);
	note_write(lock, &(struct note){ .pid = getpid() });
}

static int eal_start(unsigned cpu, unsigned mib, bool huge, bool telemetry)
{
	char cpu_text[12], mib_text[12];
	char *arguments[] = { "bench", "-l", cpu_text, "-m", mib_text, "--no-pci",
		telemetry ? "--telemetry" : "--no-telemetry", "--log-level=error",
		huge ? "--in-memory" : "--no-huge", huge ? NULL : "--no-shconf", NULL };

	snprintf(cpu_text, sizeof(cpu_text), "%u", cpu);
	snprintf(mib_text, sizeof(mib_text), "%u", mib);
	return rte_eal_init(huge ? RTE_DIM(arguments) - 2 : RTE_DIM(arguments) - 1, arguments);
}

static int page_note(const struct rte_memseg_list *list, void *largest)
{
	uint64_t *size = largest;

	if (list->memseg_arr.count > 0 && !list->external)
		*size = RTE_MAX(*size, list->page_sz);
	return 0;
}

const char *hugepages_text(void)
{
	uint64_t largest = 0;

	rte_memseg_list_walk(page_note, &largest);
	return largest >= RTE_PGSIZE_1G   ? "hugepages of 1 GB"
	       : largest >= RTE_PGSIZE_2M ? "hugepages of 2 MB"
					  : "NO hugepages: pages of 4 KB";
}

void hugepages_start_eal(unsigned cpu, unsigned mib, bool telemetry)
{
	long large = number_read(LARGE "free_hugepages"), wanted = mib / 2 + 8;
	sigset_t all, old;

	wanted = RTE_MAX(wanted - large * LARGE_PAGES, 0L);

	/* Nothing interrupts between the reservation and its end. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	int lock = lock_take();
	long missing = wanted - number_read(POOL "free_hugepages"), before = 0;
	bool reserves = lock >= 0 && missing > 0;
	if (reserves)
		before = pages_add(lock, missing);
	long unused = number_read(POOL "free_hugepages");
	int status = eal_start(cpu, mib, unused >= wanted, telemetry);
	if (reserves)
		pages_put_back(lock, before);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (status < 0)
		rte_exit(EXIT_FAILURE,
			"cannot start the EAL with %u MiB; of %ld hugepages of 2 MB that it takes %ld were "
			"free: end what has the memory, or measure fewer sessions (--sessions)\n",
			mib, wanted, unused);
}
