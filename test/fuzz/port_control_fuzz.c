/* SPDX-License-Identifier: BSD-3-Clause */
/* PCP and NAT-PMP messages of any kind into the server, and answers of any kind from NAT: it must not read or write beyond
 * them, and each response must be one. An input is a row of messages, each behind three bytes: what NAT answers, if it is
 * asked, and the length, high byte first. */
#include "services/port_control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX 8

static struct port_control *control;
static struct nat_mapping_request asked;
static bool was_asked;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct port_control_settings settings = { .enabled = true,
		.prefix = RTE_BE32(0x0a000100),
		.mask = RTE_BE32(0xffffff00),
		.ports = { { 1, 65535 } },
		.port_ranges = 1,
		.mappings_max = 4,
		.port_rest_s = 20,
		.lifetime_max = 7200 };

	(void)argc;
	(void)argv;
	control = port_control_create(&settings, 1);
	return control == NULL;
}

static bool ask(void *context, const struct nat_mapping_request *request)
{
	const uint8_t *answer = context;

	if (*answer == 0xff)
		return false;
	asked = *request;
	was_asked = true;
	return true;
}

static void response_check(const struct port_control_response *response)
{
	if (response->length == 0)
		return;
	if (response->length > PCP_LENGTH_MAX || response->length < NAT_PMP_RESPONSE_SHORT ||
		!(response->bytes[1] & PCP_RESPONSE))
		abort();
	if (response->bytes[0] == PCP_VERSION && response->length % 4 != 0)
		abort();
}

static void message_run(uint8_t answer, const uint8_t *bytes, uint16_t length, uint64_t now)
{
	static const int status[] = { 0, 0, 0, 0, -ENOENT, -EADDRNOTAVAIL, -ENFILE, -EADDRINUSE };
	const struct port_control_client client = { .address = RTE_BE32(0x0a000105), .port = 40000 };
	uint8_t *message = malloc(length);
	struct port_control_response response;

	was_asked = false;
	memcpy(message, bytes, length);
	port_control_request(control, &client, message, length, now, ask, &answer, &response);
	response_check(&response);
	if (was_asked && asked.id != 0) {
		const struct nat_mapping_answer from_nat = { .id = asked.id,
			.status = status[answer % 8],
			.outside = RTE_BE32(0xcb00710a),
			.outside_port = asked.inside_port,
			.lifetime_s = asked.lifetime_s };
		port_control_answer(control, &from_nat, now, &response);
		response_check(&response);
		if (response.length == 0)
			abort();
	}
	port_control_end_more(control, now, ask, &answer);
	free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t now = NS_PER_SECOND;

	for (int n = 0; n < MESSAGES_MAX && size >= 3; n++) {
		uint16_t length = (uint16_t)(data[1] << 8 | data[2]);
		uint8_t answer = data[0];

		data += 3;
		size -= 3;
		if (length > size)
			length = (uint16_t)size;
		now += NS_PER_SECOND;
		message_run(answer, data, length, now);
		data += length;
		size -= length;
	}
	return 0;
}
