/* SPDX-License-Identifier: BSD-3-Clause */
/* DHCP messages of any kind into the relay: it must not read or write beyond them, and what it accepts must be well formed.
 * An input is a message behind one byte: odd for a reply of the server, even for a request. */
#include "services/dhcp_relay.h"

#include <stdlib.h>
#include <string.h>

#define GATEWAY RTE_BE32(0x0a000101)
#define SERVER  RTE_BE32(0xc0000235)
#define ROOM    1472

static struct dhcp_relay *relay;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct dhcp_relay_settings settings = { .gateway = GATEWAY,
		.server = { SERVER },
		.server_count = 1,
		.hops_max = 4,
		.option_82 = true,
		.id = { "web/5001", "edge" } };

	(void)argc;
	(void)argv;
	relay = dhcp_relay_create(&settings, 1);
	return relay == NULL;
}

static void request_run(struct dhcp_message *message, uint16_t length, uint64_t now)
{
	uint16_t before = length;

	if (dhcp_relay_request(relay, 0, message, &length, ROOM, now) != DHCP_ACCEPTED)
		return;
	if (message->relay == 0 || length < before || length > ROOM)
		abort();
	/* What was added is taken out again. */
	if (dhcp_option_find(message, length, DHCP_OPTION_AGENT)) {
		length = dhcp_agent_option_remove(message, length);
		if (dhcp_option_find(message, length, DHCP_OPTION_AGENT))
			abort();
	}
}

static void reply_run(struct dhcp_message *message, uint16_t length, uint64_t now)
{
	struct dhcp_message asked = *message;
	struct dhcp_delivery delivery;
	uint16_t before = length, asked_length = sizeof(asked);

	/* So that there is a request that it answers. */
	asked.operation = DHCP_REQUEST;
	asked.hops = 0;
	asked.relay = 0;
	dhcp_relay_request(relay, 0, &asked, &asked_length, sizeof(asked), now);
	if (dhcp_relay_reply(relay, SERVER, GATEWAY, message, &length, now, &delivery) != DHCP_ACCEPTED)
		return;
	if (length > before || delivery.segment != 0 || dhcp_option_find(message, length, DHCP_OPTION_AGENT))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t now = NS_PER_SECOND;

	if (size < 1 || size - 1 > ROOM)
		return 0;
	/* Exactly as large as it may be, so that the sanitizer sees each byte beyond. */
	uint8_t *message = malloc(ROOM);
	uint16_t length = (uint16_t)(size - 1);
	memcpy(message, data + 1, length);
	now += NS_PER_MS;
	if (data[0] & 1 && length >= sizeof(struct dhcp_message))
		reply_run((struct dhcp_message *)message, length, now);
	else
		request_run((struct dhcp_message *)message, length, now);
	free(message);
	return 0;
}
