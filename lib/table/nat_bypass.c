/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_bypass.h"
#include "base/ip_address.h"
#include "table/nat_memory.h"
#include <errno.h>

static bool settings_are_sane(const struct nat_settings *settings)
{
	for (uint32_t i = 0; i < settings->bypass_count; i++)
		if (settings->bypass[i].segment >= settings->segment_count ||
			settings->bypass[i].prefix_length > 32 || settings->bypass[i].remote_length > 32)
			return false;
	return true;
}

static void entry_set(struct nat_bypass_entry *entry, const struct nat_bypass_settings *from)
{
	entry->inside_mask = ipv4_mask(from->prefix_length);
	entry->inside = from->prefix & entry->inside_mask;
	entry->remote_mask = ipv4_mask(from->remote_length);
	entry->remote = from->remote & entry->remote_mask;
}

int nat_bypass_init(struct nat_bypass *bypass, const struct nat_settings *settings)
{
	uint32_t at = 0;

	*bypass = (struct nat_bypass){ .count = settings->bypass_count, .segments = settings->segment_count };
	if (!settings_are_sane(settings))
		return -EINVAL;
	bypass->entry = nat_memory_take(settings->bypass_count + 1, sizeof(*bypass->entry));
	bypass->first = nat_memory_take(settings->segment_count + 1u, sizeof(*bypass->first));
	if (bypass->entry == NULL || bypass->first == NULL) {
		nat_bypass_destroy(bypass);
		return -ENOMEM;
	}
	for (uint16_t segment = 0; segment < settings->segment_count; segment++) {
		bypass->first[segment] = at;
		for (uint32_t i = 0; i < settings->bypass_count; i++)
			if (settings->bypass[i].segment == segment)
				entry_set(&bypass->entry[at++], &settings->bypass[i]);
	}
	bypass->first[settings->segment_count] = at;
	return 0;
}

void nat_bypass_destroy(struct nat_bypass *bypass)
{
	nat_memory_give(bypass->entry);
	nat_memory_give(bypass->first);
	*bypass = (struct nat_bypass){ 0 };
}

size_t nat_bypass_bytes(const struct nat_bypass *bypass)
{
	return (bypass->count + 1) * sizeof(*bypass->entry) +
	       (bypass->segments + 1u) * sizeof(*bypass->first);
}
