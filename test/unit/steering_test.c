/* SPDX-License-Identifier: BSD-3-Clause */
/* Where devices bring packets home by themselves: the queue that a device comes to by the key, the indirection table or the
 * rules that it is given, against the lcore that owns what is in the packet. The device is DPDK's own RSS in software. */
#include "eal_fixture.h"
#include "management/config_apply.h"
#include "management/steering.h"
#include "table/nat_owner.h"
#include <errno.h>
#include <netinet/in.h>
#include <rte_thash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(steering, .init = eal_start, .timeout = 60);

#define LCORES_MAX 16

/* ---- a device that does what it is told ---- */

static struct device {
	struct port_steering_facts facts;
	bool takes_rules, refuses_rss;
	bool has_rss;
	enum port_rss kind;
	uint32_t key[13], key_converted[13]; /* 52 bytes */
	uint16_t queue[PORT_RSS_TABLE_MAX];
	struct port_steering_rule rule[STEERING_RULES_MAX];
	uint32_t rules;
} device[2];

static int by_rss(void *context, uint16_t port, enum port_rss kind, uint8_t *key, uint8_t key_size,
	const uint16_t *queue, uint16_t table_size)
{
	struct device *to = &device[port];

	(void)context;
	if (to->refuses_rss)
		return -ENOTSUP;
	cr_assert_leq(key_size, sizeof(to->key));
	cr_assert_eq(table_size, to->facts.table_size);
	to->has_rss = true;
	to->kind = kind;
	memcpy(to->key, key, key_size);
	rte_convert_rss_key(to->key, to->key_converted, key_size);
	memcpy(to->queue, queue, table_size * sizeof(queue[0]));
	return 0;
}

static int by_rules(void *context, uint16_t port, const struct port_steering_rule *rules, uint32_t count,
	char *reason, size_t size)
{
	(void)context;
	if (!device[port].takes_rules) {
		snprintf(reason, size, "of the device");
		return -ENOTSUP;
	}
	memcpy(device[port].rule, rules, count * sizeof(rules[0]));
	device[port].rules = count;
	return 0;
}

static uint16_t queue_of_hash(const struct device *of, uint32_t *tuple, uint32_t words)
{
	uint32_t hash = rte_softrss(tuple, words, (const uint8_t *)of->key);

	cr_assert_eq(rte_softrss_be(tuple, words, (const uint8_t *)of->key_converted), hash);
	return of->queue[hash & (of->facts.table_size - 1u)];
}

static uint16_t queue_of_inside(const struct device *of, rte_be32_t inside)
{
	uint32_t alone[] = { rte_be_to_cpu_32(inside) }, among_zeros[] = { alone[0], 0, 0 };
	uint16_t queue = queue_of_hash(of, alone, 1);

	cr_assert_eq(queue_of_hash(of, among_zeros, 3), queue);
	return queue;
}

/* Devices that leave out what they are not to look at, and such that put zeros there. */
static uint16_t queue_of_outside(const struct device *of, rte_be32_t outside, uint16_t port)
{
	uint32_t ip = rte_be_to_cpu_32(outside);
	uint32_t among_zeros[] = { 0, ip, port }, alone[] = { ip, (uint32_t)port << 16 };
	uint16_t queue = queue_of_hash(of, among_zeros, 3);

	cr_assert_eq(queue_of_hash(of, alone, 2), queue);
	return queue;
}

/* The one rule of the lowest priority number that the packet meets; UINT16_MAX: none. */
static uint16_t queue_of_rules(const struct device *of, uint8_t protocol, rte_be32_t outside, uint16_t port)
{
	const struct port_steering_rule *best = NULL;

	for (uint32_t i = 0; i < of->rules; i++) {
		const struct port_steering_rule *rule = &of->rule[i];

		if ((outside & rule->address_mask) != rule->address ||
			(rule->protocol != 0 &&
				(rule->protocol != protocol ||
					(rte_cpu_to_be_16(port) & rule->port_mask) != rule->port)))
			continue;
		cr_assert(best == NULL || best->priority != rule->priority, "two rules for one packet");
		if (best == NULL || rule->priority < best->priority)
			best = rule;
	}
	return best == NULL ? UINT16_MAX : best->queue;
}

/* ---- a gateway ---- */

static struct {
	struct config *config;
	struct data_plane *plane;
	struct steering steering;
	struct lcore_plan plan;
} g;

/* `lcores` that each receive by queue `lcores - 1 - lcore` of both ports. */
static void gateway_make(uint16_t lcores, const char *pools)
{
	static const struct steering_device told = { by_rss, by_rules, NULL };
	const struct port_facts facts[2] = { { .device = 0 }, { .device = 1 } };
	struct port_steering_facts of[2] = { device[0].facts, device[1].facts };
	uint8_t key[NAT_STEERING_KEY];
	char text[4096];

	snprintf(text, sizeof(text),
		"{ \"name\": \"s\", \"lcores\": { \"packet\": [1] },"
		"  \"ports\": [ { \"name\": \"under\", \"device\": \"net_null0\", \"mtu\": 1600,"
		"                 \"addresses\": [\"192.0.2.1/24\"] },"
		"               { \"name\": \"up\", \"device\": \"net_null1\", \"addresses\": "
		"[\"203.0.113.1/24\"] } ],"
		"  \"vxlan\": { \"source\": \"192.0.2.1\" },"
		"  \"segments\": [ { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.0.1/8\","
		"    \"mac\": \"02:00:5e:00:50:01\", \"flood\": { \"vteps\": [\"192.0.2.11\"] } } ],"
		"  \"nat\": { \"max_sessions\": 65536, \"pools\": %s,"
		"    \"source\": [ { \"segment\": \"web\", \"prefix\": \"10.0.0.0/8\", \"pool\": \"p\" } ],"
		"    \"static\": [ { \"segment\": \"web\", \"inside\": \"10.7.8.9\", \"outside\": "
		"\"203.0.113.77\" } ],"
		"    \"forward\": [ { \"segment\": \"web\", \"protocol\": \"tcp\", \"outside\": "
		"\"203.0.113.10:8080\","
		"                    \"inside\": \"10.9.9.9:80\" } ] } }",
		pools);
	g.config = config_parse("s.json", text, stderr);
	cr_assert_not_null(g.config);
	for (uint16_t i = 0; i < lcores; i++) {
		struct lcore_plan_entry *entry = &g.plan.entry[g.plan.count++];
		entry->lcore = i + 1u;
		entry->stages = (1u << STAGES) - 1;
		entry->rx_count = 2;
		for (uint16_t port = 0; port < 2; port++) {
			entry->rx[port].port = port;
			entry->rx[port].queue = (uint16_t)(lcores - 1 - i);
		}
	}
	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)rand();
	steering_make(&g.steering, g.config, &g.plan, of, key, &told);
	g.plane = data_plane_create_steered(g.config, facts, lcores, NULL, &g.steering.nat);
	cr_assert_not_null(g.plane);
}

static void gateway_close(void)
{
	data_plane_destroy(g.plane);
	config_free(g.config);
	memset(&g, 0, sizeof(g));
	memset(device, 0, sizeof(device));
}

static void devices_are(uint16_t table_size, uint8_t key_size, bool rules)
{
	for (unsigned i = 0; i < 2; i++)
		device[i] = (struct device){ .facts = { .inner_source = true,
						     .destination = true,
						     .table_size = table_size,
						     .key_size = key_size },
			.takes_rules = rules };
}

static uint16_t owner_of_queue(uint16_t queue)
{
	return (uint16_t)(g.plan.count - 1 - queue);
}

static uint32_t random32(void)
{
	return (uint32_t)rand() << 16 ^ (uint32_t)rand();
}

#define ONE_POOL                                                                                             \
	"[ { \"name\": \"p\", \"addresses\": [\"203.0.113.10-203.0.113.29\", \"198.51.100.0/24\"] } ]"
#define BLOCKS                                                                                               \
	"[ { \"name\": \"p\", \"addresses\": [\"203.0.113.10-203.0.113.29\"], \"port_block\": 512 },"        \
	"  { \"name\": \"q\", \"addresses\": [\"198.51.100.0/26\"] } ]"

/* ---- the tests ---- */

Test(steering, a_packet_from_inside_comes_to_the_queue_of_its_hosts_owner)
{
	static const uint16_t lcores[] = { 2, 3, 4, 7, 16 }, tables[] = { 64, 128, 512, 2048 };

	for (unsigned l = 0; l < RTE_DIM(lcores); l++)
		for (unsigned t = 0; t < RTE_DIM(tables); t++) {
			uint32_t of_owner[LCORES_MAX] = { 0 };

			devices_are(tables[t], t % 2 ? 40 : 52, false);
			gateway_make(lcores[l], ONE_POOL);
			cr_assert_eq(g.steering.port[0].method, STEERING_RSS);
			cr_assert_str_eq(g.steering.port[0].why, "");
			cr_assert_eq(device[0].kind, PORT_RSS_INNER_SOURCE);
			for (unsigned i = 0; i < 4000; i++) {
				rte_be32_t inside = i < 2000 ? rte_cpu_to_be_32(0x0a000002 + i) : random32();
				uint16_t owner = nat_owner_of_inside(g.plane->nat, 0, inside);
				cr_assert_eq(owner_of_queue(queue_of_inside(&device[0], inside)), owner);
				of_owner[owner]++;
			}
			for (unsigned o = 0; o < lcores[l]; o++)
				cr_assert_gt(of_owner[o], 4000u / lcores[l] / 4, "owner %u of %u has %u", o,
					lcores[l], of_owner[o]);
			gateway_close();
		}
}

Test(steering, devices_with_tables_of_different_sizes_agree_on_the_owner)
{
	devices_are(512, 52, false);
	device[1].facts.table_size = 128; /* the uplink's does not matter */
	gateway_make(3, ONE_POOL);
	cr_assert_eq(g.steering.nat.indexes, 512);
	gateway_close();
}

/* Every port that an owner hands out, and every port of the pools, comes back to its queue. */
static void ports_come_home(uint16_t lcores, uint16_t table, const char *pools, bool rules)
{
	devices_are(table, 52, rules);
	gateway_make(lcores, pools);
	struct nat *nat = g.plane->nat;
	const struct nat_address_table *addresses = &nat->addresses;

	cr_assert_eq(g.steering.port[1].method, rules ? STEERING_RULES : STEERING_RSS, "%s",
		g.steering.port[1].why);
	for (uint32_t number = 0; number < addresses->count; number++) {
		const struct nat_address *address = &addresses->address[number];
		uint32_t ports_of[LCORES_MAX] = { 0 };

		if (address->pool == NAT_POOL_NONE)
			continue;
		for (uint32_t port = number % 7; port < 65536; port += 7) {
			uint16_t owner = nat_address_owner(addresses, number, (uint16_t)port, lcores);
			uint16_t queue =
				rules ? queue_of_rules(&device[1], IPPROTO_UDP, address->ip, (uint16_t)port)
				      : queue_of_outside(&device[1], address->ip, (uint16_t)port);
			cr_assert_neq(queue, UINT16_MAX, "no rule for port %u", port);
			cr_assert_eq(owner_of_queue(queue), owner, "port %u of address %u", port, number);
			ports_of[owner]++;
		}
		for (unsigned o = 0; o < lcores; o++)
			cr_assert_gt(ports_of[o], 65536u / 7 / lcores * 9 / 10);
	}
	for (uint16_t o = 0; o < lcores; o++)
		for (unsigned i = 0; i < 2000; i++) {
			uint32_t number = random32() % addresses->count;
			const struct nat_address *address = &addresses->address[number];
			uint16_t port;

			if (address->pool == NAT_POOL_NONE || addresses->pool[address->pool].blocks)
				continue;
			port = nat_port_take(&nat->owner[o]->ports, number, NAT_CLASS_UDP,
				(uint16_t)random32(), random32());
			cr_assert_neq(port, 0);
			cr_assert_eq(
				nat_owner_of_outside(nat, IPPROTO_UDP, address->ip, rte_cpu_to_be_16(port)),
				o);
			cr_assert_eq(owner_of_queue(rules ? queue_of_rules(&device[1], IPPROTO_UDP,
								    address->ip, port)
							  : queue_of_outside(&device[1], address->ip, port)),
				o);
		}
	gateway_close();
}

Test(steering, what_comes_back_from_outside_comes_to_the_queue_of_the_owner_by_rss)
{
	ports_come_home(2, 128, ONE_POOL, false);
	ports_come_home(4, 64, ONE_POOL, false);
	ports_come_home(16, 512, ONE_POOL, false);
	ports_come_home(2, 512, BLOCKS, false);
	ports_come_home(8, 128, BLOCKS, false);
}

Test(steering, what_comes_back_from_outside_comes_to_the_queue_of_the_owner_by_rules)
{
	ports_come_home(2, 128, ONE_POOL, true);
	ports_come_home(4, 128, ONE_POOL, true);
	ports_come_home(4, 128, BLOCKS, true);
}

Test(steering, the_owners_share_out_all_ports_of_a_pool_and_no_port_twice)
{
	static bool taken[65536];

	devices_are(128, 52, false);
	gateway_make(4, ONE_POOL);
	const struct nat *nat = g.plane->nat;
	uint32_t count = 0, number = nat_address_find(&nat->addresses, rte_cpu_to_be_32(0xcb00710b));
	for (unsigned o = 0; o < 4; o++) {
		uint16_t port;
		while ((port = nat_port_take(&nat->owner[o]->ports, number, NAT_CLASS_TCP, 0, random32())) !=
			0) {
			cr_assert_not(taken[port]);
			taken[port] = true;
			count++;
		}
	}
	cr_assert_eq(count, nat->addresses.pool[0].ports);
	gateway_close();
}

Test(steering, rules_bring_static_bindings_and_forwards_to_the_owner_of_their_host)
{
	devices_are(128, 52, true);
	gateway_make(4, ONE_POOL);
	const struct nat *nat = g.plane->nat;
	rte_be32_t fixed = RTE_BE32(0xcb00714d), pool = RTE_BE32(0xcb00710a);

	for (uint32_t port = 1; port < 65536; port += 1111)
		cr_assert_eq(owner_of_queue(queue_of_rules(&device[1], IPPROTO_TCP, fixed, (uint16_t)port)),
			nat_owner_of_outside(nat, IPPROTO_TCP, fixed, rte_cpu_to_be_16((uint16_t)port)));
	cr_assert_eq(owner_of_queue(queue_of_rules(&device[1], IPPROTO_TCP, pool, 8080)),
		nat_owner_of_outside(nat, IPPROTO_TCP, pool, RTE_BE16(8080)));
	cr_assert_eq(g.steering.port[1].rules, device[1].rules);
	/* What is shown later is what the device was told. */
	static struct port_steering_rule shown[STEERING_RULES_MAX];
	cr_assert_eq(steering_rules(&g.steering, g.config, 1, shown), device[1].rules);
	for (uint32_t i = 0; i < device[1].rules; i++)
		cr_assert(shown[i].address == device[1].rule[i].address &&
			  shown[i].port == device[1].rule[i].port &&
			  shown[i].queue == device[1].rule[i].queue);
	gateway_close();
}

static void by_handoff_because(uint16_t lcores, const char *pools, unsigned port, const char *why)
{
	gateway_make(lcores, pools);
	cr_assert_eq(g.steering.port[port].method, STEERING_NONE);
	cr_assert_not_null(strstr(g.steering.port[port].why, why), "%s", g.steering.port[port].why);
	cr_assert_eq(port == 0 ? g.steering.nat.inside : g.steering.nat.outside, false);
	gateway_close();
}

Test(steering, what_cannot_be_steered_is_handed_over_and_the_reason_is_told)
{
	devices_are(128, 52, false);
	by_handoff_because(1, ONE_POOL, 0, "one lcore owns all sessions");
	devices_are(128, 52, true);
	by_handoff_because(3, ONE_POOL, 1, "the 3 lcores that own sessions are no power of two");
	devices_are(128, 52, true);
	by_handoff_because(2,
		"[ { \"name\": \"p\", \"addresses\": [\"203.0.113.10\"], \"port_block\": 512 },"
		"  { \"name\": \"q\", \"addresses\": [\"203.0.113.11\"], \"port_block\": 256 } ]",
		1, "different sizes");
	devices_are(128, 52, false);
	device[0].facts.inner_source = device[1].facts.destination = false;
	by_handoff_because(2, ONE_POOL, 0, "does not hash the source of inner headers");
	devices_are(128, 52, false);
	device[1].facts.destination = false;
	by_handoff_because(
		2, ONE_POOL, 1, "no flow rules: of the device; the device does not hash the destination");
	devices_are(128, 52, false);
	device[1].refuses_rss = device[0].refuses_rss = true;
	by_handoff_because(2, ONE_POOL, 0, "refuses to hash the inner source");
	devices_are(128, 52, true);
	device[0].facts.software = device[1].facts.software = true;
	by_handoff_because(2, ONE_POOL, 1, "a software device");
}

Test(steering, without_steering_the_owners_are_as_they_always_were)
{
	devices_are(128, 52, true);
	device[0].facts.software = device[1].facts.software = true;
	gateway_make(3, ONE_POOL);
	for (uint32_t port = 0; port < 65536; port += 13)
		cr_assert_eq(nat_address_owner(&g.plane->nat->addresses, 5, (uint16_t)port, 3),
			nat_port_owner(5, 6, (uint16_t)port, 3));
	cr_assert_not(g.plane->nat->steered_inside);
	gateway_close();
}
