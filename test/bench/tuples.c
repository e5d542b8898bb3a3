/* SPDX-License-Identifier: BSD-3-Clause */
/* A CRC is linear: the CRCs of two inputs differ by something that only their difference decides, never the seed. The
 * differences that it maps to 0 are a vector space, which Gaussian elimination finds: with 62 bits to choose and 32 bits
 * of CRC there are at least 2^30 of them. */
#include "tuples.h"

#include <rte_debug.h>
#include <rte_hash_crc.h>

#define BITS 62u

const char *const tuple_kind_name[TUPLE_KINDS] = { "random", "sequential", "same CRC32C", "64 servers",
	"16 a socket" };

static struct flow_ends ends_of(uint64_t bits)
{
	return (struct flow_ends){
		.workload = bits % WORKLOADS,
		.inside_port = rte_cpu_to_be_16((uint16_t)(0x4000 | (bits >> 10 & 0x3fff))),
		.remote = rte_cpu_to_be_32(0x50000000 | (uint32_t)(bits >> 24 & 0xffffff)),
		.remote_port = rte_cpu_to_be_16((uint16_t)(0x4000 | (bits >> 48 & 0x3fff))),
	};
}

/* Flows of endpoints inside with so many each, which talk to one after the other. */
static struct flow_ends ends_of_endpoint(uint32_t flow, uint32_t endpoint)
{
	return (struct flow_ends){
		.workload = endpoint % WORKLOADS,
		.inside_port = rte_cpu_to_be_16((uint16_t)(0x4000 + endpoint / WORKLOADS)),
		.remote = rte_cpu_to_be_32(0x50000000 | flow),
		.remote_port = RTE_BE16(REMOTE_PORT),
	};
}

static uint32_t crc_of(uint64_t bits, uint32_t seed)
{
	const struct traffic one_segment = { .segments = 1 };
	struct flow_ends ends = ends_of(bits);
	struct {
		rte_be32_t source, destination;
		rte_be16_t source_port, destination_port;
	} key = { traffic_workload_ip(&one_segment, ends.workload), ends.remote, ends.inside_port,
		ends.remote_port };

	return rte_hash_crc(&key, sizeof(key), seed);
}

static void kernel_find(uint64_t kernel[TUPLE_KERNEL])
{
	struct {
		uint32_t crc;
		uint64_t bits;
	} row[32] = { 0 }; /* by the highest bit of the CRC */
	uint32_t found = 0;

	for (uint32_t i = 0; i < BITS && found < TUPLE_KERNEL; i++) {
		uint64_t bits = UINT64_C(1) << i;
		uint32_t crc = crc_of(bits, 0) ^ crc_of(0, 0);

		while (crc != 0 && row[31 - __builtin_clz(crc)].crc != 0) {
			bits ^= row[31 - __builtin_clz(crc)].bits;
			crc ^= row[31 - __builtin_clz(crc)].crc;
		}
		if (crc == 0) {
			kernel[found++] = bits;
		} else {
			row[31 - __builtin_clz(crc)].crc = crc;
			row[31 - __builtin_clz(crc)].bits = bits;
		}
	}
	for (uint32_t i = 0; i < TUPLE_KERNEL; i++)
		if (kernel[i] == 0 || crc_of(kernel[i], 1) != crc_of(0, 1))
			rte_exit(EXIT_FAILURE, "flows that should have one CRC do not\n");
}

void tuples_make(struct tuples *tuples, enum tuple_kind kind)
{
	*tuples = (struct tuples){ .kind = kind };
	if (kind == TUPLES_CRC)
		kernel_find(tuples->kernel);
}

static uint64_t mixed(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

struct flow_ends tuples_ends(const struct tuples *tuples, uint32_t flow)
{
	uint64_t bits = flow;

	if (tuples->kind == TUPLES_SERVERS)
		return ends_of_endpoint(flow, flow % 64);
	if (tuples->kind == TUPLES_SOCKETS)
		return ends_of_endpoint(flow, flow / 16);
	if (tuples->kind == TUPLES_RANDOM)
		bits = mixed(flow * UINT64_C(0x9e3779b97f4a7c15));
	if (tuples->kind == TUPLES_CRC)
		for (bits = 0; flow != 0; flow &= flow - 1)
			bits ^= tuples->kernel[__builtin_ctz(flow)];
	return ends_of(bits);
}
