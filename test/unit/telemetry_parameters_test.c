/* SPDX-License-Identifier: BSD-3-Clause */
/* What a telemetry request may ask for, and what it hears when it asks wrongly. */
#include "management/telemetry_parameters.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define ALL UINT32_MAX

static struct segment segments[2] = { { .vni = 5001, .name = "web" }, { .vni = 7, .name = "9" } };
static struct segment_table segment_table = { .segment = segments, .count = 2 };
static struct data_plane plane = {
	.segments = &segment_table,
	.port = { [1] = { .used = true, .name = "uplink" }, [2] = { .name = "unused" } },
};

static struct telemetry_parameters accepted(const char *text)
{
	struct telemetry_parameters parameters;
	char error[160] = "";

	cr_assert_eq(telemetry_parameters_parse(text, ALL, &plane, &parameters, error, sizeof(error)), 0,
		"%s: %s", text, error);
	return parameters;
}

static void refused(const char *text, uint32_t allowed, const char *sentence)
{
	struct telemetry_parameters parameters;
	char error[160] = "";

	cr_assert_eq(telemetry_parameters_parse(text, allowed, &plane, &parameters, error, sizeof(error)),
		-EINVAL, "%s", text);
	cr_assert_str_eq(error, sentence);
}

Test(telemetry_parameters, nothing_asked_is_everything_from_the_start)
{
	struct telemetry_parameters p = accepted(NULL);

	cr_assert_eq(p.given, 0);
	cr_assert_eq(p.cursor, 0);
	cr_assert_eq(p.count, 0);
}

Test(telemetry_parameters, a_session_is_described_by_its_ends)
{
	struct telemetry_parameters p = accepted(
		"segment=web,protocol=tcp,inside=10.0.1.5:80,outside=203.0.113.20,remote=:443,port=80,"
		"cursor=4294967296,count=20");

	cr_assert_eq(p.segment, 0);
	cr_assert_eq(p.protocol, IPPROTO_TCP);
	cr_assert_eq(p.inside.address, inet_addr("10.0.1.5"));
	cr_assert_eq(p.inside.port, 80);
	cr_assert_eq(p.outside.address, inet_addr("203.0.113.20"));
	cr_assert_eq(p.outside.port, 0);
	cr_assert_eq(p.remote.address, 0);
	cr_assert_eq(p.remote.port, 443);
	cr_assert_eq(p.port, 80);
	cr_assert_eq(p.cursor, UINT64_C(1) << 32);
	cr_assert_eq(p.count, 20);
}

Test(telemetry_parameters, a_segment_goes_by_its_name_or_its_vni)
{
	cr_assert_eq(accepted("segment=5001").segment, 0);
	cr_assert_eq(accepted("segment=7").segment, 1);
	cr_assert_eq(accepted("segment=9").segment, 1, "a name that looks like a number is a name first");
	cr_assert_eq(accepted("interface=web").interface, interface_of_segment(0));
	cr_assert_eq(accepted("interface=uplink").interface, 1);
}

Test(telemetry_parameters, what_is_wrong_is_said_in_a_sentence)
{
	refused("segment=lost", ALL, "no segment 'lost' here");
	refused("interface=unused", ALL, "no interface 'unused' here");
	refused("inside=10.0.1", ALL, "inside: found '10.0.1', wanted ADDRESS, ADDRESS:PORT or :PORT");
	refused("inside=10.0.1.5:65536", ALL,
		"inside: found '10.0.1.5:65536', wanted ADDRESS, ADDRESS:PORT or :PORT");
	refused("inside=2001:db8::1", ALL,
		"inside: found '2001:db8::1', wanted ADDRESS, ADDRESS:PORT or :PORT");
	refused("port=-1", ALL, "port: found '-1', wanted a port number");
	refused("protocol=sctp", ALL, "protocol: found 'sctp', wanted tcp, udp, icmp or a protocol number");
	refused("mac=xyz", ALL, "mac: found 'xyz', wanted a MAC address");
	refused("count=many", ALL, "count: found 'many', wanted a number of rows");
	refused("web", ALL, "'web' is not KEY=VALUE");
	refused("segment=web", TELEMETRY_PAGED, "unknown parameter 'segment'; there are: cursor count");
}

Test(telemetry_parameters, nought_is_no_filter_by_which_everything_would_match)
{
	refused("port=0", ALL, "port: found '0', wanted a port number");
	refused("protocol=0", ALL, "protocol: found '0', wanted tcp, udp, icmp or a protocol number");
	refused("inside=0.0.0.0", ALL, "inside: found '0.0.0.0', wanted ADDRESS, ADDRESS:PORT or :PORT");
	refused("outside=:0", ALL, "outside: found ':0', wanted ADDRESS, ADDRESS:PORT or :PORT");
	refused("remote=198.51.100.10:0", ALL,
		"remote: found '198.51.100.10:0', wanted ADDRESS, ADDRESS:PORT or :PORT");
}

Test(telemetry_parameters, an_endless_request_is_refused)
{
	char text[2048];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	refused(text, ALL, "the parameters are too long");
}
