/* SPDX-License-Identifier: BSD-3-Clause */
/* What the port control server grants, refuses and tells NAT: bytes in, bytes out, with NAT played by the test. */
#include "services/port_control.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define HOST     RTE_BE32(0x0a000105)
#define OTHER    RTE_BE32(0x0a000106)
#define STRANGER RTE_BE32(0x0a000205) /* not in the prefix */
#define PUBLIC   RTE_BE32(0xcb00710a)
#define REMOTE   RTE_BE32(0xc6336407)
#define MAPPINGS 2
#define LIFETIME 7200u
#define START_S  1000u
#define REST_S   120u
#define RESTED_S (REST_S * 3 / 2 + 2) /* at the latest */

static struct {
	struct port_control *control;
	uint64_t now_ns;
	bool nat_is_full;
	unsigned asked;
	struct nat_mapping_request nat; /* the last one */
	struct port_control_response response;
} t;

struct map { /* what a test says; the rest is usual */
	uint8_t opcode, version, protocol, nonce, option;
	rte_be32_t from;
	uint16_t port, wanted;
	uint32_t lifetime;
	uint16_t option_length, length; /* of the option's data; of the whole, 0: as it is */
	bool short_option;              /* says more than there is */
	bool any_protocol;              /* 0 */
};

static void server_start(void)
{
	const struct port_control_settings settings = { .enabled = true,
		.prefix = RTE_BE32(0x0a000100),
		.mask = RTE_BE32(0xffffff00),
		.ports = { { 80, 80 }, { 1024, 65535 } },
		.port_ranges = 2,
		.mappings_max = MAPPINGS,
		.port_rest_s = REST_S,
		.lifetime_max = LIFETIME };

	memset(&t, 0, sizeof(t));
	t.control = port_control_create(&settings, 1);
	cr_assert_not_null(t.control);
	t.now_ns = START_S * NS_PER_SECOND;
	port_control_start(t.control, t.now_ns);
}

static void server_stop(void)
{
	port_control_destroy(t.control);
}

TestSuite(port_control_server, .init = server_start, .fini = server_stop);

static bool nat_ask(void *context, const struct nat_mapping_request *request)
{
	(void)context;
	if (t.nat_is_full)
		return false;
	t.nat = *request;
	t.asked++;
	return true;
}

static void server_hears(rte_be32_t from, const void *bytes, uint16_t length)
{
	const struct port_control_client client = { .address = from, .port = 40000 };

	port_control_request(t.control, &client, bytes, length, t.now_ns, nat_ask, NULL, &t.response);
}

static uint16_t option_add(uint8_t *bytes, uint16_t at, const struct map *map)
{
	struct pcp_option_header option = { .code = map->option,
		.length = rte_cpu_to_be_16((uint16_t)(map->option_length + (map->short_option ? 4 : 0))) };

	if (map->option == 0)
		return at;
	memcpy(bytes + at, &option, sizeof(option));
	return (uint16_t)(at + sizeof(option) + RTE_ALIGN_CEIL(map->option_length, 4));
}

static void pcp_send(const struct map *map)
{
	uint8_t bytes[256] = { 0 }, opcode = map->opcode == 0 ? PCP_MAP : map->opcode;
	struct pcp_header header = { .version = map->version == 0 ? PCP_VERSION : map->version,
		.opcode = opcode,
		.lifetime = rte_cpu_to_be_32(map->lifetime),
		.client = { .high = { 0, 0, RTE_BE32(0xffff) }, .v4 = map->from == 0 ? HOST : map->from } };
	struct pcp_peer peer = { .map = { .protocol = map->any_protocol    ? 0
						      : map->protocol == 0 ? IPPROTO_UDP
									   : map->protocol,
					 .inside_port = rte_cpu_to_be_16(map->port),
					 .outside_port = rte_cpu_to_be_16(map->wanted) },
		.remote_port = RTE_BE16(53),
		.remote = { .high = { 0, 0, RTE_BE32(0xffff) }, .v4 = REMOTE } };
	uint16_t length = sizeof(header), body = opcode == PCP_MAP ? sizeof(peer.map) : sizeof(peer);

	memset(peer.map.nonce, map->nonce, sizeof(peer.map.nonce));
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + length, &peer, body);
	length = option_add(bytes, (uint16_t)(length + body), map);
	server_hears(header.client.v4, bytes, map->length == 0 ? length : map->length);
}

static void nat_answers(int status, uint16_t outside_port, uint32_t lifetime)
{
	const struct nat_mapping_answer answer = { .id = t.nat.id,
		.status = status,
		.outside = PUBLIC,
		.outside_port = rte_cpu_to_be_16(outside_port),
		.lifetime_s = lifetime };

	port_control_answer(t.control, &answer, t.now_ns, &t.response);
}

static void nat_answers_by_rule(uint16_t outside_port)
{
	const struct nat_mapping_answer answer = { .id = t.nat.id,
		.by_rule = true,
		.outside = PUBLIC,
		.outside_port = rte_cpu_to_be_16(outside_port),
		.lifetime_s = t.nat.lifetime_s };

	port_control_answer(t.control, &answer, t.now_ns, &t.response);
}

static struct pcp_header header_of_response(void)
{
	struct pcp_header header;

	cr_assert_geq(t.response.length, sizeof(header));
	memcpy(&header, t.response.bytes, sizeof(header));
	cr_assert_eq(header.version, PCP_VERSION);
	cr_assert(header.opcode & PCP_RESPONSE);
	return header;
}

static struct nat_pmp_response pmp_send(uint8_t opcode, uint16_t port, uint32_t lifetime, int status)
{
	struct nat_pmp_map_request request = { .opcode = opcode,
		.inside_port = rte_cpu_to_be_16(port),
		.lifetime = rte_cpu_to_be_32(lifetime) };
	struct nat_pmp_response response = { 0 };

	server_hears(HOST, &request, opcode == NAT_PMP_ADDRESS ? 2 : sizeof(request));
	if (t.response.length == 0)
		nat_answers(status, 9000, t.nat.lifetime_s);
	cr_assert_geq(t.response.length, NAT_PMP_RESPONSE_SHORT);
	memcpy(&response, t.response.bytes, RTE_MIN((size_t)t.response.length, sizeof(response)));
	cr_assert_eq(response.version, NAT_PMP_VERSION);
	cr_assert_eq(response.opcode, opcode | PCP_RESPONSE);
	return response;
}

static uint8_t result(void)
{
	return header_of_response().result;
}

static void pcp_refused(const struct map *map, enum pcp_result wanted)
{
	unsigned asked = t.asked;

	pcp_send(map);
	cr_assert_eq(result(), wanted, "result %u, not %u", result(), wanted);
	cr_assert_gt(rte_be_to_cpu_32(header_of_response().lifetime), 0, "for how long not to ask again");
	cr_assert_eq(t.asked, asked, "NAT is not asked");
}

static void granted(const struct map *map)
{
	pcp_send(map);
	cr_assert_eq(t.response.length, 0, "the response waits for NAT");
	/* As NAT does: the port that is wanted, or that of the host. */
	nat_answers(0, rte_be_to_cpu_16(t.nat.wanted_port != 0 ? t.nat.wanted_port : t.nat.inside_port),
		t.nat.lifetime_s);
	cr_assert_eq(result(), PCP_SUCCESS);
}

/* Conforms: RFC 6887 section 11.3. */
Test(port_control_server, a_mapping_is_what_nat_gives_and_the_response_says_so)
{
	struct pcp_map map;

	pcp_send(&(struct map){ .port = 8080, .wanted = 8081, .lifetime = 600, .nonce = 7 });
	cr_assert_eq(t.response.length, 0);
	cr_assert_eq(t.nat.operation, NAT_MAPPING_MAKE);
	cr_assert_eq(t.nat.inside, HOST);
	cr_assert_eq(t.nat.inside_port, RTE_BE16(8080));
	cr_assert_eq(t.nat.wanted_port, RTE_BE16(8081));
	cr_assert_eq(t.nat.protocol, IPPROTO_UDP);
	cr_assert_eq(t.nat.lifetime_s, 600);
	cr_assert_not(t.nat.or_nothing);
	t.now_ns += 3 * NS_PER_SECOND;
	nat_answers(0, 9000, 600);
	cr_assert_eq(t.response.to.address, HOST);
	cr_assert_eq(t.response.to.port, 40000);
	cr_assert_eq(header_of_response().epoch, RTE_BE32(3));
	cr_assert_eq(header_of_response().lifetime, RTE_BE32(600));
	memcpy(&map, t.response.bytes + sizeof(struct pcp_header), sizeof(map));
	cr_assert_eq(map.nonce[11], 7);
	cr_assert_eq(map.inside_port, RTE_BE16(8080));
	cr_assert_eq(map.outside_port, RTE_BE16(9000));
	cr_assert_eq(map.outside.v4, PUBLIC);
	cr_assert_eq(port_control_counters(t.control)->mappings, 1);
}

/* Conforms: RFC 6887 section 15. */
Test(port_control_server, lifetimes_are_kept_between_two_minutes_and_the_limit)
{
	pcp_send(&(struct map){ .port = 8080, .lifetime = 1 });
	cr_assert_eq(t.nat.lifetime_s, 120);
	nat_answers(0, 8080, 120);
	pcp_send(&(struct map){ .port = 8080, .lifetime = UINT32_MAX });
	cr_assert_eq(t.nat.lifetime_s, LIFETIME);
}

/* Conforms: RFC 6887 section 13.2. */
Test(port_control_server, a_client_that_prefers_failure_gets_that_port_or_none)
{
	pcp_send(&(struct map){
		.port = 8080, .wanted = 80, .lifetime = 600, .option = PCP_OPTION_PREFER_FAILURE });
	cr_assert(t.nat.or_nothing);
	nat_answers(-EADDRINUSE, 0, 0);
	cr_assert_eq(result(), PCP_CANNOT_PROVIDE_EXTERNAL);
	cr_assert_eq(port_control_counters(t.control)->mappings, 0);
	pcp_refused(&(struct map){ .port = 8080,
			    .lifetime = 600,
			    .option = PCP_OPTION_PREFER_FAILURE,
			    .option_length = 4 },
		PCP_MALFORMED_OPTION);
}

/* Conforms: RFC 6887 section 7.3, RFC 6887 section 13.1, RFC 6887 section 13.3. */
Test(port_control_server, options_that_it_does_not_serve_are_refused_unless_they_are_optional)
{
	pcp_refused(&(struct map){ .port = 8080,
			    .lifetime = 600,
			    .option = PCP_OPTION_THIRD_PARTY,
			    .option_length = 16 },
		PCP_UNSUPP_OPTION);
	pcp_refused(
		&(struct map){
			.port = 8080, .lifetime = 600, .option = PCP_OPTION_FILTER, .option_length = 20 },
		PCP_UNSUPP_OPTION);
	pcp_refused(&(struct map){ .port = 8080, .lifetime = 600, .option = 100 }, PCP_UNSUPP_OPTION);
	pcp_refused(&(struct map){ .opcode = PCP_PEER,
			    .port = 8080,
			    .lifetime = 600,
			    .option = PCP_OPTION_THIRD_PARTY,
			    .option_length = 16 },
		PCP_UNSUPP_OPTION);
	pcp_refused(&(struct map){ .port = 8080,
			    .lifetime = 600,
			    .option = PCP_OPTION_OPTIONAL | 5,
			    .option_length = 8,
			    .short_option = true },
		PCP_MALFORMED_OPTION);
	granted(&(struct map){
		.port = 8080, .lifetime = 600, .option = PCP_OPTION_OPTIONAL | 5, .option_length = 6 });
}

/* Conforms: RFC 6887 section 11.3, RFC 6887 section 15.1. */
Test(port_control_server, only_who_opened_a_mapping_may_prolong_or_end_it)
{
	granted(&(struct map){ .port = 8080, .lifetime = 600, .nonce = 7 });
	pcp_refused(&(struct map){ .port = 8080, .lifetime = 600, .nonce = 8 }, PCP_NOT_AUTHORIZED);
	pcp_refused(&(struct map){ .port = 8080, .lifetime = 0, .nonce = 8 }, PCP_NOT_AUTHORIZED);
	granted(&(struct map){ .port = 8080, .lifetime = 1200, .nonce = 7 });
	cr_assert_eq(port_control_counters(t.control)->mappings, 1);
	pcp_send(&(struct map){ .port = 8080, .wanted = 99, .lifetime = 0, .nonce = 7 });
	cr_assert_eq(t.nat.operation, NAT_MAPPING_END);
	cr_assert_eq(t.nat.inside_port, RTE_BE16(8080));
	nat_answers(0, 0, 0);
	cr_assert_eq(result(), PCP_SUCCESS);
	cr_assert_eq(header_of_response().lifetime, 0);
	struct pcp_map map;
	memcpy(&map, t.response.bytes + sizeof(struct pcp_header), sizeof(map));
	cr_assert_eq(map.outside_port, RTE_BE16(99), "what the request suggests");
	cr_assert_eq(port_control_counters(t.control)->mappings, 0);
	granted(&(struct map){ .port = 8080, .lifetime = 600, .nonce = 8 });
}

Test(port_control_server, all_mappings_of_a_protocol_end_at_once_with_port_0)
{
	granted(&(struct map){ .port = 8080, .lifetime = 600, .nonce = 7 });
	granted(&(struct map){ .port = 8081, .lifetime = 600, .nonce = 7, .protocol = IPPROTO_TCP });
	t.asked = 0;
	pcp_send(&(struct map){ .lifetime = 0, .nonce = 7 });
	cr_assert_eq(result(), PCP_SUCCESS);
	cr_assert_eq(t.asked, 1, "not that of TCP");
	cr_assert_eq(t.nat.id, 0, "nobody waits for an answer");
	cr_assert_eq(port_control_counters(t.control)->mappings, 1);
}

/* Conforms: RFC 6887 section 15.1. */
Test(port_control_server, all_mappings_of_all_protocols_end_at_once_with_protocol_0)
{
	granted(&(struct map){ .port = 8080, .lifetime = 600, .nonce = 7 });
	granted(&(struct map){ .port = 8081, .lifetime = 600, .nonce = 7, .protocol = IPPROTO_TCP });
	granted(&(struct map){ .port = 8081, .lifetime = 600, .nonce = 7, .from = OTHER });
	t.asked = 0;
	pcp_send(&(struct map){ .any_protocol = true, .lifetime = 0, .nonce = 7 });
	cr_assert_eq(result(), PCP_SUCCESS);
	cr_assert_eq(t.asked, 2);
	cr_assert_eq(t.nat.protocol, IPPROTO_TCP, "NAT is told each one");
	cr_assert_eq(port_control_counters(t.control)->mappings, 1, "the other host keeps its own");
	pcp_refused(&(struct map){ .any_protocol = true, .lifetime = 600 }, PCP_UNSUPP_PROTOCOL);
	pcp_refused(
		&(struct map){ .any_protocol = true, .port = 8080, .lifetime = 0 }, PCP_MALFORMED_REQUEST);
}

/* Conforms: RFC 6887 section 15.1, RFC 6886 section 3.4. */
Test(port_control_server, what_the_configuration_maps_is_told_but_not_counted_nor_ended)
{
	for (uint16_t port = 2001; port < 2001 + 2 * MAPPINGS; port++) {
		pcp_send(&(struct map){ .port = port, .lifetime = 600, .nonce = 7 });
		nat_answers_by_rule(port);
		cr_assert_eq(result(), PCP_SUCCESS);
	}
	cr_assert_eq(port_control_counters(t.control)->mappings, 0);
	pcp_send(&(struct map){ .port = 2001, .lifetime = 0, .nonce = 7 });
	nat_answers(-EPERM, 0, 0);
	cr_assert_eq(result(), PCP_NOT_AUTHORIZED);
	cr_assert_eq(pmp_send(NAT_PMP_MAP_UDP, 2001, 0, -EPERM).result, RTE_BE16(NAT_PMP_NOT_AUTHORIZED));
}

/* Conforms: RFC 6887 section 7.3. */
Test(port_control_server, a_response_has_the_options_that_were_processed_and_no_others)
{
	struct map map = {
		.port = 8080, .lifetime = 600, .option = PCP_OPTION_OPTIONAL | 5, .option_length = 6
	};

	granted(&map);
	cr_assert_eq(t.response.length, sizeof(struct pcp_header) + sizeof(struct pcp_map));
	map.option = PCP_OPTION_PREFER_FAILURE;
	map.option_length = 0;
	granted(&map);
	cr_assert_eq(t.response.length, sizeof(struct pcp_header) + sizeof(struct pcp_map) + 4);
	cr_assert_eq(t.response.bytes[sizeof(struct pcp_header) + sizeof(struct pcp_map)],
		PCP_OPTION_PREFER_FAILURE);
	map.option = PCP_OPTION_THIRD_PARTY;
	map.option_length = 16;
	pcp_refused(&map, PCP_UNSUPP_OPTION);
	cr_assert_eq(t.response.length, sizeof(struct pcp_header) + sizeof(struct pcp_map) + 20,
		"what is refused comes back whole");
}

Test(port_control_server, a_host_has_a_number_of_mappings_and_those_that_lasted_their_time_do_not_count)
{
	granted(&(struct map){ .port = 2001, .lifetime = 120 });
	granted(&(struct map){ .port = 2002, .lifetime = 600 });
	pcp_refused(&(struct map){ .port = 2003, .lifetime = 600 }, PCP_USER_EX_QUOTA);
	granted(&(struct map){ .port = 2002, .lifetime = 600 });
	granted(&(struct map){ .port = 2003, .lifetime = 600, .from = OTHER });
	t.now_ns += 121 * NS_PER_SECOND;
	granted(&(struct map){ .port = 2003, .lifetime = 600 });
	pcp_refused(&(struct map){ .port = 2004, .lifetime = 600 }, PCP_USER_EX_QUOTA);
}

/* Conforms: RFC 6888 REQ-8. */
Test(port_control_server, a_mapping_that_its_host_ended_counts_until_its_public_port_has_rested)
{
	const struct map end_all = { .any_protocol = true, .lifetime = 0 };

	granted(&(struct map){ .port = 2001, .lifetime = 600 });
	granted(&(struct map){ .port = 2002, .lifetime = 600 });
	granted(&(struct map){ .port = 2001, .lifetime = 0 });
	pcp_send(&end_all);
	cr_assert_eq(result(), PCP_SUCCESS);
	cr_assert_eq(port_control_counters(t.control)->mappings, 0);
	pcp_refused(&(struct map){ .port = 2003, .lifetime = 600 }, PCP_USER_EX_QUOTA);
	t.now_ns += REST_S * NS_PER_SECOND;
	pcp_refused(&(struct map){ .port = 2003, .lifetime = 600 }, PCP_USER_EX_QUOTA);
	granted(&(struct map){ .port = 2003, .lifetime = 600, .from = OTHER });
	t.now_ns += (RESTED_S - REST_S) * NS_PER_SECOND;
	granted(&(struct map){ .port = 2003, .lifetime = 600 });
	granted(&(struct map){ .port = 2004, .lifetime = 600 });
	pcp_refused(&(struct map){ .port = 2005, .lifetime = 600 }, PCP_USER_EX_QUOTA);
}

static void wants_back(bool recall, bool or_nothing)
{
	cr_assert_eq(t.response.length, 0);
	cr_assert_eq(t.nat.operation, NAT_MAPPING_MAKE);
	cr_assert_eq(t.nat.wanted_outside, PUBLIC);
	cr_assert_eq(t.nat.wanted_port, RTE_BE16(7001));
	cr_assert_eq(t.nat.recall, recall);
	cr_assert_eq(t.nat.or_nothing, or_nothing);
}

Test(port_control_server, a_host_gets_the_public_port_back_that_it_gave_up_a_moment_ago)
{
	const struct map again = { .port = 2001, .lifetime = 600, .nonce = 8 };

	granted(&(struct map){ .port = 2001, .wanted = 7001, .lifetime = 600, .nonce = 7 });
	granted(&(struct map){ .port = 2001, .lifetime = 0, .nonce = 7 });
	pcp_send(&again);
	wants_back(true, false);
	nat_answers(0, 7001, 600);
	cr_assert_eq(port_control_counters(t.control)->mappings, 1);
	granted(&(struct map){ .port = 2001, .lifetime = 0, .nonce = 8 });
	pcp_send(&(struct map){ .port = 2009, .wanted = 7001, .lifetime = 600 });
	wants_back(true, false);
	nat_answers(0, 7001, 600);
	/* It counts once. */
	granted(&(struct map){ .port = 2002, .lifetime = 600 });
	pcp_refused(&(struct map){ .port = 2003, .lifetime = 600 }, PCP_USER_EX_QUOTA);
	/* One that has all it may have gets its own or nothing, and nothing that others may have had. */
	granted(&(struct map){ .port = 2009, .lifetime = 0 });
	pcp_refused(&(struct map){ .port = 2003, .lifetime = 600 }, PCP_USER_EX_QUOTA);
	pcp_send(&(struct map){ .port = 2009, .lifetime = 600 });
	wants_back(true, true);
	nat_answers(-EADDRINUSE, 0, 0);
	cr_assert_eq(result(), PCP_USER_EX_QUOTA);
	t.now_ns += (REST_S + 1) * NS_PER_SECOND;
	pcp_send(&(struct map){ .port = 2009, .lifetime = 600 });
	wants_back(false, true);
}

Test(port_control_server, a_host_that_gets_another_public_port_than_it_had_has_both_counted)
{
	granted(&(struct map){ .port = 2001, .wanted = 7001, .lifetime = 600 });
	granted(&(struct map){ .port = 2001, .lifetime = 0 });
	pcp_send(&(struct map){ .port = 2001, .lifetime = 600 });
	nat_answers(0, 7002, 600);
	cr_assert_eq(result(), PCP_SUCCESS);
	pcp_refused(&(struct map){ .port = 2002, .lifetime = 600 }, PCP_USER_EX_QUOTA);
	/* Of two that rest, nothing but these. */
	granted(&(struct map){ .port = 2001, .lifetime = 0 });
	pcp_refused(
		&(struct map){
			.port = 2001, .wanted = 7003, .lifetime = 600, .option = PCP_OPTION_PREFER_FAILURE },
		PCP_USER_EX_QUOTA);
	pcp_send(&(struct map){ .port = 2001, .lifetime = 600 });
	cr_assert(t.nat.or_nothing);
}

Test(port_control_server, what_nat_is_being_asked_for_counts_and_is_asked_for_once)
{
	pcp_send(&(struct map){ .port = 2001, .lifetime = 600 });
	const struct nat_mapping_request first = t.nat;
	pcp_send(&(struct map){ .port = 2002, .lifetime = 600 });
	const struct nat_mapping_request second = t.nat;
	pcp_refused(&(struct map){ .port = 2003, .lifetime = 600 }, PCP_USER_EX_QUOTA);
	for (int i = 0; i < 2; i++) {
		pcp_send(&(struct map){ .port = 2001, .lifetime = i == 0 ? 600 : 0 });
		cr_assert_eq(t.response.length, 0, "nor ended before it is there");
		cr_assert_eq(t.asked, 2);
	}
	t.nat = first;
	nat_answers(-ENFILE, 0, 0);
	pcp_send(&(struct map){ .port = 2003, .lifetime = 600 });
	cr_assert_eq(t.asked, 3, "the one that there is not to be makes room");
	pcp_refused(&(struct map){ .port = 2004, .lifetime = 600 }, PCP_USER_EX_QUOTA);
	/* All ends what is on its way, too. */
	t.nat = second;
	pcp_send(&(struct map){ .any_protocol = true, .lifetime = 0 });
	t.nat = second;
	nat_answers(0, 2002, 600);
	cr_assert_eq(port_control_counters(t.control)->mappings, 0);
	cr_assert_eq(port_control_end_more(t.control, t.now_ns, nat_ask, NULL), 1);
	cr_assert_eq(t.nat.operation, NAT_MAPPING_END);
	cr_assert_eq(t.nat.inside_port, RTE_BE16(2002));
}

Test(port_control_server, all_mappings_end_even_if_nat_cannot_be_told_of_all_at_once)
{
	granted(&(struct map){ .port = 2001, .lifetime = 600 });
	granted(&(struct map){ .port = 2002, .lifetime = 600 });
	t.nat_is_full = true;
	t.asked = 0;
	pcp_send(&(struct map){ .any_protocol = true, .lifetime = 0 });
	cr_assert_eq(result(), PCP_SUCCESS);
	cr_assert(port_control_is_ending(t.control));
	pcp_send(&(struct map){ .port = 2002, .lifetime = 600 });
	cr_assert_eq(result(), PCP_NO_RESOURCES, "it has to be ended before it begins anew");
	t.nat_is_full = false;
	granted(&(struct map){ .port = 2002, .lifetime = 600 });
	cr_assert_eq(t.asked, 2, "ended, and opened");
	cr_assert_eq(port_control_end_more(t.control, t.now_ns, nat_ask, NULL), 1);
	cr_assert_eq(t.nat.inside_port, RTE_BE16(2001));
	cr_assert_not(port_control_is_ending(t.control));
	cr_assert_eq(port_control_counters(t.control)->mappings, 1);
}

Test(port_control_server, a_mapping_that_an_operator_ended_counts_no_more_and_is_anyones_again)
{
	struct nat_mapping_answer cleared = { .operation = NAT_MAPPING_CLEARED,
		.protocol = IPPROTO_UDP,
		.inside = HOST,
		.inside_port = RTE_BE16(2003) };

	granted(&(struct map){ .port = 2001, .lifetime = 600, .nonce = 7 });
	granted(&(struct map){ .port = 2002, .lifetime = 600, .nonce = 7 });
	port_control_cleared(t.control, &cleared, t.now_ns); /* none of those that are known */
	cleared.inside_port = RTE_BE16(2001);
	cleared.protocol = IPPROTO_TCP;
	port_control_cleared(t.control, &cleared, t.now_ns);
	cr_assert_eq(port_control_counters(t.control)->mappings, 2);
	pcp_refused(&(struct map){ .port = 2003, .lifetime = 600 }, PCP_USER_EX_QUOTA);
	cleared.protocol = IPPROTO_UDP;
	port_control_cleared(t.control, &cleared, t.now_ns);
	port_control_cleared(t.control, &cleared, t.now_ns);
	cr_assert_eq(port_control_counters(t.control)->mappings, 1);
	granted(&(struct map){ .port = 2001, .lifetime = 600, .nonce = 8 });
	cr_assert(t.nat.recall, "by the same public port");
	pcp_refused(&(struct map){ .port = 2003, .lifetime = 600 }, PCP_USER_EX_QUOTA);
}

Test(port_control_server, policy_says_which_hosts_and_ports)
{
	pcp_refused(&(struct map){ .port = 8080, .lifetime = 600, .from = STRANGER }, PCP_NOT_AUTHORIZED);
	pcp_refused(&(struct map){ .port = 443, .lifetime = 600 }, PCP_NOT_AUTHORIZED);
	pcp_refused(&(struct map){ .port = 8080, .lifetime = 600, .protocol = IPPROTO_SCTP },
		PCP_UNSUPP_PROTOCOL);
	granted(&(struct map){ .port = 80, .lifetime = 600 });
}

Test(port_control_server, what_nat_refuses_has_its_result)
{
	static const struct {
		int status;
		enum pcp_result result;
	} cases[] = { { -ENOENT, PCP_NOT_AUTHORIZED }, { -EADDRNOTAVAIL, PCP_NO_RESOURCES },
		{ -EDQUOT, PCP_USER_EX_QUOTA }, { -ENFILE, PCP_NO_RESOURCES } };

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		pcp_send(&(struct map){ .port = 8080, .lifetime = 600 });
		nat_answers(cases[i].status, 0, 0);
		cr_assert_eq(result(), cases[i].result);
	}
	t.nat_is_full = true;
	pcp_send(&(struct map){ .port = 8080, .lifetime = 600 });
	cr_assert_eq(result(), PCP_NO_RESOURCES);
	cr_assert_eq(port_control_counters(t.control)->mappings, 0);
}

Test(port_control_server, questions_without_an_answer_are_bounded_and_forgotten)
{
	unsigned waiting = 0;

	for (; waiting < 1000; waiting++) {
		pcp_send(&(struct map){ .opcode = PCP_PEER, .port = 8080, .lifetime = 600 });
		if (t.response.length > 0)
			break;
	}
	cr_assert_eq(result(), PCP_NO_RESOURCES);
	cr_assert_eq(waiting, 256);
	t.now_ns += 6 * NS_PER_SECOND;
	granted(&(struct map){ .port = 8080, .lifetime = 600 });
	nat_answers(0, 5000, 600);
	cr_assert_eq(t.response.length, 0, "an answer twice is answered once");
}

/* Conforms: RFC 6887 section 12.3. */
Test(port_control_server, peer_asks_for_a_session_and_tells_its_lifetime)
{
	pcp_send(&(struct map){ .opcode = PCP_PEER, .port = 8080, .wanted = 8080, .lifetime = 600 });
	cr_assert_eq(t.nat.operation, NAT_MAPPING_PEER);
	cr_assert_eq(t.nat.remote, REMOTE);
	cr_assert_eq(t.nat.remote_port, RTE_BE16(53));
	nat_answers(0, 8080, 300);
	cr_assert_eq(result(), PCP_SUCCESS);
	cr_assert_eq(
		header_of_response().lifetime, RTE_BE32(300), "that of the session, not what was asked for");
	cr_assert_eq(port_control_counters(t.control)->mappings, 0, "it ends as sessions do");
	pcp_send(&(struct map){ .opcode = PCP_PEER, .port = 8080, .lifetime = 0 });
	cr_assert_eq(t.nat.operation, NAT_MAPPING_PEER, "nothing is deleted by it");
	pcp_refused(&(struct map){ .opcode = PCP_PEER, .port = 0, .lifetime = 600 }, PCP_MALFORMED_REQUEST);
	granted(&(struct map){ .port = 8080, .lifetime = 600, .nonce = 7 });
	pcp_send(&(struct map){ .opcode = PCP_PEER, .port = 8080, .lifetime = 600, .nonce = 8 });
	cr_assert_eq(
		t.nat.operation, NAT_MAPPING_PEER, "a PEER has a nonce of its own, beside a MAP of its port");
}

/* Conforms: RFC 6887 section 14.1. */
Test(port_control_server, announce_is_answered_at_once_with_the_epoch)
{
	struct pcp_header request = { .version = PCP_VERSION,
		.opcode = PCP_ANNOUNCE,
		.client = { .high = { 0, 0, RTE_BE32(0xffff) }, .v4 = HOST } };
	const struct pcp_option_header option = { .code = 100 };
	uint8_t bytes[sizeof(request) + sizeof(option)];

	t.now_ns += 77 * NS_PER_SECOND;
	server_hears(HOST, &request, sizeof(request));
	cr_assert_eq(result(), PCP_SUCCESS);
	cr_assert_eq(header_of_response().epoch, RTE_BE32(77));
	cr_assert_eq(header_of_response().lifetime, 0);
	memcpy(bytes, &request, sizeof(request));
	memcpy(bytes + sizeof(request), &option, sizeof(option));
	server_hears(HOST, bytes, sizeof(bytes));
	cr_assert_eq(result(), PCP_UNSUPP_OPTION);
}

/* Conforms: RFC 6887 section 14.1, RFC 6886 section 3.2.1. */
Test(port_control_server, a_start_is_announced_ten_times_with_growing_pauses_and_the_epoch_of_the_moment)
{
	struct port_control_announcement told;
	uint64_t due = t.now_ns + NS_PER_SECOND;

	for (int i = 0; i < 10; i++) {
		rte_be32_t epoch = rte_cpu_to_be_32((uint32_t)(due / NS_PER_SECOND - START_S));
		cr_assert_eq(port_control_announce_due_ns(t.control), due, "announcement %d", i);
		port_control_announce(t.control, due, &told);
		cr_assert_eq(told.pcp.version, PCP_VERSION);
		cr_assert_eq(told.pcp.opcode, PCP_ANNOUNCE | PCP_RESPONSE);
		cr_assert_eq(told.pcp.result, PCP_SUCCESS);
		cr_assert_eq(told.pcp.epoch, epoch);
		cr_assert_eq(told.nat_pmp.version, NAT_PMP_VERSION);
		cr_assert_eq(told.nat_pmp.opcode, NAT_PMP_ADDRESS | PCP_RESPONSE);
		cr_assert_eq(told.nat_pmp.result, NAT_PMP_SUCCESS);
		cr_assert_eq(told.nat_pmp.epoch, epoch);
		due += (250 * NS_PER_MS) << i;
	}
	cr_assert_eq(port_control_announce_due_ns(t.control), UINT64_MAX);
}

/* Conforms: RFC 6887 section 8.2, RFC 6887 section 9. */
Test(port_control_server, what_is_no_request_of_this_host_and_version_is_refused)
{
	struct pcp_header request = { .version = PCP_VERSION, .opcode = PCP_ANNOUNCE };

	pcp_refused(&(struct map){ .version = 1, .port = 8080, .lifetime = 600 }, PCP_UNSUPP_VERSION);
	pcp_refused(&(struct map){ .port = 8080, .lifetime = 600, .length = 59 }, PCP_MALFORMED_REQUEST);
	pcp_refused(&(struct map){ .port = 8080, .lifetime = 600, .length = 56 }, PCP_MALFORMED_REQUEST);
	pcp_refused(&(struct map){ .opcode = 9, .port = 8080, .lifetime = 600 }, PCP_UNSUPP_OPCODE);
	server_hears(HOST, &request, sizeof(request));
	cr_assert_eq(result(), PCP_ADDRESS_MISMATCH, "somebody between translates the client");
	request.opcode |= PCP_RESPONSE;
	server_hears(HOST, &request, sizeof(request));
	cr_assert_eq(t.response.length, 0, "a response is not answered");
	server_hears(HOST, &request, 1);
	cr_assert_eq(t.response.length, 0);
}

/* Conforms: RFC 6886 section 3.2, RFC 6886 section 3.3, RFC 6886 section 3.4, RFC 6886 section 3.5. */
Test(port_control_server, nat_pmp_has_the_same_policy_in_its_own_words)
{
	struct nat_pmp_response response = pmp_send(NAT_PMP_MAP_TCP, 8080, 600, 0);

	cr_assert_eq(response.result, NAT_PMP_SUCCESS);
	cr_assert_eq(response.outside_port, RTE_BE16(9000));
	cr_assert_eq(response.lifetime, RTE_BE32(600));
	cr_assert_eq(t.nat.protocol, IPPROTO_TCP);
	cr_assert_eq(pmp_send(NAT_PMP_ADDRESS, 0, 0, 0).outside, PUBLIC);
	cr_assert_eq(pmp_send(NAT_PMP_MAP_UDP, 443, 600, 0).result, RTE_BE16(NAT_PMP_NOT_AUTHORIZED));
	cr_assert_eq(
		pmp_send(NAT_PMP_MAP_UDP, 8081, 600, -EADDRNOTAVAIL).result, RTE_BE16(NAT_PMP_NO_RESOURCES));
	response = pmp_send(9, 4711, 600, 0);
	cr_assert_eq(response.result, RTE_BE16(NAT_PMP_UNSUPP_OPCODE));
	cr_assert_eq(t.response.length, sizeof(struct nat_pmp_map_request), "the whole request");
	cr_assert_eq(memcmp(t.response.bytes + 8, (const uint8_t[]){ 0, 0, 0x02, 0x58 }, 4), 0);
	response = pmp_send(NAT_PMP_MAP_TCP, 8080, 0, 0);
	cr_assert_eq(response.result, NAT_PMP_SUCCESS);
	cr_assert_eq(response.outside_port, 0);
	cr_assert_eq(response.lifetime, 0);
	cr_assert_eq(t.nat.operation, NAT_MAPPING_END);
	cr_assert_eq(port_control_counters(t.control)->mappings, 0);
}
