/* SPDX-License-Identifier: BSD-3-Clause */
#include "flooded.h"

#include "../pipeline/gateway_ports.h"
#include "measure.h"
#include "series.h"
#include "table/fragment_table.h"
#include "table/nat_owner.h"
#include <rte_cycles.h>
#include <rte_debug.h>
#include <string.h>

#define SOURCES        4096u /* more than the shares of one source allow for together */
#define PAYLOAD        (FRAME - 34)
#define MORE_FRAGMENTS 0x2000
#define IP             14

static struct flood {
	struct frame frame;
	uint32_t number;
	uint64_t cycles, fragments;
} flood;

static void template_make(void)
{
	const struct packet first = { .mac_to = gateway_uplink_mac,
		.mac_from = router_mac,
		.from = "198.18.0.0",
		.to = "203.0.112.1",
		.from_port = REMOTE_PORT,
		.to_port = 2000,
		.data = PAYLOAD - 8 };

	frame_build(&flood.frame, &first);
}

/* The next fragment of a datagram that no other is of. */
static void fragment_write(struct rte_mbuf *m)
{
	uint32_t number = flood.number++;
	uint16_t place = number & 1 ? 1 : 0; /* in units of 8 bytes */
	struct frame *frame = &flood.frame;

	/* Whole units of 8 bytes, as all but a last fragment must be. */
	frame_put16(frame, IP + 2, 20 + PAYLOAD / 8 * 8);
	frame_put16(frame, IP + 4, (uint16_t)(number / SOURCES));
	frame_put16(frame, IP + 6, MORE_FRAGMENTS | place);
	frame_put32(frame, IP + 12, 0xc6120000 | number % SOURCES);
	frame_mend_ip(frame, IP);
	memcpy(rte_pktmbuf_append(m, frame->length), frame->bytes, frame->length);
}

static void fragments_run(struct subject *subject)
{
	struct gateway_ports *ports = subject->gateway->ports;
	struct rte_mbuf *packets[BURST];

	if (rte_pktmbuf_alloc_bulk(subject->pool, packets, BURST) < 0)
		rte_exit(EXIT_FAILURE, "the flood has taken all packet buffers\n");
	for (uint32_t i = 0; i < BURST; i++)
		fragment_write(packets[i]);
	if (rte_ring_enqueue_bulk(ports->port[UPLINK].rx[0], (void **)packets, BURST, NULL) != BURST)
		rte_exit(EXIT_FAILURE, "a receive ring is full\n");
	uint64_t start = rte_rdtsc_precise();
	packet_path_poll(subject->gateway->path->context[0], start);
	flood.cycles += rte_rdtsc_precise() - start;
	flood.fragments += BURST;
}

static void kept_print(const struct subject *subject, FILE *out)
{
	const struct fragment_table *table = nat_owner(subject->gateway->plane->nat, 0)->fragments;
	uint32_t datagrams = fragment_table_datagrams(table), waiting = fragment_table_waiting(table);

	if (datagrams > FRAGMENT_DATAGRAMS || waiting > FRAGMENT_WAITING_PACKETS)
		rte_exit(EXIT_FAILURE, "the flood has gone beyond the bounds\n");
	fprintf(out,
		"a fragment of the flood takes %.0f cycles; of %lu, %u datagrams are known (at most %u, %zu "
		"KiB) and "
		"%u packets wait (at most %u)\n",
		(double)flood.cycles / (double)flood.fragments, flood.fragments, datagrams,
		FRAGMENT_DATAGRAMS, fragment_table_bytes(FRAGMENT_DATAGRAMS) >> 10, waiting,
		FRAGMENT_WAITING_PACKETS);
}

void flooded_measure(struct subject *subject, uint32_t rounds, uint32_t bursts, FILE *out)
{
	flood = (struct flood){ 0 };
	template_make();
	for (enum way way = WAY_UP; way <= WAY_DOWN; way++) {
		const struct scenario scenario = { .segments = 1, .way = way };
		struct series alone = { 0 }, flooded = { 0 };

		for (uint32_t i = 0; i < rounds; i++) {
			struct measure measure;

			measure_gateway(subject, &scenario, bursts, &measure);
			series_add(&alone, measure.cycles);
			subject->beside = fragments_run;
			measure_gateway(subject, &scenario, bursts, &measure);
			subject->beside = NULL;
			series_add(&flooded, measure.cycles);
		}
		fprintf(out,
			"%s: %.0f cycles a packet, %.0f beside as many fragments that stay incomplete; none "
			"lost\n",
			way_name[way], series_median(&alone), series_median(&flooded));
	}
	kept_print(subject, out);
}
