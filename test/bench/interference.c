/* SPDX-License-Identifier: BSD-3-Clause */
#include "interference.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { USER, NICE, SYSTEM, IDLE, IO_WAIT, INTERRUPT, SOFT_INTERRUPT, STOLEN, KINDS };

/* The times of a CPU, by the order of their columns in /proc/stat; zeros when they cannot be read. */
static void times_read(unsigned cpu, uint64_t t[KINDS])
{
	FILE *file = fopen("/proc/stat", "r");
	char line[512];
	unsigned of;

	memset(t, 0, KINDS * sizeof(t[0]));
	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "cpu%u", &of) == 1 && of == cpu)
			sscanf(line, "cpu%*u %lu %lu %lu %lu %lu %lu %lu %lu", &t[USER], &t[NICE], &t[SYSTEM],
				&t[IDLE], &t[IO_WAIT], &t[INTERRUPT], &t[SOFT_INTERRUPT], &t[STOLEN]);
	fclose(file);
}

uint64_t interference_busy(unsigned cpu)
{
	uint64_t t[KINDS];

	times_read(cpu, t);
	return t[USER] + t[NICE] + t[SYSTEM] + t[INTERRUPT] + t[SOFT_INTERRUPT] + t[STOLEN];
}

static uint64_t stolen_read(unsigned cpu)
{
	uint64_t t[KINDS];

	times_read(cpu, t);
	return t[STOLEN];
}

void interference_read(unsigned cpu, struct interference *now)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	*now = (struct interference){
		.cpu = cpu, .stolen = stolen_read(cpu), .switches = (uint64_t)usage.ru_nivcsw
	};
}

bool interference_since(const struct interference *then)
{
	struct interference now;

	interference_read(then->cpu, &now);
	return now.stolen != then->stolen || now.switches != then->switches;
}

struct interference_watch interference_watch_of(uint32_t measurements)
{
	return (struct interference_watch){ .left = measurements / 4 };
}

void interference_watch_begin(struct interference_watch *watch)
{
	interference_read((unsigned)sched_getcpu(), &watch->before);
}

bool interference_watch_end(struct interference_watch *watch)
{
	bool disturbed = interference_since(&watch->before);

	if (disturbed && watch->left > 0) {
		watch->left--;
		watch->repeated++;
		return false;
	}
	watch->measured++;
	watch->disturbed += disturbed;
	return true;
}
