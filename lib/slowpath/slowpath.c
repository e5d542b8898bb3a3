/* SPDX-License-Identifier: BSD-3-Clause */
/* One turn of the slow path, in order: what packet lcores learned, what they punted, what is due. The work of a turn
 * is bounded; what is left over waits for the next. */
#include "slowpath/udp_local.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAC_AGE_S       300
#define DEFAULT_REACHABLE_S     30
#define DEFAULT_SILENT_AFTER_MS 150
#define DEFAULT_PROBE_MS        50
#define DEFAULT_ICMP_ERRORS     100
#define DEFAULT_PROBES          2000
#define DEFAULT_FLOODS          50
#define MOVE_LOGS_A_SECOND      20
#define CONFLICT_LOG_NS         (10 * NS_PER_SECOND)

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
	return value != 0 ? value : fallback;
}

static struct token_bucket meter(uint32_t a_second, uint32_t fallback)
{
	uint32_t rate = or_default(a_second, fallback);

	return token_bucket_of(rate, RTE_MAX(rate / 5, 1u));
}

static int services_make(
	struct slowpath *slowpath, const struct slowpath_settings *settings, uint16_t segments)
{
	bool port_control = false;

	for (uint16_t s = 0; settings->dhcp_relay != NULL && s < segments; s++)
		slowpath->dhcp_relays |= settings->dhcp_relay[s].server_count > 0;
	for (uint16_t s = 0; settings->port_control != NULL && s < segments; s++)
		port_control |= settings->port_control[s].enabled;
	if (slowpath->dhcp_relays)
		slowpath->dhcp_relay = dhcp_relay_create(settings->dhcp_relay, segments);
	if (port_control)
		slowpath->port_control = port_control_create(settings->port_control, segments);
	return (slowpath->dhcp_relays && slowpath->dhcp_relay == NULL) ||
			       (port_control && slowpath->port_control == NULL)
		       ? -ENOMEM
		       : 0;
}

static int settings_take(struct slowpath *slowpath, const struct slowpath_settings *settings)
{
	uint16_t segments = slowpath->plane->segments->count;

	slowpath->reachable_ns =
		or_default(settings->neighbour_reachable_s, DEFAULT_REACHABLE_S) * NS_PER_SECOND;
	slowpath->silent_after_ns =
		or_default(settings->silent_after_ms, DEFAULT_SILENT_AFTER_MS) * NS_PER_MS;
	slowpath->probe_interval_ns = or_default(settings->probe_interval_ms, DEFAULT_PROBE_MS) * NS_PER_MS;
	slowpath->icmp_errors = meter(settings->icmp_errors_a_second, DEFAULT_ICMP_ERRORS);
	slowpath->tcp_resets = slowpath->icmp_errors;
	slowpath->probes = meter(settings->probes_a_second, DEFAULT_PROBES);
	slowpath->floods = meter(settings->floods_a_second, DEFAULT_FLOODS);
	slowpath->duplicate_log = token_bucket_of(1, 10);
	slowpath->move_log = token_bucket_of(MOVE_LOGS_A_SECOND, MOVE_LOGS_A_SECOND);
	slowpath->conflict_log = (struct token_bucket){ .interval_ns = CONFLICT_LOG_NS };
	if (services_make(slowpath, settings, segments) < 0 || known_hosts_init(slowpath, settings) < 0 ||
		(settings->unsolicited_syn_told && unsolicited_syn_init(slowpath) < 0))
		return -ENOMEM;
	slowpath->mac_age_ns = calloc(segments + 1u, sizeof(*slowpath->mac_age_ns));
	if (slowpath->mac_age_ns == NULL)
		return -ENOMEM;
	for (uint16_t s = 0; s < segments; s++) {
		uint32_t age = settings->segment_mac_age_s != NULL ? settings->segment_mac_age_s[s] : 0;
		slowpath->mac_age_ns[s] = or_default(age, DEFAULT_MAC_AGE_S) * NS_PER_SECOND;
	}
	return 0;
}

static interface_id underlay_find(const struct data_plane *plane)
{
	for (interface_id port = 0; port < plane->port_count && plane->vtep_address != 0; port++)
		for (uint16_t i = 0; i < plane->port[port].address_count; i++)
			if (plane->port[port].address[i].address == plane->vtep_address)
				return port;
	return INTERFACE_NONE;
}

static int hosts_init(struct slowpath *slowpath)
{
	const struct neighbour_table *neighbours = slowpath->plane->neighbours;

	slowpath->host = calloc(neighbours->capacity, sizeof(*slowpath->host));
	slowpath->hosts_of_mac = key_table_create(neighbours->capacity);
	if (slowpath->host == NULL || slowpath->hosts_of_mac == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < neighbours->capacity; i++)
		slowpath->host[i] = (struct host){
			.same_mac_next = INDEX_NONE, .waiting_first = INDEX_NONE, .waiting_last = INDEX_NONE
		};
	return 0;
}

struct memory_need slowpath_need(uint32_t neighbours, uint16_t segments, uint32_t tunnels)
{
	struct memory_need need = memory_of_process(1, sizeof(struct slowpath));

	memory_need_add(&need, memory_of_process(neighbours, sizeof(struct host)));
	memory_need_add(&need, memory_of_process(segments + 1u,
				       sizeof(uint64_t) + sizeof(struct igmp_group) + 2 * sizeof(uint32_t)));
	memory_need_add(&need, memory_of_process(tunnels, sizeof(uint32_t)));
	memory_need_add(&need, key_table_need(neighbours));
	return need;
}

struct slowpath *slowpath_create(struct data_plane *plane, const struct slowpath_channel *channels,
	uint16_t count, const struct slowpath_settings *settings)
{
	static const struct slowpath_settings defaults;
	struct slowpath *slowpath = count > 0 ? calloc(1, sizeof(*slowpath)) : NULL;

	if (slowpath == NULL) {
		errno = count > 0 ? ENOMEM : EINVAL;
		return NULL;
	}
	slowpath->plane = plane;
	slowpath->underlay = underlay_find(plane);
	slowpath->search_due_ns = UINT64_MAX;
	pthread_mutex_init(&slowpath->moves.lock, NULL);
	pending_init(slowpath);
	slowpath->channel_count = count;
	slowpath->channel = calloc(count, sizeof(*slowpath->channel));
	if (slowpath->channel == NULL ||
		settings_take(slowpath, settings != NULL ? settings : &defaults) < 0 ||
		hosts_init(slowpath) < 0 || flood_list_init(slowpath) < 0 || igmp_init(slowpath) < 0) {
		slowpath_destroy(slowpath);
		errno = ENOMEM;
		return NULL;
	}
	memcpy(slowpath->channel, channels, count * sizeof(*channels));
	return slowpath;
}

void slowpath_destroy(struct slowpath *slowpath)
{
	if (slowpath == NULL)
		return;
	pending_free_all(slowpath);
	dhcp_relay_destroy(slowpath->dhcp_relay);
	port_control_destroy(slowpath->port_control);
	free(slowpath->held_syns);
	pthread_mutex_destroy(&slowpath->moves.lock);
	key_table_destroy(slowpath->hosts_of_mac);
	free(slowpath->known_host);
	free(slowpath->host);
	free(slowpath->mac_age_ns);
	free(slowpath->flood.first);
	free(slowpath->flood.tunnel);
	free(slowpath->igmp);
	free(slowpath->channel);
	free(slowpath);
}

/* An error to the sender, and the end of the packet it is about. */
static void refuse(struct slowpath *slowpath, struct rte_mbuf *m, uint8_t type, uint8_t code, uint16_t mtu,
	enum slowpath_drop reason)
{
	icmp_error_send(slowpath, m, type, code, mtu);
	packet_drop(slowpath, m, reason);
}

static void punt_handle(struct slowpath *slowpath, struct rte_mbuf *m)
{
	switch (packet_metadata(m)->punt) {
	case PUNT_ARP:
		arp_input(slowpath, m);
		return;
	case PUNT_LOCAL:
		local_input(slowpath, m);
		return;
	case PUNT_UNRESOLVED:
		neighbour_unresolved_input(slowpath, m);
		return;
	case PUNT_TTL_EXPIRED:
		refuse(slowpath, m, ICMP_TIME_EXCEEDED, ICMP_TTL_EXCEEDED, 0, SLOWPATH_DROP_TTL_EXPIRED);
		return;
	case PUNT_NO_ROUTE:
		refuse(slowpath, m, ICMP_DESTINATION_UNREACHABLE, ICMP_NET_UNREACHABLE, 0,
			SLOWPATH_DROP_NO_ROUTE);
		return;
	case PUNT_TOO_BIG:
		refuse(slowpath, m, ICMP_DESTINATION_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED,
			packet_metadata(m)->mtu, SLOWPATH_DROP_TOO_BIG);
		return;
	case PUNT_IGMP:
		igmp_input(slowpath, m);
		return;
	case PUNT_BROADCAST: /* its source MAC has been learned on the way */
		broadcast_input(slowpath, m);
		return;
	case PUNT_NAT_REFUSED: /* its drop was counted where it was refused (RFC 5508 REQ-8) */
		icmp_error_send(
			slowpath, m, ICMP_DESTINATION_UNREACHABLE, ICMP_ADMINISTRATIVELY_PROHIBITED, 0);
		rte_pktmbuf_free(m);
		return;
	case PUNT_NAT_SYN:
		unsolicited_syn_input(slowpath, m);
		return;
	default:
		packet_drop(slowpath, m, SLOWPATH_DROP_SLOWPATH_UNHANDLED);
	}
}

static unsigned punts_drain(struct slowpath *slowpath, const struct slowpath_channel *channel)
{
	struct rte_mbuf *m[PUNT_BURST];
	unsigned n = rte_ring_sc_dequeue_burst(channel->punt, (void **)m, PUNT_BURST, NULL);

	for (unsigned i = 0; i < n; i++)
		punt_handle(slowpath, m[i]);
	return n;
}

static void start(struct slowpath *slowpath)
{
	if (slowpath->port_control != NULL)
		port_control_start(slowpath->port_control, slowpath->now_ns);
	slowpath->announce_segment = slowpath->plane->segments->count;
	slowpath->started = true;
	known_hosts_start(slowpath);
	vtep_start(slowpath);
	igmp_start(slowpath);
}

unsigned slowpath_poll(struct slowpath *slowpath, uint64_t now_ns)
{
	unsigned handled = 0;

	slowpath->now_ns = now_ns;
	slowpath->injected = false;
	if (!slowpath->started)
		start(slowpath);
	/* All events before any packet: the ARP packet of a new host finds its MAC in the FDB. */
	for (uint16_t i = 0; i < slowpath->channel_count; i++)
		handled += fdb_events_drain(slowpath, &slowpath->channel[i]);
	for (uint16_t i = 0; i < slowpath->channel_count; i++)
		handled += punts_drain(slowpath, &slowpath->channel[i]);
	neighbour_sweep(slowpath);
	fdb_sweep(slowpath);
	silent_move_run(slowpath);
	igmp_run(slowpath);
	handled += nat_answers_run(slowpath);
	handled += port_control_run(slowpath);
	unsolicited_syn_run(slowpath);
	if (slowpath->injected)
		doorbell_ring(slowpath->channel[0].doorbell);
	return handled;
}

uint64_t slowpath_next_due_ns(const struct slowpath *slowpath)
{
	if (!slowpath->started || slowpath->fdb_sweep.cursor != 0 || slowpath->neighbour_sweep.cursor != 0)
		return 0;
	uint64_t sweeps = RTE_MIN(slowpath->fdb_sweep.due_ns, slowpath->neighbour_sweep.due_ns);
	uint64_t search = slowpath->search_count > 0 ? slowpath->search_due_ns : UINT64_MAX;
	uint64_t held = RTE_MIN(unsolicited_syn_next_due_ns(slowpath), port_control_next_due_ns(slowpath));
	return RTE_MIN(RTE_MIN(RTE_MIN(sweeps, search), held), igmp_next_due_ns(slowpath));
}

const struct dhcp_relay *slowpath_dhcp_relay(const struct slowpath *slowpath)
{
	return slowpath->dhcp_relay;
}

const struct port_control *slowpath_port_control(const struct slowpath *slowpath)
{
	return slowpath->port_control;
}

const struct slowpath_counters *slowpath_counters(const struct slowpath *slowpath)
{
	return &slowpath->counters;
}
