/* SPDX-License-Identifier: BSD-3-Clause */
#include "attacks.h"

#include "measure.h"
#include "table/fragment_table.h"
#include "table/nat_owner.h"
#include "verdict.h"
#include <rte_debug.h>

/* At least, in percent. */
#define KEPT_MIN          70
#define CHOSEN_MIN        80
#define PORT_REST_SECONDS 250u /* twice as long as a port rests, and a little */

static const struct scenario usual[ATTACK_WAYS] = { { .segments = 1, .way = WAY_UP },
	{ .segments = 1, .way = WAY_DOWN } };

/* False: it was disturbed, and is to be measured again. */
static bool flood_round(
	struct attacks *attacks, enum flood_kind kind, int way, struct subject *subject, uint32_t bursts)
{
	struct measure alone, beside;

	interference_watch_begin(&attacks->watch);
	measure_gateway(subject, &usual[way], bursts, &alone);
	subject->beside = flood_run;
	subject_keep_busy(subject, true);
	measure_gateway(subject, &usual[way], bursts, &beside);
	subject->beside = NULL;
	double flood = flood_take();
	double mixed = flood_mixed(subject, way == WAY_UP ? UP : DOWN, bursts);
	subject_keep_busy(subject, false);
	bool counts = interference_watch_end(&attacks->watch);
	if (counts) {
		series_add(&attacks->flood[kind].alone[way], alone.cycles);
		series_add(&attacks->flood[kind].beside[way], beside.cycles);
		series_add(&attacks->flood[kind].flood[way], flood);
		series_add(&attacks->flood[kind].mixed[way], mixed);
	}
	/* For the next round there is as much room as for this one, and in the cache what was. */
	if (kind == FLOOD_SYN) {
		subject_clear(subject, IPPROTO_TCP);
		subject_time_pass(subject, PORT_REST_SECONDS);
		measure_gateway(subject, &usual[!way], 2 * bursts, &alone);
	}
	return counts;
}

static void flood_measure(struct attacks *attacks, enum flood_kind kind, struct subject *subject,
	uint32_t rounds, uint32_t bursts)
{
	flood_begin(kind);
	for (uint32_t i = 0; i < rounds; i++)
		for (int way = 0; way < ATTACK_WAYS;)
			way += flood_round(attacks, kind, way, subject, bursts);
	flood_end();
}

static void fragments_kept_read(struct attacks *attacks, const struct subject *subject)
{
	const struct fragment_table *table = nat_owner(subject->gateway->plane->nat, 0)->fragments;

	attacks->fragment_datagrams = fragment_table_datagrams(table);
	attacks->fragments_waiting = fragment_table_waiting(table);
	if (attacks->fragment_datagrams > FRAGMENT_DATAGRAMS ||
		attacks->fragments_waiting > FRAGMENT_WAITING_PACKETS)
		rte_exit(EXIT_FAILURE, "the flood of fragments has gone beyond the bounds\n");
}

static struct subject *subject_opened(
	uint32_t sessions, uint32_t room, const struct tuples *tuples, struct rte_mempool *pool)
{
	const struct world_size size = { .max_sessions = sessions + room, .segments = 1, .lasting = true };
	struct subject *subject = subject_create(&size, sessions, tuples, pool);

	subject_open(subject);
	return subject;
}

/* First packets into the table, again: it is emptied, and the ports rest. */
static double subject_open_again(struct subject *subject)
{
	subject_clear(subject, 0);
	subject_time_pass(subject, PORT_REST_SECONDS);
	subject_open(subject);
	return subject->cycles_a_new_session;
}

static void floods_measure(
	struct attacks *attacks, uint32_t rounds, uint32_t bursts, struct rte_mempool *pool)
{
	for (enum flood_kind kind = 0; kind < FLOODS; kind++) {
		uint32_t room = kind == FLOOD_SYN ? attacks->sessions : 0;
		struct subject *subject = subject_opened(attacks->sessions, room, NULL, pool);
		subject_guard(subject);

		fprintf(stderr, "\rflood: %s              ", flood_name[kind]);
		flood_measure(attacks, kind, subject, rounds, bursts);
		if (kind == FLOOD_FRAGMENTS)
			fragments_kept_read(attacks, subject);
		subject_destroy(subject);
	}
}

static void tuples_measure(
	struct attacks *attacks, uint32_t rounds, uint32_t bursts, struct rte_mempool *pool)
{
	struct subject *subject[TUPLE_KINDS];
	struct tuples tuples[TUPLE_KINDS];
	struct measure measure;

	fprintf(stderr, "\rchosen tuples                            ");
	for (enum tuple_kind kind = 0; kind < TUPLE_KINDS; kind++) {
		tuples_make(&tuples[kind], kind);
		subject[kind] = subject_opened(attacks->sessions, 0, &tuples[kind], pool);
	}
	for (uint32_t i = 0; i < rounds; i++)
		for (enum tuple_kind kind = 0; kind < TUPLE_KINDS;) {
			interference_watch_begin(&attacks->watch);
			double cycles = subject_open_again(subject[kind]);
			bool counts = interference_watch_end(&attacks->watch);
			if (counts)
				series_add(&attacks->tuples[kind].new_session, cycles);
			kind += counts;
		}
	for (enum tuple_kind kind = 0; kind < TUPLE_KINDS; kind++)
		subject_guard(subject[kind]);
	for (uint32_t i = 0; i < rounds; i++)
		for (enum tuple_kind kind = 0; kind < TUPLE_KINDS; kind++)
			for (int way = 0; way < ATTACK_WAYS;) {
				interference_watch_begin(&attacks->watch);
				measure_gateway(subject[kind], &usual[way], bursts, &measure);
				bool counts = interference_watch_end(&attacks->watch);
				if (counts)
					series_add(&attacks->tuples[kind].packet[way], measure.cycles);
				way += counts;
			}
	for (enum tuple_kind kind = 0; kind < TUPLE_KINDS; kind++)
		subject_destroy(subject[kind]);
}

void attacks_measure(struct attacks *attacks, uint32_t sessions, uint32_t rounds, uint32_t bursts,
	struct rte_mempool *pool)
{
	*attacks = (struct attacks){ .sessions = sessions,
		.watch = interference_watch_of(
			(FLOODS * ATTACK_WAYS + TUPLE_KINDS * (1 + ATTACK_WAYS)) * rounds) };
	floods_measure(attacks, rounds, bursts, pool);
	tuples_measure(attacks, rounds, bursts, pool);
	fprintf(stderr, "\r                                         \r");
}

/* In percent. */
static double kept(double alone, double beside)
{
	return 100 * alone / beside;
}

/* What the established packets keep, in percent, round by round, of which each has measured all one right after the other: beside these,
 * and these (or NULL). */
static double kept_in_rounds(
	const struct series *alone, const struct series *beside, const struct series *flood)
{
	struct series share = { 0 };

	for (uint32_t i = 0; i < alone->count; i++)
		series_add(&share,
			kept(alone->value[i], beside->value[i] + (flood == NULL ? 0 : flood->value[i])));
	return series_median(&share);
}

/* The largest of those of the three series. */
static double spread_most(const struct attacks *attacks, enum flood_kind kind, int way)
{
	double alone = series_spread(&attacks->flood[kind].alone[way]),
	       beside = series_spread(&attacks->flood[kind].beside[way]),
	       mixed = series_spread(&attacks->flood[kind].mixed[way]);

	return RTE_MAX(alone, RTE_MAX(beside, mixed));
}

static void flood_print(const struct attacks *attacks, enum flood_kind kind, FILE *out)
{
	for (int way = 0; way < ATTACK_WAYS; way++) {
		const struct series *alone = &attacks->flood[kind].alone[way],
				    *beside = &attacks->flood[kind].beside[way],
				    *mixed = &attacks->flood[kind].mixed[way],
				    *of_flood = &attacks->flood[kind].flood[way];

		fprintf(out, "  %-30s %-4s %8.0f %8.0f %8.0f %8.0f %5.0f %% %8.0f %% %8.0f %% %8.0f %%\n",
			flood_name[kind], way_name[way], series_median(alone), series_median(beside),
			series_median(of_flood), series_median(mixed), 100 * spread_most(attacks, kind, way),
			kept_in_rounds(alone, beside, NULL), kept_in_rounds(alone, beside, of_flood),
			kept_in_rounds(alone, mixed, NULL));
	}
}

static void chosen_verdicts_print(
	const struct attacks *attacks, enum tuple_kind kind, const char *name, FILE *out)
{
	char what[64];

	for (int way = 0; way < ATTACK_WAYS; way++) {
		snprintf(what, sizeof(what), "%s, %s, percent kept", name, way_name[way]);
		verdict_print(out, what,
			kept(series_median(&attacks->tuples[TUPLES_RANDOM].packet[way]),
				series_median(&attacks->tuples[kind].packet[way])),
			CHOSEN_MIN, false);
	}
}

/* Of a lcore that is as busy with the flood, in bursts by turns; and of the chosen flows. */
static void verdicts_print(const struct attacks *attacks, FILE *out)
{
	static const enum flood_kind asked[] = { FLOOD_SYN, FLOOD_SYN_FULL, FLOOD_SYN_OUTSIDE };
	char what[64];

	for (size_t i = 0; i < RTE_DIM(asked); i++)
		for (int way = 0; way < ATTACK_WAYS; way++) {
			snprintf(what, sizeof(what), "%s, %s, percent kept", flood_name[asked[i]],
				way_name[way]);
			verdict_print(out, what,
				kept_in_rounds(&attacks->flood[asked[i]].alone[way],
					&attacks->flood[asked[i]].beside[way],
					&attacks->flood[asked[i]].flood[way]),
				KEPT_MIN, false);
		}
	chosen_verdicts_print(attacks, TUPLES_CRC, "flows chosen against a hash", out);
	chosen_verdicts_print(attacks, TUPLES_SOCKETS, "flows of sockets that have 16", out);
}

void attacks_print(const struct attacks *attacks, FILE *out)
{
	fprintf(out,
		"\nfloods beside %u sessions: cycles an established packet alone and beside as many packets "
		"of the flood\n(in bursts by turns), one of these, and one of each in mixed bursts; the "
		"throughput kept by an lcore that has time\nfor both, by one that is busy with both, and by "
		"that with mixed bursts\n",
		attacks->sessions);
	fprintf(out, "  %-30s %-4s %8s %8s %8s %8s %7s %10s %10s %10s\n", "", "", "alone", "beside", "flood",
		"mixed", "+-", "kept", "busy", "mixed");
	for (enum flood_kind kind = 0; kind < FLOODS; kind++)
		flood_print(attacks, kind, out);
	fprintf(out,
		"  no established packet was lost; of the fragments, %u datagrams are known (at most %u) and "
		"%u packets wait (at most %u)\n",
		attacks->fragment_datagrams, FRAGMENT_DATAGRAMS, attacks->fragments_waiting,
		FRAGMENT_WAITING_PACKETS);
	fprintf(out,
		"\nchosen flows, %u sessions: cycles, and the throughput against random ones (of which one "
		"in 33 shares its endpoint\n"
		"inside with an earlier one)\n",
		attacks->sessions);
	for (enum tuple_kind kind = 0; kind < TUPLE_KINDS; kind++) {
		fprintf(out, "  %-12s", tuple_kind_name[kind]);
		for (int way = 0; way < ATTACK_WAYS; way++)
			fprintf(out, "  %4s %6.0f +-%3.0f %% (%3.0f %%)", way_name[way],
				series_median(&attacks->tuples[kind].packet[way]),
				100 * series_spread(&attacks->tuples[kind].packet[way]),
				kept(series_median(&attacks->tuples[TUPLES_RANDOM].packet[way]),
					series_median(&attacks->tuples[kind].packet[way])));
		fprintf(out, "  new session %6.0f +-%3.0f %% (%3.0f %%)\n",
			series_median(&attacks->tuples[kind].new_session),
			100 * series_spread(&attacks->tuples[kind].new_session),
			kept(series_median(&attacks->tuples[TUPLES_RANDOM].new_session),
				series_median(&attacks->tuples[kind].new_session)));
	}
	fputc('\n', out);
	verdicts_print(attacks, out);
	fprintf(out, "  interference: %u of %u measurements were made again, %u stayed disturbed\n",
		attacks->watch.repeated, attacks->watch.measured + attacks->watch.repeated,
		attacks->watch.disturbed);
}

void attacks_write_json(const struct attacks *attacks, FILE *out)
{
	fprintf(out, "\"attacks\": { \"sessions\": %u, \"floods\": [", attacks->sessions);
	for (enum flood_kind kind = 0; kind < FLOODS; kind++)
		for (int way = 0; way < ATTACK_WAYS; way++)
			fprintf(out,
				"%s\n    { \"flood\": \"%s\", \"direction\": \"%s\", \"alone\": %.1f, "
				"\"beside\": %.1f, \"flood_cycles\": %.1f, \"mixed\": %.1f, \"spread\": %.3f "
				"}",
				kind || way ? "," : "", flood_key[kind], way_name[way],
				series_median(&attacks->flood[kind].alone[way]),
				series_median(&attacks->flood[kind].beside[way]),
				series_median(&attacks->flood[kind].flood[way]),
				series_median(&attacks->flood[kind].mixed[way]),
				spread_most(attacks, kind, way));
	fprintf(out, " ],\n  \"tuples\": [");
	for (enum tuple_kind kind = 0; kind < TUPLE_KINDS; kind++)
		fprintf(out,
			"%s\n    { \"tuples\": \"%s\", \"up\": %.1f, \"down\": %.1f, \"new_session\": %.0f }",
			kind ? "," : "", tuple_kind_name[kind],
			series_median(&attacks->tuples[kind].packet[WAY_UP]),
			series_median(&attacks->tuples[kind].packet[WAY_DOWN]),
			series_median(&attacks->tuples[kind].new_session));
	fprintf(out, " ],\n  \"repeated\": %u, \"disturbed\": %u }", attacks->watch.repeated,
		attacks->watch.disturbed);
}
