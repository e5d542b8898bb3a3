/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions of the slow path to the owner lcores of NAT (table/nat_mapping.h), and whom their answers are for. */
#include "slowpath/slowpath_private.h"

bool nat_ask(struct slowpath *slowpath, const struct nat_mapping_request *request)
{
	if (!nat_mapping_ask(slowpath->plane->nat, request))
		return false;
	for (uint16_t i = 0; i < slowpath->channel_count; i++) /* one of them is the owner */
		doorbell_ring(slowpath->channel[i].doorbell);
	return true;
}

unsigned nat_answers_run(struct slowpath *slowpath)
{
	struct nat_mapping_answer answer;
	unsigned handled = 0;

	if (slowpath->port_control == NULL && slowpath->held_syns == NULL)
		return 0;
	for (; handled < PUNT_BURST && nat_mapping_answer_take(slowpath->plane->nat, &answer); handled++) {
		if (answer.operation == NAT_MAPPING_FLOW)
			unsolicited_syn_answer(slowpath, &answer);
		else
			port_control_answer_input(slowpath, &answer);
	}
	return handled;
}
