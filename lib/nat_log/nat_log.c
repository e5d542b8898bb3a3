/* SPDX-License-Identifier: BSD-3-Clause */
#include "nat_log/nat_log.h"
#include "base/clock.h"
#include "base/log.h"
#include "nat_log/ipfix.h"
#include "nat_log/pool_watch.h"
#include "nat_log/text_sink.h"
#include "table/nat_owner.h"
#include "table/segment.h"
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_lcore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUND_MS      20
#define IDLE_ROUND_MS 250 /* without a log there are only the pools to look at */
#define EVENTS_A_TAKE 256u
#define SLOW_WORK_MS                                                                                         \
	1000 /* how often pools, the path's MTU and the templates are looked at, and all is flushed */
#define DRAINED_AT_END (4 * NAT_LOG_ROOM) /* events, of each owner */

struct nat_log {
	struct nat_log_settings settings;
	pthread_t thread;
	_Atomic bool stop, reopen;
	/* by the thread alone */
	struct json_file json;
	struct syslog_stream syslog;
	struct udp_sender collector;
	struct ipfix_exporter ipfix;
	struct pool_watch *watch; /* [pools] */
	struct nat_pool_view *pool;
	uint32_t pools;
	uint64_t base_cycles, base_ms, cycles_per_ms; /* to make a time of a time stamp counter */
	uint64_t slow_due_ms;
	uint64_t events;
	pthread_mutex_t lock;
	struct nat_log_counters counters; /* under the lock */
};

static uint64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / NS_PER_MS;
}

/* The clock may be set while the gateway runs, so the two clocks are held against each other every second. */
static void clocks_read(struct nat_log *log)
{
	log->base_cycles = rte_rdtsc();
	log->base_ms = wall_ms();
}

static uint64_t time_of_cycles(const struct nat_log *log, uint64_t cycles)
{
	int64_t since = (int64_t)(cycles - log->base_cycles) / (int64_t)log->cycles_per_ms;

	return log->base_ms + (uint64_t)since;
}

static void record_write(struct nat_log *log, const struct nat_log_record *record)
{
	if (log->settings.json != NULL)
		json_file_add(&log->json, record);
	if (log->syslog.sender.fd >= 0)
		syslog_stream_add(&log->syslog, record);
	if (log->collector.fd >= 0)
		ipfix_add(&log->ipfix, record);
}

static void event_write(struct nat_log *log, const struct nat_event *event)
{
	const struct segment *segment = &log->settings.segments->segment[event->segment];
	struct nat_log_record record = { .kind = event->type,
		.time_ms = time_of_cycles(log, event->cycles),
		.event = *event,
		.segment = segment->name,
		.vni = segment->vni };

	record_write(log, &record);
	log->events++;
}

/* How many there were. At most `max` of each owner, so that the rest of the work has its turn. */
static uint32_t events_drain(struct nat_log *log, uint32_t max)
{
	struct nat_event event[EVENTS_A_TAKE];
	uint32_t taken = 0;

	for (uint16_t i = 0; i < log->settings.nat->owners; i++) {
		struct nat_events *events = &log->settings.nat->owner[i]->events;
		uint32_t count = EVENTS_A_TAKE;

		if (events->ring == NULL)
			continue;
		for (uint32_t n = 0; n < max && count == EVENTS_A_TAKE; n += count) {
			count = nat_events_take(events, event, EVENTS_A_TAKE);
			for (uint32_t e = 0; e < count; e++)
				event_write(log, &event[e]);
			taken += count;
		}
	}
	return taken;
}

/* What of a pool is not to be had now: in use, or at rest. False: hosts do not take this from the pool. */
struct pool_taken {
	uint64_t taken, ports;
};
static bool pool_taken(const struct nat_pool_view *pool, enum pool_class class, struct pool_taken *out)
{
	if ((class == POOL_BLOCKS) != (pool->block_size != 0))
		return false;
	if (class == POOL_BLOCKS)
		*out = (struct pool_taken){ (pool->blocks_used + pool->blocks_resting) * pool->block_size,
			pool->blocks * pool->block_size };
	else
		*out = (struct pool_taken){ pool->used[class] + pool->resting[class], pool->ports };
	return true;
}

static void pool_mark(struct nat_log *log, const char *pool, enum pool_class class,
	const struct pool_taken *of, uint32_t percent, bool above)
{
	static const struct {
		uint8_t protocol;
		const char *ports;
	} class_of[POOL_CLASSES] = { { IPPROTO_TCP, "TCP ports" }, { IPPROTO_UDP, "UDP ports" },
		{ IPPROTO_ICMP, "ICMP identifiers" }, { 0, "ports, in blocks," } };
	struct nat_log_record record = { .kind = NAT_LOG_POOL_MARK,
		.time_ms = wall_ms(),
		.event.protocol = class_of[class].protocol,
		.pool = pool,
		.percent = percent,
		.above = above,
		.used = of->taken,
		.ports = of->ports };

	log_message(above ? LOG_WARNING : LOG_INFO,
		"NAT pool %s: %s %u %% of its %s are used or rest after use (%" PRIu64 " of %" PRIu64 ")",
		pool, above ? "more than" : "less again than", percent, class_of[class].ports, of->taken,
		of->ports);
	record_write(log, &record);
}

static void pools_look(struct nat_log *log)
{
	uint32_t count = RTE_MIN(nat_pools(log->settings.nat, log->pool, log->pools), log->pools);

	for (uint32_t p = 0; p < count; p++)
		for (enum pool_class class = 0; class < POOL_CLASSES; class ++) {
			struct pool_taken of;
			uint32_t percent;
			bool above;

			while (pool_taken(&log->pool[p], class, &of) &&
				pool_watch_look(&log->watch[p], class, of.taken, of.ports, &percent, &above))
				pool_mark(log, log->pool[p].name, class, &of, percent, above);
		}
}

static uint64_t queue_lost(const struct nat_log *log)
{
	uint64_t lost = 0;

	for (uint16_t i = 0; i < log->settings.nat->owners; i++)
		lost += __atomic_load_n(&log->settings.nat->owner[i]->events.lost, __ATOMIC_RELAXED);
	return lost;
}

static void counters_publish(struct nat_log *log)
{
	pthread_mutex_lock(&log->lock);
	log->counters = (struct nat_log_counters){ .events = log->events,
		.queue_lost = queue_lost(log),
		.json_lines = log->json.lines,
		.json_bytes = log->json.bytes,
		.json_lost = log->json.lost,
		.syslog_messages = log->syslog.messages,
		.syslog_lost = log->syslog.lost,
		.ipfix_messages = log->ipfix.messages,
		.ipfix_records = log->ipfix.records,
		.ipfix_templates = log->ipfix.templates,
		.ipfix_lost = log->ipfix.lost };
	pthread_mutex_unlock(&log->lock);
}

static void flush_all(struct nat_log *log)
{
	json_file_flush(&log->json);
	if (log->collector.fd >= 0)
		ipfix_flush(&log->ipfix, wall_ms());
	counters_publish(log);
}

static void slow_work(struct nat_log *log)
{
	uint64_t now = clock_now_ns() / NS_PER_MS;

	if (now < log->slow_due_ms)
		return;
	log->slow_due_ms = now + SLOW_WORK_MS;
	clocks_read(log);
	pools_look(log);
	if (log->collector.fd >= 0 && udp_sender_payload(&log->collector) > 0)
		ipfix_limit(&log->ipfix, udp_sender_payload(&log->collector));
	flush_all(log);
}

static void lifetime_write(struct nat_log *log, enum nat_log_kind kind)
{
	struct nat_log_record record = { .kind = (uint8_t)kind, .time_ms = wall_ms() };

	record_write(log, &record);
}

static void *nat_log_main(void *argument)
{
	struct nat_log *log = argument;
	bool any = log->settings.json != NULL || log->syslog.sender.fd >= 0 || log->collector.fd >= 0;

	lifetime_write(log, NAT_LOG_STARTED);
	while (!atomic_load_explicit(&log->stop, memory_order_acquire)) {
		if (atomic_exchange(&log->reopen, false))
			json_file_reopen(&log->json);
		if (events_drain(log, NAT_LOG_ROOM) < EVENTS_A_TAKE)
			usleep((any ? ROUND_MS : IDLE_ROUND_MS) * 1000);
		slow_work(log);
	}
	while (events_drain(log, DRAINED_AT_END) > 0)
		;
	lifetime_write(log, NAT_LOG_STOPPED);
	flush_all(log);
	return NULL;
}

static bool collector_send(void *argument, const void *data, size_t length)
{
	return udp_sender_send(argument, data, length);
}

static int sinks_open(struct nat_log *log)
{
	const struct nat_log_settings *settings = &log->settings;
	struct ip_address any = { .family = AF_UNSPEC };
	const struct ipfix_settings ipfix = { .domain = settings->domain,
		.template_interval_s = settings->template_interval_s,
		.send = collector_send,
		.argument = &log->collector };
	int rc = 0;

	if (settings->json != NULL) {
		rc = json_file_open(&log->json, settings->json);
		if (rc < 0)
			log_error("nat.log.json: %s: %s", settings->json, strerror(-rc));
	}
	if (rc == 0 && settings->syslog.family != AF_UNSPEC) {
		gethostname(log->syslog.host, sizeof(log->syslog.host) - 1);
		rc = udp_sender_open(&log->syslog.sender, &settings->syslog, settings->syslog_port, &any);
		if (rc < 0)
			log_error("nat.log.syslog: %s", strerror(-rc));
	}
	if (rc == 0 && settings->collector.family != AF_UNSPEC) {
		rc = udp_sender_open(
			&log->collector, &settings->collector, settings->collector_port, &settings->source);
		if (rc < 0)
			log_error("nat.log.ipfix: %s", strerror(-rc));
		ipfix_init(&log->ipfix, &ipfix);
	}
	return rc;
}

static void nat_log_free(struct nat_log *log)
{
	json_file_close(&log->json);
	udp_sender_close(&log->syslog.sender);
	udp_sender_close(&log->collector);
	pthread_mutex_destroy(&log->lock);
	free(log->watch);
	free(log->pool);
	free(log);
}

struct nat_log *nat_log_start(const struct nat_log_settings *settings)
{
	struct nat_log *log = calloc(1, sizeof(*log));
	int rc = -ENOMEM;

	if (log == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	log->settings = *settings;
	log->syslog.sender.fd = log->collector.fd = -1;
	log->cycles_per_ms = RTE_MAX(rte_get_tsc_hz() / 1000, 1u);
	pthread_mutex_init(&log->lock, NULL);
	clocks_read(log);
	log->pools = nat_pools(settings->nat, NULL, 0);
	log->watch = calloc(log->pools + 1, sizeof(*log->watch));
	log->pool = calloc(log->pools + 1, sizeof(*log->pool));
	if (log->watch != NULL && log->pool != NULL)
		rc = sinks_open(log);
	if (rc == 0)
		rc = rte_ctrl_thread_create(&log->thread, "nat-log", NULL, nat_log_main, log);
	if (rc == 0)
		return log;
	nat_log_free(log);
	errno = -rc;
	return NULL;
}

void nat_log_stop(struct nat_log *log)
{
	if (log == NULL)
		return;
	atomic_store_explicit(&log->stop, true, memory_order_release);
	pthread_join(log->thread, NULL);
	nat_log_free(log);
}

void nat_log_reopen(struct nat_log *log)
{
	atomic_store(&log->reopen, true);
}

struct nat_log_counters nat_log_counters(struct nat_log *log)
{
	pthread_mutex_lock(&log->lock);
	struct nat_log_counters counters = log->counters;
	pthread_mutex_unlock(&log->lock);
	return counters;
}
