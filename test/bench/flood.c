/* SPDX-License-Identifier: BSD-3-Clause */
#include "flood.h"

#include "connection.h"
#include "median.h"
#include "tuples.h"
#include "turn.h"
#include <string.h>

#define SOURCES        4096u /* more than the shares of one source allow for together */
#define FLOWS          (UINT32_C(1) << 22)
#define PAYLOAD        (FRAME - 34)
#define MORE_FRAGMENTS 0x2000
#define IP             14
#define TUNNEL         50 /* what is before the frame in a tunnel */

const char *const flood_name[FLOODS] = { "fragments from outside", "SYNs from inside, room",
	"SYNs from inside, table full", "first UDP, table full", "SYNs from outside" };
const char *const flood_key[FLOODS] = { "fragments", "syn", "syn_full", "first_full", "syn_outside" };

static struct {
	enum flood_kind kind;
	struct frame frame;
	struct tuples tuples;
	struct traffic *traffic;
	uint32_t number;
	struct samples cycles;
} flood;

static void frame_write(struct rte_mbuf *m)
{
	memcpy(rte_pktmbuf_mtod(m, void *), flood.frame.bytes, flood.frame.length);
	m->data_len = flood.frame.length;
	m->pkt_len = flood.frame.length;
}

/* A fragment of a datagram that no other is of: of every second one the first fragment is missing. */
static void fragment_write(struct rte_mbuf *m, uint32_t number)
{
	struct frame *frame = &flood.frame;

	/* Whole units of 8 bytes, as all but a last fragment must be. */
	frame_put16(frame, IP + 2, 20 + PAYLOAD / 8 * 8);
	frame_put16(frame, IP + 4, (uint16_t)(number / SOURCES));
	frame_put16(frame, IP + 6, (uint16_t)(MORE_FRAGMENTS | (number & 1)));
	frame_put32(frame, IP + 12, 0xc6120000 | number % SOURCES);
	frame_mend_ip(frame, IP);
	frame_write(m);
}

static void outside_syn_write(struct rte_mbuf *m, uint32_t number)
{
	struct frame *frame = &flood.frame;

	frame_put32(frame, IP + 12, 0xc6120000 | (number >> 6 & 0xffff));
	frame_put32(frame, IP + 16, POOL_ADDRESS + 1 + number % 64);
	frame_put16(frame, IP + 22, (uint16_t)(1024 + number * 40503u % 64000));
	frame_mend_ip(frame, IP);
	frame_mend_l4(frame, IP);
	frame_write(m);
}

static void packet_write(struct rte_mbuf *m, uint32_t number)
{
	if (flood.kind == FLOOD_FRAGMENTS)
		fragment_write(m, number);
	else if (flood.kind == FLOOD_SYN_OUTSIDE)
		outside_syn_write(m, number);
	else if (flood.kind == FLOOD_FIRST_FULL)
		traffic_write(flood.traffic, traffic_pick_flow(flood.traffic, number % FLOWS), UP, FRAME, m);
	else
		connection_write(flood.traffic, number % FLOWS, STEP_SYN, m);
}

void flood_begin(enum flood_kind kind)
{
	const struct packet template = { .mac_to = gateway_uplink_mac,
		.mac_from = router_mac,
		.from = "198.18.0.0",
		.to = "203.0.112.1",
		.protocol = kind == FLOOD_SYN_OUTSIDE ? 6 : 17,
		.tcp = "S",
		.from_port = REMOTE_PORT,
		.to_port = 2000,
		.data = PAYLOAD - (kind == FLOOD_SYN_OUTSIDE ? 20 : 8) };

	memset(&flood, 0, sizeof(flood));
	flood.kind = kind;
	tuples_make(&flood.tuples, TUPLES_RANDOM);
	flood.traffic = traffic_create(FLOWS, 1, &flood.tuples);
	frame_build(&flood.frame, &template);
}

static uint16_t flood_port(void)
{
	return flood.kind == FLOOD_FRAGMENTS || flood.kind == FLOOD_SYN_OUTSIDE ? UPLINK : UNDERLAY;
}

void flood_run(struct subject *subject)
{
	struct turn turn = { 0 };
	struct rte_mbuf **packets = turn_add(&turn, subject->pool, flood_port(), BURST);

	for (uint32_t i = 0; i < BURST; i++)
		packet_write(packets[i], flood.number++);
	samples_add(&flood.cycles, subject_turn(subject, &turn));
	turn_end(&turn);
	turn_discard_punts(subject->gateway);
}

/* Of what came out: the packets of established sessions, which are of UDP. Of the flood, TCP alone gets out. */
static uint32_t established_out(const struct turn *turn, enum direction direction)
{
	uint16_t port = direction_out(direction), at = (uint16_t)(direction == DOWN ? TUNNEL + IP : IP);
	uint32_t count = 0;

	for (uint16_t i = 0; i < turn->out[port]; i++)
		count += *rte_pktmbuf_mtod_offset(turn->output[port][i], const uint8_t *, at + 9) == 17;
	return count;
}

/* A packet of the flood after each of the others. */
static void interleave(struct rte_mbuf **packets, uint32_t each)
{
	struct rte_mbuf *mixed[2 * BURST];

	for (uint32_t i = 0; i < each; i++) {
		mixed[2 * i] = packets[i];
		mixed[2 * i + 1] = packets[each + i];
	}
	memcpy(packets, mixed, 2 * each * sizeof(*packets));
}

static uint64_t mixed_turn(struct subject *subject, enum direction direction)
{
	uint16_t port = direction_in(direction), count = BURST;
	struct turn turn = { 0 };
	struct rte_mbuf **packets = turn_add(&turn, subject->pool, port, count);
	struct traffic *traffic = subject->traffic;

	for (uint16_t i = 0; i < count; i++)
		traffic_write(traffic, traffic_pick(traffic), direction, FRAME, packets[i]);
	struct rte_mbuf **others = turn_add(&turn, subject->pool, flood_port(), count);
	for (uint16_t i = 0; i < count; i++)
		packet_write(others[i], flood.number++);
	if (port == flood_port())
		interleave(packets, count);
	uint64_t spent = subject_turn(subject, &turn);
	if (established_out(&turn, direction) != count)
		rte_exit(EXIT_FAILURE, "%u of %u established packets came out\n",
			established_out(&turn, direction), count);
	subject->packets += count;
	turn_end(&turn);
	turn_discard_punts(subject->gateway);
	return spent;
}

double flood_mixed(struct subject *subject, enum direction direction, uint32_t turns)
{
	struct samples samples = { 0 };

	for (uint32_t i = 0; i < turns; i++) {
		uint64_t spent = mixed_turn(subject, direction);
		if (i >= turns / 4) /* what was measured before is in the cache */
			samples_add(&samples, spent);
	}
	return samples_usual_mean(&samples) / BURST;
}

double flood_take(void)
{
	double cycles = samples_usual_mean(&flood.cycles) / BURST;

	memset(&flood.cycles, 0, sizeof(flood.cycles));
	return cycles;
}

void flood_end(void)
{
	traffic_free(flood.traffic);
}
