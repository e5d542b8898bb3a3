/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway.h"

#include "gateway_ports.h"
#include "gateway_private.h"
#include "management/config_apply.h"
#include "management/config_services.h"
#include "management/steering.h"
#include "packet/flow_hash.h"
#include "table/nat.h"
#include "table/nat_owner.h"
#include <rte_cycles.h>
#include <rte_debug.h>
#include <rte_eal.h>
#include <rte_random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_NS     (1000 * NS_PER_SECOND)
#define ROUNDS_MAX   10000
#define LOCAL_STAGES (1u << STAGE_CLASSIFY | 1u << STAGE_VXLAN_DECAP | 1u << STAGE_MAC_LEARN)
#define LAST_STAGES  (1u << STAGE_VXLAN_ENCAP | 1u << STAGE_TRANSMIT)
#define ALL_STAGES   ((1u << STAGES) - 1)
#define NAT_STAGES   (ALL_STAGES & ~LOCAL_STAGES & ~LAST_STAGES)

const char *const gateway_plan_name[PLANS] = { "fused", "fused without the fast path", "fused on two",
	"split", "split with two in the middle", "steered" };

/* Takes the place of the one that draws a key at random: the same packets take the same ways in each run. */
void flow_hash_key_random(struct flow_hash_key *key)
{
	*key = (struct flow_hash_key){ { UINT64_C(0x9ae16a3b2f90404f), UINT64_C(0xc3a5c85c97cb3127),
		UINT64_C(0xb492b66fbe98f273), UINT64_C(0x2545f4914f6cdd1d) } };
}

bool gateway_eal_started;

void gateway_start(void)
{
	char *arguments[] = { "test", "--no-huge", "-m", "640", "--no-pci", "--no-shconf", "--no-telemetry",
		"-l", "0", "--log-level=error", NULL };

	if (gateway_eal_started)
		return;
	gateway_eal_started = true;
	if (rte_eal_init((int)RTE_DIM(arguments) - 1, arguments) < 0)
		rte_exit(EXIT_FAILURE, "cannot start the EAL\n");
}

const char *gateway_port_mac(uint16_t port)
{
	static const char *const mac[] = { "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03",
		"02:00:00:00:00:04" };

	return mac[port];
}

static const struct gateway_shape plan_shape[PLANS] = {
	[PLAN_FUSED] = { 1, 1, 1, { ALL_STAGES } },
	[PLAN_STAGES] = { 1, 1, 1, { ALL_STAGES } },
	[PLAN_FUSED_TWO] = { 2, 2, 2, { ALL_STAGES, ALL_STAGES } },
	[PLAN_SPLIT] = { 3, 1, 1, { LOCAL_STAGES, NAT_STAGES, LAST_STAGES } },
	[PLAN_SPLIT_TWO] = { 4, 1, 2, { LOCAL_STAGES, NAT_STAGES, NAT_STAGES, LAST_STAGES } },
	[PLAN_STEERED] = { 2, 2, 2, { ALL_STAGES, ALL_STAGES } },
};

static void plan_make(const struct gateway_shape *shape, const struct gateway_ports *ports, bool one_sends,
	struct lcore_plan *plan)
{
	uint16_t rx_queue = 0, tx_queue = 0;

	plan->count = shape->lcores;
	for (uint16_t i = 0; i < shape->lcores; i++) {
		struct lcore_plan_entry *entry = &plan->entry[i];
		bool receives = shape->stages[i] & 1u << STAGE_CLASSIFY,
		     sends = shape->stages[i] & 1u << STAGE_TRANSMIT;

		entry->stages = shape->stages[i];
		for (uint16_t p = 0; p < ports->count && receives; p++) {
			entry->rx[p].port = p;
			entry->rx[p].device = ports->port[p].device;
			entry->rx[p].queue = rx_queue;
			entry->rx_count++;
		}
		for (uint16_t p = 0; p < ports->count && sends; p++) {
			if (one_sends && p == UPLINK && i > 0)
				continue;
			entry->tx[entry->tx_count].port = p;
			entry->tx[entry->tx_count].device = ports->port[p].device;
			entry->tx[entry->tx_count++].queue = tx_queue;
		}
		rx_queue = (uint16_t)(rx_queue + receives);
		tx_queue = (uint16_t)(tx_queue + sends);
	}
}

/* Ports that hash what they are told to, as hardware does; none otherwise. */
static struct nat_steering_settings steer(struct gateway *gateway, const struct lcore_plan *plan)
{
	static const uint8_t key[NAT_STEERING_KEY] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41,
		0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb };
	const struct steering_device device = { gateway_ports_by_rss, gateway_ports_by_rules,
		gateway->ports };
	struct port_steering_facts facts[PORTS_MAX];
	struct steering steering;

	for (uint16_t i = 0; i < gateway->ports->count; i++)
		facts[i] = (struct port_steering_facts){ .software = gateway->plan != PLAN_STEERED,
			.inner_source = true,
			.destination = true,
			.table_size = RSS_TABLE,
			.key_size = RSS_KEY };
	steering_make(&steering, gateway->config, plan, facts, key, &device);
	return steering.nat;
}

static void path_make(struct gateway *gateway, const struct lcore_plan *plan)
{
	char name[16];

	snprintf(name, sizeof(name), "t%u", gateway->ports->serial);
	gateway->path = packet_path_wire(name, plan, gateway->plane, NULL);
	if (gateway->path == NULL)
		rte_exit(EXIT_FAILURE, "cannot wire the packet path\n");
	for (uint16_t i = 0; i < gateway->path->count; i++) {
		struct lcore_context *context = gateway->path->context[i];
		context->tick_due = gateway->base_tsc + context->cycles_per_tick;
		if (gateway->plan == PLAN_STAGES)
			context->fast = false;
	}
}

static void slowpath_make(struct gateway *gateway)
{
	struct slowpath_channel channel[PACKET_LCORE_MAX];
	struct slowpath_settings settings;

	if (config_services_make(gateway->config, &settings) < 0)
		rte_exit(EXIT_FAILURE, "no memory for the slow path\n");
	for (uint16_t i = 0; i < gateway->path->count; i++) {
		struct lcore_context *context = gateway->path->context[i];
		channel[i] =
			(struct slowpath_channel){ context->punt, context->inject, context->events, NULL };
	}
	gateway->slowpath = slowpath_create(gateway->plane, channel, gateway->path->count, &settings);
	config_services_free(&settings);
	if (gateway->slowpath == NULL)
		rte_exit(EXIT_FAILURE, "cannot make the slow path\n");
}

static struct gateway *create(
	const struct world *world, enum gateway_plan plan, const struct gateway_shape *shape)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	struct lcore_plan lcores = { .ring_size = world->ring_size ? world->ring_size : 1024 };
	struct port_facts facts[PORTS_MAX] = { 0 };
	struct nat_steering_settings steering;

	gateway_start();
	rte_srand(1); /* the same delays in each run */
	if (gateway == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	gateway->config = config_parse("test", world->config, stderr);
	if (gateway->config == NULL)
		rte_exit(EXIT_FAILURE, "the configuration of the test is wrong\n");
	gateway->plan = plan;
	gateway->owners = shape->owners;
	memcpy(gateway->host, world->host, sizeof(gateway->host));
	gateway->ports = gateway_ports_create(gateway->config, shape->queues);
	for (uint16_t i = 0; i < gateway->ports->count; i++) {
		facts[i].device = gateway->ports->port[i].device;
		mac_from_text(gateway_port_mac(i), facts[i].mac.addr_bytes);
	}
	plan_make(shape, gateway->ports, world->one_sends, &lcores);
	steering = steer(gateway, &lcores);
	gateway->plane = data_plane_create_steered(
		gateway->config, facts, shape->owners, gateway->ports->control, &steering);
	if (gateway->plane == NULL)
		rte_exit(EXIT_FAILURE, "cannot make the tables\n");
	gateway->base_tsc = rte_rdtsc();
	gateway->base_ns = gateway->now_ns = START_NS;
	gateway->output = gateway_output_create(gateway->ports->count);
	path_make(gateway, &lcores);
	slowpath_make(gateway);
	gateway_run(gateway);
	return gateway;
}

struct gateway *gateway_create(const struct world *world, enum gateway_plan plan)
{
	return create(world, plan, &plan_shape[plan]);
}

struct gateway *gateway_create_shaped(const struct world *world, const struct gateway_shape *shape)
{
	return create(world, PLAN_FUSED, shape);
}

unsigned gateway_destroy(struct gateway *gateway)
{
	slowpath_destroy(gateway->slowpath);
	packet_path_unwire(gateway->path);
	data_plane_destroy(gateway->plane);
	unsigned lost = gateway_ports_destroy(gateway->ports);
	gateway_output_free(gateway->output);
	config_free(gateway->config);
	free(gateway);
	return lost;
}

bool gateway_send(struct gateway *gateway, uint16_t port, const struct frame *frame)
{
	bool sent = gateway_ports_send(gateway->ports, port, frame, gateway->headroom, gateway->two_buffers);

	gateway->frames_in += sent;
	return sent;
}

static uint64_t now_tsc(const struct gateway *gateway)
{
	uint64_t elapsed = gateway->now_ns - gateway->base_ns, hz = rte_get_tsc_hz();

	return gateway->base_tsc + elapsed / NS_PER_SECOND * hz +
	       elapsed % NS_PER_SECOND * hz / NS_PER_SECOND;
}

static unsigned frames_collect(struct gateway *gateway)
{
	unsigned moved = 0;
	struct frame frame;

	for (uint16_t port = 0; port < gateway->ports->count; port++) {
		while (gateway_ports_receive(gateway->ports, port, &frame)) {
			gateway_output_add(gateway->output, port, gateway->run, &frame);
			gateway->frames_out++;
			moved++;
		}
	}
	return moved;
}

unsigned gateway_poll_lcore(struct gateway *gateway, uint16_t lcore)
{
	unsigned moved = packet_path_poll(gateway->path->context[lcore], now_tsc(gateway));

	/* At once where the packets of a flow may leave by several queues. */
	return gateway->path->count > 1 ? moved + frames_collect(gateway) : moved;
}

static void run(struct gateway *gateway, bool with_slowpath)
{
	unsigned quiet = 0;

	gateway->run++;
	for (unsigned round = 0; quiet < 2; round++) {
		unsigned moved = 0;

		for (uint16_t i = 0; i < gateway->path->count; i++)
			moved += gateway_poll_lcore(gateway, i);
		if (with_slowpath)
			moved += slowpath_poll(gateway->slowpath, gateway->now_ns);
		moved += frames_collect(gateway);
		gateway_output_show(gateway);
		quiet = moved == 0 ? quiet + 1 : 0;
		if (round == ROUNDS_MAX)
			rte_exit(EXIT_FAILURE, "the gateway does not come to rest\n");
	}
}

void gateway_run(struct gateway *gateway)
{
	run(gateway, true);
}

void gateway_run_lcores(struct gateway *gateway)
{
	run(gateway, false);
}

void gateway_advance(struct gateway *gateway, uint64_t ms)
{
	uint64_t end = gateway->now_ns + ms * NS_PER_MS;
	uint64_t step = ms <= 120000 ? 10 : 250;

	while (gateway->now_ns < end) {
		gateway->now_ns = RTE_MIN(end, gateway->now_ns + step * NS_PER_MS);
		run(gateway, true);
	}
}

uint64_t gateway_drops(const struct gateway *gateway, enum drop_reason reason)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < gateway->path->count; i++)
		sum += gateway->path->context[i]->counters.drop[reason];
	return sum + gateway_slowpath_drops(gateway, reason);
}

uint64_t gateway_drops_all(const struct gateway *gateway)
{
	uint64_t sum = 0;

	for (int reason = 0; reason < DROP_REASONS; reason++)
		sum += gateway_drops(gateway, (enum drop_reason)reason);
	return sum;
}

uint64_t gateway_received(const struct gateway *gateway, uint16_t port)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < gateway->path->count; i++)
		sum += gateway->path->context[i]->counters.interface[port].rx_packets;
	return sum;
}

uint64_t gateway_punted(const struct gateway *gateway)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < gateway->path->count; i++)
		for (int reason = 0; reason < PUNT_REASONS; reason++)
			sum += gateway->path->context[i]->counters.punted[reason];
	return sum;
}

uint64_t gateway_handed_off(const struct gateway *gateway)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < gateway->path->count; i++)
		sum += gateway->path->context[i]->counters.handed_off;
	return sum;
}

uint64_t gateway_ends(const struct gateway *gateway)
{
	uint64_t ends = gateway->frames_out + gateway_drops_all(gateway) + gateway_punted(gateway);

	for (uint16_t i = 0; i < gateway->path->count; i++) {
		const struct lcore_context *context = gateway->path->context[i];

		ends -= context->counters.fragments_made - context->counters.fragmented;
		/* They are counted as drops. */
		ends -= context->counters.punted[PUNT_NAT_REFUSED] + context->counters.punted[PUNT_NAT_SYN];
		if (context->nat != NULL)
			ends += fragment_table_waiting(context->nat->fragments);
	}
	return ends;
}

uint64_t gateway_sessions(const struct gateway *gateway)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < gateway->owners; i++)
		sum += nat_owner_counters(nat_owner(gateway->plane->nat, i))->sessions;
	return sum;
}

uint32_t gateway_clear(struct gateway *gateway, rte_be32_t inside)
{
	const struct nat_filter filter = { .segment = -1, .inside = inside };
	uint32_t ended = 0;

	for (uint16_t i = 0; i < gateway->owners; i++)
		for (uint32_t cursor = 0; cursor != UINT32_MAX;)
			ended += nat_owner_clear(
				nat_owner(gateway->plane->nat, i), &cursor, &filter, UINT32_MAX, UINT32_MAX);
	return ended;
}
