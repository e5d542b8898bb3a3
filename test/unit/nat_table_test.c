/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of NAT by themselves: index, hosts, ports, traffic, rules. */
#include "nat_fixture.h"
#include "table/nat_tcp_state.h"
#include <errno.h>

TestSuite(nat_index, .init = eal_start, .timeout = 60);
TestSuite(nat_row, .init = eal_start, .timeout = 60);
TestSuite(nat_host, .init = eal_start, .timeout = 60);
TestSuite(nat_port, .init = eal_start, .timeout = 60);
TestSuite(nat_traffic, .init = eal_start, .timeout = 60);
TestSuite(nat_rule, .init = eal_start, .timeout = 60);
TestSuite(nat_create, .init = eal_start, .timeout = 60);

static const struct flow_hash_key key = { { 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
	0xd6e8feb86659fd93 } };

static uint64_t hash_of(uint64_t i)
{
	return flow_hash(&key, i, 1);
}

/* How often `number` is found under `hash`, in either bucket as lookups look. */
static uint32_t index_find(const struct nat_index *index, uint64_t hash, uint32_t number)
{
	const struct nat_bucket *bucket = nat_index_first(index, hash);
	uint32_t tag = nat_index_tag(index, hash), found = 0;

	for (int place = 0; place < 2; place++) {
		for (uint32_t match = nat_index_match(index, bucket, tag); match != 0; match &= match - 1)
			found += nat_index_number(index, bucket, match) == number;
		const struct nat_bucket *other = nat_index_other(index, bucket, tag);
		if (bucket->overflow == 0 || other == bucket)
			break;
		bucket = other;
	}
	return found;
}

Test(nat_index, takes_as_many_entries_as_it_is_made_for_and_finds_them_all)
{
	static const uint32_t sizes[] = { 1, 2, 10, 63, 1000, 100000, 1000000 };

	for (size_t s = 0; s < RTE_DIM(sizes); s++) {
		struct nat_index index;
		cr_assert_eq(nat_index_init(&index, sizes[s], sizes[s]), 0);
		for (uint32_t i = 0; i < sizes[s]; i++)
			cr_assert_eq(
				nat_index_insert(&index, hash_of(i), i), 0, "entry %u of %u", i, sizes[s]);
		for (uint32_t i = 0; i < sizes[s]; i++)
			cr_assert_eq(index_find(&index, hash_of(i), i), 1, "entry %u of %u", i, sizes[s]);
		for (uint32_t i = 0; i < sizes[s]; i++)
			nat_index_remove(&index, hash_of(i), i);
		cr_assert_eq(index.entries, 0);
		for (uint32_t b = 0; b < index.buckets; b++) {
			cr_assert_eq(nat_bucket_match(&index.bucket[b], 0, 0), (1u << NAT_INDEX_SLOTS) - 1);
			cr_assert_eq(index.bucket[b].overflow, 0);
		}
		nat_index_destroy(&index);
	}
}

Test(nat_index, agrees_with_a_plain_array_while_it_is_nearly_full)
{
	enum { SIZE = 5000, STEPS = 600000 };
	static bool there[SIZE * 2];
	struct nat_index index;
	uint32_t count = 0;
	unsigned seed = 11;

	cr_assert_eq(nat_index_init(&index, SIZE, SIZE * 2), 0);
	for (int step = 0; step < STEPS; step++) {
		uint32_t i = (uint32_t)rand_r(&seed) % (SIZE * 2);
		if (there[i]) {
			nat_index_remove(&index, hash_of(i), i);
			count--;
		} else if (count < SIZE) {
			cr_assert_eq(nat_index_insert(&index, hash_of(i), i), 0, "at %u", count);
			count++;
		} else {
			continue;
		}
		there[i] = !there[i];
		uint32_t other = (uint32_t)rand_r(&seed) % (SIZE * 2);
		cr_assert_eq(index_find(&index, hash_of(other), other), there[other]);
	}
	cr_assert_eq(index.entries, count);
	nat_index_destroy(&index);
}

Test(nat_index, refuses_what_does_not_fit_and_keeps_the_rest)
{
	struct nat_index index;
	uint32_t i = 0;

	cr_assert_eq(nat_index_init(&index, 100, 1000), 0);
	while (nat_index_insert(&index, hash_of(i), i) == 0)
		cr_assert_lt(i++, 1000u);
	cr_assert_eq(index.entries, i);
	for (uint32_t j = 0; j < i; j++)
		cr_assert_eq(index_find(&index, hash_of(j), j), 1);
	cr_assert_eq(index_find(&index, hash_of(i), i), 0);
	nat_index_destroy(&index);
}

Test(nat_index, has_room_for_numbers_of_26_bits_and_their_tags_of_six)
{
	enum { SIZE = 50000, HIGH = (1 << 26) - SIZE };
	struct nat_index index;

	cr_assert_eq(nat_index_init(&index, SIZE, 1 << 26), 0);
	for (uint32_t i = 0; i < SIZE; i++)
		cr_assert_eq(nat_index_insert(&index, hash_of(i), HIGH + i), 0, "entry %u", i);
	for (uint32_t i = 0; i < SIZE; i++)
		cr_assert_eq(index_find(&index, hash_of(i), HIGH + i), 1, "entry %u", i);
	for (uint32_t i = 0; i < SIZE; i++)
		nat_index_remove(&index, hash_of(i), HIGH + i);
	cr_assert_eq(index.entries, 0);
	nat_index_destroy(&index);
}

/* The compiler's own loop says what the wide comparisons have to. */
Test(nat_index, compares_every_word_but_the_last_one)
{
	struct nat_bucket bucket;

	for (uint32_t step = 0; step < 10000; step++) {
		const uint32_t mask = (UINT32_C(1) << step % 31) - 1, tag = (uint32_t)hash_of(step) & ~mask;
		uint32_t expected = 0, *words = (uint32_t *)&bucket;
		for (uint32_t i = 0; i < 16; i++) {
			uint64_t random = hash_of(step * UINT64_C(16) + i);
			bool same = random >> 63;
			words[i] = same ? tag | ((uint32_t)random & mask) : (uint32_t)random;
			expected |= (uint32_t)((words[i] & ~mask) == tag) << i;
		}
		cr_assert_eq(nat_bucket_match(&bucket, tag, mask), expected & 0x7fff);
	}
}

/* How often the session of the record is found by the hash as lookups look: in its rows; else it must be elsewhere. */
static uint32_t rows_find(const struct nat_rows *rows, uint64_t hash, uint32_t number)
{
	const struct nat_row *first = nat_row_first(rows, hash), *second = nat_row_second(rows, hash);
	uint32_t found = 0;

	for (uint32_t match = nat_row_match(first, nat_row_tag(hash)); match != 0; match &= match - 1)
		found += nat_row_number(rows, first, match) == number;
	if (!nat_row_spilled(rows, first) || second == first)
		return found;
	for (uint32_t match = nat_row_match(second, nat_row_tag(hash)); match != 0; match &= match - 1)
		found += nat_row_number(rows, second, match) == number;
	return found;
}

struct shown {
	uint32_t number;
	bool there, by_rows;
};

static bool row_show(struct nat_rows *rows, struct shown *one, uint32_t i)
{
	one->number = nat_record_take(rows, hash_of(i));
	if (one->number == ID_NONE)
		return false;
	one->by_rows = nat_record_show(rows, hash_of(i), one->number);
	one->there = true;
	return true;
}

static void row_hide(struct nat_rows *rows, struct shown *one, uint32_t i)
{
	cr_assert_eq(nat_record_hide(rows, hash_of(i), one->number), one->by_rows);
	nat_record_give(rows, one->number);
	one->there = false;
}

Test(nat_row, has_as_many_records_as_it_is_made_for_and_leads_to_nearly_all_of_them)
{
	static const uint32_t sizes[] = { 1, 27, 28, 29, 1000, 500000 };

	for (size_t s = 0; s < RTE_DIM(sizes); s++) {
		uint32_t most = sizes[s], elsewhere = 0, spilled = 0;
		struct shown *shown = calloc(most, sizeof(*shown)), none;
		struct nat_rows rows;
		cr_assert_eq(nat_rows_init(&rows, most), 0);
		for (uint32_t i = 0; i < most; i++) {
			cr_assert(row_show(&rows, &shown[i], i), "record %u of %u", i, most);
			elsewhere += !shown[i].by_rows;
		}
		cr_assert_not(row_show(&rows, &none, most), "one more than %u", most);
		cr_assert_eq(nat_records_left(&rows), 0);
		cr_assert_leq(elsewhere, most / 50, "%u of %u lie elsewhere", elsewhere, most);
		for (uint32_t i = 0; i < most; i++)
			cr_assert_eq(rows_find(&rows, hash_of(i), shown[i].number), shown[i].by_rows);
		for (uint32_t i = 0; i < most; i++)
			row_hide(&rows, &shown[i], i);
		for (uint32_t row = 0; row < rows.rows; row++) {
			spilled += rows.spilled[row];
			cr_assert_eq(nat_row_match(&rows.row[row], 0), UINT32_MAX);
		}
		cr_assert_eq(spilled, 0);
		cr_assert_eq(rows.free.free, rows.free.size);
		nat_rows_destroy(&rows);
		free(shown);
	}
}

Test(nat_row, leads_to_the_records_while_they_come_and_go_in_a_full_table)
{
	enum { MOST = 6000, STEPS = 500000 };
	static struct shown shown[MOST * 2];
	struct nat_rows rows;
	uint32_t count = 0;
	unsigned seed = 5;

	cr_assert_eq(nat_rows_init(&rows, MOST), 0);
	for (int step = 0; step < STEPS; step++) {
		uint32_t i = (uint32_t)rand_r(&seed) % RTE_DIM(shown),
			 j = (uint32_t)rand_r(&seed) % RTE_DIM(shown);
		if (shown[i].there) {
			row_hide(&rows, &shown[i], i);
			count--;
		} else if (row_show(&rows, &shown[i], i)) {
			count++;
		} else {
			cr_assert_eq(count, MOST);
		}
		cr_assert_eq(nat_records_left(&rows), MOST - count);
		if (shown[j].there)
			cr_assert_eq(rows_find(&rows, hash_of(j), shown[j].number), shown[j].by_rows);
	}
	nat_rows_destroy(&rows);
}

Test(nat_row, compares_every_tag)
{
	struct nat_row row;

	for (uint32_t step = 0; step < 10000; step++) {
		uint16_t tag = (uint16_t)hash_of(step);
		uint32_t expected = 0;
		for (uint32_t i = 0; i < NAT_ROW_RECORDS; i++) {
			uint64_t random = hash_of(step * UINT64_C(32) + i);
			row.tag[i] = random >> 63 ? tag : (uint16_t)random;
			expected |= (uint32_t)(row.tag[i] == tag) << i;
		}
		cr_assert_eq(nat_row_match(&row, tag), expected);
	}
}

static uint64_t host_hash(uint16_t segment, uint32_t host)
{
	return nat_host_hash(&key, segment, rte_cpu_to_be_32(host));
}

Test(nat_host, takes_as_many_hosts_as_it_is_made_for_and_keeps_their_counts_and_addresses)
{
	static const uint32_t sizes[] = { 1, 7, 1000, 200000 };

	for (size_t s = 0; s < RTE_DIM(sizes); s++) {
		struct nat_host_table table;
		cr_assert_eq(nat_hosts_init(&table, sizes[s], true, &key), 0);
		for (uint32_t i = 0; i < sizes[s]; i++) {
			uint16_t segment = i & 1;
			struct nat_host host = nat_host_hold(&table, host_hash(segment, 0x0a000001 + i / 2),
				segment, rte_cpu_to_be_32(0x0a000001 + i / 2));
			cr_assert_not_null(host.line, "host %u of %u", i, sizes[s]);
			cr_assert_eq(host.line->address[host.slot], NAT_ADDRESS_NONE);
			host.line->address[host.slot] = (uint16_t)(i % 1000);
			for (uint32_t more = 0; more < i % 3; more++)
				nat_host_hold(&table, host_hash(segment, 0x0a000001 + i / 2), segment,
					rte_cpu_to_be_32(0x0a000001 + i / 2));
		}
		cr_assert_eq(table.count, sizes[s]);
		for (uint32_t i = 0; i < sizes[s]; i++) {
			uint16_t segment = i & 1;
			rte_be32_t ip = rte_cpu_to_be_32(0x0a000001 + i / 2);
			uint64_t hash = host_hash(segment, 0x0a000001 + i / 2);
			struct nat_host host = nat_host_find(&table, hash, segment, ip);
			cr_assert_not_null(host.line);
			cr_assert_eq(host.line->address[host.slot], i % 1000, "moved without its address");
			cr_assert_eq(nat_host_count(&table, hash, segment, ip), 1 + i % 3);
			for (uint32_t more = 0; more <= i % 3; more++)
				nat_host_release(&table, nat_host_find(&table, hash, segment, ip));
			cr_assert_eq(nat_host_count(&table, hash, segment, ip), 0);
		}
		cr_assert_eq(table.count, 0);
		nat_hosts_destroy(&table);
	}
}

/* Whatever the pool's range and however many owners: each port has exactly one owner, the one that a packet to it is
 * handed to, and each owner gives out just its own. */
/* Conforms: RFC 6888 REQ-13. */
Test(nat_port, each_port_of_a_pool_is_given_by_its_owner_and_by_no_other)
{
	static const struct nat_port_range ranges[] = { { 1024, 65535 }, { 1, 65535 }, { 0, 70 },
		{ 1000, 1000 }, { 1023, 1088 }, { 2000, 2099 }, { 65535, 65535 } };
	static const uint16_t counts[] = { 1, 2, 3, 7, 64 };
	const struct nat_pool_range range = { 0xcb00710a, 0xcb00710d };

	for (size_t r = 0; r < RTE_DIM(ranges); r++)
		for (size_t c = 0; c < RTE_DIM(counts); c++) {
			const struct nat_pool_settings pool = { .name = "p",
				.range = &range,
				.range_count = 1,
				.ports = &ranges[r],
				.port_range_count = 1 };
			const struct nat_settings settings = { .pool = &pool, .pool_count = 1 };
			struct nat_address_table addresses;
			uint32_t expected = ranges[r].last - (uint32_t)RTE_MAX(ranges[r].first, 1) + 1,
				 given = 0;
			static bool taken[65536];
			memset(taken, 0, sizeof(taken));
			cr_assert_eq(nat_address_init(&addresses, &settings), 0);
			for (uint16_t owner = 0; owner < counts[c]; owner++) {
				struct nat_ports ports;
				uint16_t port;
				cr_assert_eq(nat_ports_init(&ports, &addresses, owner, counts[c], 0), 0);
				uint32_t usable = nat_ports_free(&ports, 2, NAT_CLASS_UDP);
				while ((port = nat_port_take(
						&ports, 2, NAT_CLASS_UDP, 0, 0x9e3779b9u * given)) != 0) {
					cr_assert(port >= ranges[r].first && port <= ranges[r].last ? true
												    : false);
					cr_assert_not(taken[port]);
					cr_assert_eq(nat_port_owner(2, 6, port, counts[c]), owner);
					taken[port] = true;
					given++;
				}
				cr_assert_eq(nat_ports_used(&ports, 2, NAT_CLASS_UDP), usable);
				cr_assert_eq(nat_ports_used(&ports, 2, NAT_CLASS_TCP), 0);
				nat_ports_destroy(&ports);
			}
			cr_assert_eq(
				given, expected, "%u of %u ports, %u owners", given, expected, counts[c]);
			nat_address_destroy(&addresses);
		}
}

Test(nat_port, the_wanted_port_is_given_when_it_is_free_and_the_owners)
{
	const struct nat_pool_range range = { 0xcb00710a, 0xcb00710a };
	const struct nat_pool_settings pool = {
		.name = "p", .range = &range, .range_count = 1, .ports = &web_ports, .port_range_count = 1
	};
	const struct nat_settings settings = { .pool = &pool, .pool_count = 1 };
	struct nat_address_table addresses;
	struct nat_ports ports;

	nat_address_init(&addresses, &settings);
	nat_ports_init(&ports, &addresses, 1, 2, 0);
	for (uint32_t port = 0; port < 65536; port += 97) {
		bool can = port >= 1024 && nat_port_owner(0, 6, (uint16_t)port, 2) == 1;
		uint16_t got = nat_port_take(&ports, 0, NAT_CLASS_TCP, (uint16_t)port, 12345);
		cr_assert_neq(got, 0);
		cr_assert_eq(got == port, can, "port %u", port);
		uint16_t again = nat_port_take(&ports, 0, NAT_CLASS_TCP, (uint16_t)port, 1u << 31);
		cr_assert_neq(again, got);
		nat_port_give(&ports, 0, NAT_CLASS_TCP, again);
		nat_port_give(&ports, 0, NAT_CLASS_TCP, got);
	}
	cr_assert_eq(nat_ports_used(&ports, 0, NAT_CLASS_TCP), 0);
	nat_ports_destroy(&ports);
	nat_address_destroy(&addresses);
}

/* Conforms: RFC 7857 9, RFC 6888 REQ-15. */
Test(nat_port, random_ports_are_spread_over_the_whole_range)
{
	struct nat_settings settings = test_settings;
	uint32_t quarter[4] = { 0 };

	struct nat *nat = nat_create(&settings);
	struct nat_owner *owner = nat_owner(nat, 0);
	for (uint32_t i = 0; i < 2000; i++) {
		struct nat_opening opening = { .flow = { .segment = WEB,
						       .protocol = IPPROTO_UDP,
						       .inside = HOST_A,
						       .inside_port = rte_cpu_to_be_16((uint16_t)(i % 1000)),
						       .remote = rte_cpu_to_be_32(0xc6336400 + i / 1000),
						       .remote_port = RTE_BE16(53) } };
		opening.inside_hash = nat_flow_inside_hash(owner, &opening.flow);
		nat_open_ask(owner, &opening);
		cr_assert_eq(nat_open_reserve(owner, &opening, 0), 0);
		cr_assert_geq(nat_open_commit(owner, &opening, 0), 0);
		quarter[(rte_be_to_cpu_16(opening.flow.outside_port) - 1024u) / 16128]++;
	}
	for (int i = 0; i < 4; i++)
		cr_assert_gt(quarter[i], 350u, "%u of 2000 in quarter %d", quarter[i], i);
	nat_destroy(nat);
}

Test(nat_traffic, follows_a_session_that_gets_another_number)
{
	struct nat_carry_table table;
	struct nat_session session = { .traffic = { NAT_TRAFFIC_PACKET + 10, 0 } }, plain = { 0 };
	uint64_t packets, bytes;

	cr_assert_eq(nat_carry_init(&table, 16), 0);
	nat_traffic_carry(&table, &session, 3, NAT_UP);
	session.traffic[NAT_UP] = NAT_TRAFFIC_PACKET * 2 + 5;
	nat_traffic_move(&table, &plain, 4, 3); /* has nothing there */
	nat_traffic_move(&table, &session, 3, 19);
	cr_assert_eq(table.used, 1);
	nat_traffic_sum(&table, &session, 19, NAT_UP, &packets, &bytes);
	cr_assert_eq(packets, 3);
	cr_assert_eq(bytes, 15);
	nat_traffic_forget(&table, 19);
	cr_assert_eq(table.used, 0);
	nat_carry_destroy(&table);
}

Test(nat_traffic, the_sums_are_exact_beyond_what_a_session_can_hold)
{
	enum { SESSIONS = 300 };
	static struct nat_session session[SESSIONS];
	static uint64_t packets[SESSIONS][NAT_WAYS], bytes[SESSIONS][NAT_WAYS];
	struct nat_carry_table table;
	unsigned seed = 3;

	cr_assert_eq(nat_carry_init(&table, 512), 0);
	/* Words that are set near their marks stand for the time that it takes to get there. */
	for (int step = 0; step < 200000; step++) {
		uint32_t i = (uint32_t)rand_r(&seed) % SESSIONS;
		enum nat_way way = (enum nat_way)(rand_r(&seed) % 2);
		uint64_t more = (uint64_t)rand_r(&seed) % 1000, length = 40 + (uint64_t)rand_r(&seed) % 65000;
		if (step % 3 == 0) { /* many packets at once, as many as fit */
			uint64_t word = session[i].traffic[way];
			more = NAT_TRAFFIC_PACKETS_MARK / NAT_TRAFFIC_PACKET - 1 - word / NAT_TRAFFIC_PACKET;
			length = NAT_TRAFFIC_BYTES_MARK - 1 - (word & NAT_TRAFFIC_BYTES);
			session[i].traffic[way] += more * NAT_TRAFFIC_PACKET + length;
			packets[i][way] += more;
			bytes[i][way] += length;
			length = 1500;
		}
		session[i].traffic[way] += NAT_TRAFFIC_PACKET + length;
		packets[i][way]++;
		bytes[i][way] += length;
		if (session[i].traffic[way] & NAT_TRAFFIC_CARRY)
			nat_traffic_carry(&table, &session[i], i, way);
		if (step % 1000 == 999) { /* the session ends, another takes its record */
			nat_traffic_forget(&table, i);
			memset(&session[i], 0, sizeof(session[i]));
			memset(packets[i], 0, sizeof(packets[i]));
			memset(bytes[i], 0, sizeof(bytes[i]));
		}
		uint32_t other = (uint32_t)rand_r(&seed) % SESSIONS;
		for (int w = 0; w < NAT_WAYS; w++) {
			uint64_t got_packets, got_bytes;
			nat_traffic_sum(
				&table, &session[other], other, (enum nat_way)w, &got_packets, &got_bytes);
			cr_assert_eq(got_packets, packets[other][w]);
			cr_assert_eq(got_bytes, bytes[other][w]);
		}
	}
	nat_carry_destroy(&table);
}

Test(nat_traffic, a_full_side_table_stops_a_count_and_spoils_no_other)
{
	struct nat_session session[4] = { 0 };
	struct nat_carry_table table;
	uint64_t packets, bytes;

	cr_assert_eq(nat_carry_init(&table, 4), 0); /* three entries */
	for (uint32_t i = 0; i < 4; i++) {
		session[i].traffic[NAT_UP] = 5 * NAT_TRAFFIC_PACKET + NAT_TRAFFIC_BYTES_MARK + 7;
		nat_traffic_carry(&table, &session[i], i, NAT_UP);
		nat_traffic_sum(&table, &session[i], i, NAT_UP, &packets, &bytes);
		cr_assert_eq(packets, 5);
		cr_assert_eq(bytes, i < 3 ? NAT_TRAFFIC_BYTES_MARK + 7 : NAT_TRAFFIC_BYTES_MARK - 1);
	}
	nat_carry_destroy(&table);
}

Test(nat_rule, the_longest_prefix_says_which_pool)
{
	static const struct nat_source_settings sources[] = {
		{ WEB, IP(10, 0, 0, 0), 8, 0 },
		{ WEB, IP(10, 0, 1, 0), 24, 1 },
		{ WEB, IP(10, 0, 1, 77), 32, 0 },
		{ DB, IP(0, 0, 0, 0), 0, 1 },
	};
	struct nat_settings settings = test_settings;
	struct nat_rules rules;
	struct nat_way_out out;
	static const struct {
		uint16_t segment;
		rte_be32_t inside;
		int pool;
	} cases[] = { { WEB, IP(10, 0, 1, 9), 1 }, { WEB, IP(10, 0, 1, 77), 0 }, { WEB, IP(10, 9, 1, 9), 0 },
		{ WEB, IP(11, 0, 1, 9), -1 }, { DB, IP(11, 0, 1, 9), 1 }, { DB, IP(10, 0, 1, 77), 1 } };

	settings.source = sources;
	settings.source_count = RTE_DIM(sources);
	cr_assert_eq(nat_rules_init(&rules, &settings), 0);
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		bool found = nat_rule_out(&rules, cases[i].segment, IPPROTO_UDP, cases[i].inside, 1, &out);
		cr_assert_eq(found, cases[i].pool >= 0);
		if (found)
			cr_assert_eq(out.pool, (uint32_t)cases[i].pool, "case %zu", i);
	}
	nat_rules_destroy(&rules);
}

Test(nat_create, what_cannot_be_is_refused_with_a_reason)
{
	struct nat_settings settings = test_settings;
	static const struct nat_static_settings twice[] = {
		{ WEB, HOST_A, STATIC_IP },
		{ WEB, HOST_B, STATIC_IP },
	};
	static const struct nat_forward_settings forwards[] = {
		{ WEB, IPPROTO_TCP, OWN_IP, HOST_A, 80, 80 },
		{ WEB, IPPROTO_TCP, OWN_IP, HOST_B, 80, 80 },
	};
	static const struct nat_pool_range huge = { 1, UINT32_MAX - 1 };
	static const struct nat_pool_settings huge_pool = {
		.name = "huge", .range = &huge, .range_count = 1, .ports = &web_ports, .port_range_count = 1
	};

	settings.static_binding = twice;
	settings.static_count = 2;
	cr_assert_null(nat_create(&settings));
	cr_assert_eq(errno, EEXIST);
	settings = test_settings;
	settings.forward = forwards;
	cr_assert_null(nat_create(&settings));
	cr_assert_eq(errno, EEXIST);
	settings = test_settings;
	settings.segment_count = 1; /* a rule names segment 1 */
	cr_assert_null(nat_create(&settings));
	cr_assert_eq(errno, EINVAL);
	settings = test_settings;
	settings.owners = 0;
	cr_assert_null(nat_create(&settings));
	cr_assert_eq(errno, EINVAL);
	settings = test_settings;
	settings.max_sessions = 0;
	cr_assert_null(nat_create(&settings));
	cr_assert_eq(errno, EINVAL);
	settings = test_settings;
	settings.pool = &huge_pool;
	settings.pool_count = 1;
	settings.source_count = 1;
	cr_assert_null(nat_create(&settings));
	cr_assert_eq(errno, E2BIG);
}

Test(nat_create, a_static_address_inside_a_pool_is_not_given_to_dynamic_bindings)
{
	static const struct nat_static_settings inside_pool[] = { { WEB, STATIC_HOST, IP(203, 0, 113, 11) } };
	struct nat_settings settings = test_settings;
	struct nat_pool_view pools[2];

	settings.static_binding = inside_pool;
	struct nat *nat = nat_create(&settings);
	cr_assert_not_null(nat);
	cr_assert_eq(nat_pools(nat, pools, 2), 2);
	cr_assert_eq(pools[0].addresses, 3);
	cr_assert_eq(pools[0].ports, 3 * 64512u);
	nat_destroy(nat);
}

Test(nat_create, a_million_sessions_cost_no_more_than_96_bytes_each)
{
	struct nat_settings settings = test_settings;

	settings.max_sessions = 1000000;
	struct nat *nat = nat_create(&settings);
	cr_assert_not_null(nat);
	cr_assert_leq(nat_bytes(nat), 96000000u, "%zu bytes", nat_bytes(nat));
	nat_destroy(nat);
}

/* RFC 6146 section 3.5.2.2, of which the table must not say less: no way to a long timeout but by both SYNs, none out of
 * CLOSING but by a SYN. */
Test(nat_tcp_state, no_single_side_can_make_a_session_long_lived)
{
	for (int flags = 0; flags <= NAT_STATE_FLAGS; flags++) {
		cr_assert_eq(nat_state_next[NAT_TCP_OPENED_INSIDE][NAT_UP][flags], NAT_TCP_OPENED_INSIDE);
		cr_assert_eq(nat_state_next[NAT_TCP_OPENED_OUTSIDE][NAT_DOWN][flags], NAT_TCP_OPENED_OUTSIDE);
		for (int way = 0; way < NAT_WAYS; way++) {
			bool syn = flags == RTE_TCP_SYN_FLAG;
			cr_assert_eq(nat_state_next[NAT_TCP_CLOSING][way][flags] == NAT_TCP_CLOSING, !syn);
			cr_assert_eq(nat_state_next[NAT_STATE_UDP][way][flags], NAT_STATE_UDP);
			cr_assert_eq(nat_state_next[NAT_STATE_ICMP][way][flags], NAT_STATE_ICMP);
			for (int state = 0; state < NAT_STATES; state++)
				cr_assert_lt(nat_state_next[state][way][flags], NAT_STATES);
		}
	}
}
