/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/nat_command.h"

#include <errno.h>
#include <inttypes.h>

int nat_clear(struct telemetry_client *client, const char *filters, bool json, FILE *out)
{
	uint64_t cursor = 0, ended = 0;

	do {
		char parameters[1024];

		snprintf(parameters, sizeof(parameters), "%s,cursor=%" PRIu64, filters, cursor);
		cJSON *reply = client_ask(client, "/vxgate/nat_clear", parameters);
		if (reply == NULL) /* some may have ended before */
			return -EIO;
		cursor = (uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(reply, "next"));
		ended += (uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(reply, "ended"));
		cJSON_Delete(reply);
	} while (cursor != 0);
	if (json)
		fprintf(out, "{ \"ended\": %" PRIu64 " }\n", ended);
	else
		fprintf(out, "%" PRIu64 " sessions ended\n", ended);
	return 0;
}
