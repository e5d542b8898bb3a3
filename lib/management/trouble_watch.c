/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/trouble_watch.h"
#include "base/flood_watch.h"
#include "base/log.h"
#include "management/drop_sum.h"
#include "slowpath/slowpath.h"
#include "stage/packet_path.h"
#include "table/nat_owner.h"
#include <errno.h>
#include <inttypes.h>
#include <rte_ethdev.h>
#include <stdlib.h>

#define LOOK_NS NS_PER_SECOND
#define FULL    1u     /* a second: what is full is so with the first that finds no room */
#define FLOOD   1000u  /* a second, of what a gateway with nothing wrong hardly sees */
#define STRAYS  10000u /* a second, of strays, which are always there */

/* ---- what is no drop of a packet ---- */

static uint64_t fragments_forgotten(const struct packet_path *path, const struct slowpath *slowpath)
{
	const struct nat *nat = path->plane->nat;
	uint64_t sum = 0;

	(void)slowpath;
	for (uint16_t i = 0; i < nat->owners; i++)
		sum += fragment_table_forgotten(nat->owner[i]->fragments);
	return sum;
}

static uint64_t nat_events_lost(const struct packet_path *path, const struct slowpath *slowpath)
{
	const struct nat *nat = path->plane->nat;
	uint64_t sum = 0;

	(void)slowpath;
	for (uint16_t i = 0; i < nat->owners; i++)
		sum += __atomic_load_n(&nat->owner[i]->events.lost, __ATOMIC_RELAXED);
	return sum;
}

static uint64_t neighbours_refused(const struct packet_path *path, const struct slowpath *slowpath)
{
	(void)path;
	return slowpath_counters(slowpath)->neighbours_refused;
}

static uint64_t vteps_refused(const struct packet_path *path, const struct slowpath *slowpath)
{
	(void)path;
	return slowpath_counters(slowpath)->vteps_refused;
}

static uint64_t syns_not_held(const struct packet_path *path, const struct slowpath *slowpath)
{
	(void)path;
	return slowpath_counters(slowpath)->syns_not_held;
}

/* ---- which troubles there are ---- */

#define DROPS(...)                                                                                           \
	.reason = (const uint8_t[]){ __VA_ARGS__ }, .reasons = sizeof((const uint8_t[]){ __VA_ARGS__ })

/* Each drop reason once, but for those that are no trouble: what a route says to discard (ROUTE_BLACKHOLE), and what the
 * wiring does not let happen (NAT_STALE_OWNER, TRANSMIT_NO_QUEUE, HEADROOM). */
static const struct trouble {
	const char *what;
	uint64_t least; /* a second */
	const uint8_t *reason;
	unsigned reasons;
	uint64_t (*more)(const struct packet_path *path, const struct slowpath *slowpath); /* NULL: nothing */
} troubles[] = {
	{ "the session table is full (nat.max_sessions): new sessions are refused", FULL,
		DROPS(DROP_NAT_TABLE_FULL) },
	{ "a NAT pool has no free port: new sessions are refused", FULL, DROPS(DROP_NAT_NO_PORTS) },
	{ "hosts have all that the limits of their pool allow: new sessions of theirs are refused", FULL,
		DROPS(DROP_NAT_HOST_PORTS, DROP_NAT_HOST_SESSIONS, DROP_NAT_HOST_RATE) },
	{ "the fragment table is full: fragments are dropped, or the oldest datagrams forgotten", FULL,
		DROPS(DROP_NAT_FRAGMENT_TABLE_FULL, DROP_NAT_FRAGMENT_SHARE), .more = fragments_forgotten },
	{ "the neighbour table is full: new hosts are not resolved", FULL, .more = neighbours_refused },
	{ "the table of VTEPs is full: new ones are not discovered, nor the hosts behind them", FULL,
		.more = vteps_refused },
	{ "the queue of unsolicited SYNs is full: they get no answer", FULL, .more = syns_not_held },
	{ "no packet buffers are free: what the gateway has to send is lost", FULL,
		DROPS(DROP_CONTROL_POOL_EMPTY, DROP_FRAGMENT_NO_BUFFER) },
	{ "the queue to the log of NAT is full: events are lost", FULL, .more = nat_events_lost },
	{ "packet lcores cannot keep up: new sessions beyond nat.new_sessions_in_overload are refused", FLOOD,
		DROPS(DROP_NAT_NEW_SESSION_BUDGET) },
	{ "packet lcores or transmit queues are behind: packets are lost", FLOOD,
		DROPS(DROP_RING_FULL, DROP_TRANSMIT_FULL) },
	{ "a flood from outside of packets that nothing inside asked for", STRAYS,
		DROPS(DROP_NAT_NO_BINDING, DROP_NAT_FILTERED, DROP_NAT_TCP_STATE, DROP_NAT_INSIDE_ADDRESS,
			DROP_NAT_ICMP_EMBEDDED) },
	{ "a flood of packets for the gateway itself, or that it has to answer", FLOOD,
		DROPS(DROP_PUNT_RATE, DROP_PUNT_RING_FULL, DROP_SLOWPATH_UNHANDLED, DROP_DHCP_HOPS,
			DROP_DHCP_OPTION_82, DROP_DHCP_SERVER, DROP_DHCP_UNEXPECTED) },
	{ "a flood of tunnel packets from VTEPs or of segments that are not configured", FLOOD,
		DROPS(DROP_VXLAN_UNKNOWN_VNI, DROP_VXLAN_UNKNOWN_VTEP) },
	{ "a flood of packets to hosts or VTEPs that do not answer ARP", FLOOD,
		DROPS(DROP_NEIGHBOUR_UNRESOLVED, DROP_TUNNEL_UNRESOLVED) },
	{ "a flood of packets that cannot go on (no route, TTL over, or too big)", FLOOD,
		DROPS(DROP_NO_ROUTE, DROP_TTL_EXPIRED, DROP_TOO_BIG, DROP_NAT_HAIRPIN) },
	{ "a flood of fragments that make no datagram, or for the gateway itself", FLOOD,
		DROPS(DROP_FRAGMENT_MALFORMED, DROP_FRAGMENT_TINY, DROP_VXLAN_FRAGMENT, DROP_NAT_FRAGMENT,
			DROP_NAT_FRAGMENT_TIMEOUT, DROP_NAT_FRAGMENT_OVERLAP, DROP_LOCAL_FRAGMENT) },
	{ "a flood of packets with a forged sender, or in a loop", FLOOD,
		DROPS(DROP_IPV4_SOURCE, DROP_IPV4_SPOOFED_SEGMENT, DROP_IPV4_SPOOFED_SELF, DROP_VXLAN_LOOP,
			DROP_MAC_SOURCE, DROP_DHCP_SPOOFED_RELAY) },
	{ "a flood of malformed packets", FLOOD,
		DROPS(DROP_ETHERNET_TRUNCATED, DROP_IPV4_TRUNCATED, DROP_IPV4_VERSION,
			DROP_IPV4_HEADER_LENGTH, DROP_IPV4_TOTAL_LENGTH, DROP_IPV4_CHECKSUM,
			DROP_IPV4_SOURCE_ROUTE, DROP_IPV4_OPTIONS, DROP_L4_TRUNCATED, DROP_UDP_LENGTH,
			DROP_TCP_HEADER_LENGTH, DROP_VXLAN_TRUNCATED, DROP_VXLAN_FLAGS,
			DROP_VXLAN_UDP_CHECKSUM, DROP_ARP_MALFORMED, DROP_ICMP_MALFORMED, DROP_TCP_MALFORMED,
			DROP_UDP_MALFORMED, DROP_DHCP_MALFORMED, DROP_IGMP_MALFORMED) },
	{ "a flood of broadcast, multicast, or frames for others", STRAYS,
		DROPS(DROP_SEGMENT_BROADCAST, DROP_IPV4_DESTINATION, DROP_MAC_NOT_GATEWAY,
			DROP_ETHERNET_NOT_OURS) },
	{ "a flood of packets of protocols or a size that the gateway does not handle", STRAYS,
		DROPS(DROP_ETHERNET_TYPE, DROP_VLAN_TAGGED, DROP_IPV6_UNSUPPORTED, DROP_MULTI_SEGMENT,
			DROP_NAT_PROTOCOL, DROP_NAT_SCTP, DROP_NAT_UDP_LITE, DROP_NAT_GRE,
			DROP_NAT_ICMP_TYPE) },
};

/* ---- the watch ---- */

struct trouble_watch {
	const struct packet_path *path;
	const struct slowpath *slowpath;
	uint64_t due_ns;
	struct flood_watch trouble[RTE_DIM(troubles)];
	struct flood_watch port[PORT_MAX];
	struct flood_watch macs[]; /* by segment */
};

/* What the device of a port had no room for. One that cannot tell leaves zeros. */
static uint64_t port_lost(const struct trouble_watch *watch, uint16_t port)
{
	struct rte_eth_stats stats = { 0 };

	(void)rte_eth_stats_get(watch->path->plane->port[port].device, &stats);
	return stats.imissed + stats.rx_nombuf;
}

static uint64_t total_of(
	const struct trouble_watch *watch, const struct trouble *trouble, const uint64_t drops[DROP_REASONS])
{
	uint64_t sum = trouble->more == NULL ? 0 : trouble->more(watch->path, watch->slowpath);

	for (unsigned i = 0; i < trouble->reasons; i++)
		sum += drops[trouble->reason[i]];
	return sum;
}

/* `where`: "", or the name of a segment or port. */
static void look(struct flood_watch *watch, const char *where, const char *colon, const char *what,
	uint64_t total, uint64_t least, uint64_t now_ns)
{
	uint64_t count, seconds;

	switch (flood_watch_look(watch, total, least, now_ns, &count, &seconds)) {
	case FLOOD_NOTHING:
		break;
	case FLOOD_BEGINS:
		log_warning("%s%s%s (%" PRIu64 " so far)", where, colon, what, count);
		break;
	case FLOOD_GOES_ON:
		log_warning("%s%s%s (for %" PRIu64 " s now; %" PRIu64 " since the last message)", where,
			colon, what, seconds, count);
		break;
	case FLOOD_OVER:
		log_info("%s%s%s: over after %" PRIu64 " s (%" PRIu64 " since the last message)", where,
			colon, what, seconds, count);
		break;
	}
}

struct trouble_watch *trouble_watch_create(const struct packet_path *path, const struct slowpath *slowpath)
{
	uint16_t segments = path->plane->segments->count;
	struct trouble_watch *watch = calloc(1, sizeof(*watch) + segments * sizeof(watch->macs[0]));

	if (watch == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	watch->path = path;
	watch->slowpath = slowpath;
	for (uint16_t p = 0; p < path->plane->port_count; p++)
		watch->port[p].total = port_lost(watch, p); /* a device may have counted before */
	return watch;
}

void trouble_watch_destroy(struct trouble_watch *watch)
{
	free(watch);
}

void trouble_watch_look(struct trouble_watch *watch, uint64_t now_ns)
{
	const struct data_plane *plane = watch->path->plane;
	uint64_t drops[DROP_REASONS];

	if (now_ns < watch->due_ns)
		return;
	watch->due_ns = now_ns + LOOK_NS;
	drop_sum(watch->path, watch->slowpath, drops);
	for (unsigned i = 0; i < RTE_DIM(troubles); i++)
		look(&watch->trouble[i], "", "", troubles[i].what, total_of(watch, &troubles[i], drops),
			troubles[i].least, now_ns);
	for (uint16_t p = 0; p < plane->port_count; p++)
		look(&watch->port[p], plane->port[p].name, ": ",
			"packets come faster than packet lcores take them: some are lost on the way in",
			port_lost(watch, p), FLOOD, now_ns);
	for (uint16_t s = 0; s < plane->segments->count; s++)
		look(&watch->macs[s], plane->segments->segment[s].name, ": ",
			"the FDB or its share of it (mac_limit) is full: new MACs are not learned and get no "
			"answer",
			plane->segments->segment[s].mac_refused, FULL, now_ns);
}
