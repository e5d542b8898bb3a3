/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgate/lcore_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIT(stage) (1u << (stage))
#define ALL_STAGES (BIT(STAGES) - 1)
#define RECEIVING  (BIT(STAGE_CLASSIFY) | BIT(STAGE_VXLAN_DECAP) | BIT(STAGE_MAC_LEARN))
#define SENDING    (BIT(STAGE_VXLAN_ENCAP) | BIT(STAGE_TRANSMIT))
#define BETWEEN    (ALL_STAGES & ~(RECEIVING | SENDING))

#define fail(...) (snprintf(error, size, __VA_ARGS__), -EINVAL)

static bool is_packet_lcore(const struct config_lcores *lcores, unsigned lcore)
{
	for (uint32_t i = 0; i < lcores->packet_count; i++)
		if (lcores->packet[i].lcore == lcore)
			return true;
	return false;
}

static int check_lcores(const struct config_lcores *lcores, char *error, size_t size)
{
	if (lcores->packet_count == 0)
		return fail("lcores.packet: there is no packet lcore; at least one is wanted");
	if (lcores->packet_count > PACKET_LCORE_MAX)
		return fail("lcores.packet: %u lcores; at most %u are wanted", lcores->packet_count,
			PACKET_LCORE_MAX);
	if (is_packet_lcore(lcores, lcores->management.lcore))
		return fail("lcores.packet: lcore %u is the management lcore; another one is wanted",
			lcores->management.lcore);
	for (uint32_t i = 0; i < lcores->packet_count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (lcores->packet[i].lcore == lcores->packet[j].lcore)
				return fail(
					"lcores.packet: lcore %u is named twice", lcores->packet[i].lcore);
	return 0;
}

static void plan_fused(const struct config_lcores *lcores, struct lcore_plan *plan)
{
	for (uint32_t i = 0; i < lcores->packet_count; i++)
		plan->entry[i] =
			(struct lcore_plan_entry){ .lcore = lcores->packet[i].lcore, .stages = ALL_STAGES };
	plan->count = (uint16_t)lcores->packet_count;
}

/* Receiving | routing and NAT | sending; the middle, which does most of the work, gets every further lcore. */
static int plan_split(const struct config_lcores *lcores, struct lcore_plan *plan, char *error, size_t size)
{
	uint32_t count = lcores->packet_count;

	if (count < 2)
		return fail("lcores.plan: a split plan over one packet lcore; at least two are wanted");
	for (uint32_t i = 0; i < count; i++)
		plan->entry[i] =
			(struct lcore_plan_entry){ .lcore = lcores->packet[i].lcore, .stages = BETWEEN };
	plan->entry[0].stages = RECEIVING;
	plan->entry[count == 2 ? 0 : count - 1].stages = (count == 2 ? RECEIVING : 0) | SENDING;
	plan->count = (uint16_t)count;
	return 0;
}

static int plan_explicit(
	const struct config_lcores *lcores, struct lcore_plan *plan, char *error, size_t size)
{
	for (uint32_t i = 0; i < lcores->plan_entry_count; i++) {
		const struct config_plan_entry *entry = &lcores->plan_entry[i];

		if (!is_packet_lcore(lcores, entry->lcore))
			return fail("lcores.plan[%u].lcore: lcore %u is not one of lcores.packet", i,
				entry->lcore);
		if (entry->stages == 0)
			return fail("lcores.plan[%u].stages: lcore %u has no stage", i, entry->lcore);
		for (uint32_t j = 0; j < i; j++)
			if (lcores->plan_entry[j].lcore == entry->lcore)
				return fail("lcores.plan[%u].lcore: lcore %u is planned in lcores.plan[%u] "
					    "already",
					i, entry->lcore, j);
		plan->entry[i] = (struct lcore_plan_entry){ .lcore = entry->lcore, .stages = entry->stages };
	}
	plan->count = (uint16_t)lcores->plan_entry_count;
	for (uint32_t i = 0; i < lcores->packet_count; i++) {
		uint16_t at = 0;
		while (at < plan->count && plan->entry[at].lcore != lcores->packet[i].lcore)
			at++;
		if (at == plan->count)
			return fail("lcores.plan: packet lcore %u has nothing to do; a plan names all of "
				    "lcores.packet",
				lcores->packet[i].lcore);
	}
	for (int stage = 0; stage < STAGES; stage++) {
		uint32_t here = 0;
		for (uint16_t i = 0; i < plan->count; i++)
			here |= plan->entry[i].stages & BIT(stage);
		if (here == 0)
			return fail("lcores.plan: no lcore runs the stage \"%s\"", stage_table[stage].name);
	}
	return 0;
}

static int assign_stages(
	const struct config_lcores *lcores, struct lcore_plan *plan, char *error, size_t size)
{
	int rc = check_lcores(lcores, error, size);

	if (rc < 0)
		return rc;
	switch (lcores->plan) {
	case CONFIG_PLAN_SPLIT:
		return plan_split(lcores, plan, error, size);
	case CONFIG_PLAN_EXPLICIT:
		return plan_explicit(lcores, plan, error, size);
	case CONFIG_PLAN_FUSED:
		break;
	}
	plan_fused(lcores, plan);
	return 0;
}

/* The entries that run `stage`, in order. */
static uint16_t entries_with(const struct lcore_plan *plan, enum stage_id stage, uint16_t *entries)
{
	uint16_t count = 0;

	for (uint16_t i = 0; i < plan->count; i++)
		if (plan->entry[i].stages & BIT(stage))
			entries[count++] = i;
	return count;
}

/* Queue q of port p goes to receiver p + q: with as many lcores as ports, and one queue each, every lcore has its own
 * port; with as many queues as lcores, every lcore has one of each port. */
static int assign_receivers(const struct lcore_plan_port *ports, uint16_t port_count, struct lcore_plan *plan,
	char *error, size_t size)
{
	uint16_t receivers[PACKET_LCORE_MAX], count = entries_with(plan, STAGE_CLASSIFY, receivers);

	for (uint16_t port = 0; port < port_count; port++) {
		for (uint16_t queue = 0; queue < ports[port].rx_queues; queue++) {
			struct lcore_plan_entry *entry = &plan->entry[receivers[(port + queue) % count]];
			if (entry->rx_count == PORT_MAX)
				return fail("ports: lcore %u would receive from more than %u queues; more "
					    "packet lcores "
					    "or fewer rx_queues are wanted",
					entry->lcore, PORT_MAX);
			entry->rx[entry->rx_count].port = port;
			entry->rx[entry->rx_count].device = ports[port].device;
			entry->rx[entry->rx_count].queue = queue;
			entry->rx_count++;
		}
	}
	return 0;
}

/* A TX queue of its own for each sender where the device has enough; else the others send by those that have one. */
static void assign_senders(const struct lcore_plan_port *ports, uint16_t port_count, struct lcore_plan *plan)
{
	uint16_t senders[PACKET_LCORE_MAX], count = entries_with(plan, STAGE_TRANSMIT, senders);

	for (uint16_t port = 0; port < port_count; port++) {
		for (uint16_t queue = 0; queue < ports[port].tx_queues && queue < count; queue++) {
			struct lcore_plan_entry *entry = &plan->entry[senders[(port + queue) % count]];
			entry->tx[entry->tx_count].port = port;
			entry->tx[entry->tx_count].device = ports[port].device;
			entry->tx[entry->tx_count].queue = queue;
			entry->tx_count++;
		}
	}
}

int lcore_plan_make(const struct config_lcores *lcores, const struct lcore_plan_port *ports,
	uint16_t port_count, bool sleeps, struct lcore_plan *plan, char *error, size_t size)
{
	int rc;

	memset(plan, 0, sizeof(*plan));
	rc = assign_stages(lcores, plan, error, size);
	if (rc == 0)
		rc = assign_receivers(ports, port_count, plan, error, size);
	if (rc < 0)
		return rc;
	assign_senders(ports, port_count, plan);
	for (uint16_t i = 0; i < plan->count; i++)
		plan->entry[i].sleeps = sleeps;
	plan->ring_size = LCORE_RING_SIZE;
	return 0;
}

uint16_t lcore_plan_senders(const struct config_lcores *lcores)
{
	struct lcore_plan plan = { 0 };
	uint16_t entries[PACKET_LCORE_MAX];
	char error[256];

	if (assign_stages(lcores, &plan, error, sizeof(error)) < 0)
		return 0;
	return entries_with(&plan, STAGE_TRANSMIT, entries);
}

uint16_t lcore_plan_owners(const struct lcore_plan *plan)
{
	uint16_t entries[PACKET_LCORE_MAX];

	return entries_with(plan, STAGE_NAT_GATEWAY, entries);
}

static void print_queues(FILE *out, const struct lcore_plan_entry *entry, bool rx,
	const struct lcore_plan_port *ports, int width)
{
	uint16_t count = rx ? entry->rx_count : entry->tx_count;
	char text[512] = "-";
	size_t used = 0;

	for (uint16_t i = 0; i < count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s:%u", i > 0 ? " " : "",
			ports[rx ? entry->rx[i].port : entry->tx[i].port].name,
			rx ? entry->rx[i].queue : entry->tx[i].queue);
	fprintf(out, "%-*s  ", width, text);
}

static int queues_width(const struct lcore_plan *plan, bool rx, const struct lcore_plan_port *ports)
{
	int width = 9; /* of the heading */

	for (uint16_t i = 0; i < plan->count; i++) {
		const struct lcore_plan_entry *entry = &plan->entry[i];
		int used = -1;
		for (uint16_t q = 0; q < (rx ? entry->rx_count : entry->tx_count); q++)
			used += 1 + snprintf(NULL, 0, "%s:%u",
					    ports[rx ? entry->rx[q].port : entry->tx[q].port].name,
					    rx ? entry->rx[q].queue : entry->tx[q].queue);
		width = used > width ? used : width;
	}
	return width;
}

char *lcore_plan_table(const struct lcore_plan *plan, const struct lcore_plan_port *ports)
{
	int rx_width = queues_width(plan, true, ports), tx_width = queues_width(plan, false, ports);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	fprintf(out, "lcore  idle   %-*s  %-*s  stages\n", rx_width, "receives", tx_width, "sends");
	for (uint16_t i = 0; i < plan->count; i++) {
		const struct lcore_plan_entry *entry = &plan->entry[i];
		const char *separator = "";
		fprintf(out, "%5u  %-5s  ", entry->lcore, entry->sleeps ? "sleep" : "poll");
		print_queues(out, entry, true, ports, rx_width);
		print_queues(out, entry, false, ports, tx_width);
		if (entry->stages == ALL_STAGES)
			fputs("all", out);
		for (int stage = 0; stage < STAGES && entry->stages != ALL_STAGES; stage++) {
			if (!(entry->stages & BIT(stage)))
				continue;
			fprintf(out, "%s%s", separator, stage_table[stage].name);
			separator = " ";
		}
		fputc('\n', out);
	}
	fclose(out);
	return text;
}
