/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_owner.h"

static const struct nat_retired_list none = { .first = INDEX_NONE };

void nat_retired_init(struct nat_owner *owner)
{
	owner->retired = (struct nat_retired){ .now = none, .before = none };
}

void nat_record_retire(struct nat_owner *owner, uint32_t number)
{
	struct nat_retired_list *now = &owner->retired.now;

	if (owner->retired.readers == NULL) {
		nat_record_give(&owner->rows, number);
		return;
	}
	owner->session[number].next = now->first;
	now->first = number;
	now->count++;
	owner->rows.retired++;
}

static void list_free(struct nat_owner *owner, struct nat_retired_list *list)
{
	for (uint32_t number = list->first, next; number != INDEX_NONE; number = next) {
		next = owner->session[number].next;
		nat_record_give(&owner->rows, number);
	}
	owner->rows.retired -= list->count;
	*list = none;
}

void nat_retired_read_by(struct nat_owner *owner, struct rte_rcu_qsbr *readers)
{
	list_free(owner, &owner->retired.before);
	list_free(owner, &owner->retired.now);
	owner->retired.readers = readers;
}

void nat_retired_poll(struct nat_owner *owner)
{
	struct nat_retired *retired = &owner->retired;

	if (retired->before.count > 0) {
		if (rte_rcu_qsbr_check(retired->readers, retired->token, false) != 1)
			return;
		list_free(owner, &retired->before);
	}
	if (retired->now.count == 0)
		return;
	retired->before = retired->now;
	retired->now = none;
	retired->token = rte_rcu_qsbr_start(retired->readers);
	if (rte_rcu_qsbr_check(retired->readers, retired->token, false) == 1)
		list_free(owner, &retired->before);
}
