/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/gso_guard.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <unistd.h>

/* return XDP_PASS; */
static const struct bpf_insn pass_all[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
	{ .code = BPF_JMP | BPF_EXIT },
};

static int load(unsigned flags)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = flags);

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "vxgate_guard", "BSD", pass_all,
		sizeof(pass_all) / sizeof(pass_all[0]), &options);
}

int gso_guard_attach(unsigned interface_index)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);
	int program, link;

	/* Without fragments a program forbids MTUs beyond a page; kernels before 5.18 do not know the flag. */
	program = load(BPF_F_XDP_HAS_FRAGS);
	if (program < 0)
		program = load(0);
	if (program < 0)
		return program;
	link = bpf_link_create(program, (int)interface_index, BPF_XDP, &options);
	close(program); /* the link keeps it */
	return link;
}

void gso_guard_detach(int guard)
{
	close(guard);
}
