/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop of a packet lcore, and what it does when there is nothing to do.
 *
 * "poll": goes round again. "sleep": goes round for a little while, since packets come in flocks; then says by its
 * doorbell and by RX interrupts that it sleeps, looks once more at everything, and waits for a file descriptor: the
 * doorbell, interrupts, the sockets of the kernel's ports. Where a device has none of these it naps instead. */
#include "vxgate/gateway.h"

#include "base/clock.h"
#include "base/log.h"
#include <errno.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_launch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SPIN_NS       (20 * NS_PER_US) /* go round empty so long before sleeping */
#define NAP_NS        (75 * NS_PER_US) /* sleep where nothing wakes us: a packet waits no longer than 100 us */
#define SLEEP_NS      (20 * NS_PER_MS) /* sleep at most: sessions expire meanwhile */
#define WAKES_AT_ONCE 16

struct packet_lcore {
	struct lcore_context *context;
	const _Atomic bool *stop;
	bool sleeps;
	int epoll;
	struct timespec timeout;
	uint64_t spin_cycles;
	uint16_t interrupt_count; /* queues that wake by an RX interrupt */
	struct {
		uint16_t device, queue;
	} interrupt[PORT_MAX];
};

static bool stopping(const struct packet_lcore *lcore)
{
	return atomic_load_explicit(lcore->stop, memory_order_relaxed);
}

static void interrupts_arm(const struct packet_lcore *lcore, bool on)
{
	for (uint16_t i = 0; i < lcore->interrupt_count; i++) {
		if (on)
			port_interrupt_enable(lcore->interrupt[i].device, lcore->interrupt[i].queue);
		else
			port_interrupt_disable(lcore->interrupt[i].device, lcore->interrupt[i].queue);
	}
}

/* An interface that went down leaves an error on its socket, which would wake us for ever. */
static void clear_error(int socket)
{
	socklen_t length = sizeof(int);
	int error;

	getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length);
}

/* True when something woke us, false when the time was up. */
static bool wait_for_work(struct packet_lcore *lcore)
{
	struct epoll_event event[WAKES_AT_ONCE];
	int count = epoll_pwait2(lcore->epoll, event, WAKES_AT_ONCE, &lcore->timeout, NULL);

	for (int i = 0; i < count; i++)
		if (event[i].events & EPOLLERR)
			clear_error(event[i].data.fd);
	return count > 0;
}

/* Returns the packets that the last look found, and in `woken` whether more are to be expected. */
static unsigned sleep_until_work(struct packet_lcore *lcore, bool *woken)
{
	struct lcore_context *context = lcore->context;
	unsigned handled;

	doorbell_arm(&context->doorbell);
	interrupts_arm(lcore, true);
	handled = packet_path_poll(context, rte_rdtsc());
	*woken = true;
	if (handled == 0 && !stopping(lcore)) {
		context->counters.sleeps++;
		packet_path_offline(context);
		*woken = wait_for_work(lcore);
		packet_path_online(context);
	}
	interrupts_arm(lcore, false);
	doorbell_disarm(&context->doorbell);
	return handled;
}

static int packet_lcore_main(void *argument)
{
	struct packet_lcore *lcore = argument;
	struct lcore_context *context = lcore->context;
	struct lcore_counters *counters = &context->counters;
	uint64_t now = rte_rdtsc(), idle_since = now;

	prctl(PR_SET_TIMERSLACK, 1ul); /* or each nap lasts 50 us longer */
	packet_path_online(context);
	while (!stopping(lcore)) {
		unsigned handled = packet_path_poll(context, now);
		uint64_t end = rte_rdtsc();

		if (handled > 0) {
			counters->busy_cycles += end - now;
			idle_since = end;
		} else {
			counters->idle_cycles += end - now;
			if (lcore->sleeps && end - idle_since >= lcore->spin_cycles) {
				bool woken;
				handled = sleep_until_work(lcore, &woken);
				now = rte_rdtsc();
				counters->idle_cycles += now - end;
				if (woken)
					idle_since = now;
				continue;
			}
		}
		now = end;
	}
	packet_path_offline(context);
	return 0;
}

static int watch(struct packet_lcore *lcore, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(lcore->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int watch_queue(struct packet_lcore *lcore, const struct gateway *gateway, const struct rx_queue *rx)
{
	const struct port_wake *wake = &gateway->port[rx->port].wake[rx->queue];

	if (wake->fd < 0) {
		lcore->timeout.tv_nsec = NAP_NS;
		return 0;
	}
	if (!wake->interrupt)
		return watch(lcore, wake->fd, EPOLLIN);
	lcore->interrupt[lcore->interrupt_count].device = rx->device;
	lcore->interrupt[lcore->interrupt_count].queue = rx->queue;
	lcore->interrupt_count++;
	/* Edge triggered: what is behind the descriptor differs by driver, so nobody reads it empty. */
	return watch(lcore, wake->fd, EPOLLIN | EPOLLET);
}

static int packet_lcore_prepare(struct packet_lcore *lcore, struct gateway *gateway, uint16_t at)
{
	int rc = 0;

	lcore->context = gateway->path->context[at];
	lcore->stop = &gateway->lcores_stop;
	lcore->sleeps = gateway->path->plan.entry[at].sleeps;
	lcore->spin_cycles = rte_get_tsc_hz() * SPIN_NS / NS_PER_SECOND;
	lcore->timeout.tv_nsec = SLEEP_NS;
	lcore->epoll = -1;
	if (!lcore->sleeps)
		return 0;
	lcore->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (lcore->epoll < 0)
		return -errno;
	rc = watch(lcore, lcore->context->doorbell.fd, EPOLLIN);
	for (uint16_t q = 0; rc == 0 && q < lcore->context->rx_count; q++)
		rc = watch_queue(lcore, gateway, &lcore->context->rx[q]);
	return rc;
}

int packet_lcores_start(struct gateway *gateway)
{
	uint16_t count = gateway->path->count;
	int rc = 0;

	gateway->lcores = calloc(count, sizeof(*gateway->lcores));
	if (gateway->lcores == NULL) {
		log_error("no memory for %u packet lcores", count);
		return -ENOMEM;
	}
	for (uint16_t i = 0; i < count; i++)
		gateway->lcores[i].epoll = -1;
	atomic_store(&gateway->lcores_stop, false);
	for (uint16_t i = 0; rc == 0 && i < count; i++) {
		rc = packet_lcore_prepare(&gateway->lcores[i], gateway, i);
		if (rc == 0)
			rc = rte_eal_remote_launch(
				packet_lcore_main, &gateway->lcores[i], gateway->path->context[i]->lcore);
		if (rc == 0)
			gateway->lcores_launched++;
		else
			log_error("packet lcore %u does not start: %s", gateway->path->context[i]->lcore,
				strerror(-rc));
	}
	return rc;
}

void packet_lcores_stop(struct gateway *gateway)
{
	if (gateway->lcores == NULL)
		return;
	atomic_store(&gateway->lcores_stop, true);
	for (uint16_t i = 0; i < gateway->lcores_launched; i++) {
		doorbell_ring(&gateway->path->context[i]->doorbell);
		rte_eal_wait_lcore(gateway->path->context[i]->lcore);
	}
	for (uint16_t i = 0; i < gateway->path->count; i++)
		if (gateway->lcores[i].epoll >= 0)
			close(gateway->lcores[i].epoll);
	free(gateway->lcores);
	gateway->lcores = NULL;
	gateway->lcores_launched = 0;
}
