/* SPDX-License-Identifier: BSD-3-Clause */
/* What the services of the segments are told of the configuration. */
#include "management/config_services.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define GATEWAY                                                                                              \
	"{ \"name\": \"edge\", \"lcores\": { \"packet\": [1] },"                                             \
	"\"ports\": [ { \"name\": \"up\", \"device\": \"net_null0\", \"mtu\": 1600,"                         \
	"               \"addresses\": [\"192.0.2.1/24\", \"203.0.113.1/24\"] } ],"                          \
	"\"vxlan\": { \"source\": \"192.0.2.1\" },"                                                          \
	"\"segments\": [ { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.1.1/24\","                  \
	"                  \"mac\": \"02:00:5e:00:50:01\", \"flood\": { \"vteps\": [\"192.0.2.11\"] } } ],"  \
	"\"nat\": { \"pools\": [ { \"name\": \"one\", \"addresses\": [\"203.0.113.10-203.0.113.11\"],"       \
	"                          \"exclude\": [\"203.0.113.10\"] },"                                       \
	"                        { \"name\": \"other\", \"addresses\": [\"203.0.113.12\"] },"                \
	"                        { \"name\": \"many\", \"addresses\": [\"203.0.113.16/30\"] } ],"            \
	"\"port_control\": [ { \"segment\": \"web\", \"prefix\": \"10.0.1.128/25\" } ],"
#define SOURCE(prefix, pool) "{ \"segment\": \"web\", \"prefix\": \"" prefix "\", \"pool\": \"" pool "\" }"
#define STATIC(inside)                                                                                       \
	", \"static\": [ { \"segment\": \"web\", \"inside\": \"" inside                                      \
	"\", \"outside\": \"203.0.113.30\" } ]"

/* The public address that hosts with port control are told. */
static rte_be32_t announced(const char *text)
{
	struct config *config = config_parse("edge.json", text, stderr);
	struct slowpath_settings settings;

	cr_assert_not_null(config);
	cr_assert_eq(config_services_make(config, &settings), 0);
	cr_assert(settings.port_control[0].enabled);
	rte_be32_t outside = settings.port_control[0].outside;
	config_services_free(&settings);
	config_free(config);
	return outside;
}

/* Conforms: RFC 6886 section 3.2.1. */
Test(config_services, a_public_address_is_announced_only_where_it_is_that_of_every_host_that_hears_it)
{
	const rte_be32_t one = RTE_BE32(0xcb00710b);

	cr_assert_eq(announced(GATEWAY "\"source\": [" SOURCE("10.0.1.0/24", "one") "] } }"), one);
	cr_assert_eq(announced(GATEWAY "\"source\": [" SOURCE("10.0.1.192/26", "one") "," SOURCE(
			     "10.0.1.0/25", "many") "] } }"),
		one, "the hosts of the other pool have no port control");
	cr_assert_eq(
		announced(GATEWAY "\"source\": [" SOURCE("10.0.1.0/24", "one") "]" STATIC("10.0.1.5") "} }"),
		one);
	cr_assert_eq(announced(GATEWAY "\"source\": [" SOURCE("10.0.1.0/24", "many") "] } }"), 0);
	cr_assert_eq(announced(GATEWAY "\"source\": [" SOURCE("10.0.1.0/24", "one") "," SOURCE(
			     "10.0.1.192/26", "other") "] } }"),
		0);
	cr_assert_eq(announced(GATEWAY
			     "\"source\": [" SOURCE("10.0.1.0/24", "one") "]" STATIC("10.0.1.200") "} }"),
		0);
}
