/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop of the management lcore: everything about packets that is not forwarding, and an eye on the links. */
#include "vxgate/gateway.h"

#include "base/clock.h"
#include "base/log.h"
#include "management/trouble_watch.h"
#include <poll.h>
#include <time.h>

#define LINK_WATCH_NS (250 * NS_PER_MS)
#define WAIT_LEAST_NS (1 * NS_PER_MS)
#define WAIT_MOST_NS  (50 * NS_PER_MS)

static enum port_link link_of(const struct port *port)
{
	if (port_is_gone(port))
		return PORT_LINK_GONE;
	return port_link_up(port) ? PORT_LINK_UP : PORT_LINK_DOWN;
}

/* Links are expected up: what is down at the start is worth a line, what is up is not. */
static void link_say(const char *port, enum port_link before, enum port_link now)
{
	if (now == PORT_LINK_GONE)
		log_error("port %s: its interface is gone; vxgate must be started again to use another of "
			  "that name",
			port);
	else if (now == PORT_LINK_DOWN || before != PORT_LINK_UNKNOWN)
		log_info("port %s: the link is %s", port, now == PORT_LINK_UP ? "up" : "down");
}

static void links_look(uint64_t *due_ns, const struct gateway *gateway, uint64_t now)
{
	if (now < *due_ns)
		return;
	*due_ns = now + LINK_WATCH_NS;
	for (uint16_t i = 0; i < gateway->ports_started; i++) {
		_Atomic uint8_t *known = &gateway->plane->port[i].link;
		enum port_link link = link_of(&gateway->port[i]), before = (enum port_link)atomic_load(known);

		if (link == before)
			continue;
		link_say(gateway->port[i].name, before, link);
		atomic_store(known, (uint8_t)link);
	}
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
	struct trouble_watch *troubles = trouble_watch_create(gateway->path, gateway->slowpath);
	uint64_t links_due_ns = 0;

	if (troubles == NULL)
		log_warning("no memory to watch for full tables and floods");

	while (!gateway_stopping(gateway)) {
		uint64_t now = clock_now_ns();
		unsigned handled = slowpath_poll(gateway->slowpath, now);

		links_look(&links_due_ns, gateway, now);
		if (troubles != NULL)
			trouble_watch_look(troubles, now);
		if (handled > 0)
			continue;
		doorbell_arm(&gateway->management_doorbell);
		if (slowpath_poll(gateway->slowpath, now) == 0 && !gateway_stopping(gateway))
			wait_for_work(gateway, now);
		doorbell_disarm(&gateway->management_doorbell);
	}
	trouble_watch_destroy(troubles);
}
