/* SPDX-License-Identifier: BSD-3-Clause */
/* vxgatectl show, list: what a gateway tells, printed as tables or as JSON. */
#pragma once

#include "vxgatectl/subjects.h"
#include "vxgatectl/telemetry_client.h"
#include <stdio.h>

struct show_request {
	const struct subject *subject;
	const char *filters; /* "KEY=VALUE,KEY=VALUE" for the gateway, or NULL */
	uint64_t count;      /* rows at most; 0: all */
	bool all;            /* rows that are all zero too */
	bool json;
};

/* 0 or -errno with client->error. */
int show_subject(struct telemetry_client *client, const struct show_request *request, FILE *out);
/* The gateways that run here; 0 also when there are none. */
int show_instances(bool json, FILE *out);
