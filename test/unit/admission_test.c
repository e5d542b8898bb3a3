/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/admission.h"
#include <criterion/criterion.h>
#include <string.h>

#define HZ      1000000u
#define WINDOWS 100u /* a second */

static struct admission admission_of(uint32_t a_second)
{
	struct admission admission;

	admission_init(&admission, a_second, WINDOWS, HZ);
	return admission;
}

static unsigned asks(struct admission *admission, unsigned side, uint32_t source, unsigned times)
{
	unsigned served = 0;

	for (unsigned i = 0; i < times; i++)
		served += admission_take(admission, side, source);
	return served;
}

Test(admission, many_sources_together_get_what_there_is_and_no_more)
{
	struct admission admission = admission_of(10000);
	unsigned served = 0;

	for (uint32_t source = 0; source < 200; source++)
		served += asks(&admission, 0, source, 1);
	cr_assert_leq(served, 100);
	cr_assert_geq(served, 90);
}

Test(admission, over_time_as_many_are_served_as_are_earned)
{
	struct admission admission = admission_of(10000);
	unsigned served = 0;

	for (uint32_t now = 0; now < HZ; now += 50) {
		admission_advance(&admission, now, now / (HZ / WINDOWS), now / (HZ / WINDOWS) * 7919);
		served += asks(&admission, 0, 1, 5);
	}
	cr_assert_geq(served, 9900);
	cr_assert_leq(served, 10100);
}

Test(admission, a_source_that_floods_leaves_the_others_their_share)
{
	struct admission admission = admission_of(10000);
	unsigned served = 0;

	for (uint32_t window = 1; window <= 100; window++) {
		admission_advance(
			&admission, (uint64_t)window * (HZ / WINDOWS), window, window * UINT32_C(0x4c957f2d));
		asks(&admission, 0, 1, 10000);
		for (uint32_t source = 2; source < 22; source++)
			served += asks(&admission, 0, source, 1);
	}
	/* A few share the slot of the flood, in each window others. */
	cr_assert_geq(served, 100 * 20 * 95 / 100, "%u of %u", served, 100 * 20);
}

Test(admission, a_flood_with_forged_sources_leaves_the_other_side_its_share)
{
	struct admission admission = admission_of(10000);

	for (uint32_t window = 1; window <= 5; window++) {
		admission_advance(&admission, window * (HZ / WINDOWS), window, window * 7919);
		for (uint32_t source = 0; source < 100000; source++)
			admission_take(&admission, 1, source * 256 + window);
	}
	cr_assert_geq(asks(&admission, 0, 1, 5), 5);
}

Test(admission, what_was_not_used_is_kept_for_one_window_at_most)
{
	struct admission admission = admission_of(1000);
	unsigned served = 0;

	admission_advance(&admission, UINT64_C(100) * HZ, 1, 5);
	for (uint32_t source = 0; source < 100; source++)
		served += asks(&admission, 0, source << 20, 1);
	cr_assert_leq(served, 10);
	cr_assert_geq(served, 8);
}

Test(admission, even_the_lowest_rate_serves_one)
{
	struct admission admission = admission_of(1);

	cr_assert_eq(asks(&admission, 0, 1, 3), 1);
	admission_advance(&admission, HZ, 1, 1);
	cr_assert_eq(asks(&admission, 0, 1, 3), 1);
}

/* Who asks only that, and not for a place, finds what the request itself would, and leaves no trace. */
Test(admission, what_is_refused_without_being_counted_would_be_refused_and_not_counted)
{
	struct admission admission = admission_of(10000);
	unsigned refused = 0;

	for (uint32_t step = 0; step < 20000; step++) {
		uint32_t source = step * UINT32_C(2654435761) >> 29; /* one of eight */

		if (step % 500 == 0)
			admission_advance(&admission, (uint64_t)step * HZ / 20000, step / 500, step);
		struct admission before = admission;
		bool refuses = admission_refuses(&admission, 0, source);
		cr_assert_eq(memcmp(&before, &admission, sizeof(admission)), 0);
		bool served = admission_take(&admission, 0, source);
		bool same = memcmp(&before, &admission, sizeof(admission)) == 0;
		cr_assert(!refuses || (!served && same), "step %u", step);
		refused += refuses;
	}
	cr_assert(refused > 1000 && refused < 20000, "%u", refused);
}
