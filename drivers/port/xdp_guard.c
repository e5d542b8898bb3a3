/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/xdp_guard.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <netinet/ip.h>
#include <stddef.h>
#include <unistd.h>

#define ETHERTYPE       (int)offsetof(struct ethhdr, h_proto)
#define FRAGMENT_OFFSET (int)(sizeof(struct ethhdr) + offsetof(struct iphdr, frag_off))
#define HEADERS         (int)(sizeof(struct ethhdr) + sizeof(struct iphdr))

#define LOAD(size, to, from, at)                                                                             \
	{                                                                                                    \
		.code = BPF_LDX | BPF_MEM | (size), .dst_reg = (to), .src_reg = (from), .off = (at)          \
	}
#define JUMP(when, register, with, over)                                                                     \
	{                                                                                                    \
		.code = BPF_JMP | (when) | BPF_K, .dst_reg = (register), .off = (over), .imm = (with)        \
	}
#define ALU(operation, to, with)                                                                             \
	{                                                                                                    \
		.code = BPF_ALU64 | (operation) | BPF_K, .dst_reg = (to), .imm = (with)                      \
	}

/* An IPv4 packet with "more fragments" or an offset gets the other EtherType; everything passes. Byte orders are the
 * wire's. */
static const struct bpf_insn mark_fragments[] = {
	LOAD(BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct xdp_md, data)),
	LOAD(BPF_W, BPF_REG_3, BPF_REG_1, offsetof(struct xdp_md, data_end)),
	{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_4, .src_reg = BPF_REG_2 },
	ALU(BPF_ADD, BPF_REG_4, HEADERS),
	{ .code = BPF_JMP | BPF_JGT | BPF_X, .dst_reg = BPF_REG_4, .src_reg = BPF_REG_3, .off = 6 },
	LOAD(BPF_H, BPF_REG_5, BPF_REG_2, ETHERTYPE),
	JUMP(BPF_JNE, BPF_REG_5, __builtin_bswap16(ETH_P_IP), 4),
	LOAD(BPF_H, BPF_REG_5, BPF_REG_2, FRAGMENT_OFFSET),
	ALU(BPF_AND, BPF_REG_5, __builtin_bswap16(IP_MF | IP_OFFMASK)),
	JUMP(BPF_JEQ, BPF_REG_5, 0, 1),
	{ .code = BPF_ST | BPF_MEM | BPF_H,
		.dst_reg = BPF_REG_2,
		.off = ETHERTYPE,
		.imm = __builtin_bswap16(XDP_GUARD_FRAGMENT) },
	ALU(BPF_MOV, BPF_REG_0, XDP_PASS),
	{ .code = BPF_JMP | BPF_EXIT },
};
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "as DPDK's platforms here");

static int load(unsigned flags)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = flags);

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "vxgate_guard", "BSD", mark_fragments,
		sizeof(mark_fragments) / sizeof(mark_fragments[0]), &options);
}

static int attach(int program, unsigned interface_index, unsigned flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);

	return bpf_link_create(program, (int)interface_index, BPF_XDP, &options);
}

int xdp_guard_attach(struct xdp_guard *guard, unsigned interface_index)
{
	int program;

	/* Without fragments of buffers a program forbids MTUs beyond a page; kernels before 5.18 do not know the flag. */
	program = load(BPF_F_XDP_HAS_FRAGS);
	if (program < 0)
		program = load(0);
	if (program < 0)
		return program;
	guard->link = attach(program, interface_index, XDP_FLAGS_DRV_MODE);
	guard->in_driver = guard->link >= 0;
	if (guard->link < 0 && guard->link != -EBUSY && guard->link != -EEXIST)
		guard->link = attach(program, interface_index, XDP_FLAGS_SKB_MODE);
	close(program); /* the link keeps it */
	return guard->link < 0 ? guard->link : 0;
}

void xdp_guard_detach(struct xdp_guard *guard)
{
	if (guard->link >= 0)
		close(guard->link);
	guard->link = -1;
}
