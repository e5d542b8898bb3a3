/* SPDX-License-Identifier: BSD-3-Clause */
/* What the flags before each frame of an input say. */
#pragma once

enum {
	FUZZ_UPLINK = 1,     /* it comes in by the uplink, else by the underlay */
	FUZZ_MEND = 2,       /* its IP header checksum is put right */
	FUZZ_MEND_INNER = 4, /* that of the packet inside VXLAN too */
};
