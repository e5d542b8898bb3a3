/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/ip_address.h"

#include "base/log.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Test(ip_address, both_families_are_recognised_and_printed_as_written)
{
	static const char *const texts[] = { "0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "2001:db8::1",
		"fe80::1" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ip_address address;
		char text[IP_ADDRESS_TEXT];

		cr_assert_eq(ip_address_parse(texts[i], &address), 0, "%s", texts[i]);
		cr_assert_eq(address.family, strchr(texts[i], ':') != NULL ? AF_INET6 : AF_INET);
		cr_assert_str_eq(ip_address_text(&address, text), texts[i]);
	}
}

Test(ip_address, an_ipv4_address_is_in_network_byte_order)
{
	struct ip_address address;

	cr_assert_eq(ip_address_parse("192.0.2.1", &address), 0);
	cr_assert_eq(address.v4, htonl(0xc0000201));
}

Test(ip_address, what_is_no_address_is_refused_and_leaves_the_result_alone)
{
	static const char *const texts[] = { "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
		" 1.2.3.4", "1.2.3.4 ", "1.2.3.4/24", "1.2.3.a", "-1.2.3.4", "host", ":", "2001:db8::g",
		"fe80::1%eth0", "[::1]" };
	struct ip_address address = { .family = 77 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_assert_eq(ip_address_parse(texts[i], &address), -EINVAL, "%s", texts[i]);
	cr_assert_eq(address.family, 77);
}

Test(ip_address, an_unset_address_says_so)
{
	struct ip_address address = { 0 };
	char text[IP_ADDRESS_TEXT];

	cr_assert_str_eq(ip_address_text(&address, text), "none");
}

Test(ip_address, a_prefix_keeps_its_host_bits)
{
	static const char *const texts[] = { "0.0.0.0/0", "192.0.2.1/24", "192.0.2.1/32", "2001:db8::1/64",
		"::/0", "::1/128" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ip_prefix prefix;
		char text[IP_PREFIX_TEXT];

		cr_assert_eq(ip_prefix_parse(texts[i], &prefix), 0, "%s", texts[i]);
		cr_assert_str_eq(ip_prefix_text(&prefix, text), texts[i]);
	}
}

Test(ip_address, what_is_no_prefix_is_refused)
{
	static const char *const texts[] = { "", "/", "192.0.2.1", "192.0.2.1/", "/24", "192.0.2.1/33",
		"192.0.2.1/024", "192.0.2.1/+8", "192.0.2.1/ 8", "192.0.2.1/8 ", "192.0.2.1/-1",
		"192.0.2.1/8/8", "::1/129", "192.0.2.1/4294967304", "192.0.2.1/255.255.255.0",
		"1111111111111111111111111111111111111111111111111111111111/8" };
	struct ip_prefix prefix;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_assert_eq(ip_prefix_parse(texts[i], &prefix), -EINVAL, "%s", texts[i]);
}

Test(ip_address, masks_of_every_length)
{
	cr_assert_eq(ipv4_mask(0), 0);
	for (uint8_t length = 1; length <= 32; length++)
		cr_assert_eq(ntohl(ipv4_mask(length)), (uint32_t)(UINT64_C(0xffffffff00000000) >> length));
}

static bool contains(const char *prefix_text, const char *address_text)
{
	struct ip_prefix prefix;
	struct ip_address address;

	cr_assert_eq(ip_prefix_parse(prefix_text, &prefix), 0);
	cr_assert_eq(ip_address_parse(address_text, &address), 0);
	return ipv4_prefix_contains(&prefix, address.v4);
}

Test(ip_address, a_prefix_contains_its_own_addresses_only)
{
	cr_assert(contains("192.0.2.1/24", "192.0.2.0"));
	cr_assert(contains("192.0.2.1/24", "192.0.2.255"));
	cr_assert_not(contains("192.0.2.1/24", "192.0.3.0"));
	cr_assert_not(contains("192.0.2.1/24", "192.0.1.255"));
	cr_assert(contains("0.0.0.0/0", "255.255.255.255"));
	cr_assert(contains("192.0.2.1/32", "192.0.2.1"));
	cr_assert_not(contains("192.0.2.1/32", "192.0.2.0"));
	cr_assert_not(contains("::/0", "192.0.2.1"));
}

/* What is written on standard error between the two. */
static char logged[4096];
static int log_pipe[2], real_stderr;

static void log_capture(void)
{
	cr_assert_eq(pipe(log_pipe), 0);
	real_stderr = dup(STDERR_FILENO);
	dup2(log_pipe[1], STDERR_FILENO);
}

static void log_captured(void)
{
	ssize_t length;

	dup2(real_stderr, STDERR_FILENO);
	close(log_pipe[1]);
	length = read(log_pipe[0], logged, sizeof(logged) - 1);
	logged[length > 0 ? length : 0] = '\0';
	close(log_pipe[0]);
}

Test(log, a_message_is_one_line_with_time_and_level)
{
	log_capture();
	log_warning("port %s is %s", "up0", "down");
	log_captured();
	cr_assert_eq(strlen(logged), strlen("2026-01-31T12:34:56.789Z warning: port up0 is down\n"));
	cr_assert_eq(logged[10], 'T');
	cr_assert_str_eq(logged + 24, " warning: port up0 is down\n");
}

Test(log, only_messages_up_to_the_level_are_written)
{
	log_set_level(LOG_ERROR);
	cr_assert_eq(log_get_level(), LOG_ERROR);
	log_capture();
	log_warning("not to be seen");
	log_error("to be seen");
	log_captured();
	cr_assert_null(strstr(logged, "not"));
	cr_assert_not_null(strstr(logged, " error: to be seen\n"));
}

Test(log, a_message_that_is_too_long_is_cut_and_still_a_line)
{
	char text[3000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_capture();
	log_error("%s", text);
	log_captured();
	cr_assert(strlen(logged) > 1000 && strlen(logged) < 1100);
	cr_assert_eq(strchr(logged, '\n'), logged + strlen(logged) - 1);
}

Test(log, levels_have_names)
{
	enum log_level level;

	cr_assert_eq(log_level_from_name("debug", &level), 0);
	cr_assert_eq(level, LOG_DEBUG);
	cr_assert_str_eq(log_level_name(LOG_INFO), "info");
	cr_assert_eq(log_level_from_name("loud", &level), -EINVAL);
}
