/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/drop_sum.h"
#include "slowpath/slowpath.h"
#include "stage/packet_path.h"
#include <string.h>

void drop_sum(const struct packet_path *path, const struct slowpath *slowpath, uint64_t sum[DROP_REASONS])
{
	static const enum drop_reason slowpath_reason[] = {
#define SLOWPATH_DROP(identifier) [SLOWPATH_DROP_##identifier] = DROP_##identifier,
#include "slowpath/slowpath_drop.def"
#undef SLOWPATH_DROP
	};
	const struct slowpath_counters *counters = slowpath_counters(slowpath);

	memset(sum, 0, DROP_REASONS * sizeof(sum[0]));
	for (uint16_t i = 0; i < path->count; i++)
		for (unsigned reason = 0; reason < DROP_REASONS; reason++)
			sum[reason] +=
				__atomic_load_n(&path->context[i]->counters.drop[reason], __ATOMIC_RELAXED);
	for (unsigned i = 0; i < SLOWPATH_DROPS; i++)
		sum[slowpath_reason[i]] += __atomic_load_n(&counters->drop[i], __ATOMIC_RELAXED);
}
