/* SPDX-License-Identifier: BSD-3-Clause */
/* The speed of the packet path: the real pipeline of one packet lcore, in this process and on this thread, against the
 * least work that could be called the gateway's (speed_of_light.c), measured in turn.
 *
 * Packets are written into a small hot pool before the clock starts, as a NIC writes them into the last-level cache;
 * only the gateway's turn is timed, burst by burst in TSC cycles. The median burst of each round is taken, and of the
 * rounds the median again, so that what else runs on the machine moves the figures little. */
#include "flooded.h"
#include "hugepages.h"
#include "report.h"
#include "watched.h"

#include <getopt.h>
#include <rte_debug.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

struct options {
	uint32_t rounds, bursts;
	uint32_t sizes, sessions[SIZES_MAX];
	bool watched, flooded;
	const char *json;
};

static const char usage[] =
	"usage: bench [--quick] [--json FILE] [--sessions N[,N ...]] [--rounds N] [--bursts N] [--watched] "
	"[--flooded]\n"
	"\n"
	"Cycles a packet of the whole packet path, in both directions, for 64-byte frames of sessions taken "
	"uniformly\n"
	"at random; where they go, stage by stage; new sessions a second; bytes a session; and the ratio to "
	"the least\n"
	"work that it could be. As root it reserves hugepages while it starts.\n"
	"\n"
	"  --quick       fewer rounds, for a first look\n"
	"  --json FILE   also write the figures there\n"
	"  --watched     also while all sessions are listed, as by vxgatectl nat show sessions --json\n"
	"  --flooded     also beside a flood of fragments that stay incomplete\n"
	"  --sessions    numbers of sessions (default 1000,100000,1000000)\n"
	"  --rounds      how often each is measured, in turn (default 21, at most 99)\n"
	"  --bursts      of 64 packets, a round (default 5000)\n";

static uint32_t number_of(const char *text, uint32_t least, uint32_t most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < least || value > most) {
		fprintf(stderr, "bench: %s: expected a number from %u to %u\n", text, least, most);
		exit(2);
	}
	return (uint32_t)value;
}

static void sizes_read(struct options *options, char *list)
{
	options->sizes = 0;
	for (char *item = strtok(list, ","); item != NULL; item = strtok(NULL, ",")) {
		if (options->sizes == SIZES_MAX) {
			fprintf(stderr, "bench: at most %u numbers of sessions\n", SIZES_MAX);
			exit(2);
		}
		options->sessions[options->sizes++] = number_of(item, 1000, 4000000);
	}
}

static struct options options_read(int argc, char **argv)
{
	static const struct option known[] = { { "quick", no_argument, NULL, 'q' },
		{ "json", required_argument, NULL, 'j' }, { "sessions", required_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'r' }, { "bursts", required_argument, NULL, 'b' },
		{ "watched", no_argument, NULL, 'w' }, { "flooded", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' }, { 0 } };
	struct options options = {
		.rounds = 21, .bursts = 5000, .sizes = 3, .sessions = { 1000, 100000, 1000000 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		if (option == 'q') {
			options.rounds = 7;
			options.bursts = 2500;
		} else if (option == 'j') {
			options.json = optarg;
		} else if (option == 's') {
			sizes_read(&options, optarg);
		} else if (option == 'w') {
			options.watched = true;
		} else if (option == 'f') {
			options.flooded = true;
		} else if (option == 'r') {
			options.rounds = number_of(optarg, 1, ROUNDS_MAX);
		} else if (option == 'b') {
			options.bursts = number_of(optarg, 100, 10000000);
		} else {
			fputs(usage, option == 'h' ? stdout : stderr);
			exit(option == 'h' ? 0 : 2);
		}
	}
	if (optind < argc || options.sizes == 0) {
		fputs(usage, stderr);
		exit(2);
	}
	return options;
}

/* The last CPU that we may use: the first one has the interrupts on many machines. */
static unsigned cpu_choose(void)
{
	unsigned last = 0;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &set))
				last = cpu;
	return last;
}

/* What the tables of all sizes take together, gateway and bound, and as much again for what is beside them. */
static unsigned memory_needed(const struct options *options)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < options->sizes; i++)
		bytes += (uint64_t)options->sessions[i] * (256 + 2 * 4 * 64) + (UINT64_C(160) << 20);
	return (unsigned)(bytes >> 20) + 64;
}

static void round_run(
	struct subject *subject, struct result *result, enum direction direction, uint32_t bursts)
{
	struct measure measure;
	double bound = subject_measure_bound(subject, direction, bursts);

	subject_measure(subject, direction, bursts, &measure);
	series_add(&result->bound, bound);
	series_add(&result->whole, measure.cycles);
	series_add(&result->ratio, measure.cycles / bound);
	for (int part = 0; part < PARTS; part++)
		series_add(&result->part[part], measure.part[part]);
}

static void measure_all(const struct options *options, struct subject **subject, struct report *report)
{
	for (uint32_t round = 0; round < options->rounds; round++) {
		fprintf(stderr, "\rround %u of %u ", round + 1, options->rounds);
		for (uint32_t size = 0; size < options->sizes; size++)
			for (int d = 0; d < DIRECTIONS; d++)
				round_run(subject[size], &report->result[size][d], (enum direction)d,
					options->bursts);
		series_add(&report->devices, subject_measure_devices(subject[0], options->bursts));
	}
	fprintf(stderr, "\r                  \r");
}

int main(int argc, char **argv)
{
	struct options options = options_read(argc, argv);
	struct report *report = calloc(1, sizeof(*report));
	struct subject *subject[SIZES_MAX];
	int status = 0;

	if (report == NULL)
		return 1;
	report->cpu = cpu_choose();
	report->hugepages = hugepages_start_eal(report->cpu, memory_needed(&options), options.watched);
	gateway_eal_started = true;
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"hot", 4095, 256, PACKET_PRIVATE_SIZE, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (pool == NULL)
		rte_exit(EXIT_FAILURE, "no memory for packets\n");
	report->sizes = options.sizes;
	report->bursts = options.bursts;
	for (uint32_t size = 0; size < options.sizes; size++) {
		report->sessions[size] = options.sessions[size];
		fprintf(stderr, "\ropening %u sessions   ", options.sessions[size]);
		subject[size] = subject_create(options.sessions[size], pool);
		report->cycles_a_new_session[size] = subject[size]->cycles_a_new_session;
		report->bytes_a_session[size] = subject[size]->bytes_a_session;
	}
	measure_all(&options, subject, report);
	for (uint32_t size = 0; options.watched && size < options.sizes; size++)
		watched_measure(subject[size], options.rounds, options.bursts, stdout);
	for (uint32_t size = 0; options.flooded && size < options.sizes; size++)
		flooded_measure(subject[size], options.rounds, options.bursts, stdout);
	for (uint32_t size = 0; size < options.sizes; size++) {
		report->packets += subject[size]->packets;
		report->checked += subject[size]->checked;
		subject_destroy(subject[size]);
	}
	report_print(report, stdout);
	if (options.json != NULL && (status = report_write_json(report, options.json)) < 0)
		fprintf(stderr, "bench: cannot write %s: %s\n", options.json, strerror(-status));
	free(report);
	return status < 0;
}
