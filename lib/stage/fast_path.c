/* SPDX-License-Identifier: BSD-3-Clause */
/* The fast path: from the receive queue to the transmit buffer in one pass, for packets of sessions that exist, and for those
 * that plainly begin one (fast_path_open.c).
 *
 * The stages ask every question that a packet can raise. Nearly every packet raises few of them: VXLAN in IPv4 without
 * options from a known VTEP, a source MAC that is where it was, TCP or UDP of a session that is there, a next hop that is
 * resolved. Where all stages are on one lcore, such packets take this way, which does byte for byte and count for count
 * what the stages would do (the pipeline tests run every case with it and without). Whatever it is not sure of it leaves to
 * the stages as it came: it drops nothing but the new flows that an overloaded lcore refuses (fast_path_shed.c), tells
 * management nothing and writes into a packet only when nothing can come in between any more. Packets of other lcores' sessions it
 * sees through as its own, but for those that only the owner can see to: these it hands over (fast_path_handoff.c). What follows
 * a packet that is left, from the same address to the same address in the same burst, is left as well: flows stay in order.
 * Different flows need not: of a MAC that speaks from two VTEPs within one burst, the stages may see the earlier frame last, and
 * its next packet puts the FDB right.
 *
 * A burst is gone through three times: check the headers and compute where each session is looked for (fast_path_look.c),
 * and ask for its line of tags; read that, and ask for the session, or for another line, of which the same is done a little
 * later; ask for the neighbour, and finish. So between a request for tags or a session and its use lies the same for others, long
 * enough for most lines to come from memory; neighbours, which are few, are asked for just before. Groups of packets ask in a tight loop, for a core goes on for some hundred instructions beyond
 * a request that waits for the translation of its address; so those of a group wait together.
 *
 * Tags and sessions, which most likely come from memory, are asked for as base/prefetch.h tells. */
#include "stage/fast_path_place_private.h"
#include "stage/fast_path_tags_private.h"
#include "stage/tcp_mss.h"
#include "stage/transmit.h"
#include "stage/vxlan_encap.h"
#include "table/nat.h"

/* The way to where the session's packets go, or NULL. Next hop 0 is never among those met. */
static __rte_always_inline const struct adjacency *adjacency_of(
	struct fast_burst *burst, const struct fast_packet *packet, struct nat_session *session)
{
	const struct adjacency *known = adjacency_known(burst, session->next_hop, session->remote);

	return likely(known != NULL) ? known : fast_path_adjacency_of_session(burst, packet, session);
}

/* `rare`: a SYN or a RST. */
static __rte_always_inline struct nat_l4 packet_l4(
	const struct fast_packet *packet, struct rte_ipv4_hdr *ip, const enum nat_way way, const bool rare)
{
	bool udp = packet->l4 >= PACKET_UDP;

	return (struct nat_l4){ .header = (uint8_t *)(ip + 1),
		.port = way == NAT_UP ? offsetof(struct rte_udp_hdr, src_port)
				      : offsetof(struct rte_udp_hdr, dst_port),
		.checksum =
			udp ? offsetof(struct rte_udp_hdr, dgram_cksum) : offsetof(struct rte_tcp_hdr, cksum),
		.tcp_flags = packet->l4 & (rare ? NAT_STATE_FLAGS : RTE_TCP_FIN_FLAG),
		.udp = udp };
}

/* `step`: what the packet makes of its session, if that has been found to be small; or NULL. */
static __rte_always_inline void packet_rewrite(const struct fast_burst *burst, struct nat_session *session,
	struct rte_ipv4_hdr *ip, const struct nat_l4 *l4, const struct nat_step *step, const enum nat_way way)
{
	if (step == NULL) {
		nat_rewrite(burst->owner, session, ip, l4, rte_be_to_cpu_16(ip->total_length), burst->tick,
			way, true);
		return;
	}
	nat_step_take(session, step, l4->header, burst->tick, way);
	nat_rewrite_headers(session, ip, l4, way, true);
}

/* From here on each question is asked before anything is written. */
static __rte_always_inline bool finish_up(struct fast_burst *burst, const struct fast_packet *packet,
	struct nat_session *session, const struct nat_step *step, const bool rare)
{
	struct rte_mbuf *m = *packet->slot;
	struct rte_ipv4_hdr *ip = packet->ip;
	uint8_t *frame = (uint8_t *)ip - L3_OFFSET;
	uint32_t total = rte_be_to_cpu_16(ip->total_length);
	const struct adjacency *adjacency = adjacency_of(burst, packet, session);

	if (unlikely(adjacency == NULL || total > adjacency->mtu))
		return false;
	if (unlikely(!source_is_in_place(burst, packet, session)))
		return false;
	tunnel_count_rx(burst->tunnel_state, packet->tunnel, packet->length);
	const struct nat_l4 l4 = packet_l4(packet, ip, NAT_UP, rare);
	packet_rewrite(burst, session, ip, &l4, step, NAT_UP);
	if (rare && l4.tcp_flags & RTE_TCP_SYN_FLAG)
		tcp_mss_clamp(burst->plane, interface_of_segment(session->segment),
			(interface_id)(adjacency->tx - burst->context->tx), (void *)(ip + 1));
	memcpy(frame, &adjacency->ethernet, sizeof(adjacency->ethernet));
	memcpy(frame + sizeof(adjacency->ethernet), &adjacency->ethernet_rest,
		sizeof(adjacency->ethernet_rest));
	m->data_off = (uint16_t)(m->data_off + OUTER_LENGTH);
	m->data_len = (uint16_t)(total + L3_OFFSET);
	m->pkt_len = total + L3_OFFSET;
	transmit_put(burst->context, adjacency->tx, m, total + L3_OFFSET);
	return true;
}

/* Notes what follows from the row of a tunnel; false: it is not ready, or leaves by another lcore. */
static __rte_noinline bool tunnel_note(
	const struct fast_burst *burst, const struct tunnel *tunnel, struct tunnel_state *state)
{
	uint32_t version = atomic_load_explicit(&tunnel->version, memory_order_acquire);

	if (version & 1 || !atomic_load_explicit(&tunnel->ready, memory_order_acquire))
		return false;
	interface_id port = tunnel->port; /* set before the tunnel is ready */
	if (port >= PORT_MAX || !burst->context->tx[port].mine)
		return false;
	state->tx = &burst->context->tx[port];
	state->mtu = tunnel->mtu;
	state->version = version;
	return true;
}

/* What comes down must come from where a sender can be. What has a route, and so its number, need not be asked. */
static inline bool remote_is_possible(
	const struct fast_burst *burst, const struct fast_packet *packet, struct nat_session *session)
{
	return likely(session->next_hop != 0) || fast_path_next_hop(burst, packet, session) != 0 ||
	       source_is_possible(burst, session->remote);
}

static __rte_always_inline bool finish_down(struct fast_burst *burst, const struct fast_packet *packet,
	struct nat_session *session, const struct nat_step *step, const bool rare)
{
	struct rte_mbuf *m = *packet->slot;
	struct rte_ipv4_hdr *ip = packet->ip;
	uint32_t total = rte_be_to_cpu_16(ip->total_length);
	uint32_t host = inside_neighbour(burst, session);
	struct neighbour *neighbour = &burst->neighbour[host];
	struct vxlan_outer *outer = (struct vxlan_outer *)((uint8_t *)ip - L3_OFFSET - OUTER_LENGTH);
	struct tunnel_copy header;

	if (unlikely(host == INDEX_NONE || m->data_off < OUTER_LENGTH ||
		     !remote_is_possible(burst, packet, session)))
		return false;
	uint64_t key;
	uint32_t number = tunnel_of_neighbour(burst, neighbour, session->segment, &key);
	if (unlikely(number == INDEX_NONE))
		return false;
	const struct tunnel *tunnel = &burst->tunnel[number];
	struct tunnel_state *state = &burst->tunnel_state[number];
	if (unlikely(!tunnel_take_header(tunnel, state->version, &header)) &&
		(!tunnel_note(burst, tunnel, state) || !tunnel_take_header(tunnel, state->version, &header)))
		return false;
	if (unlikely(total > state->mtu))
		return false;
	neighbour_note_sent(burst, neighbour);
	const struct nat_l4 l4 = packet_l4(packet, ip, NAT_DOWN, rare);
	packet_rewrite(burst, session, ip, &l4, step, NAT_DOWN);
	if (rare && l4.tcp_flags & RTE_TCP_SYN_FLAG)
		tcp_mss_clamp(burst->plane, (interface_id)(burst->port - burst->plane->port),
			interface_of_segment(session->segment), (void *)(ip + 1));
	tunnel_put_header(&header, outer);
	vxlan_outer_finish(outer, (uint16_t)(total + L3_OFFSET + OUTER_LENGTH),
		vxlan_source_port(nat_address_pair(&session->inside), nat_port_pair(&session->inside_port)));
	fdb_key_mac(key, &((struct rte_ether_hdr *)(outer + 1))->dst_addr);
	state->counters.tx_packets++;
	state->counters.tx_bytes += total + L3_OFFSET;
	m->data_off = (uint16_t)(m->data_off - OUTER_LENGTH);
	m->data_len = (uint16_t)(total + L3_OFFSET + OUTER_LENGTH);
	m->pkt_len = total + L3_OFFSET + OUTER_LENGTH;
	transmit_put(burst->context, state->tx, m, total + L3_OFFSET + OUTER_LENGTH);
	return true;
}

/* Whatever the packet does. With SYN or RST, apart from the others: the MSS may have to be clamped, and what resets is looked at
 * closely. */
static __rte_noinline bool finish_rare(struct fast_burst *burst, const struct fast_packet *packet,
	struct nat_session *session, const enum nat_way way)
{
	return way == NAT_UP ? finish_up(burst, packet, session, NULL, true)
			     : finish_down(burst, packet, session, NULL, true);
}

static __rte_always_inline bool finish_any(struct fast_burst *burst, const struct fast_packet *packet,
	struct nat_session *session, const enum nat_way way)
{
	if (unlikely(packet->l4 & (RTE_TCP_SYN_FLAG | RTE_TCP_RST_FLAG)))
		return finish_rare(burst, packet, session, way);
	return way == NAT_UP ? finish_up(burst, packet, session, NULL, false)
			     : finish_down(burst, packet, session, NULL, false);
}

bool fast_path_finish_up(struct fast_burst *burst, struct fast_packet *packet, struct nat_session *session)
{
	return finish_any(burst, packet, session, NAT_UP);
}

/* Does the packet do something to the session that its owner alone may do, or is one of its flow on the way to him? */
static __rte_always_inline bool is_owners_to_do(const struct fast_burst *burst,
	const struct fast_packet *packet, const struct nat_session *session, const struct nat_step *step)
{
	return (packet->l4 & NAT_STATE_FLAGS) != 0 || !nat_step_is_small(step, session->state) ||
	       handoff_is_noted(burst->context, packet->handed, packet->ip);
}

/* A packet whose session may be another owner's. False: it is to be left. */
static __rte_always_inline bool finish_of_many(struct fast_burst *burst, const struct fast_packet *packet,
	struct nat_session *session, const enum nat_way way)
{
	const struct nat_step step =
		nat_step_of(burst->owner, session, rte_be_to_cpu_16(packet->ip->total_length), way);

	if (unlikely(is_owners_to_do(burst, packet, session, &step))) {
		if (is_ours(burst, packet))
			return !follows_left(burst, packet->ip) && finish_rare(burst, packet, session, way);
		fast_path_strange(burst, packet, way);
		return true;
	}
	if (unlikely(follows_left(burst, packet->ip)))
		return false;
	return way == NAT_UP ? finish_up(burst, packet, session, &step, false)
			     : finish_down(burst, packet, session, &step, false);
}

static inline uint64_t again_bit(const struct fast_packet *packet)
{
	return UINT64_C(1) << packet->hash % 64;
}

/* Is an earlier packet of the flow looked for again? Its owner may have made it easier to find since: this one follows it. */
static inline bool follows_again(
	struct fast_burst *burst, const struct fast_packet *packet, const enum nat_way way)
{
	return fast_path_follows(burst, packet, burst->way[way].again, way);
}

/* Is it another session of the packet's endpoint on our side, with more beside it? */
static bool is_sibling(
	const struct fast_packet *packet, const struct nat_session *session, const enum nat_way way)
{
	const struct rte_ipv4_hdr *ip = packet->ip;
	uint32_t ports = nat_port_pair((const rte_be16_t *)(ip + 1));

	if (session->next == INDEX_NONE)
		return false;
	return way == NAT_UP ? session->inside == ip->src_addr && session->inside_port == (rte_be16_t)ports &&
				       nat_session_kin(session) == packet->kin
			     : session->outside == ip->dst_addr &&
				       session->outside_port == (rte_be16_t)(ports >> 16) &&
				       session->protocol == packet->kin >> 16;
}

/* The session where a packet was looked for first is another one. `many`: there are several owners. */
static __rte_noinline void first_look_missed(struct fast_burst *burst, struct fast_packet *packet,
	const struct nat_session *session, const enum nat_way way, const bool many)
{
	uint64_t bit = fast_packet_bit(&burst->way[way], packet);

	burst->way[way].again |= bit;
	if (many && !is_ours(burst, packet))
		burst->again |= again_bit(packet);
	if ((burst->way[way].by_flow & bit) == 0 && is_sibling(packet, session, way)) {
		struct nat_packet *wanted = &burst->wanted[packet - burst->way[way].packet];

		burst->way[way].sibling |= bit;
		wanted->by_flow = true;
		wanted->endpoint_hash = packet->hash;
		fast_path_look_by_flow(burst, packet, way);
		prefetch_far(packet->line);
	}
}

/* `many`: there are several owners. `first`: it has not been looked for again. */
static __rte_always_inline void finish(struct fast_burst *burst, struct fast_packet *packet,
	const enum nat_way way, const bool many, const bool first)
{
	struct nat_session *session = packet->session;

	if (unlikely(!session_is_of(packet, session, way))) {
		if (first)
			first_look_missed(burst, packet, session, way, many);
		else
			burst->way[way].again |= fast_packet_bit(&burst->way[way], packet);
	} else if (many && first && unlikely(burst->again != 0) && burst->again & again_bit(packet) &&
		   follows_again(burst, packet, way)) {
		burst->way[way].again |= fast_packet_bit(&burst->way[way], packet);
	} else if (many ? unlikely(!finish_of_many(burst, packet, session, way))
			: unlikely(follows_left(burst, packet->ip) ||
				   !finish_any(burst, packet, session, way))) {
		fast_path_leave(burst, packet->slot, packet->ip);
	}
}

void fast_path_finish(struct fast_burst *burst, uint32_t i, enum nat_way way)
{
	struct fast_packet *packet = fast_packet_of(burst, i, way);

	if (burst->others)
		finish(burst, packet, way, true, false);
	else
		finish(burst, packet, way, false, false);
}

/* Packets that are asked for together, and so wait together. */
struct group {
	struct fast_packet *first, *end;
};

static inline uint32_t way_groups(const struct fast_way *way)
{
	return ((uint32_t)(way->next - way->packet) + FAST_GROUP - 1) / FAST_GROUP;
}

static __rte_always_inline struct group group_at(struct fast_way *way, uint32_t number)
{
	struct fast_packet *first = &way->packet[number * FAST_GROUP];

	return (struct group){ first, RTE_MIN(way->next, first + FAST_GROUP) };
}

static inline uint64_t group_mask(uint32_t number)
{
	return ((UINT64_C(1) << FAST_GROUP) - 1) << number * FAST_GROUP;
}

/* Nearly all groups are whole, so that no loop is needed. */
#define GROUP_FOR_EACH(packet_of_group, group, what)                                                         \
	do {                                                                                                 \
		struct fast_packet *packet_of_group = (group).first;                                         \
		if (likely((group).end == packet_of_group + FAST_GROUP)) {                                   \
			_Pragma("GCC unroll 16") for (uint32_t n = 0; n < FAST_GROUP;                        \
						      n++, packet_of_group++) what;                          \
		} else {                                                                                     \
			for (; packet_of_group < (group).end; packet_of_group++)                             \
				what;                                                                        \
		}                                                                                            \
	} while (0)

/* Of these packets (bit mask) there is no session in the first line: the second one is asked for, if there may be one. Where
 * there is none, the first session of all stands in for it, which will not be the packet's. */
static __rte_noinline void first_line_missed(
	struct fast_burst *burst, uint64_t missed, const enum nat_way way, const bool many)
{
	for (; missed != 0; missed &= missed - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(missed);
		struct fast_packet *packet = fast_packet_of(burst, i, way);
		const struct nat_owner *owner = owner_of_packet(burst, packet, many);
		const void *line = second_line(owner, packet, way);

		if (line == NULL) {
			packet->session = owner->session;
			continue;
		}
		prefetch_far(line);
		packet->line = line;
		burst->way[way].second |= UINT64_C(1) << i;
	}
}

/* In a loop without a call, so that what it reads of the tables stays in registers. */
static __rte_always_inline void first_line_read(
	struct fast_burst *burst, struct group group, const enum nat_way way, const bool many)
{
	const struct tag_tables ours = tag_tables_of(burst->owner);
	uint64_t missed = 0;

	for (struct fast_packet *packet = group.first; packet < group.end; packet++) {
		const struct tag_tables tables = many ? tag_tables_of(packet->owner) : ours;
		uint32_t match = line_match(&tables, packet->line, packet->hash, way);

		if (likely(match != 0))
			packet->session = session_by_tags(&tables, burst, packet, way, match);
		else
			missed |= fast_packet_bit(&burst->way[way], packet);
	}
	if (unlikely(missed != 0))
		first_line_missed(burst, missed, way, many);
}

/* The session that a packet's line of tags leads to, asked for; NULL: to none. */
static inline struct nat_session *line_read(
	struct fast_burst *burst, const struct fast_packet *packet, const enum nat_way way, const bool many)
{
	const struct tag_tables tables = tag_tables_of(owner_of_packet(burst, packet, many));
	uint32_t match = line_match(&tables, packet->line, packet->hash, way);

	return match != 0 ? session_by_tags(&tables, burst, packet, way, match) : NULL;
}

/* Whether there are several candidates in it, is not asked: fast_path_again.c sees to them. */
static __rte_noinline void second_line_read(
	struct fast_burst *burst, uint32_t group, const enum nat_way way, const bool many)
{
	for (uint64_t rest = burst->way[way].second & group_mask(group); rest != 0; rest &= rest - 1) {
		struct fast_packet *packet = fast_packet_of(burst, (uint32_t)__builtin_ctzll(rest), way);
		struct nat_session *session = line_read(burst, packet, way, many);

		packet->session = session != NULL ? session : owner_of_packet(burst, packet, many)->session;
	}
}

/* The records are there now: which of the candidates is it? */
static __rte_noinline void candidates_choose(
	struct fast_burst *burst, uint32_t group, const enum nat_way way, const bool many)
{
	for (uint64_t rest = burst->way[way].several & group_mask(group); rest != 0; rest &= rest - 1) {
		struct fast_packet *packet = fast_packet_of(burst, (uint32_t)__builtin_ctzll(rest), way);

		candidate_choose(owner_of_packet(burst, packet, many), packet, way);
	}
}

/* Of a group the packets whose endpoint has several sessions: the lines of tags where their flows lead have been asked for one by one
 * meanwhile. What these lead to comes while other groups are seen through. */
static __rte_noinline void siblings_read(
	struct fast_burst *burst, uint32_t group, const enum nat_way way, const bool many)
{
	for (uint64_t rest = burst->way[way].sibling & group_mask(group); rest != 0; rest &= rest - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(rest);
		struct fast_packet *packet = fast_packet_of(burst, i, way);
		struct nat_session *session = line_read(burst, packet, way, many);

		if (likely(session != NULL)) {
			packet->session = session;
			burst->way[way].beside |= UINT64_C(1) << i;
		}
	}
}

/* How far the burst is looked at: a whole burst beside what is refused. */
static inline uint32_t look_end(const struct fast_burst *burst)
{
	return RTE_MIN(burst->count, BURST_MAX + burst->refused);
}

/* Asks for the lines of tags of the packets that have been taken since the last time. */
static __rte_always_inline void lines_ask(struct fast_way *way)
{
	const struct group group = { way->asked, way->next };

	way->asked = way->next;
	GROUP_FOR_EACH(packet, group, prefetch_far(packet->line));
}

/* The first pass. Returns how many packets it came to. */
static inline uint32_t burst_look(struct fast_burst *burst)
{
	uint32_t from = 0;

	while (from < look_end(burst)) {
		uint32_t end = RTE_MIN(look_end(burst), from + FAST_GROUP);
		fast_path_look(burst, (uint16_t)from, (uint16_t)end);
		from = end;
		for (enum nat_way way = NAT_UP; way < NAT_WAYS; way++)
			lines_ask(&burst->way[way]);
	}
	return from;
}

/* How many groups behind the first line of a packet's tags its second one is read, if there are so many. */
#define SECOND_LAG 2u

/* The second pass. */
static __rte_always_inline void way_read(struct fast_burst *burst, const enum nat_way number, const bool many)
{
	struct fast_way *way = &burst->way[number];
	uint32_t groups = way_groups(way), lag = RTE_MIN(SECOND_LAG, groups - 1);

	for (uint32_t i = 0; i < groups; i++) {
		first_line_read(burst, group_at(way, i), number, many);
		if (unlikely(way->second != 0) && i >= lag)
			second_line_read(burst, i - lag, number, many);
	}
}

/* The last pass. */
static __rte_always_inline void way_finish(
	struct fast_burst *burst, const enum nat_way number, const bool many)
{
	struct fast_way *way = &burst->way[number];
	uint32_t groups = way_groups(way), lag = RTE_MIN(SECOND_LAG, groups - 1);
	const struct neighbour *neighbour = burst->neighbour;

	for (uint32_t i = 0; i < groups; i++) {
		const struct group group = group_at(way, i);

		if (unlikely(way->several != 0))
			candidates_choose(burst, i, number, many);
		GROUP_FOR_EACH(packet, group, __builtin_prefetch(&neighbour[packet->session->neighbour]));
		for (struct fast_packet *packet = group.first; packet < group.end; packet++)
			finish(burst, packet, number, many, true);
		if (unlikely(way->sibling != 0) && i > 0)
			siblings_read(burst, i - 1, number, many);
		if (unlikely(way->second != 0) && i < lag)
			second_line_read(burst, groups - lag + i, number, many);
	}
	if (unlikely(way->sibling != 0))
		siblings_read(burst, groups - 1, number, many);
}

/* A pass over the packets of one way, each a function, with registers of its own. */
#define WAY_PASS(name, pass, way, many)                                                                      \
	static __rte_noinline void name(struct fast_burst *burst)                                            \
	{                                                                                                    \
		pass(burst, way, many);                                                                      \
	}

WAY_PASS(up_read, way_read, NAT_UP, false)
WAY_PASS(up_finish, way_finish, NAT_UP, false)
WAY_PASS(down_read, way_read, NAT_DOWN, false)
WAY_PASS(down_finish, way_finish, NAT_DOWN, false)
WAY_PASS(up_read_many, way_read, NAT_UP, true)
WAY_PASS(up_finish_many, way_finish, NAT_UP, true)
WAY_PASS(down_read_many, way_read, NAT_DOWN, true)
WAY_PASS(down_finish_many, way_finish, NAT_DOWN, true)

/* By whether there are several owners, after the first pass. */
static void (*const way_pass[2][2][NAT_WAYS])(struct fast_burst *burst) = {
	{ { [NAT_UP] = up_read, [NAT_DOWN] = down_read },
		{ [NAT_UP] = up_finish, [NAT_DOWN] = down_finish } },
	{ { [NAT_UP] = up_read_many, [NAT_DOWN] = down_read_many },
		{ [NAT_UP] = up_finish_many, [NAT_DOWN] = down_finish_many } },
};

/* All passes. Returns how many packets they came to. */
static uint32_t burst_pass(struct fast_burst *burst)
{
	uint32_t came_to = burst_look(burst);

	for (uint32_t pass = 0; pass < RTE_DIM(way_pass[0]); pass++)
		for (enum nat_way way = NAT_UP; way < NAT_WAYS; way++)
			if (burst->way[way].next > burst->way[way].packet)
				way_pass[burst->others][pass][way](burst);
	return came_to;
}

/* What is left moves to the front; the others have been received here. */
static uint16_t left_gather(const struct fast_burst *burst)
{
	uint16_t left = 0;

	for (uint32_t i = 0; i < RTE_DIM(burst->left); i++)
		for (uint64_t rest = burst->left[i]; rest != 0; rest &= rest - 1)
			burst->packets[left++] = burst->packets[64 * i + (uint32_t)__builtin_ctzll(rest)];
	return left;
}

static inline void burst_begin(
	struct fast_burst *burst, struct lcore_context *context, interface_id port, bool handed)
{
	const struct data_plane *plane = context->plane;

	burst->context = context;
	burst->plane = plane;
	burst->owner = context->nat;
	burst->nat = context->nat->nat;
	burst->port = &plane->port[port];
	burst->pattern = &context->fast_pattern[port];
	burst->tick = context->tick;
	burst->fdb_changes = atomic_load_explicit(&plane->fdb->changes, memory_order_acquire);
	burst->others = context->owner_count > 1 && !handed;
	burst->finishes = plane->port[port].partial_checksums;
	burst->strangers = burst->handed = 0;
	burst->neighbours = plane->neighbours->capacity;
	burst->neighbour = plane->neighbours->entry;
	burst->fdb = plane->fdb->entry;
	burst->segment = plane->segments->segment;
	burst->tunnel = plane->tunnels->tunnel;
	burst->tunnel_state = context->counters.tunnel;
	burst->bytes = burst->again = 0;
	burst->leaves = false;
	burst->crowded = context->crowded.count > 0;
	burst->openers = burst->refused = 0;
	burst->unlike = false;
	burst->overloaded = context->overloaded;
	for (uint32_t i = 0; i < ADJACENCIES; i++) {
		burst->adjacency[i].key = ADJACENCY_NONE;
		burst->adjacency[i].mask = 0; /* no more: nobody reads the rest of it */
	}
	for (enum nat_way i = NAT_UP; i < NAT_WAYS; i++) {
		struct fast_way *way = &burst->way[i];
		way->next = way->asked = way->packet;
		way->again = way->sibling = way->beside = way->second = way->several = way->by_flow = 0;
	}
}

struct fast_path_result fast_path_run(struct lcore_context *context, interface_id port,
	struct rte_mbuf **packets, uint16_t count, bool handed)
{
	struct interface_counters *interface = &context->counters.interface[port];
	struct fast_burst burst;

	burst_begin(&burst, context, port, handed);
	burst.packets = packets;
	burst.count = count;
	uint32_t came_to = burst_pass(&burst);
	for (enum nat_way way = NAT_UP; way < NAT_WAYS; way++)
		if (unlikely(burst.way[way].again != 0))
			fast_path_finish_again(&burst, way);
	if (unlikely((burst.openers | burst.refused) != 0))
		fast_path_shed(&burst);
	if (unlikely(burst.strangers > 0))
		fast_path_strangers_send(&burst, port);
	uint16_t left = burst.leaves ? left_gather(&burst) : 0;
	interface->rx_packets += came_to - left - burst.handed;
	interface->rx_bytes += burst.bytes;
	return (struct fast_path_result){ (uint16_t)came_to, left, burst.handed, (uint16_t)burst.refused };
}
