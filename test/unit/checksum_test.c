/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet/checksum.h"
#include "packet/flow_hash.h"
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <rte_udp.h>
#include <stdlib.h>
#include <string.h>

struct udp_packet {
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
	uint8_t payload[37]; /* odd on purpose */
} __attribute__((packed, aligned(4)));

static struct udp_packet random_packet(unsigned *seed)
{
	struct udp_packet p;

	for (size_t i = 0; i < sizeof(p); i++)
		((uint8_t *)&p)[i] = (uint8_t)rand_r(seed);
	p.ip.version_ihl = RTE_IPV4_VHL_DEF;
	p.ip.next_proto_id = IPPROTO_UDP;
	p.ip.total_length = rte_cpu_to_be_16(sizeof(p));
	p.udp.dgram_len = rte_cpu_to_be_16(sizeof(p) - sizeof(p.ip));
	p.ip.hdr_checksum = 0;
	p.ip.hdr_checksum = rte_ipv4_cksum(&p.ip);
	p.udp.dgram_cksum = 0;
	p.udp.dgram_cksum = rte_ipv4_udptcp_cksum(&p.ip, &p.udp);
	return p;
}

Test(checksum, a_rewritten_address_leaves_a_right_checksum)
{
	unsigned seed = 1;

	for (int i = 0; i < 100000; i++) {
		struct udp_packet p = random_packet(&seed);
		uint32_t address = (uint32_t)rand_r(&seed) * 3u;
		uint16_t delta = checksum_fold(checksum_delta32(p.ip.src_addr, address));

		p.ip.src_addr = address;
		p.ip.hdr_checksum = checksum_apply(p.ip.hdr_checksum, delta);
		p.udp.dgram_cksum = checksum_apply_udp(p.udp.dgram_cksum, delta);
		cr_assert_eq(rte_raw_cksum(&p.ip, 20), 0xffff);
		cr_assert_eq(rte_ipv4_udptcp_cksum_verify(&p.ip, &p.udp), 0);
		cr_assert_neq(p.udp.dgram_cksum, 0, "0 would say that there is none");
	}
}

Test(checksum, none_stays_none)
{
	cr_assert_eq(checksum_apply_udp(0, 0x1234), 0);
}

Test(checksum, decrementing_the_ttl_keeps_the_header_sum_right)
{
	unsigned seed = 2;

	for (int i = 0; i < 100000; i++) {
		struct udp_packet p = random_packet(&seed);
		uint8_t ttl = p.ip.time_to_live;

		if (ttl == 0)
			continue;
		ipv4_decrement_ttl(&p.ip);
		cr_assert_eq(p.ip.time_to_live, ttl - 1);
		cr_assert_eq(rte_raw_cksum(&p.ip, 20), 0xffff, "round %d", i);
	}
}

/* Sums of 0 and of 0xffff in every word among them, and each wrong by one bit. */
Test(checksum, a_header_sum_is_told_right_from_wrong)
{
	unsigned seed = 1;

	for (int i = 0; i < 200000; i++) {
		struct rte_ipv4_hdr ip;
		uint16_t word[10];

		for (int w = 0; w < 10; w++) {
			int kind = rand_r(&seed) % 4;
			word[w] = kind == 0 ? 0 : kind == 1 ? 0xffff : (uint16_t)rand_r(&seed);
		}
		memcpy(&ip, word, sizeof(ip));
		ip.version_ihl = RTE_IPV4_VHL_DEF;
		ip.hdr_checksum = 0;
		ip.hdr_checksum = rte_ipv4_cksum(&ip);
		cr_assert(ipv4_checksum_is_right(&ip));
		((uint8_t *)&ip)[1 + rand_r(&seed) % 19] ^= (uint8_t)(1u << rand_r(&seed) % 8);
		cr_assert_eq(ipv4_checksum_is_right(&ip), rte_raw_cksum(&ip, sizeof(ip)) == 0xffff);
		cr_assert_not(ipv4_checksum_is_right(&ip));
	}
}

Test(checksum, a_half_finished_checksum_is_completed_and_a_right_one_left)
{
	unsigned seed = 3;

	for (int i = 0; i < 20000; i++) {
		struct udp_packet p = random_packet(&seed), before = p;

		checksum_complete_partial(&p.ip, &p.udp, sizeof(p) - sizeof(p.ip));
		cr_assert_arr_eq(&p, &before, sizeof(p));
		p.udp.dgram_cksum = rte_ipv4_phdr_cksum(&p.ip, 0);
		cr_assert(checksum_complete_partial(&p.ip, &p.udp, sizeof(p) - sizeof(p.ip)));
		cr_assert_arr_eq(&p, &before, sizeof(p));
	}
}

Test(flow_hash, spreads_neighbouring_flows_over_buckets_and_differs_by_key)
{
	struct flow_hash_key one, two;
	static unsigned bucket[256];
	unsigned same = 0;

	flow_hash_key_random(&one);
	flow_hash_key_random(&two);
	for (uint64_t i = 0; i < 256 * 256; i++) {
		bucket[flow_hash(&one, i, 53) & 255]++;
		same += (flow_hash(&one, i, 53) & 255) == (flow_hash(&two, i, 53) & 255);
	}
	for (int i = 0; i < 256; i++)
		cr_assert(bucket[i] > 128 && bucket[i] < 512, "bucket %d has %u of 256", i, bucket[i]);
	cr_assert(same > 128 && same < 512, "%u of 65536 alike under two keys", same);
}
