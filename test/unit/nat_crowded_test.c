/* SPDX-License-Identifier: BSD-3-Clause */
/* Which endpoints are taken for crowded after what their packets turned out to be. */
#include "table/nat_crowded.h"
#include <criterion/criterion.h>
#include <stdlib.h>

#define PLACE UINT64_C(0x5550000000000000) /* one of the places: hashes that begin so */
#define HOST  (PLACE | UINT64_C(0x12380000ffff))
#define OTHER (PLACE | UINT64_C(0x1240000000ff))

static struct nat_crowded crowded;

static void learn(uint64_t hash, bool by_flow, int times)
{
	while (times-- > 0)
		nat_crowded_learn(&crowded, hash, by_flow);
}

Test(nat_crowded, four_wrong_guesses_make_an_endpoint_crowded)
{
	cr_assert_not(nat_crowded_is(&crowded, HOST));
	learn(HOST, true, 3);
	cr_assert_not(nat_crowded_is(&crowded, HOST));
	cr_assert_eq(crowded.count, 0);
	learn(HOST, true, 1);
	cr_assert(nat_crowded_is(&crowded, HOST));
	cr_assert_eq(crowded.count, 1);
	cr_assert_not(nat_crowded_is(&crowded, OTHER), "only its place is the same");
}

Test(nat_crowded, one_wrong_guess_the_other_way_ends_that)
{
	learn(HOST, true, 9);
	learn(HOST, false, 1);
	cr_assert_not(nat_crowded_is(&crowded, HOST));
	cr_assert_eq(crowded.count, 0);
	learn(HOST, true, 3);
	cr_assert_not(nat_crowded_is(&crowded, HOST), "from the beginning");
	learn(HOST, true, 1);
	cr_assert(nat_crowded_is(&crowded, HOST));
}

Test(nat_crowded, an_endpoint_at_the_same_place_does_not_drive_it_out_at_once)
{
	learn(HOST, true, 4);
	learn(OTHER, false, 9);
	learn(OTHER, true, 3);
	cr_assert(nat_crowded_is(&crowded, HOST));
	learn(HOST, true, 1);
	learn(OTHER, true, 3);
	cr_assert(nat_crowded_is(&crowded, HOST), "it was met meanwhile");
	learn(OTHER, true, 1);
	cr_assert_not(nat_crowded_is(&crowded, HOST));
	cr_assert_eq(crowded.count, 0);
	learn(OTHER, true, 3 + 4);
	cr_assert(nat_crowded_is(&crowded, OTHER));
	cr_assert_not(nat_crowded_is(&crowded, HOST));
}

/* By which it is known whether anybody has to be asked for. Hashes of all tags and few places, so that they meet. */
Test(nat_crowded, the_sure_ones_are_counted)
{
	srand(1);
	for (int step = 0; step < 200000; step++) {
		uint64_t hash = (uint64_t)(rand() % 64) << 52 | (uint64_t)(rand() % 4) << 45 | 7;
		uint32_t sure = 0;

		learn(hash, rand() % 8 != 0, rand() % 4);
		if (step % 100 != 0)
			continue;
		for (size_t i = 0; i < 1u << NAT_CROWDED_BITS; i++)
			sure += (crowded.entry[i] & NAT_CROWDED_MOST) >= NAT_CROWDED_SURE;
		cr_assert_eq(crowded.count, sure);
	}
	cr_assert_gt(crowded.count, 8);
}
