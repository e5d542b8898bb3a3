/* SPDX-License-Identifier: BSD-3-Clause */
#include "connection.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <string.h>

#define INSIDE_START  100000u /* sequence numbers */
#define OUTSIDE_START 500000u
#define DATA          (FRAME - 54u)
#define WINDOW        0x7210

static const struct {
	enum direction direction;
	uint8_t flags;
	uint32_t sequence, acknowledged;
} steps[STEPS] = {
	[STEP_SYN] = { UP, RTE_TCP_SYN_FLAG, INSIDE_START, 0 },
	[STEP_SYN_ACK] = { DOWN, RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG, OUTSIDE_START,
		INSIDE_START + 1 + DATA },
	[STEP_ACK] = { UP, RTE_TCP_ACK_FLAG, INSIDE_START + 1 + DATA, OUTSIDE_START + 1 + DATA },
	[STEP_DATA_FIN] = { UP, RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG, INSIDE_START + 1 + 2 * DATA,
		OUTSIDE_START + 1 + DATA },
	[STEP_FIN] = { DOWN, RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG, OUTSIDE_START + 1 + DATA,
		INSIDE_START + 2 + 3 * DATA },
	[STEP_LAST_ACK] = { UP, RTE_TCP_ACK_FLAG, INSIDE_START + 2 + 3 * DATA, OUTSIDE_START + 2 + 2 * DATA },
};

enum direction connection_direction(enum connection_step step)
{
	return steps[step].direction;
}

void connection_write(
	const struct traffic *traffic, uint32_t flow, enum connection_step step, struct rte_mbuf *m)
{
	traffic_write(traffic, traffic_pick_flow(traffic, flow), steps[step].direction, FRAME, m);
	uint8_t *frame = rte_pktmbuf_mtod_offset(m, uint8_t *, m->data_len - FRAME);
	struct rte_ipv4_hdr *ip = (void *)(frame + sizeof(struct rte_ether_hdr));
	struct rte_tcp_hdr *tcp = (void *)(ip + 1);
	uint8_t said[8]; /* for the check of what comes out, as in the payload of UDP */

	memcpy(said, (uint8_t *)tcp + 8, sizeof(said));
	tcp->sent_seq = rte_cpu_to_be_32(steps[step].sequence);
	tcp->recv_ack = rte_cpu_to_be_32(steps[step].acknowledged);
	tcp->data_off = 5 << 4;
	tcp->tcp_flags = steps[step].flags;
	tcp->rx_win = RTE_BE16(WINDOW);
	tcp->tcp_urp = 0;
	memcpy(tcp + 1, said, sizeof(said));
	ip->next_proto_id = IPPROTO_TCP;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	tcp->cksum = 0;
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
}
