/* SPDX-License-Identifier: BSD-3-Clause */
/* What left the gateway: for the test to receive, and as a transcript to compare plans by. */
#include "gateway_private.h"
#include "table/nat.h"
#include <rte_debug.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sent_frame {
	uint32_t run, at; /* at: place among all that left */
	uint16_t port, length;
	bool taken;
	uint8_t *bytes;
};

struct gateway_output {
	uint16_t ports;
	uint32_t count, capacity;
	uint32_t shown;           /* so many the hosts have seen */
	struct sent_frame *frame; /* in the order they left */
	uint32_t *next;           /* [ports]: where gateway_receive goes on */
};

struct gateway_output *gateway_output_create(uint16_t ports)
{
	struct gateway_output *output = calloc(1, sizeof(*output));

	if (output == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	output->ports = ports;
	output->next = calloc(ports, sizeof(*output->next));
	return output;
}

void gateway_output_free(struct gateway_output *output)
{
	for (uint32_t i = 0; i < output->count; i++)
		free(output->frame[i].bytes);
	free(output->frame);
	free(output->next);
	free(output);
}

void gateway_output_add(struct gateway_output *output, uint16_t port, uint32_t run, const struct frame *frame)
{
	if (output->count == output->capacity) {
		output->capacity = output->capacity ? 2 * output->capacity : 64;
		output->frame = realloc(output->frame, output->capacity * sizeof(*output->frame));
	}
	uint8_t *bytes = malloc(frame->length);
	if (output->frame == NULL || bytes == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	memcpy(bytes, frame->bytes, frame->length);
	output->frame[output->count++] =
		(struct sent_frame){ .run = run, .port = port, .length = frame->length, .bytes = bytes };
}

void gateway_output_show(struct gateway *gateway)
{
	struct gateway_output *output = gateway->output;
	struct frame frame;

	for (; output->shown < output->count; output->shown++) {
		struct sent_frame *sent = &output->frame[output->shown];

		frame.length = sent->length;
		memcpy(frame.bytes, sent->bytes, sent->length);
		sent->taken = gateway_hosts_take(gateway, sent->port, &frame);
	}
}

static struct sent_frame *next_waiting(struct gateway_output *output, uint16_t port)
{
	for (uint32_t *at = &output->next[port]; *at < output->count; (*at)++)
		if (output->frame[*at].port == port && !output->frame[*at].taken)
			return &output->frame[*at];
	return NULL;
}

bool gateway_receive(struct gateway *gateway, uint16_t port, struct frame *frame)
{
	struct sent_frame *sent = next_waiting(gateway->output, port);

	if (sent == NULL)
		return false;
	frame->length = sent->length;
	memcpy(frame->bytes, sent->bytes, sent->length);
	gateway->output->next[port]++;
	return true;
}

void gateway_forget_output(struct gateway *gateway)
{
	struct gateway_output *output = gateway->output;

	for (uint32_t i = 0; i < output->count; i++)
		free(output->frame[i].bytes);
	output->count = output->shown = 0;
	memset(output->next, 0, output->ports * sizeof(*output->next));
}

unsigned gateway_waiting(const struct gateway *gateway, uint16_t port)
{
	const struct gateway_output *output = gateway->output;
	unsigned waiting = 0;

	for (uint32_t i = output->next[port]; i < output->count; i++)
		waiting += output->frame[i].port == port && !output->frame[i].taken;
	return waiting;
}

uint64_t gateway_slowpath_drops(const struct gateway *gateway, enum drop_reason reason)
{
	const struct slowpath_counters *counters = slowpath_counters(gateway->slowpath);

	switch (reason) {
#define SLOWPATH_DROP(identifier)                                                                            \
	case DROP_##identifier:                                                                              \
		return counters->drop[SLOWPATH_DROP_##identifier];
#include "slowpath/slowpath_drop.def"
#undef SLOWPATH_DROP
	default:
		return 0;
	}
}

#define PUBLIC_MAX 256

struct gateway_transcript {
	uint32_t count;
	struct sent_frame *frame;
	uint32_t counter_count;
	uint64_t *counter;
	/* normalised: the public (address, port) pairs of pools in the order of appearance */
	uint32_t public_count;
	uint64_t public[PUBLIC_MAX];
};

static bool in_pools(const struct config_nat *nat, uint32_t address)
{
	for (uint32_t i = 0; i < nat->pool_count; i++)
		for (uint32_t r = 0; r < nat->pool[i].range_count; r++)
			if (address >= nat->pool[i].range[r].first && address <= nat->pool[i].range[r].last)
				return true;
	return false;
}

/* The place of the pair among those seen, from 1. */
static uint32_t public_number(struct gateway_transcript *t, uint64_t pair)
{
	for (uint32_t i = 0; i < t->public_count; i++)
		if (t->public[i] == pair)
			return i + 1;
	if (t->public_count == PUBLIC_MAX)
		rte_exit(EXIT_FAILURE, "too many public ports in one transcript\n");
	t->public[t->public_count++] = pair;
	return t->public_count;
}

/* Replaces the public end of the packet at `ip` if it has one. Its checksums, which depend on it, have been checked
 * by whoever looked at the frame; here they are cleared. */
static void normalise_end(struct gateway_transcript *t, const struct config *config, struct frame *frame,
	uint16_t ip, uint16_t length, bool source)
{
	uint16_t header = (uint16_t)((frame->bytes[ip] & 15) * 4);
	uint16_t address = (uint16_t)(ip + (source ? 12 : 16)), l4 = (uint16_t)(ip + header);
	uint8_t protocol = frame->bytes[ip + 9];
	uint16_t port = protocol == 1 ? (uint16_t)(l4 + 4) : (uint16_t)(l4 + (source ? 0 : 2));
	uint16_t sum = (uint16_t)(l4 + (protocol == 1 ? 2 : protocol == 17 ? 6 : 16));

	if (length < header + 8 || !in_pools(&config->nat, frame_get32(frame, address)))
		return;
	uint64_t pair = (uint64_t)frame_get32(frame, address) << 16 | frame_get16(frame, port);
	frame_put16(frame, port, (uint16_t)public_number(t, pair << 8 | protocol));
	frame_put16(frame, (uint16_t)(ip + 10), 0);
	if (sum + 2 <= ip + length)
		frame_put16(frame, sum, 0);
}

static void normalise(struct gateway_transcript *t, const struct config *config, struct sent_frame *sent)
{
	struct frame frame = { .length = sent->length };
	struct frame_view view;

	memcpy(frame.bytes, sent->bytes, sent->length);
	frame_check(&frame, 4789, &view); /* a wrong L4 checksum that was sent so is no reason to stop */
	if (view.ip == 0 || view.l4 == 0)
		return;
	/* The tunnel's source port is a hash of the inner flow. */
	if (view.tunnelled && in_pools(&config->nat, frame_get32(&frame, (uint16_t)(view.ip + 12))))
		frame_put16(&frame, view.outer_udp, 0);
	bool error = view.protocol == 1 && frame.bytes[view.l4] != 0 && frame.bytes[view.l4] != 8;
	if (error && view.data_length >= 28) {
		normalise_end(t, config, &frame, view.data, view.data_length, false);
		normalise_end(t, config, &frame, view.data, view.data_length, true);
		frame_put16(&frame, (uint16_t)(view.l4 + 2), 0);
	} else {
		normalise_end(t, config, &frame, view.ip, view.ip_total, true);
	}
	memcpy(sent->bytes, frame.bytes, sent->length);
}

/* Frames of one run on one port have no order among lcores. */
static int frame_order(const void *a, const void *b)
{
	const struct sent_frame *x = a, *y = b;

	if (x->run != y->run)
		return x->run < y->run ? -1 : 1;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return memcmp(x->bytes, y->bytes, x->length);
}

static void counters_take(const struct gateway *gateway, struct gateway_transcript *t)
{
	uint32_t interfaces = PORT_MAX + gateway->plane->segments->count,
		 tunnels = gateway->plane->tunnels->count;
	size_t slow = sizeof(struct slowpath_counters) / sizeof(uint64_t);
	uint32_t n = 0;

	t->counter_count = (uint32_t)(STAGES + DROP_REASONS + PUNT_REASONS + 1 + 4 * interfaces +
				      4 * tunnels + slow + 1);
	t->counter = calloc(t->counter_count, sizeof(uint64_t));
	for (uint16_t i = 0; i < gateway->path->count; i++) {
		const struct lcore_counters *c = &gateway->path->context[i]->counters;

		n = 0;
		for (int s = 0; s < STAGES; s++)
			t->counter[n++] += c->stage[s].packets;
		for (int d = 0; d < DROP_REASONS; d++)
			t->counter[n++] += c->drop[d];
		for (int p = 0; p < PUNT_REASONS; p++)
			t->counter[n++] += c->punted[p];
		t->counter[n++] += c->moves_followed;
		for (uint32_t k = 0; k < 4 * interfaces; k++)
			t->counter[n++] += ((const uint64_t *)c->interface)[k];
		for (uint32_t k = 0; k < 4 * tunnels; k++)
			t->counter[n++] += ((const uint64_t *)&c->tunnel[k / 4].counters)[k % 4];
	}
	memcpy(&t->counter[n], slowpath_counters(gateway->slowpath), slow * sizeof(uint64_t));
	t->counter[n + slow] = gateway_sessions(gateway);
}

struct gateway_transcript *gateway_take_transcript(struct gateway *gateway, bool normalised)
{
	struct gateway_transcript *t = calloc(1, sizeof(*t));

	t->count = gateway->output->count;
	t->frame = calloc(t->count + 1, sizeof(*t->frame));
	for (uint32_t i = 0; i < t->count; i++) {
		t->frame[i] = gateway->output->frame[i];
		t->frame[i].at = i;
		t->frame[i].bytes = malloc(t->frame[i].length);
		memcpy(t->frame[i].bytes, gateway->output->frame[i].bytes, t->frame[i].length);
		if (normalised)
			normalise(t, gateway->config, &t->frame[i]);
	}
	qsort(t->frame, t->count, sizeof(*t->frame), frame_order);
	counters_take(gateway, t);
	return t;
}

static const char *counter_name(uint32_t at)
{
	static const char *const stage[] = {
#define STAGE(identifier, name, sentence) "packets of the stage " name,
#include "stage/stage.def"
#undef STAGE
	};

	if (at < STAGES)
		return stage[at];
	if (at < STAGES + DROP_REASONS)
		return drop_reason_text[at - STAGES].name;
	if (at < STAGES + DROP_REASONS + PUNT_REASONS)
		return "a counter of punts";
	return "a counter of interfaces, tunnels, sessions or the slow path";
}

static void frame_show(const char *which, const struct sent_frame *sent)
{
	struct frame frame = { .length = sent->length };
	char text[FRAME_TEXT];

	memcpy(frame.bytes, sent->bytes, sent->length);
	fprintf(stderr, "%s: run %u, port %u: %s\n", which, sent->run, sent->port, frame_text(&frame, text));
}

/* The addresses of the packet inside, and its ports where it has any: by these, flows are told apart. */
struct flow_key {
	uint64_t addresses;
	uint32_t ports;
};

static struct flow_key flow_of(const struct sent_frame *sent)
{
	struct frame frame = { .length = sent->length };
	struct flow_key key = { 0 };
	struct frame_view view;

	memcpy(frame.bytes, sent->bytes, sent->length);
	frame_check(&frame, 4789, &view);
	if (view.ip != 0)
		key.addresses = (uint64_t)frame_get32(&frame, (uint16_t)(view.ip + 12)) << 32 |
				frame_get32(&frame, (uint16_t)(view.ip + 16));
	if (view.l4 != 0 && !view.fragment && (view.protocol == IPPROTO_TCP || view.protocol == IPPROTO_UDP))
		key.ports = frame_get32(&frame, view.l4);
	return key;
}

static int flow_order(const void *a, const void *b)
{
	const struct sent_frame *x = a, *y = b;
	struct flow_key of_x = flow_of(x), of_y = flow_of(y);

	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	if (of_x.addresses != of_y.addresses)
		return of_x.addresses < of_y.addresses ? -1 : 1;
	if (of_x.ports != of_y.ports)
		return of_x.ports < of_y.ports ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

static const char *order_compare(const struct gateway_transcript *a, const struct gateway_transcript *b)
{
	qsort(a->frame, a->count, sizeof(*a->frame), flow_order);
	qsort(b->frame, b->count, sizeof(*b->frame), flow_order);
	for (uint32_t i = 0; i < a->count; i++) {
		if (frame_order(&a->frame[i], &b->frame[i]) == 0)
			continue;
		frame_show("one", &a->frame[i]);
		frame_show("other", &b->frame[i]);
		return "the order of the frames of a flow";
	}
	return NULL;
}

const char *gateway_transcript_compare(
	const struct gateway_transcript *a, const struct gateway_transcript *b, unsigned also)
{
	if (a->count != b->count)
		return "the number of frames";
	for (uint32_t i = 0; i < a->count; i++) {
		if (frame_order(&a->frame[i], &b->frame[i]) == 0)
			continue;
		frame_show("one", &a->frame[i]);
		frame_show("other", &b->frame[i]);
		return "the bytes of a frame, or when or where it left";
	}
	if (a->counter_count != b->counter_count)
		return "the number of tunnels";
	for (uint32_t i = also & COMPARE_STAGES ? 0 : STAGES; i < a->counter_count; i++)
		if (a->counter[i] != b->counter[i])
			return counter_name(i);
	return also & COMPARE_ORDER ? order_compare(a, b) : NULL;
}

void gateway_transcript_free(struct gateway_transcript *t)
{
	for (uint32_t i = 0; i < t->count; i++)
		free(t->frame[i].bytes);
	free(t->frame);
	free(t->counter);
	free(t);
}
