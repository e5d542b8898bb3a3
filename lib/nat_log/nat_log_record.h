/* SPDX-License-Identifier: BSD-3-Clause */
/* One entry of the log, as the sinks get it: an event of an owner with its time and names, or one of the log itself. */
#pragma once

#include "table/nat_event.h"

enum nat_log_kind {                          /* continues enum nat_event_type */
	NAT_LOG_POOL_MARK = NAT_EVENT_TYPES, /* the use of a pool went over a mark, or back */
	NAT_LOG_STARTED,                     /* bindings logged before this are no more */
	NAT_LOG_STOPPED,
	NAT_LOG_KINDS
};

struct nat_log_record {
	uint8_t kind;           /* enum nat_event_type or enum nat_log_kind */
	uint64_t time_ms;       /* since 1970, UTC */
	struct nat_event event; /* of an owner; of a pool mark its protocol */
	const char *segment;    /* its name */
	uint32_t vni;
	const char *pool; /* of a pool mark */
	uint32_t percent; /* the mark that was passed */
	bool above;       /* false: it is below again */
	uint64_t used, ports;
};
