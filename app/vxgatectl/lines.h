/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions and bindings come from the gateway as short lines, a hundred a reply, and become the rows here that
 * /vxgate/sessions and /vxgate/bindings would have told (docs/telemetry.md). */
#pragma once

#include "vxgatectl/telemetry_client.h"
#include <stdio.h>

#define LINE_SEGMENTS_MAX 8192

struct line_names { /* of segments, by VNI */
	uint32_t count;
	struct {
		uint32_t vni;
		char name[32];
	} segment[LINE_SEGMENTS_MAX];
};

/* A row to delete, or NULL when the line makes no sense. */
typedef cJSON *line_row(const struct line_names *names, const char *line);
line_row session_of_line, binding_of_line;

/* The same as JSON text, straight away. False when the line makes no sense. */
typedef bool line_json(const struct line_names *names, const char *line, FILE *out);
line_json session_line_json, binding_line_json;

/* Asks for the names of the segments: 0 or -errno. */
int lines_names(struct telemetry_client *client, struct line_names *names);

/* Walks all pages of a list of lines, as client_list. */
int lines_list(struct telemetry_client *client, const char *command, const char *parameters, line_row *make,
	client_row *row, void *argument);
