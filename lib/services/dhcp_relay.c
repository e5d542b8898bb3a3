/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/dhcp_relay.h"
#include "packet/flow_hash.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Requests that replies may come to. A new one takes the oldest place of four: a flood of requests can only make clients
 * ask again. */
#define TRANSACTIONS       8192u
#define TRANSACTION_PLACES 4u

struct transaction {
	rte_be32_t id;
	struct rte_ether_addr mac;
	uint16_t segment;
	uint64_t until_ns; /* 0: none */
};

struct dhcp_relay {
	struct dhcp_relay_settings *settings; /* [segments] */
	struct dhcp_relay_counters *counters;
	uint16_t segments;
	struct flow_hash_key hash_key;
	struct transaction transaction[TRANSACTIONS];
};

struct dhcp_relay *dhcp_relay_create(const struct dhcp_relay_settings *settings, uint16_t segments)
{
	struct dhcp_relay *relay = calloc(1, sizeof(*relay));

	if (relay == NULL)
		return NULL;
	relay->segments = segments;
	relay->settings = calloc(segments + 1u, sizeof(*relay->settings));
	relay->counters = calloc(segments + 1u, sizeof(*relay->counters));
	if (relay->settings == NULL || relay->counters == NULL) {
		dhcp_relay_destroy(relay);
		errno = ENOMEM;
		return NULL;
	}
	memcpy(relay->settings, settings, segments * sizeof(*settings));
	flow_hash_key_random(&relay->hash_key);
	return relay;
}

void dhcp_relay_destroy(struct dhcp_relay *relay)
{
	if (relay == NULL)
		return;
	free(relay->settings);
	free(relay->counters);
	free(relay);
}

const struct dhcp_relay_settings *dhcp_relay_of(const struct dhcp_relay *relay, uint16_t segment)
{
	return segment < relay->segments && relay->settings[segment].server_count > 0
		       ? &relay->settings[segment]
		       : NULL;
}

const struct dhcp_relay_counters *dhcp_relay_counters(const struct dhcp_relay *relay, uint16_t segment)
{
	return &relay->counters[segment];
}

static struct rte_ether_addr client_mac(const struct dhcp_message *message)
{
	struct rte_ether_addr mac;

	memcpy(mac.addr_bytes, message->hardware, sizeof(mac.addr_bytes));
	return mac;
}

static struct transaction *transaction_places(struct dhcp_relay *relay, const struct dhcp_message *message)
{
	uint64_t mac = 0;

	memcpy(&mac, message->hardware, DHCP_ETHERNET_LENGTH);
	uint64_t hash = flow_hash(&relay->hash_key, mac, message->transaction);
	return &relay->transaction[hash % (TRANSACTIONS / TRANSACTION_PLACES) * TRANSACTION_PLACES];
}

static bool transaction_is(const struct transaction *transaction, const struct dhcp_message *message)
{
	struct rte_ether_addr mac = client_mac(message);

	return transaction->id == message->transaction && rte_is_same_ether_addr(&transaction->mac, &mac);
}

static void transaction_remember(
	struct dhcp_relay *relay, uint16_t segment, const struct dhcp_message *message, uint64_t now_ns)
{
	struct transaction *place = transaction_places(relay, message), *oldest = place;

	for (unsigned i = 0; i < TRANSACTION_PLACES; i++) {
		if (place[i].segment == segment && transaction_is(&place[i], message)) {
			oldest = &place[i];
			break;
		}
		if (place[i].until_ns < oldest->until_ns)
			oldest = &place[i];
	}
	*oldest = (struct transaction){ .id = message->transaction,
		.mac = client_mac(message),
		.segment = segment,
		.until_ns = now_ns + DHCP_REPLY_NS };
}

static bool segment_has_server(const struct dhcp_relay_settings *settings, rte_be32_t server)
{
	for (uint16_t i = 0; i < settings->server_count; i++)
		if (settings->server[i] == server)
			return true;
	return false;
}

/* The segment whose request this answers, of those that know the server and have this address; -1: none. */
static int reply_segment(struct dhcp_relay *relay, rte_be32_t server, rte_be32_t relay_address,
	const struct dhcp_message *message, uint64_t now_ns)
{
	const struct transaction *place = transaction_places(relay, message);

	for (unsigned i = 0; i < TRANSACTION_PLACES; i++) {
		const struct dhcp_relay_settings *settings = &relay->settings[place[i].segment];

		if (place[i].until_ns >= now_ns && transaction_is(&place[i], message) &&
			settings->gateway == relay_address && segment_has_server(settings, server))
			return place[i].segment;
	}
	return -1;
}

static bool is_well_formed(const struct dhcp_message *message, uint16_t length, uint8_t operation)
{
	struct rte_ether_addr mac;

	if (length < sizeof(*message) || message->operation != operation ||
		message->hardware_type != DHCP_ETHERNET || message->hardware_length != DHCP_ETHERNET_LENGTH)
		return false;
	mac = client_mac(message);
	return rte_is_valid_assigned_ether_addr(&mac);
}

static bool is_own_relay_address(const struct dhcp_relay *relay, rte_be32_t address)
{
	for (uint16_t s = 0; s < relay->segments; s++)
		if (relay->settings[s].gateway == address)
			return true;
	return false;
}

enum dhcp_refusal dhcp_relay_request(struct dhcp_relay *relay, uint16_t segment, struct dhcp_message *message,
	uint16_t *length, uint16_t room, uint64_t now_ns)
{
	const struct dhcp_relay_settings *settings = &relay->settings[segment];
	struct dhcp_relay_counters *counters = &relay->counters[segment];

	counters->requests++;
	if (!is_well_formed(message, *length, DHCP_REQUEST))
		return DHCP_REFUSED_MALFORMED;
	if (message->hops > settings->hops_max)
		return DHCP_REFUSED_HOPS;
	if (message->relay != 0 && is_own_relay_address(relay, message->relay))
		return DHCP_REFUSED_SPOOFED_RELAY;
	message->hops++;
	/* A relay nearer to the client has set its own address and options: the server answers that one. */
	if (message->relay == 0) {
		bool has_option = dhcp_option_find(message, *length, DHCP_OPTION_AGENT);
		if (has_option && !settings->trusted)
			return DHCP_REFUSED_OPTION_82;
		message->relay = settings->gateway;
		if (settings->option_82 && !has_option) {
			int longer = dhcp_agent_option_add(message, *length, room, &settings->id);
			counters->option_82_left_out += longer < 0;
			*length = longer < 0 ? *length : (uint16_t)longer;
		}
		transaction_remember(relay, segment, message, now_ns);
	}
	return DHCP_ACCEPTED;
}

void dhcp_relay_sent(struct dhcp_relay *relay, uint16_t segment)
{
	relay->counters[segment].requests_sent++;
}

/* RFC 1542 section 4.1.2, RFC 2131 section 4.1. A reply without an address for the client is for one that has it already
 * (an answer to DHCPINFORM), or a refusal, which everyone hears. */
static void delivery_fill(const struct dhcp_message *message, struct dhcp_delivery *delivery)
{
	delivery->mac = client_mac(message);
	delivery->destination = message->yours != 0 ? message->yours : message->client;
	delivery->broadcast = (message->flags & DHCP_BROADCAST) != 0 || delivery->destination == 0;
	if (delivery->broadcast)
		delivery->destination = RTE_BE32(UINT32_MAX);
}

enum dhcp_refusal dhcp_relay_reply(struct dhcp_relay *relay, rte_be32_t server, rte_be32_t relay_address,
	struct dhcp_message *message, uint16_t *length, uint64_t now_ns, struct dhcp_delivery *delivery)
{
	bool known = false;

	if (!is_well_formed(message, *length, DHCP_REPLY))
		return DHCP_REFUSED_MALFORMED;
	for (uint16_t s = 0; s < relay->segments && !known; s++)
		known = segment_has_server(&relay->settings[s], server);
	if (!known)
		return DHCP_REFUSED_SERVER;
	int segment = message->relay == relay_address
			      ? reply_segment(relay, server, relay_address, message, now_ns)
			      : -1;
	if (segment < 0)
		return DHCP_REFUSED_UNEXPECTED;
	relay->counters[segment].replies++;
	*length = dhcp_agent_option_remove(message, *length);
	delivery->segment = (uint16_t)segment;
	delivery_fill(message, delivery);
	relay->counters[segment].replies_sent++;
	return DHCP_ACCEPTED;
}
