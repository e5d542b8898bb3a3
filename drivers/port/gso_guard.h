/* SPDX-License-Identifier: BSD-3-Clause */
/* Keeps the peer of a veth from handing over TCP segments larger than its MTU.
 *
 * A veth passes on what its sender's stack made for a segmentation offload: frames of up to 64 KB, which no buffer of
 * ours holds. The kernel takes that offload from the peer as long as this end has an XDP program, since such programs
 * see single packets; so we attach the smallest there is, which passes everything. The attachment is a file
 * descriptor: when the process ends, however it does, the peer gets its offload back. */
#pragma once

/* A file descriptor, or -errno. -EBUSY or -EEXIST: the interface has an XDP program, so the peer is tame already. */
int gso_guard_attach(unsigned interface_index);
void gso_guard_detach(int guard);
