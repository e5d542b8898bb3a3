/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/telemetry_commands.h"

#include "base/log.h"
#include "management/telemetry_private.h"
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FLOW_KEYS                                                                                            \
	(TELEMETRY_PAGED | TELEMETRY_SEGMENT | TELEMETRY_PROTOCOL | TELEMETRY_INSIDE | TELEMETRY_OUTSIDE |   \
		TELEMETRY_PORT | TELEMETRY_KIND)

/* DPDK keeps a help text of at most 63 bytes. */
static const struct telemetry_command {
	const char *path;
	telemetry_view *view;
	uint32_t keys;
	const char *help;
} command_table[] = {
	{ "/vxgate/info", info_view, 0, "Name, version, plan, uptime" },
	{ "/vxgate/configuration", configuration_view, TELEMETRY_CURSOR,
		"The configuration in force, as pieces of JSON text" },
	{ "/vxgate/ports", ports_view, TELEMETRY_PAGED | TELEMETRY_INTERFACE,
		"Ports: addresses, link, counters" },
	{ "/vxgate/lcores", lcores_view, TELEMETRY_PAGED,
		"Packet lcores: stages with cycles a packet, load" },
	{ "/vxgate/steering", steering_view, TELEMETRY_PAGED | TELEMETRY_INTERFACE,
		"How ports bring packets to the lcores that own them" },
	{ "/vxgate/steering_rules", steering_rules_view, TELEMETRY_PAGED | TELEMETRY_INTERFACE,
		"The flow rules of ports: addresses and port blocks to queues" },
	{ "/vxgate/segments", segments_view, TELEMETRY_PAGED | TELEMETRY_SEGMENT,
		"Segments: VNI, gateway, MACs, counters" },
	{ "/vxgate/vteps", vteps_view, TELEMETRY_PAGED | TELEMETRY_SEGMENT | TELEMETRY_VTEP,
		"VTEPs a segment, counters" },
	{ "/vxgate/fdb", fdb_view, TELEMETRY_PAGED | TELEMETRY_SEGMENT | TELEMETRY_MAC | TELEMETRY_VTEP,
		"MACs and the VTEPs behind which they live" },
	{ "/vxgate/neighbours", neighbours_view, TELEMETRY_PAGED | TELEMETRY_INTERFACE | TELEMETRY_ADDRESS,
		"Neighbours: address, MAC, state" },
	{ "/vxgate/routes", routes_view, TELEMETRY_PAGED | TELEMETRY_INTERFACE, "Routes" },
	{ "/vxgate/bindings", bindings_view, FLOW_KEYS, "NAT bindings; segment=, protocol=, inside=, ..." },
	{ "/vxgate/sessions", sessions_view, FLOW_KEYS | TELEMETRY_REMOTE | TELEMETRY_STATE,
		"NAT sessions; segment=, protocol=, inside=, remote=, ..." },
	{ "/vxgate/session_lines", session_lines_view, FLOW_KEYS | TELEMETRY_REMOTE | TELEMETRY_STATE,
		"The sessions in short lines, for vxgatectl" },
	{ "/vxgate/binding_lines", binding_lines_view, FLOW_KEYS, "Dynamic bindings in short lines" },
	{ "/vxgate/nat_who", nat_who_view, TELEMETRY_OUTSIDE,
		"The host of a deterministic pool's public port" },
	{ "/vxgate/nat_clear", nat_clear_view, FLOW_KEYS | TELEMETRY_REMOTE | TELEMETRY_STATE | TELEMETRY_ALL,
		"Ends the NAT sessions of a filter, or all=1" },
	{ "/vxgate/nat_pools", nat_pools_view, TELEMETRY_PAGED, "NAT pools: public ports there and used" },
	{ "/vxgate/nat_hosts", nat_hosts_view,
		TELEMETRY_CURSOR | TELEMETRY_SEGMENT | TELEMETRY_INSIDE | TELEMETRY_OUTSIDE,
		"Inside hosts: sessions, ports, what they were refused" },
	{ "/vxgate/nat_limits", nat_limits_view, TELEMETRY_PAGED,
		"Limits of hosts by pool: how many are near or at them" },
	{ "/vxgate/nat_log", nat_log_view, 0, "Log of NAT: events, what was sent, what was lost" },
	{ "/vxgate/dhcp", dhcp_view, TELEMETRY_PAGED | TELEMETRY_SEGMENT,
		"DHCP relays of segments: servers, option 82, counters" },
	{ "/vxgate/port_control", port_control_view, 0,
		"Port control (PCP, NAT-PMP): mappings, requests, results" },
	{ "/vxgate/drops", drops_view, TELEMETRY_PAGED, "Dropped packets by reason" },
	{ "/vxgate/moves", moves_view,
		TELEMETRY_PAGED | TELEMETRY_SEGMENT | TELEMETRY_MAC | TELEMETRY_VTEP | TELEMETRY_ADDRESS,
		"The ledger of moves, newest first" },
	{ "/vxgate/slowpath", slowpath_view, 0, "Counters of ARP, ICMP, learning and searching" },
};

/* DPDK cannot take a command back, so the handlers stay, and find nothing to show between stop and start. */
static struct {
	pthread_mutex_t lock; /* one handler at a time: they share the command slot of each lcore */
	struct telemetry_sources sources;
	bool running;
	bool registered;
} telemetry = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int command_answer(
	const struct telemetry_command *command, const char *parameters, struct rte_tel_data *data)
{
	struct telemetry_parameters asked;
	char error[160];

	if (!telemetry.running)
		return reply_error(data, "the gateway is starting or stopping");
	if (telemetry_parameters_parse(
		    parameters, command->keys, telemetry.sources.plane, &asked, error, sizeof(error)) != 0)
		return reply_error(data, "%s", error);
	return command->view(&telemetry.sources, &asked, data);
}

static int command_handle(const char *path, const char *parameters, struct rte_tel_data *data)
{
	int rc = -ENOENT;

	pthread_mutex_lock(&telemetry.lock);
	for (size_t i = 0; i < RTE_DIM(command_table); i++)
		if (strcmp(path, command_table[i].path) == 0)
			rc = command_answer(&command_table[i], parameters, data);
	pthread_mutex_unlock(&telemetry.lock);
	return rc;
}

static int commands_register(void)
{
	for (size_t i = 0; i < RTE_DIM(command_table); i++) {
		int rc = rte_telemetry_register_cmd(
			command_table[i].path, command_handle, command_table[i].help);

		if (rc != 0) {
			log_error("telemetry: %s cannot be registered: %s", command_table[i].path,
				strerror(-rc));
			return rc;
		}
	}
	return 0;
}

int telemetry_start(const struct telemetry_sources *sources)
{
	int rc = 0;

	pthread_mutex_lock(&telemetry.lock);
	if (!telemetry.registered)
		rc = commands_register();
	if (rc == 0) {
		telemetry.registered = true;
		telemetry.sources = *sources;
		telemetry.running = true;
	}
	pthread_mutex_unlock(&telemetry.lock);
	return rc;
}

void telemetry_stop(void)
{
	pthread_mutex_lock(&telemetry.lock);
	telemetry.running = false;
	pthread_mutex_unlock(&telemetry.lock);
}
