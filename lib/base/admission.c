/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/admission.h"
#include <stddef.h>
#include <string.h>

#define LOT_MAX       16u
#define LOTS_A_BUCKET 8u

/* The more requests, the fuller the bucket must be: all of it for ADMISSION_OFTEN. */
static void patience_set(struct admission *admission)
{
	uint64_t full = (uint64_t)admission->tokens * (ADMISSION_OFTEN + 1);

	admission->patience = (uint32_t)((full + admission->depth - 1) / admission->depth);
	admission->deaf = admission->patience > ADMISSION_OFTEN ? admission->patience : ADMISSION_OFTEN;
}

void admission_spend(struct admission *admission)
{
	admission->tokens--;
	patience_set(admission);
}

void admission_init(
	struct admission *admission, uint32_t a_second, uint32_t windows_a_second, uint64_t cycles_a_second)
{
	uint32_t depth = a_second / windows_a_second;

	memset(admission, 0, sizeof(*admission));
	if (a_second == 0)
		return;
	admission->a_token = cycles_a_second > a_second ? cycles_a_second / a_second : 1;
	admission->depth = admission->tokens = depth > 0 ? depth : 1;
	admission->lot =
		admission->depth / LOTS_A_BUCKET < LOT_MAX ? admission->depth / LOTS_A_BUCKET : LOT_MAX;
	patience_set(admission);
}

static void counts_halve(uint8_t *count, size_t counts)
{
	for (size_t i = 0; i < counts; i++)
		count[i] /= 2;
}

void admission_advance(struct admission *admission, uint64_t now, uint32_t window, uint32_t salt)
{
	uint64_t earned = (now - admission->refilled) / admission->a_token;

	if (earned >= admission->depth - admission->tokens) {
		admission->tokens = admission->depth;
		admission->refilled = now;
	} else if (earned >= admission->lot) {
		admission->tokens += (uint32_t)earned;
		admission->refilled += earned * admission->a_token;
	}
	patience_set(admission);
	if (window != admission->window) {
		admission->window = window;
		admission->salt = salt;
		counts_halve(&admission->asked[0][0], sizeof(admission->asked));
	}
}
