/* SPDX-License-Identifier: BSD-3-Clause */
#include "hugepages.h"

#include <rte_common.h>
#include <rte_debug.h>
#include <rte_eal.h>
#include <rte_memory.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define POOL        "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define LARGE       "/sys/kernel/mm/hugepages/hugepages-1048576kB/" /* of 1 GB: used when there are free ones */
#define LARGE_PAGES 512                                             /* of POOL in one of LARGE */

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
	long before = number_read(POOL "nr_hugepages"), unused = number_read(POOL "free_hugepages");
	long large = number_read(LARGE "free_hugepages"), wanted = mib / 2 + 8;
	sigset_t all, old;

	wanted = RTE_MAX(wanted - large * LARGE_PAGES, 0L);

	/* Nothing interrupts between the reservation and its end. Pages in use stay with us, as surplus. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	bool reserved = unused < wanted && number_write(POOL "nr_hugepages", before + wanted - unused);
	bool huge = number_read(POOL "free_hugepages") >= wanted;
	int status = eal_start(cpu, mib, huge, telemetry);
	if (reserved)
		number_write(POOL "nr_hugepages", before);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (status < 0)
		rte_exit(EXIT_FAILURE, "cannot start the EAL with %u MiB\n", mib);
}
