/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the telemetry share: the views, each the answer to one command. */
#pragma once

#include "management/config.h"
#include "management/telemetry_commands.h"
#include "management/telemetry_parameters.h"
#include "management/telemetry_reply.h"
#include "slowpath/slowpath.h"
#include "stage/packet_path.h"

typedef int telemetry_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data);

telemetry_view info_view, configuration_view, drops_view, moves_view, slowpath_view; /* telemetry_gateway.c */
telemetry_view ports_view, lcores_view, segments_view, vteps_view;                   /* telemetry_traffic.c */
telemetry_view fdb_view, neighbours_view, routes_view;                               /* telemetry_tables.c */
telemetry_view steering_view, steering_rules_view;                         /* telemetry_steering.c */
telemetry_view dhcp_view, port_control_view;                               /* telemetry_services.c */
telemetry_view sessions_view, bindings_view;                               /* telemetry_nat.c */
telemetry_view session_lines_view, binding_lines_view;                     /* telemetry_nat_lines.c */
telemetry_view nat_pools_view, nat_log_view, nat_clear_view, nat_who_view; /* telemetry_nat_control.c */
telemetry_view nat_hosts_view, nat_limits_view;                            /* telemetry_nat_hosts.c */

struct nat_filter;
/* What the sessions and bindings that are asked for must match. */
struct nat_filter telemetry_nat_filter(const struct telemetry_parameters *asked);

/* A value that its owner goes on writing: read once, whole, of some recent moment. */
#define recent(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)

/* Whether a row of this segment is wanted. */
static inline bool segment_wanted(const struct telemetry_parameters *asked, uint16_t segment)
{
	return !(asked->given & TELEMETRY_SEGMENT) || asked->segment == segment;
}
/* "2024-05-01T12:34:56.789Z" */
#define WALL_TIME_TEXT 32
const char *wall_time_text(uint64_t wall_ns, char text[WALL_TIME_TEXT]);
