/* SPDX-License-Identifier: BSD-3-Clause */
/* The speed of the packet path: the real pipeline of one packet lcore, in this process and on this thread, against the
 * least work that could be called the gateway's (speed_of_light.c), measured in turn.
 *
 * Packets are written into a small hot pool before the clock starts, as a NIC writes them into the last-level cache;
 * only the gateway's turn is timed, burst by burst in TSC cycles. The median burst of each round is taken, and of the
 * rounds the median again, so that what else runs on the machine moves the figures little. A round in which the CPU was
 * taken away from us is measured again. */
#include "hugepages.h"
#include "interference.h"
#include "options.h"
#include "report.h"
#include "stamp.h"
#include "team.h"
#include "watched.h"

#include <errno.h>
#include <rte_debug.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPEATS_MAX 2u /* of one round, and of all as many as half of the rounds */
#define POOL_SIZE   4095u
#define MEMORY_MIN  1536u /* MiB: five tables of a million sessions for the other parts */

struct bench {
	struct options options;
	struct report report;
	struct subject *subject[WORLDS_MAX]; /* by report.opened */
	unsigned cpu[LANES_MAX];
	uint16_t cpus;
};

/* The last CPUs that we may use, the very last first: the first one has the interrupts on many machines. How many, at
 * most LANES_MAX; without any, the first one is tried. */
static uint16_t cpus_choose(unsigned cpus[LANES_MAX])
{
	uint16_t count = 0;
	cpu_set_t set;

	cpus[0] = 0;
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		for (unsigned cpu = CPU_SETSIZE; cpu-- > 0 && count < LANES_MAX;)
			if (CPU_ISSET(cpu, &set))
				cpus[count++] = cpu;
	return count;
}

/* Without a CPU for each, two lcores are left out. False: then there is nothing to measure. */
static bool lcores_have_cpus(struct bench *bench)
{
	struct options *options = &bench->options;

	if (!options->lcores || bench->cpus == LANES_MAX)
		return true;
	fprintf(stderr, "bench: two lcores are not measured: the process may use one CPU alone\n");
	options->lcores = false;
	return options->matrix || options->connections || options->attacks;
}

/* A row for each scenario; a world for each number of sessions and segments. */
static void rows_make(struct bench *bench)
{
	struct report *report = &bench->report;

	for (uint32_t i = 0; i < bench->options.scenarios; i++) {
		const struct scenario *scenario = &bench->options.scenario[i];
		uint32_t world = 0;

		report->row[report->rows++].scenario = *scenario;
		while (world < report->worlds &&
			(report->opened[world].sessions != scenario->sessions ||
				report->opened[world].segments != scenario->segments))
			world++;
		if (world == WORLDS_MAX)
			rte_exit(EXIT_FAILURE, "too many different numbers of sessions and segments\n");
		if (world < report->worlds)
			continue;
		report->opened[report->worlds++] =
			(struct opened){ .sessions = scenario->sessions, .segments = scenario->segments };
	}
}

/* What the tables of all worlds take together, gateway and bound, and as much again for what is beside them. */
static unsigned memory_needed(const struct report *report, const struct options *options)
{
	uint64_t bytes = UINT64_C(320) << 20;

	for (uint32_t i = 0; i < report->worlds; i++)
		bytes += report->opened[i].sessions * UINT64_C(160) +
			 rte_align32pow2(2 * report->opened[i].sessions) * UINT64_C(2 * 64) +
			 (UINT64_C(192) << 20);
	unsigned others = options->lcores ? lcores_memory_mib(options) : MEMORY_MIN;
	return RTE_MAX((unsigned)(bytes >> 20), RTE_MAX(others, MEMORY_MIN));
}

static void worlds_make(struct bench *bench, struct rte_mempool *pool)
{
	for (uint32_t i = 0; i < bench->report.worlds; i++) {
		struct opened *opened = &bench->report.opened[i];

		fprintf(stderr, "\ropening %u sessions   ", opened->sessions);
		const struct world_size size = {
			.max_sessions = opened->sessions, .segments = opened->segments, .lasting = true
		};
		bench->subject[i] = subject_create(&size, opened->sessions, NULL, pool);
		subject_open(bench->subject[i]);
		subject_guard(bench->subject[i]);
		subject_add_bound(bench->subject[i]);
		opened->cycles_a_new_session = bench->subject[i]->cycles_a_new_session;
		opened->bytes_a_session = bench->subject[i]->bytes_a_session;
	}
}

static struct subject *subject_of(const struct bench *bench, const struct scenario *scenario)
{
	uint32_t i = 0;

	while (bench->report.opened[i].sessions != scenario->sessions ||
		bench->report.opened[i].segments != scenario->segments)
		i++;
	return bench->subject[i];
}

static bool round_run(struct bench *bench, struct row *row, bool last_try)
{
	struct subject *subject = subject_of(bench, &row->scenario);
	uint32_t bursts = bench->options.bursts;
	bool has_bound = scenario_has_bound(&row->scenario);
	struct interference before;
	struct measure measure;

	interference_read(bench->report.cpu, &before);
	double bound = has_bound ? measure_bound(subject, &row->scenario, bursts) : 0;
	measure_gateway(subject, &row->scenario, bursts, &measure);
	bool disturbed = interference_since(&before);
	if (disturbed && !last_try)
		return false;
	bench->report.disturbed += disturbed;
	series_add(&row->whole, measure.cycles);
	for (int part = 0; part < PARTS; part++)
		series_add(&row->part[part], measure.part[part]);
	if (has_bound) {
		series_add(&row->bound, bound);
		series_add(&row->ratio, measure.cycles / bound);
	}
	return true;
}

static void matrix_measure(struct bench *bench)
{
	struct report *report = &bench->report;
	uint32_t repeats_most = bench->options.rounds * report->rows / bench->options.repeats;

	for (uint32_t round = 0; round < bench->options.rounds; round++) {
		fprintf(stderr, "\rround %u of %u            ", round + 1, bench->options.rounds);
		for (uint32_t i = 0; i < report->rows; i++) {
			uint32_t again = 0;
			while (!round_run(bench, &report->row[i],
				again == REPEATS_MAX || report->repeated == repeats_most)) {
				again++;
				report->repeated++;
			}
		}
		series_add(&report->devices, measure_devices(bench->subject[0], bench->options.bursts));
	}
	fprintf(stderr, "\r                         \r");
}

static void watched_measure_all(struct bench *bench)
{
	const struct options *options = &bench->options;

	for (uint32_t i = 0; i < bench->report.worlds; i++) {
		if (options->watched && bench->report.opened[i].segments == 1)
			watched_measure(bench->subject[i], options->rounds, options->bursts, stdout);
	}
}

static void latencies_measure(struct bench *bench)
{
	for (enum way way = WAY_UP; way <= WAY_DOWN; way++) {
		const struct row *row = report_plain(&bench->report, way);

		if (row != NULL)
			latency_measure(subject_of(bench, &row->scenario), way, series_median(&row->whole),
				bench->report.cpu, &bench->report.latency[way]);
	}
}

static void matrix_run(struct bench *bench, struct rte_mempool *pool)
{
	struct report *report = &bench->report;

	worlds_make(bench, pool);
	machine_measure(&report->machine, bench->subject[0]->gateway);
	matrix_measure(bench);
	latencies_measure(bench);
	watched_measure_all(bench);
	for (uint32_t i = 0; i < report->worlds; i++) {
		report->packets += bench->subject[i]->packets;
		report->checked += bench->subject[i]->checked;
		subject_destroy(bench->subject[i]);
	}
}

static void parts_run(struct bench *bench, struct rte_mempool *pool)
{
	const struct options *options = &bench->options;
	struct report *report = &bench->report;

	if (options->matrix)
		matrix_run(bench, pool);
	if (options->connections)
		rates_measure(&report->rates, options->table, options->rounds, options->bursts, pool);
	if (options->attacks)
		attacks_measure(&report->attacks, options->table, options->rounds, options->bursts, pool);
	if (options->lcores)
		lcores_measure(&report->lcores, options, bench->cpu, pool);
	report->has_lcores = options->lcores;
	report->has_rates = options->connections;
	report->has_attacks = options->attacks;
}

/* Takes the place of this process; returns -errno when it cannot. */
static int plot(const char *figures)
{
	fflush(NULL);
	execlp("python3", "python3", BENCH_SOURCE "/plot.py", figures, BENCH_BUILD "/bench.svg", NULL);
	int status = -errno;
	fprintf(stderr, "bench: cannot start python3: %s\n", strerror(-status));
	return status;
}

int main(int argc, char **argv)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	int status = 0;

	if (bench == NULL)
		return 1;
	options_read(&bench->options, argc, argv);
	struct report *report = &bench->report;
	if (bench->options.matrix)
		rows_make(bench);
	report->rounds = bench->options.rounds;
	report->bursts = bench->options.bursts;
	bench->cpus = cpus_choose(bench->cpu);
	report->cpu = bench->cpu[0];
	if (!lcores_have_cpus(bench))
		return 1;
	hugepages_start_eal(report->cpu, memory_needed(report, &bench->options), bench->options.watched);
	gateway_eal_started = true;
	stamp_calibrate();
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"hot", POOL_SIZE, 256, PACKET_PRIVATE_SIZE, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (pool == NULL)
		rte_exit(EXIT_FAILURE, "no memory for packets\n");
	parts_run(bench, pool);
	report_print(report, stdout);
	status = report_write_json(report, bench->options.json);
	if (status < 0)
		fprintf(stderr, "bench: cannot write %s: %s\n", bench->options.json, strerror(-status));
	else if (bench->options.plot)
		status = plot(bench->options.json);
	free(bench);
	return status < 0;
}
