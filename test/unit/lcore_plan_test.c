/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgate/lcore_plan.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BIT(stage) (1u << (stage))
#define ALL        (BIT(STAGES) - 1)

static struct config_cpu cpus[] = { { 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 4 } };
static const struct lcore_plan_port single_queue[] = {
	{ .name = "underlay", .device = 5, .rx_queues = 1, .tx_queues = 1 },
	{ .name = "uplink", .device = 6, .rx_queues = 1, .tx_queues = 1 },
};
static struct lcore_plan plan;
static char error[256];

static struct config_lcores lcores_of(uint32_t count, enum config_plan_kind kind)
{
	return (struct config_lcores){
		.management = { 0, 0 }, .packet = cpus, .packet_count = count, .plan = kind
	};
}

static int make(const struct config_lcores *lcores, const struct lcore_plan_port *ports)
{
	error[0] = '\0';
	return lcore_plan_make(lcores, ports, 2, true, &plan, error, sizeof(error));
}

static void assert_every_queue_is_served_once(const struct lcore_plan_port *ports)
{
	for (uint16_t port = 0; port < 2; port++) {
		unsigned rx[64] = { 0 }, tx[64] = { 0 };
		for (uint16_t i = 0; i < plan.count; i++) {
			for (uint16_t q = 0; q < plan.entry[i].rx_count; q++)
				if (plan.entry[i].rx[q].port == port) {
					rx[plan.entry[i].rx[q].queue]++;
					cr_assert_eq(plan.entry[i].rx[q].device, ports[port].device);
					cr_assert(plan.entry[i].stages & BIT(STAGE_CLASSIFY));
				}
			for (uint16_t q = 0; q < plan.entry[i].tx_count; q++)
				if (plan.entry[i].tx[q].port == port) {
					tx[plan.entry[i].tx[q].queue]++;
					cr_assert(plan.entry[i].stages & BIT(STAGE_TRANSMIT));
				}
		}
		for (uint16_t q = 0; q < ports[port].rx_queues; q++)
			cr_assert_eq(rx[q], 1, "port %u rx queue %u", port, q);
		for (uint16_t q = 0; q < ports[port].tx_queues; q++)
			cr_assert_leq(tx[q], 1, "two lcores must not send by one queue");
		cr_assert_eq(tx[0], 1, "somebody sends on port %u", port);
	}
}

Test(lcore_plan, one_fused_lcore_does_everything)
{
	struct config_lcores lcores = lcores_of(1, CONFIG_PLAN_FUSED);

	cr_assert_eq(make(&lcores, single_queue), 0);
	cr_assert_eq(plan.count, 1);
	cr_assert_eq(plan.entry[0].lcore, 1);
	cr_assert_eq(plan.entry[0].stages, ALL);
	cr_assert_eq(plan.entry[0].rx_count, 2);
	cr_assert_eq(plan.entry[0].tx_count, 2);
	cr_assert(plan.entry[0].sleeps);
	cr_assert_eq(lcore_plan_owners(&plan), 1);
	assert_every_queue_is_served_once(single_queue);
}

Test(lcore_plan, two_fused_lcores_share_two_ports_of_one_queue)
{
	struct config_lcores lcores = lcores_of(2, CONFIG_PLAN_FUSED);

	cr_assert_eq(make(&lcores, single_queue), 0);
	cr_assert_eq(plan.entry[0].rx_count, 1);
	cr_assert_eq(plan.entry[1].rx_count, 1);
	cr_assert_neq(plan.entry[0].rx[0].port, plan.entry[1].rx[0].port);
	cr_assert_eq(plan.entry[0].tx_count, 1, "each port has one owner that sends");
	cr_assert_eq(plan.entry[1].tx_count, 1);
	cr_assert_eq(lcore_plan_owners(&plan), 2);
	cr_assert_eq(lcore_plan_senders(&lcores), 2);
	assert_every_queue_is_served_once(single_queue);
}

Test(lcore_plan, with_queues_enough_every_lcore_has_one_of_each_port)
{
	static const struct lcore_plan_port ports[] = {
		{ .name = "underlay", .device = 0, .rx_queues = 4, .tx_queues = 4 },
		{ .name = "uplink", .device = 1, .rx_queues = 4, .tx_queues = 4 },
	};
	struct config_lcores lcores = lcores_of(4, CONFIG_PLAN_FUSED);

	cr_assert_eq(make(&lcores, ports), 0);
	for (uint16_t i = 0; i < 4; i++) {
		cr_assert_eq(plan.entry[i].rx_count, 2);
		cr_assert_eq(plan.entry[i].tx_count, 2);
		cr_assert_neq(plan.entry[i].rx[0].port, plan.entry[i].rx[1].port);
	}
	assert_every_queue_is_served_once(ports);
}

Test(lcore_plan, split_over_two_puts_the_middle_on_the_second)
{
	struct config_lcores lcores = lcores_of(2, CONFIG_PLAN_SPLIT);

	cr_assert_eq(make(&lcores, single_queue), 0);
	cr_assert_eq(plan.entry[1].stages, BIT(STAGE_ROUTE) | BIT(STAGE_NAT_HANDOFF) |
						   BIT(STAGE_NAT_GATEWAY) | BIT(STAGE_MAC_LOOKUP) |
						   BIT(STAGE_FRAGMENT));
	cr_assert_eq(plan.entry[0].stages, ALL & ~plan.entry[1].stages);
	cr_assert_eq(plan.entry[1].rx_count + plan.entry[1].tx_count, 0);
	assert_every_queue_is_served_once(single_queue);
}

Test(lcore_plan, split_over_three_has_one_part_each)
{
	struct config_lcores lcores = lcores_of(3, CONFIG_PLAN_SPLIT);

	cr_assert_eq(make(&lcores, single_queue), 0);
	cr_assert_eq(
		plan.entry[0].stages, BIT(STAGE_CLASSIFY) | BIT(STAGE_VXLAN_DECAP) | BIT(STAGE_MAC_LEARN));
	cr_assert_eq(plan.entry[2].stages, BIT(STAGE_VXLAN_ENCAP) | BIT(STAGE_TRANSMIT));
	cr_assert_eq(plan.entry[0].stages | plan.entry[1].stages | plan.entry[2].stages, ALL);
	cr_assert_eq(plan.entry[0].rx_count, 2);
	cr_assert_eq(plan.entry[2].tx_count, 2);
	assert_every_queue_is_served_once(single_queue);
}

Test(lcore_plan, further_lcores_of_a_split_plan_widen_the_middle)
{
	struct config_lcores lcores = lcores_of(4, CONFIG_PLAN_SPLIT);

	cr_assert_eq(make(&lcores, single_queue), 0);
	cr_assert_eq(plan.entry[1].stages, plan.entry[2].stages);
	cr_assert_eq(lcore_plan_owners(&plan), 2);
	assert_every_queue_is_served_once(single_queue);
}

Test(lcore_plan, a_split_needs_two_lcores)
{
	struct config_lcores lcores = lcores_of(1, CONFIG_PLAN_SPLIT);

	cr_assert_eq(make(&lcores, single_queue), -EINVAL);
	cr_assert(strstr(error, "lcores.plan: ") == error);
}

static void assert_explicit_fails(struct config_plan_entry *entries, uint32_t count, const char *what)
{
	struct config_lcores lcores = lcores_of(2, CONFIG_PLAN_EXPLICIT);

	lcores.plan_entry = entries;
	lcores.plan_entry_count = count;
	cr_assert_eq(make(&lcores, single_queue), -EINVAL);
	cr_assert(strstr(error, what) != NULL, "\"%s\" should say \"%s\"", error, what);
}

Test(lcore_plan, an_explicit_plan_is_taken_as_it_is)
{
	struct config_plan_entry entries[] = { { 2, BIT(STAGE_TRANSMIT) },
		{ 1, ALL & ~BIT(STAGE_TRANSMIT) } };
	struct config_lcores lcores = lcores_of(2, CONFIG_PLAN_EXPLICIT);

	lcores.plan_entry = entries;
	lcores.plan_entry_count = 2;
	cr_assert_eq(make(&lcores, single_queue), 0, "%s", error);
	cr_assert_eq(plan.entry[0].lcore, 2);
	cr_assert_eq(plan.entry[0].stages, BIT(STAGE_TRANSMIT));
	cr_assert_eq(plan.entry[0].tx_count, 2);
	cr_assert_eq(plan.entry[1].rx_count, 2);
	assert_every_queue_is_served_once(single_queue);
}

Test(lcore_plan, an_explicit_plan_that_leaves_a_stage_out_is_refused)
{
	struct config_plan_entry entries[] = { { 1, ALL & ~BIT(STAGE_ROUTE) }, { 2, BIT(STAGE_TRANSMIT) } };

	assert_explicit_fails(entries, 2, "no lcore runs the stage \"route\"");
}

Test(lcore_plan, an_explicit_plan_uses_each_packet_lcore_once)
{
	struct config_plan_entry idle[] = { { 1, ALL } };
	struct config_plan_entry twice[] = { { 1, ALL }, { 2, ALL }, { 1, BIT(STAGE_ROUTE) } };
	struct config_plan_entry stranger[] = { { 1, ALL }, { 7, ALL } };
	struct config_plan_entry nothing[] = { { 1, ALL }, { 2, 0 } };

	assert_explicit_fails(idle, 1, "packet lcore 2 has nothing to do");
	assert_explicit_fails(twice, 3, "lcores.plan[2].lcore: lcore 1 is planned in lcores.plan[0] already");
	assert_explicit_fails(stranger, 2, "lcore 7 is not one of lcores.packet");
	assert_explicit_fails(nothing, 2, "lcore 2 has no stage");
}

Test(lcore_plan, management_and_packets_do_not_share_a_lcore)
{
	struct config_lcores lcores = lcores_of(2, CONFIG_PLAN_FUSED);

	lcores.management.lcore = 2;
	cr_assert_eq(make(&lcores, single_queue), -EINVAL);
	cr_assert(strstr(error, "lcore 2 is the management lcore") != NULL);
}

Test(lcore_plan, too_many_queues_for_one_lcore_are_refused)
{
	static const struct lcore_plan_port ports[] = {
		{ .name = "underlay", .rx_queues = 20, .tx_queues = 1 },
		{ .name = "uplink", .rx_queues = 20, .tx_queues = 1 },
	};
	struct config_lcores lcores = lcores_of(1, CONFIG_PLAN_FUSED);

	cr_assert_eq(make(&lcores, ports), -EINVAL);
	cr_assert(strstr(error, "more packet lcores or fewer rx_queues") != NULL);
}

Test(lcore_plan, the_table_names_lcores_queues_and_stages)
{
	struct config_lcores lcores = lcores_of(2, CONFIG_PLAN_SPLIT);

	cr_assert_eq(make(&lcores, single_queue), 0);
	char *text = lcore_plan_table(&plan, single_queue);
	cr_assert_str_eq(text, "lcore  idle   receives             sends                stages\n"
			       "    1  sleep  underlay:0 uplink:0  underlay:0 uplink:0  classify vxlan_decap "
			       "mac_learn vxlan_encap transmit\n"
			       "    2  sleep  -                    -                    route nat_handoff "
			       "nat_gateway mac_lookup fragment\n");
	free(text);
}
