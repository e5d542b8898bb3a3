/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcores.h"

#include "table/nat_owner.h"
#include "team.h"
#include <rte_debug.h>
#include <stdlib.h>
#include <string.h>

#define BATCHES_A   16u /* a part of the bursts of a round, as each row is a world of its own */
#define BATCHES_MIN 20u
#define REPEATS_MAX 2u /* of one measurement */

#define BIT(stage)   (1u << STAGE_##stage)
#define ALL          ((1u << STAGES) - 1)
#define BEFORE_ROUTE (BIT(CLASSIFY) | BIT(VXLAN_DECAP) | BIT(MAC_LEARN))
#define BEFORE_NAT   (BEFORE_ROUTE | BIT(ROUTE) | BIT(NAT_HANDOFF))
#define UP_TO_NAT    (BEFORE_NAT | BIT(NAT_GATEWAY))

static const struct gateway_shape one = { 1, 1, 1, { ALL } }, two = { 2, 2, 2, { ALL, ALL } },
				  split_decap = { 2, 1, 1, { BEFORE_ROUTE, ALL & ~BEFORE_ROUTE } },
				  split_route = { 2, 1, 1, { BEFORE_NAT, ALL & ~BEFORE_NAT } },
				  split_nat = { 2, 1, 1, { UP_TO_NAT, ALL & ~UP_TO_NAT } };

enum world_number { ONE, TWO, SPLIT_DECAP, SPLIT_ROUTE, SPLIT_NAT, HALF, OTHER_HALF, WORLDS };
static const struct {
	const struct gateway_shape *shape;
	uint32_t parts; /* of the sessions */
} world_kind[WORLDS] = { [ONE] = { &one, 1 },
	[TWO] = { &two, 1 },
	[SPLIT_DECAP] = { &split_decap, 1 },
	[SPLIT_ROUTE] = { &split_route, 1 },
	[SPLIT_NAT] = { &split_nat, 1 },
	[HALF] = { &one, 2 },
	[OTHER_HALF] = { &one, 2 } };

struct stand { /* all that is measured in turn, of one number of sessions */
	struct subject *subject[WORLDS];
	struct traffic *bound_traffic;
	struct speed_of_light *bound[LANES_MAX]; /* with all sessions, of which two use half each */
	struct team team[LCORES_ROWS];
};

static struct subject *subject_make(enum world_number number, uint32_t sessions, struct rte_mempool *pool)
{
	uint32_t flows = sessions / world_kind[number].parts;
	/* Hosts are spread over the owners by chance, so that one has some more than the other. */
	const struct world_size size = { .max_sessions = flows + flows / 8,
		.segments = 1,
		.lasting = true,
		.shape = world_kind[number].shape,
		.room = TEAM_PACKETS };
	struct subject *subject = subject_create(&size, flows, NULL, pool);

	subject_open(subject);
	return subject;
}

static void bounds_make(struct stand *stand, uint32_t sessions)
{
	stand->bound_traffic = traffic_create(sessions, 1, NULL);
	traffic_number_outside(stand->bound_traffic);
	for (uint32_t i = 0; i < LANES_MAX; i++)
		stand->bound[i] = speed_of_light_create(stand->bound_traffic);
}

static void owners_find(const struct subject *subject, uint8_t owner[WORKLOADS])
{
	for (uint32_t i = 0; i < WORKLOADS; i++)
		owner[i] = (uint8_t)nat_owner_of_inside(
			subject->gateway->plane->nat, 0, traffic_workload_ip(subject->traffic, i));
}

static void teams_make(struct stand *stand, uint32_t sessions)
{
	uint8_t owner[WORKLOADS];
	struct team *team = stand->team;

	owners_find(stand->subject[TWO], owner);
	team_add_lcore(&team[LCORES_ONE], stand->subject[ONE], 0, NULL);
	team_add_lcore(&team[LCORES_ONE_STAGES], stand->subject[ONE], 0, NULL);
	for (uint16_t i = 0; i < LANES_MAX; i++) {
		team_add_lcore(&team[LCORES_STEERED], stand->subject[TWO], i, owner);
		team_add_lcore(&team[LCORES_SCATTERED], stand->subject[TWO], i, NULL);
		for (int cut = 0; cut <= SPLIT_NAT - SPLIT_DECAP; cut++)
			team_add_lcore(
				&team[LCORES_SPLIT_DECAP + cut], stand->subject[SPLIT_DECAP + cut], i, NULL);
		team_add_lcore(&team[LCORES_APART], stand->subject[HALF + i], 0, NULL);
		team_add_bound(&team[LCORES_BOUND_TWO], stand->bound[i], stand->bound_traffic, sessions / 2);
		team_add_bound(
			&team[LCORES_BOUND_SWAPPED], stand->bound[i], stand->bound_traffic, sessions / 2)
			->swaps = true;
	}
	team_add_bound(&team[LCORES_BOUND_ONE], stand->bound[0], stand->bound_traffic, sessions);
}

static struct stand *stand_make(uint32_t sessions, struct rte_mempool *pool)
{
	struct stand *stand = calloc(1, sizeof(*stand));

	if (stand == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	for (int i = 0; i < WORLDS; i++) {
		fprintf(stderr, "\ropening %u sessions, %d of %d   ", sessions, i + 1, WORLDS);
		stand->subject[i] = subject_make((enum world_number)i, sessions, pool);
	}
	bounds_make(stand, sessions);
	teams_make(stand, sessions);
	return stand;
}

static void stand_free(struct stand *stand)
{
	for (int i = 0; i < WORLDS; i++)
		subject_destroy(stand->subject[i]);
	for (uint32_t i = 0; i < LANES_MAX; i++)
		speed_of_light_free(stand->bound[i]);
	traffic_free(stand->bound_traffic);
	free(stand);
}

static double row_measure(
	struct lcores *lcores, struct stand *stand, struct crew *crew, enum way way, enum lcores_row row)
{
	struct lcore_context *context = stand->subject[ONE]->gateway->path->context[0];
	uint32_t again = 0;
	double cycles;

	context->fast = row != LCORES_ONE_STAGES;
	while (!team_measure(crew, &stand->team[row], way, lcores->batches, &cycles)) {
		if (again++ == REPEATS_MAX || lcores->repeated >= lcores->repeats_most) {
			lcores->disturbed++;
			break;
		}
		lcores->repeated++;
	}
	return cycles;
}

static void round_measure(
	struct lcores *lcores, struct stand *stand, struct crew *crew, uint32_t size, enum way way)
{
	double cycles[LCORES_ROWS];

	for (enum lcores_row row = 0; row < LCORES_ROWS; row++) {
		cycles[row] = row_measure(lcores, stand, crew, way, row);
		series_add(&lcores->row[size][way][row].cycles, cycles[row]);
	}
	for (enum lcores_row row = 0; row < LCORES_ROWS; row++)
		series_add(&lcores->row[size][way][row].times,
			cycles[row >= LCORES_BOUND_ONE ? LCORES_BOUND_ONE : LCORES_ONE] / cycles[row]);
}

void lcores_measure(
	struct lcores *lcores, const struct options *options, const unsigned cpu[2], struct rte_mempool *pool)
{
	struct crew *crew = crew_create(cpu, options->realtime, pool);

	lcores->sessions[lcores->sizes++] = options->lcores_least;
	if (options->table > options->lcores_least)
		lcores->sessions[lcores->sizes++] = options->table;
	lcores->rounds = options->rounds;
	lcores->repeats_most = lcores->rounds * lcores->sizes * LCORES_WAYS * LCORES_ROWS / 2;
	lcores->batches = RTE_MAX(options->bursts / BATCHES_A, BATCHES_MIN);
	memcpy(lcores->cpu, cpu, sizeof(lcores->cpu));
	for (uint32_t size = 0; size < lcores->sizes; size++) {
		struct stand *stand = stand_make(lcores->sessions[size], pool);

		for (uint32_t round = 0; round < lcores->rounds; round++) {
			fprintf(stderr, "\rround %u of %u               ", round + 1, lcores->rounds);
			for (enum way way = WAY_UP; way <= WAY_BOTH; way++)
				round_measure(lcores, stand, crew, size, way);
		}
		stand_free(stand);
	}
	fprintf(stderr, "\r                              \r");
	lcores->packets = crew->packets;
	lcores->checked = crew->checked;
	crew_free(crew);
}

unsigned lcores_memory_mib(const struct options *options)
{
	uint64_t sessions = RTE_MAX(options->table, options->lcores_least);

	return (unsigned)(512 + WORLDS * (160 + (sessions * 160 >> 20)) +
			  (rte_align32pow2((uint32_t)(2 * sessions)) * UINT64_C(2 * LANES_MAX * 64) >> 20));
}
