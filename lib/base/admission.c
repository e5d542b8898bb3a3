/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/admission.h"
#include <stddef.h>
#include <string.h>

void admission_init(
	struct admission *admission, uint32_t a_second, uint32_t windows_a_second, uint64_t cycles_a_second)
{
	uint32_t depth = a_second / windows_a_second;

	memset(admission, 0, sizeof(*admission));
	if (a_second == 0)
		return;
	admission->a_token = cycles_a_second > a_second ? cycles_a_second / a_second : 1;
	admission->depth = admission->tokens = depth > 0 ? depth : 1;
}

static void counts_halve(uint8_t *count, size_t counts)
{
	for (size_t i = 0; i < counts; i++)
		count[i] /= 2;
}

void admission_advance(struct admission *admission, uint64_t now, uint32_t window, uint64_t salt)
{
	uint64_t earned = (now - admission->refilled) / admission->a_token;

	if (earned >= admission->depth - admission->tokens) {
		admission->tokens = admission->depth;
		admission->refilled = now;
	} else {
		admission->tokens += (uint32_t)earned;
		admission->refilled += earned * admission->a_token;
	}
	if (window != admission->window) {
		admission->window = window;
		admission->salt = salt;
		counts_halve(&admission->asked[0][0], sizeof(admission->asked));
	}
}
