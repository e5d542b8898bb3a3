/* SPDX-License-Identifier: BSD-3-Clause */
/* The options field of a DHCP message, as far as a relay agent handles it: option 82, the relay agent information
 * (RFC 3046). Pure code on bytes; never reads or writes beyond what it is told. */
#pragma once

#include "services/dhcp_wire.h"
#include <stdbool.h>

#define DHCP_AGENT_ID_MAX 64

struct dhcp_agent_id { /* "" leaves the sub-option out */
	char circuit[DHCP_AGENT_ID_MAX], remote[DHCP_AGENT_ID_MAX];
};

/* The message begins with a whole struct dhcp_message, and `length` says all of it. False also when the options cannot be
 * walked up to the one that is asked for. */
bool dhcp_option_find(const struct dhcp_message *message, uint16_t length, enum dhcp_option option);

/* Adds option 82 as the last option, before the end option (RFC 3046 section 2.1); the padding after that makes room. The
 * new length; -EBADMSG when there are no options or they are malformed, -EMSGSIZE when it would be longer than `room`; then
 * the message is as it was. */
int dhcp_agent_option_add(
	struct dhcp_message *message, uint16_t length, uint16_t room, const struct dhcp_agent_id *id);

/* Takes option 82 out, wherever and however often it is there up to the end option, and pads to no less than DHCP_LENGTH_MIN or what it was.
 * The new length. */
uint16_t dhcp_agent_option_remove(struct dhcp_message *message, uint16_t length);
