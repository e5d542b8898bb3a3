/* SPDX-License-Identifier: BSD-3-Clause */
/* How large the tables of NAT are, known before they are made. */
#pragma once

#include "base/memory_need.h"
#include "table/nat.h"

struct nat_owner_size { /* of each owner */
	uint32_t sessions, hosts, carries;
	bool quotas; /* some pool has limits or port blocks */
};
struct nat_owner_size nat_owner_size(const struct nat_settings *settings);

struct memory_need nat_need(const struct nat_settings *settings);
