/* SPDX-License-Identifier: BSD-3-Clause */
#include "interference.h"

#include <stdio.h>
#include <sys/resource.h>

static uint64_t stolen_read(unsigned cpu)
{
	FILE *file = fopen("/proc/stat", "r");
	uint64_t stolen = 0, value;
	char line[512];
	unsigned of;

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "cpu%u %*u %*u %*u %*u %*u %*u %*u %lu", &of, &value) == 2 && of == cpu)
			stolen = value;
	fclose(file);
	return stolen;
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
