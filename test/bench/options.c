/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include "series.h"
#include "stage/fast_path_level.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZES_MAX 6
/* Sessions of connections, attacks and lcores. Fewer are no generation of connections; for more there is no memory. */
#define TABLE_MIN 10000u
#define TABLE_MAX 1000000u

/* What is put together when the whole line has been read, in whatever order it says it. */
struct asked {
	char *sessions; /* or NULL */
	bool only, full;
};

static const char usage[] =
	"usage: bench [--quick | --full] [--plot] [--json FILE] [--sessions N[,N ...]] [--rounds N] "
	"[--bursts N]\n"
	"             [--only PART] [--watched] [--isa LEVEL]\n"
	"\n"
	"Cycles a packet of the whole packet path, in process, for a matrix of traffic: up, down, half and "
	"half,\n"
	"segment to segment; 64-byte, IMIX and 1400-byte frames; a thousand to ten million sessions, "
	"uniformly\n"
	"random or Zipf; full and short bursts; packets from the cache or from memory. Beside each figure "
	"the\n"
	"least work that it could be; where the cycles go, stage by stage; new sessions a second; bytes a "
	"session.\n"
	"Rounds in which the CPU was taken away are repeated. As root it reserves hugepages while it "
	"starts.\n"
	"\n"
	"  --quick       fewer and shorter rounds, for a first look\n"
	"  --full        also ten million sessions, which take about 6 GB with their bound\n"
	"  --plot        draw the matrix as build/bench.svg\n"
	"  --json FILE   where the figures go for programs (default build/bench.json)\n"
	"  --sessions    only 64-byte frames up, down and half and half, of so many sessions;\n"
	"                with --only connections, attacks or lcores one number: these with so many\n"
	"  --rounds      how often each is measured, in turn (default 21, at most 99)\n"
	"  --bursts      of 64 packets, a round (default 5000)\n"
	"  --watched     also while all sessions are listed, as by vxgatectl nat show sessions --json\n"
	"  --isa LEVEL   the fast path for this instruction set, not the one that is best for the CPU\n"
	"  --realtime    lcores: take the CPUs from all else meanwhile (SCHED_FIFO, as root)\n"
	"  --only PART   matrix, connections (rates of opening and ending, table capacity), attacks "
	"(floods beside\n"
	"                established sessions, flows chosen against a hash) or lcores (two of them, by "
	"different plans)\n";

static uint32_t number_of(const char *text, uint32_t least, uint32_t most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < least || value > most) {
		fprintf(stderr, "bench: %s: expected one number from %u to %u\n", text, least, most);
		exit(2);
	}
	return (uint32_t)value;
}

static void part_choose(struct options *options, const char *part)
{
	options->matrix = strcmp(part, "matrix") == 0;
	options->connections = strcmp(part, "connections") == 0;
	options->attacks = strcmp(part, "attacks") == 0;
	options->lcores = strcmp(part, "lcores") == 0;
	if (!options->matrix && !options->connections && !options->attacks && !options->lcores) {
		fprintf(stderr, "bench: %s: expected matrix, connections, attacks or lcores\n", part);
		exit(2);
	}
}

static void plain_sessions_read(struct options *options, char *list)
{
	uint32_t sessions[SIZES_MAX], count = 0;

	for (char *item = strtok(list, ","); item != NULL; item = strtok(NULL, ",")) {
		if (count == SIZES_MAX) {
			fprintf(stderr, "bench: at most %u numbers of sessions\n", SIZES_MAX);
			exit(2);
		}
		sessions[count++] = number_of(item, 1000, 10000000);
	}
	options->scenarios = scenarios_plain(options->scenario, sessions, count);
}

static void sessions_read(struct options *options, const struct asked *asked)
{
	if (!asked->only)
		part_choose(options, "matrix");
	if (options->matrix)
		plain_sessions_read(options, asked->sessions);
	else
		options->table = options->lcores_least = number_of(asked->sessions, TABLE_MIN, TABLE_MAX);
}

static void isa_choose(const char *name)
{
	char error[CPU_FLAGS_TEXT_MAX + 64];

	if (fast_path_level_use(name, error, sizeof(error)) < 0) {
		fprintf(stderr, "bench: --isa %s: %s\n", name, error);
		exit(2);
	}
}

static void refuse_when(bool wrong, const char *sentence)
{
	if (!wrong)
		return;
	fprintf(stderr, "bench: %s\n", sentence);
	exit(2);
}

/* What else would be passed over, or be found out when all has been measured. */
static void refuse_in_vain(const struct options *options)
{
	refuse_when(
		options->plot && !options->matrix, "--plot draws the matrix, which is not to be measured");
	refuse_when(options->watched && !options->matrix,
		"--watched is of the matrix, which is not to be measured");
	refuse_when(options->realtime && !options->lcores,
		"--realtime is of lcores, which are not to be measured");
	bool was_there = access(options->json, F_OK) == 0;
	FILE *figures = fopen(options->json, "a");
	if (figures == NULL) {
		fprintf(stderr, "bench: cannot write %s: %s\n", options->json, strerror(errno));
		exit(2);
	}
	fclose(figures);
	if (!was_there)
		unlink(options->json);
}

static void option_take(struct options *options, struct asked *asked, int option)
{
	if (option == 'q') {
		options->rounds = 11;
		options->bursts = 600;
		options->table = 100000;
		options->repeats = 8;
	} else if (option == 'F') {
		asked->full = true;
	} else if (option == 'j') {
		options->json = optarg;
	} else if (option == 'p') {
		options->plot = true;
	} else if (option == 's') {
		asked->sessions = optarg;
	} else if (option == 'w') {
		options->watched = true;
	} else if (option == 'R') {
		options->realtime = true;
	} else if (option == 'i') {
		isa_choose(optarg);
	} else if (option == 'o') {
		asked->only = true;
		part_choose(options, optarg);
	} else if (option == 'r') {
		options->rounds = number_of(optarg, 1, ROUNDS_MAX);
	} else if (option == 'b') {
		options->bursts = number_of(optarg, 100, 10000000);
	} else {
		fputs(usage, option == 'h' ? stdout : stderr);
		exit(option == 'h' ? 0 : 2);
	}
}

void options_read(struct options *options, int argc, char **argv)
{
	static const struct option known[] = { { "quick", no_argument, NULL, 'q' },
		{ "full", no_argument, NULL, 'F' }, { "plot", no_argument, NULL, 'p' },
		{ "json", required_argument, NULL, 'j' }, { "sessions", required_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'r' }, { "bursts", required_argument, NULL, 'b' },
		{ "watched", no_argument, NULL, 'w' }, { "only", required_argument, NULL, 'o' },
		{ "realtime", no_argument, NULL, 'R' }, { "isa", required_argument, NULL, 'i' },
		{ "help", no_argument, NULL, 'h' }, { 0 } };
	struct asked asked = { 0 };
	int option;

	*options = (struct options){ .rounds = 21,
		.bursts = 5000,
		.table = 1000000,
		.lcores_least = 100000,
		.repeats = 2,
		.json = BENCH_BUILD "/bench.json",
		.matrix = true,
		.connections = true,
		.attacks = true,
		.lcores = true };
	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1)
		option_take(options, &asked, option);
	options->scenarios = scenarios_matrix(options->scenario, asked.full);
	if (asked.sessions != NULL)
		sessions_read(options, &asked);
	if (optind < argc || options->scenarios == 0) {
		fputs(usage, stderr);
		exit(2);
	}
	refuse_in_vain(options);
}
