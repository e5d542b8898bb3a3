/* SPDX-License-Identifier: BSD-3-Clause */
/* What a neighbour notes of the place of its MAC, which spares packets of the fast path the FDB, is never a place where the host no longer
 * is; and management sees all that it would see without (table/neighbour.h, stage/fast_path_place_private.h). */
#include "nat_case.h"
#include "samples.h"
#include "worlds.h"

static const struct packet query = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 9 };

static struct neighbour *neighbour_of(struct gateway *gateway, const char *ip)
{
	uint32_t at = neighbour_find(
		gateway->plane->neighbours, interface_of_segment(0), rte_cpu_to_be_32(ipv4_from_text(ip)));

	cr_assert_neq(at, INDEX_NONE);
	return &gateway->plane->neighbours->entry[at];
}

static struct fdb_entry *entry_of(struct gateway *gateway, const char *mac)
{
	struct rte_ether_addr address;

	mac_from_text(mac, address.addr_bytes);
	uint32_t at = fdb_find(gateway->plane->fdb, fdb_key(0, &address));
	cr_assert_neq(at, INDEX_NONE);
	return &gateway->plane->fdb->entry[at];
}

#define WEB11_MAC "52:54:00:01:00:11"
#define WEB6_MAC  "52:54:00:01:00:06"

/* Packets have taken the fast path both ways, in the tick that it is: the neighbour of web11 notes its place. */
static struct endpoint place_is_noted(struct gateway *gateway)
{
	struct endpoint us = goes_out(gateway, "web11", &query);

	for (int i = 0; i < 2; i++) {
		udp_answer(gateway, SERVER, 53, &us);
		expect_at(gateway, "web11", "udp *");
		goes_out(gateway, "web11", &query);
	}
	cr_assert_neq(neighbour_of(gateway, "10.0.1.11")->place, 0);
	return us;
}

/* Noted in the same tick, its place is another one as soon as the host has been heard elsewhere: for what comes, and for what goes. */
CASE_IN(place, a_place_that_was_noted_goes_with_the_host, web_world, FUSED)
{
	struct endpoint us = place_is_noted(gateway);

	moves_and_is_followed(gateway, &query, &us);
}

/* The underlay is polled first: what comes in by the uplink in the same turn leaves for the new place. */
CASE_IN(place, a_place_that_was_noted_goes_within_a_turn, web_world, FUSED)
{
	struct endpoint us = place_is_noted(gateway);

	gateway_host(gateway, "web11")->vtep = "192.0.2.12";
	gateway_host_sends(gateway, "web11", &query);
	udp_answer(gateway, SERVER, 53, &us);
	expect_at(gateway, "router", "udp *");
	expect_at(gateway, "web11", "udp *");
}

/* Who takes an address over may be elsewhere; of the FDB nothing has changed but that there is an entry more. */
CASE_IN(place, a_place_that_was_noted_is_of_one_mac, web_world, FUSED)
{
	struct endpoint us = place_is_noted(gateway);
	struct host *host = gateway_host(gateway, "web11");
	struct frame frame;

	host->mac = "52:54:00:01:00:99";
	uint64_t before = fast_packets(gateway);
	goes_out(gateway, "web11", &query);
	cr_assert_eq(fast_packets(gateway), before, "from where the other one is, and not known yet");
	host->mac = "52:54:00:01:00:98";
	host->vtep = "192.0.2.12";
	frame_arp(&frame,
		&(struct arp){
			.mac_from = host->mac, .operation = 1, .sender = host->ip, .target = host->ip });
	gateway_host_sends_frame(gateway, "web11", &frame);
	gateway_run(gateway);
	udp_answer(gateway, SERVER, 53, &us);
	expect_at(gateway, "web11", "udp *");
}

/* An entry that goes takes along what was noted of it, before management has told the neighbour. */
CASE_IN(place, a_place_that_was_noted_goes_with_its_entry, web_world, FUSED)
{
	struct endpoint us = place_is_noted(gateway);
	uint64_t before = fast_packets(gateway);
	struct frame frame;

	fdb_remove(gateway->plane->fdb, (uint32_t)(entry_of(gateway, WEB11_MAC) - gateway->plane->fdb->entry),
		gateway->now_ns);
	gateway_host_sends(gateway, "router",
		&(struct packet){
			.from = SERVER, .to = us.address, .from_port = 53, .to_port = us.port, .data = 30 });
	gateway_run_lcores(gateway);
	cr_assert_eq(fast_packets(gateway), before);
	gateway_run(gateway);
	while (gateway_receive(gateway, UNDERLAY, &frame))
		;
}

/* An entry number that management has stored before the MAC is of no use with the MAC of before, even if its own MAC is heard
 * meanwhile. */
CASE_IN(place, a_place_is_not_of_the_mac_before, web_world, FUSED)
{
	struct endpoint us;
	struct host *host = gateway_host(gateway, "web11");
	struct frame frame;

	goes_out(gateway, "web6", &query);
	us = place_is_noted(gateway);
	neighbour_of(gateway, "10.0.1.11")->fdb =
		(uint32_t)(entry_of(gateway, WEB6_MAC) - gateway->plane->fdb->entry);
	host->mac = WEB6_MAC;
	host->vtep = "192.0.2.12";
	gateway_host_sends(gateway, "web11", &query);
	gateway_run_lcores(gateway);
	expect_at(gateway, "router", "udp *");
	gateway_host_sends(gateway, "router",
		&(struct packet){
			.from = SERVER, .to = us.address, .from_port = 53, .to_port = us.port, .data = 30 });
	gateway_run_lcores(gateway);
	/* By the MAC of before, to where that is. */
	expect_frame(
		gateway, UNDERLAY, "* > 52:54:00:00:00:11 | vxlan * | * > " WEB11_MAC " | udp *", &frame);
}

static void expect_ticks(struct gateway *gateway, bool up, bool down)
{
	uint16_t tick = (uint16_t)gateway->path->context[0]->tick;
	const struct fdb_entry *entry = entry_of(gateway, WEB11_MAC);

	cr_assert_eq(entry->last_seen == tick, up);
	cr_assert_eq(entry->last_sent == tick, down);
	cr_assert_eq(neighbour_of(gateway, "10.0.1.11")->last_used == tick, down);
}

/* Whatever the neighbour notes, management sees each tick in which a host was heard, or sent to. */
CASE_IN(place, notes_each_tick_that_a_host_is_heard_or_sent_to, web_world, FUSED)
{
	struct endpoint us = place_is_noted(gateway);
	uint64_t before = fast_packets(gateway);

	for (int i = 0; i < 5; i++) {
		gateway_advance(gateway, 20);
		goes_out(gateway, "web11", &query);
		expect_ticks(gateway, true, false);
		gateway_advance(gateway, 20);
		udp_answer(gateway, SERVER, 53, &us);
		expect_at(gateway, "web11", "udp *");
		expect_ticks(gateway, false, true);
		gateway_advance(gateway, 20);
		udp_answer(gateway, SERVER, 53, &us);
		expect_at(gateway, "web11", "udp *");
		goes_out(gateway, "web11", &query);
		expect_ticks(gateway, true, true);
	}
	cr_assert_eq(fast_packets(gateway), before + 20);
}

/* What is noted is gone by: without the FDB's entry, which nobody says has changed, packets go on. */
CASE_IN(place, asks_the_fdb_only_when_it_has_changed, web_world, FUSED)
{
	struct endpoint us = place_is_noted(gateway);
	struct fdb_entry *entry = entry_of(gateway, WEB11_MAC);
	uint64_t key = entry->key, before = fast_packets(gateway);

	entry->key = 0;
	goes_out(gateway, "web11", &query);
	udp_answer(gateway, SERVER, 53, &us);
	expect_at(gateway, "web11", "udp *");
	cr_assert_eq(fast_packets(gateway), before + 2);
	entry->key = key;
}
