/* SPDX-License-Identifier: BSD-3-Clause */
/* What takes the fast path, and what is left to the stages. That both give the same bytes and counters, for these and for
 * all other cases, is seen to by plans_test.c. */
#include "nat_case.h"
#include "samples.h"
#include "table/nat_owner.h"
#include "worlds.h"

static const struct packet query = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 9 };

CASE_IN(fast_path, sees_the_packets_of_a_session_through_both_ways, web_world, FUSED)
{
	struct endpoint us = goes_out(gateway, "web11", &query);

	udp_answer(gateway, SERVER, 53, &us);
	expect_at(gateway, "web11", "udp *");
	uint64_t before = fast_packets(gateway);
	goes_out(gateway, "web11", &query);
	cr_assert_eq(fast_packets(gateway), before + 1);
	udp_answer(gateway, SERVER, 53, &us);
	expect_at(gateway, "web11", "udp *");
	cr_assert_eq(fast_packets(gateway), before + 2);
	cr_assert_eq(gateway->path->context[0]->counters.fast_path.bursts > before, true);
}

/* The server's answer to a SYN that went out. */
static struct packet accepts(const struct endpoint *us)
{
	return (struct packet){ .from = SERVER,
		.to = us->address,
		.from_port = 80,
		.to_port = us->port,
		.protocol = TCP,
		.tcp = "SA" };
}

CASE_IN(fast_path, takes_a_connection_from_its_syn_to_its_end, web_world, FUSED)
{
	struct packet up = { .to = SERVER, .from_port = 4000, .to_port = 80, .protocol = TCP, .tcp = "S" };

	goes_out(gateway, "web11", &query); /* from now on the host is known, and so is the way to it */
	uint64_t before = fast_packets(gateway);
	struct endpoint us = goes_out(gateway, "web11", &up);
	struct packet down = accepts(&us);

	comes_in(gateway, &down);
	expect_at(gateway, "web11", "tcp *");
	cr_assert_eq(fast_packets(gateway), before + 1, "the host has not spoken ARP yet");
	up.tcp = "S";
	goes_out(gateway, "web11", &up); /* once more, as if it had been lost */
	comes_in(gateway, &down);
	expect_at(gateway, "web11", "tcp * SA *");
	cr_assert_eq(fast_packets(gateway), before + 3);
	up.tcp = "A";
	goes_out(gateway, "web11", &up);
	down.tcp = "PA";
	comes_in(gateway, &down);
	expect_at(gateway, "web11", "tcp *");
	up.tcp = "FA";
	goes_out(gateway, "web11", &up);
	cr_assert_eq(fast_packets(gateway), before + 6);
}

/* As the VTEP of Linux sends by default. */
CASE_IN(fast_path, takes_what_came_in_a_tunnel_with_a_checksum, web_world, FUSED)
{
	struct frame frame;

	goes_out(gateway, "web11", &query);
	uint64_t before = fast_packets(gateway);
	gateway_host_frame(gateway, "web11", &query, &frame);
	frame_mend_l4(&frame, 14);
	cr_assert_neq(frame_get16(&frame, 40), 0);
	gateway_send(gateway, UNDERLAY, &frame);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp *:53 *");
	cr_assert_eq(fast_packets(gateway), before + 1);
	frame.bytes[frame.length - 1] ^= 1;
	gateway_send(gateway, UNDERLAY, &frame);
	gateway_run(gateway);
	expect_drop(gateway, DROP_VXLAN_UDP_CHECKSUM);
	cr_assert_eq(fast_packets(gateway), before + 1);
}

/* All clients of a server share its endpoint: their sessions stand under the whole flow. */
CASE_IN(fast_path, takes_every_client_of_a_static_binding, web_world, FUSED)
{
	struct packet in = { .from = SERVER, .to = "203.0.113.20", .to_port = 53, .data = 9 };

	for (int round = 0; round < 2; round++) {
		for (uint16_t client = 0; client < 20; client++) {
			in.from_port = (uint16_t)(5000 + client);
			comes_in(gateway, &in);
			expect_at(gateway, "web5", "udp *");
		}
	}
	cr_assert_eq(fast_packets(gateway), 20);
}

static void stays_with_the_stages(struct gateway *gateway, const char *host, const struct packet *packet)
{
	uint64_t before = fast_packets(gateway);

	gateway_host_sends(gateway, host, packet);
	gateway_run(gateway);
	cr_assert_eq(fast_packets(gateway), before);
}

CASE_IN(fast_path, leaves_what_is_special_to_the_stages, web_world, FUSED)
{
	struct packet packet = query;
	struct frame frame;

	goes_out(gateway, "web11", &query);
	packet.ttl = 1;
	stays_with_the_stages(gateway, "web11", &packet);
	expect_at(gateway, "web11", "icmp 11/0 *");
	expect_drop(gateway, DROP_TTL_EXPIRED);
	packet.ttl = 64;
	packet.more_fragments = true;
	packet.data = 16;
	stays_with_the_stages(gateway, "web11", &packet);
	gateway_run(gateway);
	while (gateway_receive(gateway, UPLINK, &frame))
		;
	packet = (struct packet){ .to = SERVER, .protocol = ICMP, .from_port = 7, .icmp_type = 8, .data = 9 };
	stays_with_the_stages(gateway, "web11", &packet);
	stays_with_the_stages(gateway, "web11", &packet);
	while (gateway_receive(gateway, UPLINK, &frame))
		;
}

CASE_IN(fast_path, opens_new_flows_of_hosts_that_have_spoken, web_world, FUSED)
{
	struct packet packet = query;

	goes_out(gateway, "web11", &query);
	uint64_t before = fast_packets(gateway);
	packet.from_port = 4001;
	struct endpoint us = goes_out(gateway, "web11", &packet);
	cr_assert_eq(fast_packets(gateway), before + 1);
	packet.to = OTHER; /* a second flow of the endpoint goes by the same public one */
	struct endpoint again = goes_out(gateway, "web11", &packet);
	cr_assert_eq(again.port, us.port);
	cr_assert_str_eq(again.address, us.address);
	cr_assert_eq(fast_packets(gateway), before + 2);
	packet.from_port = 4002;
	packet.protocol = TCP;
	packet.tcp = "A";
	stays_with_the_stages(gateway, "web11", &packet);
	expect_drop(gateway, DROP_NAT_TCP_STATE);
}

/* Twelve flows of four packets each, one after another and mixed, among them one that the stages must have. */
CASE_IN(fast_path, opens_many_flows_of_one_burst_and_keeps_each_in_order, web_world, ALL_PLANS | OWN_PORTS)
{
	struct packet packet = query;
	struct endpoint us[12] = { 0 };
	uint32_t number[12] = { 0 };
	struct frame frame;

	goes_out(gateway, "web11", &query);
	for (uint32_t i = 0; i < 48; i++) {
		uint32_t flow = i < 24 ? i / 4 : 6 + i % 6;
		packet.to = flow & 1 ? SERVER : OTHER;
		packet.from_port = (uint16_t)(5000 + flow / 2);
		packet.to_port = (uint16_t)(100 + flow);
		packet.data = (uint16_t)(20 + i);
		packet.options = flow == 3 && i == 13 ? (const uint8_t *)"\1\1\1\0" : NULL;
		packet.options_length = packet.options == NULL ? 0 : 4;
		gateway_host_sends(gateway, "web11", &packet);
	}
	gateway_run(gateway);
	for (uint32_t i = 0; i < 48; i++) {
		expect_at_taking(gateway, "router", "udp *", &frame);
		struct frame_view view;
		cr_assert_null(frame_check(&frame, 0, &view));
		uint32_t flow = frame_get16(&frame, (uint16_t)(view.l4 + 2)) - 100u;
		struct endpoint end = endpoint_of(&frame, false);
		cr_assert_lt(flow, RTE_DIM(us));
		cr_assert_gt(view.data_length, number[flow], "flow %u is out of order", flow);
		cr_assert(number[flow] == 0 || us[flow].port == end.port);
		number[flow] = view.data_length;
		us[flow] = end;
	}
	expect_silence(gateway);
}

/* The move is learned by the stages, and from then on the fast path goes by it. */
CASE_IN(fast_path, follows_a_host_that_has_moved, web_world, FUSED)
{
	struct endpoint us = goes_out(gateway, "web11", &query);

	udp_answer(gateway, SERVER, 53, &us);
	expect_at(gateway, "web11", "udp *");
	moves_and_is_followed(gateway, &query, &us);
}

/* Each bit of the headers turned around in turn, of a packet either way that would take the fast path: whatever check it
 * meets there, the stages would have met too. */
CASE_IN(fast_path, each_bit_of_a_packet_changed, web_world, ALL_PLANS | OWN_PORTS)
{
	struct sample sample[SAMPLES_MAX];
	unsigned count = samples_make(gateway, sample);
	uint64_t before = fast_packets(gateway);
	struct frame frame;

	for (unsigned i = 0; i < count; i++) {
		for (unsigned bit = 0; bit < 8u * RTE_MIN(sample[i].frame.length, 110); bit++) {
			frame = sample[i].frame;
			frame.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			cr_assert(gateway_send(gateway, sample[i].port, &frame));
			for (uint16_t l = 0; l < gateway->path->count; l++)
				gateway->path->context[l]->fast_rest[sample[i].port] = 0;
			gateway_run(gateway); /* each alone: what is left takes others of its flow along */
		}
		gateway_advance(gateway, 1000);
		for (uint16_t port = 0; port < gateway->config->port_count; port++)
			while (gateway_receive(gateway, port, &frame))
				;
	}
	if (gateway->path->count == 1 && gateway->path->context[0]->fast)
		cr_assert_gt(fast_packets(gateway), before + 1000, "many bits are none of its business");
	for (int i = 0; i < DROP_REASONS; i++)
		gateway->drops_claimed[i] = gateway_drops(gateway, (enum drop_reason)i);
}

static const uint8_t mss_8960[] = { 2, 4, 35, 0 };

/* A session that exists may still meet what only the stages can do. */
CASE(fast_path, sends_what_must_be_changed_or_refused_to_the_stages, web_world)
{
	struct packet syn = { .to = SERVER,
		.from_port = 4000,
		.to_port = 80,
		.protocol = TCP,
		.tcp = "S",
		.tcp_options = mss_8960,
		.tcp_options_length = sizeof(mss_8960) };
	struct packet answer = { .from = SERVER, .from_port = 53, .data = 2000 };
	struct endpoint us = goes_out(gateway, "web11", &query);

	udp_answer(gateway, SERVER, 53, &us);
	expect_at(gateway, "web11", "udp *");
	goes_out(gateway, "web11", &syn);
	goes_out(gateway, "web11", &syn); /* once more: its MSS has to be clamped again */
	answer.to = us.address;
	answer.to_port = us.port;
	answer.dont_fragment = true;
	comes_in(gateway, &answer);
	expect_at(gateway, "router", "icmp 3/4 *");
	expect_drop(gateway, DROP_TOO_BIG);
	answer.dont_fragment = false;
	comes_in(gateway, &answer);
	expect_at(gateway, "web11", "*");
	expect_at(gateway, "web11", "*");
	gateway->headroom = 16; /* too little for the tunnel's headers */
	answer.data = 9;
	comes_in(gateway, &answer);
	gateway->headroom = 0;
	expect_drop(gateway, DROP_HEADROOM);
}

CASE(fast_path, finishes_a_checksum_that_a_kernel_left_half_finished, web_world)
{
	struct endpoint us = goes_out(gateway, "web11", &query);
	struct packet answer = {
		.from = SERVER, .to = us.address, .from_port = 53, .to_port = us.port, .data = 33
	};
	struct frame frame;

	udp_answer(gateway, SERVER, 53, &us);
	expect_at(gateway, "web11", "udp *");
	gateway->plane->port[UPLINK].partial_checksums = true;
	gateway->plane->port[UNDERLAY].partial_checksums = true;
	for (int i = 0; i < 2; i++) {
		gateway_host_frame(gateway, "router", &answer, &frame);
		frame_halve_l4(&frame, 14);
		cr_assert(gateway_send(gateway, UPLINK, &frame));
		gateway_run(gateway);
		expect_at(gateway, "web11", "udp *"); /* whose checksum has to be right */
		gateway_host_frame(gateway, "web11", &query, &frame);
		frame_halve_l4(&frame, 64);
		cr_assert(gateway_send(gateway, UNDERLAY, &frame));
		gateway_run(gateway);
		expect_at(gateway, "router", "udp *");
		answer.ttl = 1; /* finished, and then left to the stages */
		gateway_host_frame(gateway, "router", &answer, &frame);
		frame_halve_l4(&frame, 14);
		cr_assert(gateway_send(gateway, UPLINK, &frame));
		gateway_run(gateway);
		expect_at(gateway, "router", "icmp 11/0 *");
		expect_drop(gateway, DROP_TTL_EXPIRED);
		answer.ttl = 64;
	}
}

static void waits_behind(struct gateway *gateway, const struct packet *first, const struct packet *second)
{
	gateway_host_sends(gateway, "router", first);
	gateway_host_sends(gateway, "router", second);
	gateway_run(gateway); /* both in one burst */
}

/* Data right behind the SYN-ACK, as TCP Fast Open sends it, would be lost if it came first (RFC 7413). */
CASE(fast_path, keeps_a_flow_in_order_where_one_of_its_packets_is_left, web_world)
{
	struct packet up = { .to = SERVER, .from_port = 4000, .to_port = 80, .protocol = TCP, .tcp = "S" };
	struct endpoint us = goes_out(gateway, "web11", &up);
	struct packet syn = accepts(&us);
	struct packet data = syn, other = syn;

	data.tcp = "PA";
	waits_behind(gateway, &syn, &data);
	expect_at(gateway, "web11", "tcp * SA *");
	expect_at(gateway, "web11", "tcp * PA *");
	other.data = 1700; /* to be cut, and the small one behind it not */
	other.tcp = "A";
	waits_behind(gateway, &other, &data);
	expect_at(gateway, "web11", "*");
	expect_at(gateway, "web11", "*");
	expect_at(gateway, "web11", "tcp * PA *");
	other = data;
	other.options = (const uint8_t *)"\1\1\1\0";
	other.options_length = 4;
	other.data = 5;
	waits_behind(gateway, &other, &data);
	expect_at(gateway, "web11", "tcp * data 5*");
	expect_at(gateway, "web11", "tcp * PA *");
}

/* Some flows come in by the lcore that owns them, and some by another one, where there are two. */
CASE(fast_path, ends_no_flow_before_what_was_left_of_it, web_world)
{
	for (uint16_t flow = 0; flow < 8; flow++) {
		struct packet up = { .to = SERVER,
			.from_port = (uint16_t)(4000 + flow),
			.to_port = 80,
			.protocol = TCP,
			.tcp = "S" };
		struct endpoint us = goes_out(gateway, "web11", &up);
		struct packet down = accepts(&us);
		struct packet cut, end;

		gateway_host_sends(gateway, "router", &down);
		gateway_run(gateway);
		expect_at(gateway, "web11", "tcp * SA *");
		cut = end = down;
		cut.tcp = "A";
		cut.data = 1700;
		end.tcp = "FA";
		waits_behind(gateway, &cut, &end);
		expect_at(gateway, "web11", "*");
		expect_at(gateway, "web11", "*");
		expect_at(gateway, "web11", "tcp * FA *");
	}
}

#define FLOWS      16u
#define TURNS      10u
#define FIRST_PORT 5000u /* of the server: by it flows are told apart on either side */

/* Of each flow in turn a packet, longer each time; every third one is not for the fast path. */
static void flows_send(struct gateway *gateway, const char *host, const struct endpoint *to)
{
	for (uint16_t turn = 0; turn < TURNS; turn++)
		for (uint16_t i = 0; i < FLOWS; i++) {
			struct packet packet = { .data = (uint16_t)(8 + turn) };

			if (to == NULL) {
				packet.to = SERVER;
				packet.from_port = (uint16_t)(4000 + 2 * i);
				packet.to_port = (uint16_t)(FIRST_PORT + i);
			} else {
				packet.from = SERVER;
				packet.from_port = (uint16_t)(FIRST_PORT + i);
				packet.to = to[i].address;
				packet.to_port = to[i].port;
			}
			if (turn % 3 == 1) {
				packet.options = (const uint8_t *)"\1\1\1\0";
				packet.options_length = 4;
			}
			gateway_host_sends(gateway, host, &packet);
		}
}

/* All of them arrive, and those of each flow in the order in which they were sent. */
static void flows_arrive(struct gateway *gateway, uint16_t port, uint16_t number_at, struct endpoint *from)
{
	uint16_t arrived[FLOWS] = { 0 }, all = 0;
	struct frame_view view;
	struct frame frame;

	while (gateway_receive(gateway, port, &frame)) {
		const char *wrong = frame_check(&frame, 4789, &view);
		cr_assert(wrong == NULL, "%s", wrong);
		uint16_t flow = (uint16_t)(frame_get16(&frame, (uint16_t)(view.l4 + number_at)) - FIRST_PORT);
		cr_assert_lt(flow, FLOWS);
		cr_assert_eq(view.data_length, 8 + arrived[flow], "flow %u: the packet of %u bytes came %u.",
			flow, view.data_length, arrived[flow] + 1u);
		arrived[flow]++;
		all++;
		if (from != NULL)
			from[flow] = endpoint_of(&frame, false);
	}
	cr_assert_eq(all, FLOWS * TURNS);
}

/* Also where half of the flows are received by a lcore that does not own them, and go to the owner by two ways. Which of the
 * flows comes first is another matter, and by that public ports are told apart. */
CASE_IN(fast_path, keeps_many_flows_in_order_of_which_some_packets_are_left, web_world, ALL_PLANS | OWN_PORTS)
{
	struct endpoint us[FLOWS], first = goes_out(gateway, "web11", &query);

	udp_answer(gateway, SERVER, 53,
		&first); /* so that all hosts are known: what waits for that comes late */
	expect_at(gateway, "web11", "udp *");
	flows_send(gateway, "web11", NULL);
	gateway_run(gateway);
	flows_arrive(gateway, UPLINK, 2, us);
	flows_send(gateway, "router", us);
	gateway_run(gateway);
	flows_arrive(gateway, UNDERLAY, 0, NULL);
	flows_send(gateway, "web11", NULL);
	gateway_run(gateway);
	flows_arrive(gateway, UPLINK, 2, NULL);
	if (gateway->plan == PLAN_FUSED_TWO)
		cr_assert_gt(gateway_handed_off(gateway), FLOWS * TURNS / 2);
}

#define ALIKE 320u

/* A packet of each flow; that all come out, each by the endpoint that it had the last time, if any. */
static void alike_pass(struct gateway *gateway, struct endpoint *us, bool again)
{
	struct packet packet = { .to = SERVER, .data = 18 };
	struct frame frame;
	unsigned count = 0;

	for (uint16_t i = 0; i < ALIKE; i++) {
		packet.from_port = (uint16_t)(4000 + i);
		packet.to_port = (uint16_t)(FIRST_PORT + i);
		gateway_host_sends(gateway, "web11", &packet);
	}
	gateway_run(gateway);
	for (; gateway_receive(gateway, UPLINK, &frame); count++) {
		struct frame_view view;
		cr_assert_null(frame_check(&frame, 4789, &view));
		uint16_t flow = (uint16_t)(frame_get16(&frame, (uint16_t)(view.l4 + 2)) - FIRST_PORT);
		struct endpoint end = endpoint_of(&frame, false);
		cr_assert_lt(flow, ALIKE);
		cr_assert(
			!again || (strcmp(end.address, us[flow].address) == 0 && end.port == us[flow].port));
		us[flow] = end;
	}
	cr_assert_eq(count, ALIKE);
}

/* As in a table so large that the numbers of its sessions leave no room for tags: every entry of a bucket is a candidate. */
CASE_IN(fast_path, finds_sessions_whose_tags_are_all_alike, web_world, 1u << PLAN_FUSED | 1u << PLAN_STAGES)
{
	struct endpoint us[ALIKE];

	for (uint16_t i = 0; i < gateway->plane->nat->owners; i++)
		gateway->plane->nat->owner[i]->index.number_mask = INT32_MAX;
	struct endpoint first = goes_out(gateway, "web11", &query);
	udp_answer(gateway, SERVER, 53, &first);
	expect_at(gateway, "web11", "udp *");
	alike_pass(gateway, us, false);
	uint64_t before = fast_packets(gateway);
	alike_pass(gateway, us, true);
	if (gateway->path->count == 1 && gateway->path->context[0]->fast)
		cr_assert_eq(fast_packets(gateway), before + ALIKE);
	for (uint16_t i = 0; i < ALIKE; i++) {
		udp_answer(gateway, SERVER, (uint16_t)(FIRST_PORT + i), &us[i]);
		expect_at(gateway, "web11", "udp *");
	}
}

/* No session can be with such an address, whoever makes packets up. */
CASE(fast_path, an_impossible_address_gets_neither_out_nor_in, web_world)
{
	static const char *const impossible[] = { "0.1.2.3", "127.0.0.1", "224.1.1.1", "240.1.2.3",
		"255.255.255.255" };
	struct packet out = query;

	goes_out(gateway, "web11", &query);
	for (size_t i = 0; i < RTE_DIM(impossible); i++) {
		out.to = impossible[i];
		gateway_host_sends(gateway, "web11", &out);
		gateway_run(gateway);
		expect_drop(gateway, DROP_IPV4_DESTINATION);
	}
	expect_silence(gateway);
}

/* Neighbours and FDB entries that only the fast path uses are used all the same. */
CASE(fast_path, keeps_what_it_uses_from_ageing, web_world)
{
	struct endpoint us = goes_out(gateway, "web11", &query);

	for (int i = 0; i < 60; i++) {
		gateway_advance(gateway, 25000);
		goes_out(gateway, "web11", &query);
		udp_answer(gateway, SERVER, 53, &us);
		expect_at(gateway, "web11", "udp *");
	}
	cr_assert_gt(gateway->arp_requests, 0, "it should be long enough to age");
}

/* Whatever becomes of a packet: seen through, in two buffers and so left, left, of another owner's. */
static void sends_counted(struct gateway *gateway, const struct packet *packet, uint64_t *bytes)
{
	struct frame frame;

	gateway_host_frame(gateway, "web11", packet, &frame);
	cr_assert(gateway_send(gateway, UNDERLAY, &frame));
	*bytes += frame.length;
}

static uint64_t bytes_received(const struct gateway *gateway)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < gateway->path->count; i++)
		sum += gateway->path->context[i]->counters.interface[UNDERLAY].rx_bytes;
	return sum;
}

CASE_IN(fast_path, counts_each_byte_once, web_world, ALL_PLANS)
{
	struct packet special = query;
	struct frame frame;
	uint64_t sent = 0;

	special.ttl = 1;
	goes_out(gateway, "web11", &query);
	goes_out(gateway, "web11", &query);
	uint64_t before = bytes_received(gateway);
	for (int i = 0; i < 4; i++) {
		gateway->two_buffers = i == 2;
		sends_counted(gateway, i == 3 ? &special : &query, &sent);
	}
	gateway->two_buffers = false;
	gateway_run_lcores(gateway);
	cr_assert_eq(bytes_received(gateway) - before, sent);
	gateway_run(gateway);
	expect_drop(gateway, DROP_MULTI_SEGMENT);
	expect_drop(gateway, DROP_TTL_EXPIRED);
	while (gateway_receive(gateway, UPLINK, &frame) || gateway_receive(gateway, UNDERLAY, &frame))
		;
}
