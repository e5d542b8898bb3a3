/* SPDX-License-Identifier: BSD-3-Clause */
/* vxgatectl top: the live view. */
#pragma once

#include "vxgatectl/telemetry_client.h"

struct top_request {
	unsigned interval_ms;
	uint64_t count; /* of views; 0: until it is ended */
};

/* Full screen on a terminal, else one block after the other. 0, or -errno with client->error. */
int top_run(struct telemetry_client *client, const struct top_request *request);
