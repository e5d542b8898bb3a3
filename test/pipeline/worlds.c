/* SPDX-License-Identifier: BSD-3-Clause */
#include "worlds.h"

#define PORTS(descriptors)                                                                                   \
	"\"ports\": [ { \"name\": \"underlay\", \"device\": \"net_ring0\", \"mtu\": 1600,"                   \
	"               \"addresses\": [\"192.0.2.1/24\"], \"rx_descriptors\": 1024,"                        \
	"               \"tx_descriptors\": " descriptors " },"                                              \
	"             { \"name\": \"uplink\", \"device\": \"net_ring1\", \"mtu\": 1500,"                     \
	"               \"addresses\": [\"203.0.113.1/24\"], \"rx_descriptors\": 1024,"                      \
	"               \"tx_descriptors\": " descriptors " } ],"                                            \
	"\"lcores\": { \"management\": 0, \"packet\": [1], \"idle\": \"poll\" },"                            \
	"\"telemetry\": { \"socket\": \"off\" },"                                                            \
	"\"vxlan\": { \"source\": \"192.0.2.1\", \"udp_port\": 4789 },"
#define BOTH_VTEPS    "\"flood\": { \"vteps\": [\"192.0.2.11\", \"192.0.2.12\"] }"
#define SECOND_VTEP   "\"flood\": { \"vteps\": [\"192.0.2.12\"] }"
#define DEFAULT_ROUTE "\"routes\": [ { \"prefix\": \"0.0.0.0/0\", \"via\": \"203.0.113.254\" } ],"

#define ROUTER                                                                                               \
	{                                                                                                    \
		.name = "router", .mac = "52:54:00:00:ff:fe", .ip = "203.0.113.254", .port = UPLINK          \
	}
#define VTEP_1                                                                                               \
	{                                                                                                    \
		.name = "vtep1", .mac = "52:54:00:00:00:11", .ip = "192.0.2.11", .port = UNDERLAY            \
	}
#define VTEP_2                                                                                               \
	{                                                                                                    \
		.name = "vtep2", .mac = "52:54:00:00:00:12", .ip = "192.0.2.12", .port = UNDERLAY            \
	}

#define HOST(name_, mac_, ip_, vni_, vtep_)                                                                  \
	{                                                                                                    \
		.name = (name_), .mac = (mac_), .ip = (ip_), .vni = (vni_), .vtep = (vtep_)                  \
	}

const struct world web_world = {
	.config = "{ \"name\": \"web\"," PORTS("1024") DEFAULT_ROUTE
	"\"segments\": ["
	"  { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.1.1/24\", \"mac\": "
	"\"02:00:5e:00:50:01\"," BOTH_VTEPS " },"
	"  { \"name\": \"db\", \"vni\": 5002, \"gateway\": \"10.0.2.1/24\", \"mac\": "
	"\"02:00:5e:00:50:02\"," SECOND_VTEP " } ],"
	"\"nat\": {"
	"  \"pools\": [ { \"name\": \"internet\", \"addresses\": [\"203.0.113.10-203.0.113.11\"],"
	"                 \"ports\": \"1024-65535\" } ],"
	"  \"source\": [ { \"segment\": \"web\", \"prefix\": \"10.0.1.0/24\", \"pool\": \"internet\" },"
	"                { \"segment\": \"db\", \"prefix\": \"10.0.2.0/24\", \"pool\": \"internet\" } ],"
	"  \"static\": [ { \"segment\": \"web\", \"inside\": \"10.0.1.5\", \"outside\": \"203.0.113.20\" } ],"
	"  \"forward\": ["
	"    { \"segment\": \"web\", \"protocol\": \"tcp\", \"outside\": \"203.0.113.1:8080\","
	"      \"inside\": \"10.0.1.6:80\" },"
	"    { \"segment\": \"web\", \"protocol\": \"udp\", \"outside\": \"203.0.113.1:5353\","
	"      \"inside\": \"10.0.1.6:53\" } ],"
	"  \"max_sessions\": 4096, \"new_sessions_in_overload\": 1600 } }",
	.host = { ROUTER, VTEP_1, VTEP_2, HOST("web5", "52:54:00:01:00:05", "10.0.1.5", 5001, "192.0.2.11"),
		HOST("web6", "52:54:00:01:00:06", "10.0.1.6", 5001, "192.0.2.12"),
		HOST("web11", "52:54:00:01:00:11", "10.0.1.11", 5001, "192.0.2.11"),
		HOST("web12", "52:54:00:01:00:12", "10.0.1.12", 5001, "192.0.2.11"),
		HOST("db21", "52:54:00:02:00:21", "10.0.2.21", 5002, "192.0.2.12") },
};

const struct world services_world = {
	.config = "{ \"name\": \"services\"," PORTS("1024") DEFAULT_ROUTE
	"\"segments\": ["
	"  { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.1.1/24\", \"mac\": \"02:00:5e:00:50:01\","
	"    \"dhcp_relay\": { \"servers\": [\"198.51.100.53\", \"10.0.2.21\"], \"option_82\": true,"
	"                      \"max_hops\": 4 }," BOTH_VTEPS " },"
	"  { \"name\": \"db\", \"vni\": 5002, \"gateway\": \"10.0.2.1/24\", \"mac\": \"02:00:5e:00:50:02\","
	"  " SECOND_VTEP " } ],"
	"\"nat\": {"
	"  \"pools\": [ { \"name\": \"internet\", \"addresses\": [\"203.0.113.10\"] } ],"
	"  \"source\": [ { \"segment\": \"web\", \"prefix\": \"10.0.1.0/24\", \"pool\": \"internet\" } ],"
	"  \"forward\": [ { \"segment\": \"web\", \"protocol\": \"udp\", \"outside\": \"203.0.113.10:700\","
	"                 \"inside\": \"10.0.1.12:7000\" } ],"
	"  \"port_control\": [ { \"segment\": \"web\", \"ports\": \"1024-9999\", \"max_mappings\": 2 } ],"
	"  \"max_sessions\": 4096 } }",
	.host = { ROUTER, VTEP_1, VTEP_2, HOST("web11", "52:54:00:01:00:11", "10.0.1.11", 5001, "192.0.2.11"),
		HOST("web12", "52:54:00:01:00:12", "10.0.1.12", 5001, "192.0.2.12"),
		HOST("db21", "52:54:00:02:00:21", "10.0.2.21", 5002, "192.0.2.12") },
};

const struct world small_world = {
	.config = "{ \"name\": \"small\"," PORTS("64") DEFAULT_ROUTE
	"\"segments\": ["
	"  { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.1.1/24\", \"mac\": \"02:00:5e:00:50:01\","
	"    \"mac_limit\": 2, " BOTH_VTEPS " } ],"
	"\"nat\": {"
	"  \"pools\": [ { \"name\": \"internet\", \"addresses\": [\"203.0.113.10\"],"
	"                 \"ports\": \"1024-1151\" } ],"
	"  \"source\": [ { \"segment\": \"web\", \"prefix\": \"10.0.1.0/24\", \"pool\": \"internet\" } ],"
	"  \"max_sessions\": 1024 } }",
	.host = { ROUTER, VTEP_1, VTEP_2, HOST("web11", "52:54:00:01:00:11", "10.0.1.11", 5001, "192.0.2.11"),
		HOST("web12", "52:54:00:01:00:12", "10.0.1.12", 5001, "192.0.2.11"),
		HOST("web13", "52:54:00:01:00:13", "10.0.1.13", 5001, "192.0.2.11") },
};

const struct world shared_world = {
	.config = "{ \"name\": \"shared\"," PORTS("1024") DEFAULT_ROUTE
	"\"segments\": ["
	"  { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.1.1/24\", \"mac\": \"02:00:5e:00:50:01\","
	"  " BOTH_VTEPS " } ],"
	"\"nat\": {"
	"  \"pools\": [ { \"name\": \"own\", \"addresses\": [\"203.0.113.0-203.0.113.3\"],"
	"                 \"exclude\": [\"203.0.113.0\", \"203.0.113.2/31\"], \"ports\": [\"1024-1151\"],"
	"                 \"filtering\": \"endpoint-independent\" } ],"
	"  \"source\": [ { \"segment\": \"web\", \"prefix\": \"10.0.1.0/24\", \"pool\": \"own\" } ],"
	"  \"static\": [ { \"segment\": \"web\", \"inside\": \"10.0.1.5\", \"outside\": \"203.0.113.20\" } ],"
	"  \"max_sessions\": 1024 } }",
	.host = { ROUTER, VTEP_1, VTEP_2, HOST("web11", "52:54:00:01:00:11", "10.0.1.11", 5001, "192.0.2.11"),
		HOST("web12", "52:54:00:01:00:12", "10.0.1.12", 5001, "192.0.2.11"),
		HOST("known5", "52:54:00:01:00:05", "10.0.1.5", 5001, "192.0.2.12") },
};

const struct world limits_world = {
	.config = "{ \"name\": \"limits\"," PORTS("1024") DEFAULT_ROUTE
	"\"segments\": ["
	"  { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.1.1/24\", \"mac\": "
	"\"02:00:5e:00:50:01\"," BOTH_VTEPS " },"
	"  { \"name\": \"db\", \"vni\": 5002, \"gateway\": \"10.0.2.1/24\", \"mac\": "
	"\"02:00:5e:00:50:02\"," BOTH_VTEPS " },"
	"  { \"name\": \"free\", \"vni\": 5003, \"gateway\": \"192.0.3.1/24\", \"mac\": "
	"\"02:00:5e:00:50:03\"," BOTH_VTEPS " } ],"
	"\"nat\": {"
	"  \"pools\": [ { \"name\": \"few\", \"addresses\": [\"203.0.113.10\"], \"port_block\": 64,"
	"                 \"limits\": { \"ports\": 5, \"sessions\": 7 } },"
	"               { \"name\": \"slow\", \"addresses\": [\"203.0.113.30\"],"
	"                 \"ports\": \"1024-1999,3000-3999\", \"limits\": { \"new_sessions_per_second\": 10 "
	"} } ],"
	"  \"source\": [ { \"segment\": \"web\", \"prefix\": \"10.0.1.0/24\", \"pool\": \"few\" },"
	"                { \"segment\": \"db\", \"prefix\": \"10.0.2.0/24\", \"pool\": \"slow\" } ],"
	"  \"max_sessions\": 1024 } }",
	.host = { ROUTER, VTEP_1, VTEP_2, HOST("web11", "52:54:00:01:00:11", "10.0.1.11", 5001, "192.0.2.11"),
		HOST("db7", "52:54:00:02:00:07", "10.0.2.7", 5002, "192.0.2.12"),
		HOST("free9", "52:54:00:03:00:09", "192.0.3.9", 5003, "192.0.2.11") },
};

static const char plain_config[] = "{ \"name\": \"plain\"," PORTS(
	"1024") "\"routes\": [ { \"prefix\": \"198.51.100.0/24\", \"via\": \"203.0.113.254\" },"
		"              { \"prefix\": \"198.18.0.0/15\", \"blackhole\": true } ],"
		"\"segments\": ["
		"  { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.1.1/24\", \"mac\": "
		"\"02:00:5e:00:50:01\","
		"    \"mtu\": 1400, " BOTH_VTEPS " } ] }";

#define PLAIN_HOSTS                                                                                          \
	{                                                                                                    \
		ROUTER, VTEP_1, VTEP_2,                                                                      \
			{ .name = "web11",                                                                   \
				.mac = "52:54:00:01:00:11",                                                  \
				.ip = "10.0.1.11",                                                           \
				.vni = 5001,                                                                 \
				.vtep = "192.0.2.11" },                                                      \
			{ .name = "web12",                                                                   \
				.mac = "52:54:00:01:00:12",                                                  \
				.ip = "10.0.1.12",                                                           \
				.vni = 5001,                                                                 \
				.vtep = "192.0.2.11" },                                                      \
		{                                                                                            \
			.name = "mute", .mac = "52:54:00:01:00:99", .ip = "10.0.1.99", .vni = 5001,          \
			.vtep = "192.0.2.11", .silent = true                                                 \
		}                                                                                            \
	}

const struct world plain_world = { .config = plain_config, .host = PLAIN_HOSTS };
const struct world narrow_world = { .config = plain_config, .host = PLAIN_HOSTS, .ring_size = 64 };

/* Two segments, by the same VTEP, of VNIs that the fast path notes in one place (known_tunnel_at). */
#define TWO_SEGMENTS(name, blue, red)                                                                        \
	"{ \"name\": \"" name "\"," PORTS("1024") DEFAULT_ROUTE                                              \
		"\"segments\": ["                                                                            \
		"  { \"name\": \"blue\", \"vni\": 6001, \"gateway\": \"" blue ".1/24\", \"mac\": "           \
		"\"02:00:5e:00:60:01\"," BOTH_VTEPS " },"                                                    \
		"  { \"name\": \"red\", \"vni\": 8047, \"gateway\": \"" red ".1/24\", \"mac\": "             \
		"\"02:00:5e:00:60:01\", \"mtu\": 1400," BOTH_VTEPS " } ],"                                   \
		"\"nat\": {"                                                                                 \
		"  \"pools\": [ { \"name\": \"blue\", \"addresses\": [\"203.0.113.30\"] },"                  \
		"               { \"name\": \"red\", \"addresses\": [\"203.0.113.40\"] } ],"                 \
		"  \"source\": [ { \"segment\": \"blue\", \"prefix\": \"" blue                               \
		".0/24\", \"pool\": \"blue\" },"                                                             \
		"                { \"segment\": \"red\", \"prefix\": \"" red                                 \
		".0/24\", \"pool\": \"red\" } ],"                                                            \
		"  \"max_sessions\": 1024, \"new_sessions_in_overload\": 1600 } }"

/* The same addresses and MACs. */
const struct world overlap_world = {
	.config = TWO_SEGMENTS("overlap", "10.9.0", "10.9.0"),
	.host = { ROUTER, VTEP_1, VTEP_2, HOST("blue7", "52:54:00:09:00:07", "10.9.0.7", 6001, "192.0.2.11"),
		HOST("red7", "52:54:00:09:00:07", "10.9.0.7", 8047, "192.0.2.11") },
};
/* Addresses that differ in as much as the segments' numbers. */
const struct world neighbour_world = {
	.config = TWO_SEGMENTS("neighbour", "10.9.0", "11.9.0"),
	.host = { ROUTER, VTEP_1, VTEP_2, HOST("blue7", "52:54:00:09:00:07", "10.9.0.7", 6001, "192.0.2.11"),
		HOST("red7", "52:54:00:09:00:08", "11.9.0.7", 8047, "192.0.2.11") },
};

const struct world group_world = {
	.config = "{ \"name\": \"group\"," PORTS("1024") DEFAULT_ROUTE
	"\"segments\": ["
	"  { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.1.1/24\", \"mac\": \"02:00:5e:00:50:01\","
	"    \"flood\": { \"group\": \"239.1.1.1\", \"members\": [\"192.0.2.0/28\"] } } ],"
	"\"nat\": {"
	"  \"pools\": [ { \"name\": \"internet\", \"addresses\": [\"203.0.113.10\"] } ],"
	"  \"source\": [ { \"segment\": \"web\", \"prefix\": \"10.0.1.0/24\", \"pool\": \"internet\" } ],"
	"  \"max_sessions\": 1024 } }",
	.host = { ROUTER, VTEP_1, VTEP_2,
		HOST("web11", "52:54:00:01:00:11", "10.0.1.11", 5001, "192.0.2.11") },
};

/* Segments that differ in what their pools let in, one without NAT, and public addresses of each kind. */
const struct world peers_world = {
	.config = "{ \"name\": \"peers\"," PORTS("1024") DEFAULT_ROUTE
	"\"segments\": ["
	"  { \"name\": \"open\", \"vni\": 7001, \"gateway\": \"10.0.1.1/24\", \"mac\": "
	"\"02:00:5e:00:70:01\"," BOTH_VTEPS " },"
	"  { \"name\": \"known\", \"vni\": 7002, \"gateway\": \"10.0.2.1/24\", \"mac\": "
	"\"02:00:5e:00:70:02\", \"mtu\": 1400," BOTH_VTEPS " },"
	"  { \"name\": \"strict\", \"vni\": 7003, \"gateway\": \"10.0.3.1/24\", \"mac\": "
	"\"02:00:5e:00:70:03\"," BOTH_VTEPS " },"
	"  { \"name\": \"routed\", \"vni\": 7004, \"gateway\": \"10.0.4.1/24\", \"mac\": "
	"\"02:00:5e:00:70:04\"," BOTH_VTEPS " } ],"
	"\"nat\": {"
	"  \"pools\": [ { \"name\": \"open\", \"addresses\": [\"203.0.113.10\"],"
	"                 \"filtering\": \"endpoint-independent\" },"
	"               { \"name\": \"known\", \"addresses\": [\"203.0.113.11\"],"
	"                 \"filtering\": \"address-dependent\" },"
	"               { \"name\": \"strict\", \"addresses\": [\"203.0.113.12\"] } ],"
	"  \"source\": [ { \"segment\": \"open\", \"prefix\": \"10.0.1.0/24\", \"pool\": \"open\" },"
	"                { \"segment\": \"known\", \"prefix\": \"10.0.2.0/24\", \"pool\": \"known\" },"
	"                { \"segment\": \"strict\", \"prefix\": \"10.0.3.0/24\", \"pool\": \"strict\" } ],"
	"  \"static\": [ { \"segment\": \"open\", \"inside\": \"10.0.1.5\", \"outside\": \"203.0.113.20\" },"
	"                { \"segment\": \"known\", \"inside\": \"10.0.2.5\", \"outside\": \"203.0.113.21\" } "
	"],"
	"  \"forward\": ["
	"    { \"segment\": \"open\", \"protocol\": \"tcp\", \"outside\": \"203.0.113.1:8080\","
	"      \"inside\": \"10.0.1.6:80\" },"
	"    { \"segment\": \"open\", \"protocol\": \"udp\", \"outside\": \"203.0.113.1:5353\","
	"      \"inside\": \"10.0.1.6:53\" } ],"
	"  \"max_sessions\": 4096 } }",
	.host = { ROUTER, VTEP_1, VTEP_2, HOST("open5", "52:54:00:07:01:05", "10.0.1.5", 7001, "192.0.2.11"),
		HOST("open6", "52:54:00:07:01:06", "10.0.1.6", 7001, "192.0.2.12"),
		HOST("open11", "52:54:00:07:01:11", "10.0.1.11", 7001, "192.0.2.11"),
		HOST("open12", "52:54:00:07:01:12", "10.0.1.12", 7001, "192.0.2.12"),
		HOST("known5", "52:54:00:07:02:05", "10.0.2.5", 7002, "192.0.2.11"),
		HOST("known11", "52:54:00:07:02:11", "10.0.2.11", 7002, "192.0.2.11"),
		HOST("strict11", "52:54:00:07:03:11", "10.0.3.11", 7003, "192.0.2.11"),
		HOST("strict12", "52:54:00:07:03:12", "10.0.3.12", 7003, "192.0.2.12"),
		HOST("routed11", "52:54:00:07:04:11", "10.0.4.11", 7004, "192.0.2.11") },
};

const struct world jumbo_world = {
	.config = "{ \"name\": \"jumbo\"," PORTS("1024") DEFAULT_ROUTE
	"\"segments\": ["
	"  { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.1.1/24\", \"mac\": \"02:00:5e:00:50:01\","
	"    \"mtu\": 1550, " BOTH_VTEPS " } ],"
	"\"nat\": {"
	"  \"pools\": [ { \"name\": \"internet\", \"addresses\": [\"203.0.113.10\"] } ],"
	"  \"source\": [ { \"segment\": \"web\", \"prefix\": \"10.0.1.0/24\", \"pool\": \"internet\" } ],"
	"  \"max_sessions\": 1024 } }",
	.host = { ROUTER, VTEP_1, VTEP_2,
		HOST("web11", "52:54:00:01:00:11", "10.0.1.11", 5001, "192.0.2.11") },
};

const struct world clamp_world = {
	.config = "{ \"name\": \"clamp\"," PORTS("1024") DEFAULT_ROUTE
	"\"segments\": ["
	"  { \"name\": \"blue\", \"vni\": 6001, \"gateway\": \"10.7.0.1/24\", \"mac\": \"02:00:5e:00:60:01\","
	"    \"tcp_mss_clamp\": 0, " BOTH_VTEPS " },"
	"  { \"name\": \"red\", \"vni\": 6002, \"gateway\": \"10.8.0.1/24\", \"mac\": \"02:00:5e:00:60:02\","
	"    \"tcp_mss_clamp\": 1200, " BOTH_VTEPS " } ] }",
	.host = { ROUTER, VTEP_1, VTEP_2, HOST("blue7", "52:54:00:09:00:07", "10.7.0.7", 6001, "192.0.2.11"),
		HOST("red7", "52:54:00:09:00:07", "10.8.0.7", 6002, "192.0.2.12") },
};

const struct world bypass_world = {
	.config = "{ \"name\": \"bypass\"," PORTS("1024") DEFAULT_ROUTE
	"\"segments\": ["
	"  { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.1.1/24\", \"mac\": "
	"\"02:00:5e:00:50:01\"," BOTH_VTEPS " } ],"
	"\"nat\": {"
	"  \"pools\": [ { \"name\": \"internet\", \"addresses\": [\"203.0.113.10\"] } ],"
	"  \"source\": [ { \"segment\": \"web\", \"prefix\": \"10.0.1.0/24\", \"pool\": \"internet\" } ],"
	"  \"static\": [ { \"segment\": \"web\", \"inside\": \"10.0.1.5\", \"outside\": \"203.0.113.20\" } ],"
	"  \"bypass\": ["
	"    { \"segment\": \"web\", \"prefix\": \"10.0.1.0/26\","
	"      \"destinations\": [\"198.51.100.0/25\", \"203.0.113.0/24\"] },"
	"    { \"segment\": \"web\", \"prefix\": \"10.0.1.64/26\" } ],"
	"  \"tcp\": { \"unsolicited_syn\": \"silent\" }, \"new_sessions_in_overload\": 1600, "
	"\"max_sessions\": 1024 } }",
	.host = { ROUTER, VTEP_1, VTEP_2, HOST("web5", "52:54:00:01:00:05", "10.0.1.5", 5001, "192.0.2.11"),
		HOST("web11", "52:54:00:01:00:11", "10.0.1.11", 5001, "192.0.2.12"),
		HOST("web70", "52:54:00:01:00:70", "10.0.1.70", 5001, "192.0.2.12") },
};
