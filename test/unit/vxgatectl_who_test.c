/* SPDX-License-Identifier: BSD-3-Clause */
/* Who had a public endpoint at a time, from the log of NAT. */
#include "vxgatectl/nat_command.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(vxgatectl_who, .timeout = 60);

#define EVENT(time, event, host, port)                                                                       \
	"{\"time\":\"2026-01-01T" time "Z\",\"event\":\"" event                                              \
	"\",\"segment\":\"web\",\"vni\":5001,\"protocol\":\"udp\","                                          \
	"\"inside\":{\"address\":\"" host                                                                    \
	"\",\"port\":40000},\"outside\":{\"address\":\"203.0.113.10\",\"port\":" port "}}\n"
#define BLOCK(time, event, host)                                                                             \
	"{\"time\":\"2026-01-01T" time "Z\",\"event\":\"" event                                              \
	"\",\"segment\":\"web\",\"vni\":5001,\"protocol\":\"any\","                                          \
	"\"inside\":{\"address\":\"" host                                                                    \
	"\"},\"outside\":{\"address\":\"203.0.113.10\",\"first_port\":2048,\"last_port\":2111}}\n"

static const char log_text[] = "{\"time\":\"2026-01-01T09:00:00.000Z\",\"event\":\"log-started\"}\n" EVENT(
	"10:00:00.000", "binding-created", "10.0.1.11", "1024") EVENT("10:00:01.000", "binding-created",
	"10.0.1.99", "1025") BLOCK("10:00:02.000", "block-taken", "10.0.1.13") EVENT("10:10:00.000",
	"binding-deleted", "10.0.1.11", "1024") EVENT("10:20:00.000", "binding-created", "10.0.1.12",
	"1024") "half a line of a gateway that was kill\n"
		"{\"time\":\"2026-01-01T11:00:00.000Z\",\"event\":\"log-started\"}\n" BLOCK("11:30:00.000",
			"block-taken", "10.0.1.14") BLOCK("11:40:00.000", "block-returned", "10.0.1.14");

static cJSON *asked(unsigned port, const char *time)
{
	const struct who_request request = { .address = "203.0.113.10", .port = port, .time = time };
	FILE *log = fmemopen((char *)(uintptr_t)log_text, sizeof(log_text) - 1, "r");
	cJSON *answers = who_log_read(log, &request);

	fclose(log);
	return answers;
}

static void expect_host(unsigned port, const char *time, const char *host, const char *until)
{
	cJSON *answers = asked(port, time), *answer = cJSON_GetArrayItem(answers, 0);

	cr_assert_eq(cJSON_GetArraySize(answers), host == NULL ? 0 : 1, "%u at %s", port, time);
	if (host != NULL) {
		const char *found = cJSON_GetStringValue(
				   cJSON_GetObjectItem(cJSON_GetObjectItem(answer, "inside"), "address")),
			   *end = cJSON_GetStringValue(cJSON_GetObjectItem(answer, "until"));
		cr_assert_str_eq(found, host);
		cr_assert_str_eq(end == NULL ? "" : end, until);
	}
	cJSON_Delete(answers);
}

/* Conforms: RFC 6888 REQ-12. */
Test(vxgatectl_who, the_log_tells_which_host_had_a_public_port_at_a_time)
{
	expect_host(1024, "2026-01-01T09:59:59.999Z", NULL, "");
	expect_host(1024, "2026-01-01T10:00:00.000Z", "10.0.1.11", "2026-01-01T10:10:00.000Z");
	expect_host(1024, "2026-01-01T10:05:00.000Z", "10.0.1.11", "2026-01-01T10:10:00.000Z");
	expect_host(1024, "2026-01-01T10:15:00.000Z", NULL, "");
	expect_host(1024, "2026-01-01T10:30:00.000Z", "10.0.1.12", "2026-01-01T11:00:00.000Z");
	expect_host(1025, "2026-01-01T10:30:00.000Z", "10.0.1.99", "2026-01-01T11:00:00.000Z");
	expect_host(1026, "2026-01-01T10:30:00.000Z", NULL, "");
}

Test(vxgatectl_who, no_binding_outlives_the_gateway_that_made_it)
{
	expect_host(1024, "2026-01-01T11:00:00.000Z", NULL, "");
	expect_host(2048, "2026-01-01T11:10:00.000Z", NULL, "");
}

Test(vxgatectl_who, a_port_block_answers_for_each_of_its_ports)
{
	expect_host(2047, "2026-01-01T10:30:00.000Z", NULL, "");
	expect_host(2048, "2026-01-01T10:30:00.000Z", "10.0.1.13", "2026-01-01T11:00:00.000Z");
	expect_host(2111, "2026-01-01T11:35:00.000Z", "10.0.1.14", "2026-01-01T11:40:00.000Z");
	expect_host(2112, "2026-01-01T11:35:00.000Z", NULL, "");
}

Test(vxgatectl_who, times_are_read_as_people_write_them)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "2026-01-01T10:00:00Z", "2026-01-01T10:00:00.000Z" },
		{ "2026-01-01T10:00:00.5Z", "2026-01-01T10:00:00.500Z" },
		{ "2026-01-01T10:00:00.123Z", "2026-01-01T10:00:00.123Z" },
		{ "1767261600", "2026-01-01T10:00:00.000Z" },
		{ "2026-01-01 10:00", NULL },
		{ "2026-01-01T10:00:00", NULL },
		{ "2026-01-01T10:00:00+01:00", NULL },
		{ "99999999999999999999", NULL },
		{ "", NULL },
	};
	char time[WHO_TIME_TEXT];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = who_time_read(cases[i].text, time);
		cr_assert_eq(rc == 0, cases[i].wanted != NULL, "'%s'", cases[i].text);
		if (rc == 0)
			cr_assert_str_eq(time, cases[i].wanted);
	}
}
