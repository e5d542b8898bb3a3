/* SPDX-License-Identifier: BSD-3-Clause */
/* Two lcores at the same time, each receiving packets of sessions of both, while sessions end and begin as fast as they can, so that
 * records and ports change hands under the eyes of who reads them. Whatever leaves must be one packet of one flow: a packet to which
 * another flow's record was done would have a wrong checksum, or go to another host. */
#include "gateway_ports.h"
#include "packet/packet_metadata.h"
#include "pipeline_case.h"
#include "table/nat_owner.h"
#include "worlds.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANES       2u
#define OF_OWNER    3u /* hosts */
#define HOSTS       (LANES * OF_OWNER)
#define PORTS_OF    12u /* of each host */
#define REMOTES     3u  /* of each of those */
#define FLOWS       (HOSTS * PORTS_OF * REMOTES)
#define CANDIDATES  24u
#define REMOTE_PORT 1000u /* of flow 0: so each remote port says the flow */
#define RUN_MS      1500u
#define AT_ONCE     24u /* packets a turn */
#define CLEAR_EACH  32u /* turns */

static struct frame up[FLOWS]; /* the packet of each flow, as it comes from the host */
static uint32_t inside[FLOWS];
static uint16_t inside_port[FLOWS];

struct lane {
	struct gateway *gateway;
	uint16_t number;
	unsigned seed;
	const _Atomic bool *stop;
	uint64_t sent, came, wrong;
	char what[128]; /* the first thing that went wrong */
};

static struct gateway *create(const char *host[HOSTS])
{
	static char name[CANDIDATES][8], mac[CANDIDATES][18], ip[CANDIDATES][16];
	struct world world = web_world;
	unsigned hosts = 0, of_owner[LANES] = { 0 }, count = 0;
	static char config[4096];
	const char *most = strstr(web_world.config, "\"max_sessions\"");

	/* A table in which records are used again at once; and no limit to new sessions. */
	snprintf(config, sizeof(config), "%.*s\"max_sessions\": %u, \"new_sessions_in_overload\": 0 } }",
		(int)(most - web_world.config), web_world.config, 2 * FLOWS);
	world.config = config;
	while (world.host[hosts].name != NULL)
		hosts++;
	for (unsigned i = 0; i < CANDIDATES; i++) {
		snprintf(name[i], sizeof(name[i]), "web%u", 100 + i);
		snprintf(mac[i], sizeof(mac[i]), "52:54:00:01:01:%02x", i);
		snprintf(ip[i], sizeof(ip[i]), "10.0.1.%u", 100 + i);
		world.host[hosts + i] = (struct host){
			.name = name[i], .mac = mac[i], .ip = ip[i], .vni = 5001, .vtep = "192.0.2.11"
		};
	}
	struct gateway *gateway = gateway_create(&world, PLAN_FUSED_TWO);
	for (unsigned i = 0; i < CANDIDATES; i++)
		if (of_owner[nat_owner_of_inside(gateway->plane->nat, 0, inet_addr(ip[i]))]++ < OF_OWNER)
			host[count++] = name[i];
	cr_assert_eq(count, HOSTS);
	return gateway;
}

static void receive(struct lane *lane, uint16_t port, const struct frame *frame)
{
	struct gateway_ports *ports = lane->gateway->ports;
	struct rte_mbuf *m = rte_pktmbuf_alloc(ports->packets);

	if (m == NULL)
		return;
	memcpy(rte_pktmbuf_append(m, frame->length), frame->bytes, frame->length);
	if (rte_ring_enqueue(ports->port[port].rx[lane->number], m) == 0)
		lane->sent++;
	else
		rte_pktmbuf_free(m);
}

static void complain(struct lane *lane, const char *what, uint32_t flow)
{
	if (lane->wrong++ == 0)
		snprintf(lane->what, sizeof(lane->what), "%s, flow %u", what, flow);
}

/* Turns a frame that went out into its answer, in place: the checksums stay right. */
static void answer(struct frame *frame, const struct frame_view *view)
{
	uint8_t mac[6], *at = frame->bytes;
	uint32_t from = frame_get32(frame, (uint16_t)(view->ip + 12));
	uint16_t port = frame_get16(frame, view->l4);

	memcpy(mac, at, sizeof(mac));
	memcpy(at, at + 6, sizeof(mac));
	memcpy(at + 6, mac, sizeof(mac));
	frame_put32(frame, (uint16_t)(view->ip + 12), frame_get32(frame, (uint16_t)(view->ip + 16)));
	frame_put32(frame, (uint16_t)(view->ip + 16), from);
	frame_put16(frame, view->l4, frame_get16(frame, (uint16_t)(view->l4 + 2)));
	frame_put16(frame, (uint16_t)(view->l4 + 2), port);
}

static void flows_make(struct gateway *gateway, const char *const host[HOSTS])
{
	struct frame frame;
	struct frame_view view;

	for (uint32_t i = 0; i < FLOWS; i++) {
		const char *from = host[i % HOSTS];

		inside[i] = ntohl(inet_addr(gateway_host(gateway, from)->ip));
		inside_port[i] = (uint16_t)(4000 + i / HOSTS % PORTS_OF);
		gateway_host_frame(gateway, from,
			&(struct packet){ .to = "198.51.100.7",
				.from_port = inside_port[i],
				.to_port = (uint16_t)(REMOTE_PORT + i),
				.data = 16 },
			&up[i]);
	}
	/* So that all are known: what they send is answered. */
	for (uint32_t i = 0; i < HOSTS; i++)
		cr_assert(gateway_send(gateway, UNDERLAY, &up[i]));
	gateway_run(gateway);
	while (gateway_receive(gateway, UPLINK, &frame)) {
		cr_assert_null(frame_check(&frame, 0, &view));
		answer(&frame, &view);
		cr_assert(gateway_send(gateway, UPLINK, &frame));
	}
	gateway_run(gateway);
	gateway_forget_output(gateway);
}

/* What has left by the lane's queue of a port. */
static void look(struct lane *lane, uint16_t port)
{
	struct rte_mbuf *m;

	while (rte_ring_dequeue(lane->gateway->ports->port[port].tx[lane->number], (void **)&m) == 0) {
		struct frame frame = { .length = (uint16_t)rte_pktmbuf_pkt_len(m) };
		struct frame_view view;

		memcpy(frame.bytes, rte_pktmbuf_mtod(m, void *), frame.length);
		rte_pktmbuf_free(m);
		lane->came++;
		const char *wrong = frame_check(&frame, 4789, &view);
		if (wrong != NULL)
			complain(lane, wrong, 0);
		if (wrong != NULL || view.protocol != IPPROTO_UDP) /* ARP, or an ICMP error */
			continue;
		bool down = port == UNDERLAY;
		uint32_t flow = frame_get16(&frame, (uint16_t)(view.l4 + (down ? 0 : 2))) - REMOTE_PORT;
		if (flow >= FLOWS)
			complain(lane, "of no flow", flow);
		else if (!down) {
			answer(&frame, &view);
			if (rand_r(&lane->seed) % 2)
				receive(lane, UPLINK, &frame);
		} else if (frame_get32(&frame, (uint16_t)(view.ip + 16)) != inside[flow] ||
			   frame_get16(&frame, (uint16_t)(view.l4 + 2)) != inside_port[flow])
			complain(lane, "to another host or port", flow);
	}
}

/* Each on a CPU of its own, if there are as many: of two on one, one would wait for a ring of buffers that the other holds. The EAL
 * has pinned the thread that made these, so that its own mask does not say which there are. */
static void cpu_take(uint16_t number)
{
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (pthread_setaffinity_np(pthread_self(), sizeof(one), &one) == 0 && number-- == 0)
			return;
	}
}

static void *lane_main(void *argument)
{
	static const struct nat_filter any = { .segment = -1 };
	struct lane *lane = argument;
	struct lcore_context *context = lane->gateway->path->context[lane->number];
	uint32_t cursor = 0;

	cpu_take(lane->number);
	packet_path_online(context);
	for (uint32_t turn = 0; !*lane->stop; turn++) {
		for (uint32_t i = 0; i < AT_ONCE; i++)
			receive(lane, UNDERLAY, &up[(unsigned)rand_r(&lane->seed) % FLOWS]);
		packet_path_poll(context, rte_rdtsc());
		look(lane, UPLINK);
		look(lane, UNDERLAY);
		sched_yield(); /* to the slow path, which may have a ring of buffers in its hands */
		if (turn % CLEAR_EACH == 0) {
			nat_owner_clear(context->nat, &cursor, &any, 1 + (unsigned)rand_r(&lane->seed) % 40,
				UINT32_MAX);
			cursor = 0;
		}
	}
	packet_path_offline(context);
	return NULL;
}

Test(handoff_threads, packets_and_sessions_stay_right_while_sessions_come_and_go)
{
	const char *host[HOSTS];
	struct gateway *gateway = create(host);
	struct lane lane[LANES] = { 0 };
	pthread_t thread[LANES];
	_Atomic bool stop = false;
	uint64_t created = 0, in = 0, out = 0;

	flows_make(gateway, host);
	for (uint16_t i = 0; i < LANES; i++) {
		lane[i] = (struct lane){ .gateway = gateway, .number = i, .seed = 7u + i, .stop = &stop };
		cr_assert_eq(pthread_create(&thread[i], NULL, lane_main, &lane[i]), 0);
	}
	for (uint64_t began = clock_now_ns(), now; (now = clock_now_ns()) < began + RUN_MS * NS_PER_MS;) {
		slowpath_poll(gateway->slowpath, gateway->base_ns + now - began);
		rte_delay_us_sleep(1000);
	}
	stop = true;
	for (uint16_t i = 0; i < LANES; i++)
		pthread_join(thread[i], NULL);
	gateway_run(gateway); /* what is under way still */
	for (uint16_t i = 0; i < LANES; i++) {
		const struct lcore_counters *counters = &gateway->path->context[i]->counters;
		const struct nat_owner *owner = nat_owner(gateway->plane->nat, i);

		cr_assert_eq(lane[i].wrong, 0, "%lu of %lu frames were wrong: %s", lane[i].wrong,
			lane[i].came, lane[i].what);
		cr_assert_gt(lane[i].came, 1000);
		cr_assert_gt(counters->fast_path.packets, 1000);
		cr_assert_gt(counters->handed_off, 100);
		cr_assert_eq(owner->rows.retired, 0);
		created += owner->counters.sessions_created;
		in += lane[i].sent;
		out += lane[i].came;
	}
	cr_assert_gt(created, 1000);
	cr_log_info("%lu packets in, %lu out, %lu sessions", in, out, created);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

#define ORDER_MS  2500u
#define NEW_FLOWS 64u /* a round, which fill a burst; of one endpoint */
#define OF_A_FLOW 3u  /* packets */
#define ROUNDS    4u  /* then their sessions are ended */
#define NEW_PORT  2000u

/* Sees to what it is given, and ends all sessions when asked to. */
struct order_owner {
	struct lcore_context *context;
	_Atomic bool stop, clear;
};

static void *order_owner_main(void *argument)
{
	static const struct nat_filter any = { .segment = -1 };
	struct order_owner *owner = argument;

	cpu_take(0);
	packet_path_online(owner->context);
	while (!owner->stop) {
		packet_path_poll(owner->context, rte_rdtsc());
		if (!owner->clear)
			continue;
		for (uint32_t cursor = 0; cursor != UINT32_MAX;) {
			nat_owner_clear(owner->context->nat, &cursor, &any, 64, UINT32_MAX);
			packet_path_poll(owner->context, rte_rdtsc());
		}
		owner->clear = false;
	}
	packet_path_offline(owner->context);
	return NULL;
}

/* All first packets, then the others in two halves: the last ones of a flow lie in one burst. */
static void order_send(struct lane *lane, const char *host, uint16_t port, uint16_t round)
{
	struct frame frame;

	for (uint16_t i = 0; i < NEW_FLOWS * OF_A_FLOW; i++) {
		uint16_t rest = (uint16_t)(i - NEW_FLOWS), half = NEW_FLOWS / 2, flow = i, number = 0;

		if (i >= NEW_FLOWS) {
			flow = (uint16_t)(rest % half + rest / NEW_FLOWS * half);
			number = (uint16_t)(1 + rest / half % 2);
		}
		gateway_host_frame(lane->gateway, host,
			&(struct packet){ .to = "198.51.100.7",
				.from_port = 3999,
				.to_port = (uint16_t)(port + flow),
				.data = 16,
				.ip_id = (uint16_t)(round * 4 + number) },
			&frame);
		receive(lane, UNDERLAY, &frame);
	}
}

/* Of those that the lane itself has sent: identifications of a round grow with each flow. */
static void order_look(struct lane *lane, uint16_t last[NEW_FLOWS * ROUNDS])
{
	struct rte_mbuf *m;

	while (rte_ring_dequeue(lane->gateway->ports->port[UPLINK].tx[lane->number], (void **)&m) == 0) {
		struct frame frame = { .length = (uint16_t)rte_pktmbuf_pkt_len(m) };
		struct frame_view view;

		memcpy(frame.bytes, rte_pktmbuf_mtod(m, void *), frame.length);
		rte_pktmbuf_free(m);
		if (frame_check(&frame, 4789, &view) != NULL || view.protocol != IPPROTO_UDP)
			continue;
		uint16_t id = frame_get16(&frame, (uint16_t)(view.ip + 4)),
			 flow = (uint16_t)(frame_get16(&frame, (uint16_t)(view.l4 + 2)) - NEW_PORT);
		cr_assert_lt(flow, NEW_FLOWS * ROUNDS);
		lane->came++;
		if (id / 4 == last[flow] / 4 && id < last[flow])
			complain(lane, "out of order", flow);
		last[flow] = id;
	}
}

static void order_rest(struct lane *lane, uint16_t port)
{
	struct rte_mbuf *m;

	while (rte_ring_dequeue(lane->gateway->ports->port[port].tx[!lane->number], (void **)&m) == 0)
		rte_pktmbuf_free(m);
}

/* The owner opens a flow while the other lcore goes through a burst with more packets of it: they may be found from then on, and must
 * not go before one that was not. */
Test(handoff_threads, no_packet_goes_before_one_that_goes_to_the_owner, .timeout = 60)
{
	const char *host[HOSTS];
	static uint16_t last[NEW_FLOWS * ROUNDS];
	struct gateway *gateway = create(host);
	uint16_t mine =
		nat_owner_of_inside(gateway->plane->nat, 0, inet_addr(gateway_host(gateway, host[0])->ip));
	struct order_owner owner = { .context = gateway->path->context[mine] };
	struct lane lane = { .gateway = gateway, .number = !mine };
	struct lcore_context *context = gateway->path->context[lane.number];
	uint64_t end = clock_now_ns() + ORDER_MS * NS_PER_MS;
	pthread_t thread;

	flows_make(gateway, host);
	cr_assert_eq(pthread_create(&thread, NULL, order_owner_main, &owner), 0);
	cpu_take(1);
	packet_path_online(context);
	for (uint16_t round = 1; clock_now_ns() < end; round++) {
		order_send(&lane, host[0], (uint16_t)(NEW_PORT + round % ROUNDS * NEW_FLOWS), round);
		for (int turn = 0; turn < 60; turn++)
			packet_path_poll(context, rte_rdtsc());
		order_look(&lane, last);
		order_rest(&lane, UPLINK);
		for (owner.clear = round % ROUNDS == 0; owner.clear;)
			packet_path_poll(context, rte_rdtsc());
	}
	owner.stop = true;
	pthread_join(thread, NULL);
	packet_path_offline(context);
	cr_assert_gt(lane.came, 1000);
	cr_assert_eq(lane.wrong, 0, "%lu of %lu packets were wrong: %s", lane.wrong, lane.came, lane.what);
	gateway_run(gateway);
	gateway_forget_output(gateway);
	cr_assert_eq(gateway_destroy(gateway), 0);
}
