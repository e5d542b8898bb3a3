/* SPDX-License-Identifier: BSD-3-Clause */
/* The lines of the live view, from two samples: pure, so that it can be tested without a gateway or a terminal. */
#pragma once

#include "vxgatectl/rates.h"

struct top_header {
	char name[64], version[32], plan[16];
	char clock[32]; /* of the wall */
	uint64_t uptime_s;
};

struct top_line {
	char *text;
	bool heading;
};
struct top_view {
	struct top_line *line;
	size_t count, capacity;
};

/* As many lines as fit `height` (0: all there are), each of at most `width` characters (0: any). 0 or -ENOMEM. */
int top_view_make(struct top_view *view, const struct top_header *header, const struct sample *before,
	const struct sample *now, unsigned width, unsigned height);
void top_view_destroy(struct top_view *view);
