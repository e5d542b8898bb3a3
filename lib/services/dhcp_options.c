/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/dhcp_options.h"
#include <errno.h>
#include <string.h>

/* A walk over the options field. At each stop `at` is the offset of an option, `size` what it takes. */
struct walk {
	const uint8_t *bytes;
	uint16_t at, size, length;
};

static struct walk walk_start(const struct dhcp_message *message, uint16_t length)
{
	return (struct walk){ .bytes = (const uint8_t *)message, .at = sizeof(*message), .length = length };
}

/* The next option but padding, or DHCP_OPTION_END; -EBADMSG when the field ends without, or within an option. */
static int walk_next(struct walk *walk)
{
	walk->at = (uint16_t)(walk->at + walk->size);
	while (walk->at < walk->length && walk->bytes[walk->at] == DHCP_OPTION_PAD)
		walk->at++;
	if (walk->at >= walk->length)
		return -EBADMSG;
	if (walk->bytes[walk->at] == DHCP_OPTION_END) {
		walk->size = 1;
		return DHCP_OPTION_END;
	}
	if (walk->at + 1 >= walk->length || walk->at + 2 + walk->bytes[walk->at + 1] > walk->length)
		return -EBADMSG;
	walk->size = (uint16_t)(2 + walk->bytes[walk->at + 1]);
	return walk->bytes[walk->at];
}

bool dhcp_option_find(const struct dhcp_message *message, uint16_t length, enum dhcp_option option)
{
	struct walk walk = walk_start(message, length);
	int found = message->cookie == DHCP_COOKIE ? walk_next(&walk) : -EBADMSG;

	while (found >= 0 && found != DHCP_OPTION_END && found != (int)option)
		found = walk_next(&walk);
	return found == (int)option;
}

static uint8_t sub_option_put(uint8_t *to, enum dhcp_agent_option option, const char *text)
{
	size_t length = strnlen(text, DHCP_AGENT_ID_MAX);

	if (length == 0)
		return 0;
	to[0] = (uint8_t)option;
	to[1] = (uint8_t)length;
	memcpy(to + 2, text, length);
	return (uint8_t)(length + 2);
}

int dhcp_agent_option_add(
	struct dhcp_message *message, uint16_t length, uint16_t room, const struct dhcp_agent_id *id)
{
	uint8_t option[2 + 2 * (2 + DHCP_AGENT_ID_MAX)] = { DHCP_OPTION_AGENT };
	struct walk walk = walk_start(message, length);
	int found = message->cookie == DHCP_COOKIE ? walk_next(&walk) : -EBADMSG;

	while (found >= 0 && found != DHCP_OPTION_END)
		found = walk_next(&walk);
	if (found < 0)
		return found;
	option[1] = sub_option_put(option + 2, DHCP_AGENT_CIRCUIT_ID, id->circuit);
	option[1] = (uint8_t)(option[1] +
			      sub_option_put(option + 2 + option[1], DHCP_AGENT_REMOTE_ID, id->remote));
	if (option[1] == 0)
		return length;
	uint16_t size = (uint16_t)(option[1] + 2), end = (uint16_t)(walk.at + size + 1);
	if (end > room)
		return -EMSGSIZE;
	memcpy((uint8_t *)message + walk.at, option, size);
	((uint8_t *)message)[walk.at + size] = DHCP_OPTION_END;
	if (end >= length)
		return end;
	memset((uint8_t *)message + end, DHCP_OPTION_PAD, (size_t)(length - end));
	return length;
}

uint16_t dhcp_agent_option_remove(struct dhcp_message *message, uint16_t length)
{
	struct walk walk = walk_start(message, length);
	int found = message->cookie == DHCP_COOKIE ? walk_next(&walk) : -EBADMSG;
	uint16_t before = length;

	while (found >= 0 && found != DHCP_OPTION_END) {
		if (found == DHCP_OPTION_AGENT) {
			uint8_t *at = (uint8_t *)message + walk.at;
			uint16_t size = walk.size;

			length = (uint16_t)(length - size);
			memmove(at, at + size, (size_t)(length - walk.at));
			walk.length = length;
			walk.size = 0;
		}
		found = walk_next(&walk);
	}
	/* Padding behind options that do not end could complete one of them. */
	if (found == DHCP_OPTION_END && length < before && length < DHCP_LENGTH_MIN) {
		uint16_t padded = before < DHCP_LENGTH_MIN ? before : DHCP_LENGTH_MIN;

		memset((uint8_t *)message + length, DHCP_OPTION_PAD, (size_t)(padded - length));
		length = padded;
	}
	return length;
}
