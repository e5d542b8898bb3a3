/* SPDX-License-Identifier: BSD-3-Clause */
/* A SYN from outside that no binding lets in (RFC 5382 REQ-4): it may be one half of a simultaneous open, whose other half
 * is still to come from inside. So it is held for six seconds; then the owner of the public endpoint is asked whether the
 * host inside has opened the connection meanwhile. If so, nothing is said; else its sender gets port unreachable.
 *
 * All are held equally long, so they come due in the order of a queue. It is bounded, and what finds it full is counted and gets no
 * answer, like what its packet lcore did not send here. */
#include "slowpath/slowpath_private.h"
#include <errno.h>
#include <netinet/in.h>
#include <rte_tcp.h>
#include <stdlib.h>
#include <string.h>

#define HELD_MAX  1024u /* a power of two: at 100 answers a second 600 are enough, of one lcore with NAT */
#define HELD_NS   (6 * NS_PER_SECOND)
#define ANSWER_NS (2 * NS_PER_SECOND) /* an owner that takes longer is not asked again */
#define SYN_MAX   120                 /* bytes: both headers with all their options */

struct held_syn {
	uint64_t due_ns;
	interface_id ingress;
	uint16_t length;
	bool done;
	uint8_t packet[SYN_MAX] __attribute__((aligned(8)));
};

struct held_syns {
	uint32_t first, asked, end; /* numbers, ever growing: those before `asked` wait for the owner */
	struct held_syn syn[HELD_MAX];
};

int unsolicited_syn_init(struct slowpath *slowpath)
{
	slowpath->held_syns = calloc(1, sizeof(*slowpath->held_syns));
	return slowpath->held_syns == NULL ? -ENOMEM : 0;
}

static struct held_syn *held(struct held_syns *syns, uint32_t number)
{
	return &syns->syn[number % HELD_MAX];
}

static const struct rte_tcp_hdr *tcp_of(const struct rte_ipv4_hdr *ip)
{
	return (const void *)((const uint8_t *)ip + rte_ipv4_hdr_len(ip));
}

static bool is_held(struct held_syns *syns, const struct rte_ipv4_hdr *ip)
{
	const struct rte_tcp_hdr *tcp = tcp_of(ip);

	for (uint32_t i = syns->first; i != syns->end; i++) {
		const struct rte_ipv4_hdr *other = (const void *)held(syns, i)->packet;
		const struct rte_tcp_hdr *other_tcp = tcp_of(other);
		if (other->src_addr == ip->src_addr && other->dst_addr == ip->dst_addr &&
			other_tcp->src_port == tcp->src_port && other_tcp->dst_port == tcp->dst_port)
			return true;
	}
	return false;
}

static void hold(struct slowpath *slowpath, struct rte_mbuf *m)
{
	struct held_syn *syn = held(slowpath->held_syns, slowpath->held_syns->end++);

	syn->due_ns = slowpath->now_ns + HELD_NS;
	syn->ingress = packet_metadata(m)->ingress;
	syn->length = (uint16_t)RTE_MIN(m->data_len - L3_OFFSET, SYN_MAX);
	syn->done = false;
	memcpy(syn->packet, packet_ipv4(m), syn->length);
	slowpath->counters.syns_held++;
}

/* Its drop is counted already. A SYN that is sent again belongs to the one that is held. */
void unsolicited_syn_input(struct slowpath *slowpath, struct rte_mbuf *m)
{
	struct held_syns *syns = slowpath->held_syns;

	if (syns != NULL &&
		m->data_len >= L3_OFFSET + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_tcp_hdr) &&
		!is_held(syns, packet_ipv4(m))) {
		if (syns->end - syns->first < HELD_MAX)
			hold(slowpath, m);
		else
			slowpath->counters.syns_not_held++;
	}
	rte_pktmbuf_free(m);
}

static bool ask(struct slowpath *slowpath, uint32_t number)
{
	const struct rte_ipv4_hdr *ip = (const void *)held(slowpath->held_syns, number)->packet;
	const struct nat_mapping_request request = { .id = number,
		.operation = NAT_MAPPING_FLOW,
		.protocol = IPPROTO_TCP,
		.remote = ip->src_addr,
		.remote_port = tcp_of(ip)->src_port,
		.wanted_outside = ip->dst_addr,
		.wanted_port = tcp_of(ip)->dst_port };

	return nat_ask(slowpath, &request);
}

static void refuse(struct slowpath *slowpath, const struct held_syn *syn)
{
	struct rte_mbuf *m = control_packet(slowpath, (uint16_t)(L3_OFFSET + syn->length));

	if (m == NULL)
		return;
	memcpy(packet_ipv4(m), syn->packet, syn->length);
	packet_metadata(m)->ingress = syn->ingress;
	icmp_error_send(slowpath, m, ICMP_DESTINATION_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0);
	rte_pktmbuf_free(m);
	slowpath->counters.syns_refused++;
}

void unsolicited_syn_answer(struct slowpath *slowpath, const struct nat_mapping_answer *answer)
{
	struct held_syns *syns = slowpath->held_syns;
	struct held_syn *syn = syns != NULL ? held(syns, answer->id) : NULL;

	if (syn == NULL || answer->id - syns->first >= syns->asked - syns->first || syn->done)
		return;
	syn->done = true;
	if (answer->status == -ENOENT)
		refuse(slowpath, syn);
}

void unsolicited_syn_run(struct slowpath *slowpath)
{
	struct held_syns *syns = slowpath->held_syns;
	uint64_t now_ns = slowpath->now_ns;

	if (syns == NULL)
		return;
	while (syns->asked != syns->end && held(syns, syns->asked)->due_ns <= now_ns &&
		ask(slowpath, syns->asked))
		syns->asked++;
	while (syns->first != syns->asked &&
		(held(syns, syns->first)->done || held(syns, syns->first)->due_ns + ANSWER_NS <= now_ns))
		syns->first++;
}

uint64_t unsolicited_syn_next_due_ns(const struct slowpath *slowpath)
{
	struct held_syns *syns = slowpath->held_syns;

	if (syns == NULL || syns->first == syns->end)
		return UINT64_MAX;
	return syns->asked != syns->end ? held(syns, syns->asked)->due_ns
					: held(syns, syns->first)->due_ns + ANSWER_NS;
}
