/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop of the management lcore: everything about packets that is not forwarding, and an eye on the links. */
#include "vxgate/gateway.h"

#include "base/clock.h"
#include "base/log.h"
#include <poll.h>
#include <time.h>

#define LINK_WATCH_NS (250 * NS_PER_MS)
#define WAIT_LEAST_NS (1 * NS_PER_MS)
#define WAIT_MOST_NS  (50 * NS_PER_MS)

struct link_watch {
	uint64_t due_ns;
	bool up[PORT_MAX];
};

static void links_look(struct link_watch *watch, const struct gateway *gateway, uint64_t now)
{
	if (now < watch->due_ns)
		return;
	watch->due_ns = now + LINK_WATCH_NS;
	for (uint16_t i = 0; i < gateway->ports_started; i++) {
		bool up = port_link_up(&gateway->port[i]);
		if (up != watch->up[i])
			log_info("port %s: the link is %s", gateway->port[i].name, up ? "up" : "down");
		watch->up[i] = up;
	}
}

/* Links are expected up: what is down at the start is worth a line, what is up is not. */
static void links_begin(struct link_watch *watch)
{
	watch->due_ns = 0;
	for (uint16_t i = 0; i < PORT_MAX; i++)
		watch->up[i] = true;
}

static void wait_for_work(struct gateway *gateway, uint64_t now)
{
	struct pollfd entry = { .fd = gateway->management_doorbell.fd, .events = POLLIN };
	uint64_t due = slowpath_next_due_ns(gateway->slowpath);
	uint64_t wait = due > now ? due - now : 0;
	struct timespec timeout = { 0 };

	wait = wait < WAIT_LEAST_NS ? WAIT_LEAST_NS : wait;
	wait = wait > WAIT_MOST_NS ? WAIT_MOST_NS : wait;
	timeout.tv_nsec = (long)wait;
	ppoll(&entry, 1, &timeout, NULL);
}

void management_lcore_run(struct gateway *gateway)
{
	struct link_watch links;

	links_begin(&links);
	while (!gateway_stopping(gateway)) {
		uint64_t now = clock_now_ns();
		unsigned handled = slowpath_poll(gateway->slowpath, now);

		links_look(&links, gateway, now);
		if (handled > 0)
			continue;
		doorbell_arm(&gateway->management_doorbell);
		if (slowpath_poll(gateway->slowpath, now) == 0 && !gateway_stopping(gateway))
			wait_for_work(gateway, now);
		doorbell_disarm(&gateway->management_doorbell);
	}
}
