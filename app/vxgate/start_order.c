/* SPDX-License-Identifier: BSD-3-Clause */
/* How a gateway starts and stops: one table, run downward to start and upward to stop, from wherever it got. Each step
 * logs why it failed; a step that failed halfway is stopped as well. */
#include "vxgate/gateway.h"

#include "base/clock.h"
#include "base/log.h"
#include "management/config_services.h"
#include "management/telemetry_commands.h"
#include "nat_log/nat_log.h"
#include "port/device_string.h"
#include "stage/fast_path_level.h"
#include "table/nat.h"
#include "vxgate/eal_arguments.h"
#include "vxgate/hugepages.h"
#include "vxgate/memory_plan.h"
#include "vxgate/runtime_directory.h"
#include <errno.h>
#include <inttypes.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- signals ---- */

static struct gateway *signalled; /* for the handler, which has no argument; set once */

static void stop_on_signal(int number)
{
	if (atomic_exchange(&signalled->stop_signal, number) != 0)
		_exit(128 + number); /* the second time: at once */
	doorbell_ring(&signalled->management_doorbell);
}

static void signals_set(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	action.sa_handler = handler == SIG_DFL ? SIG_DFL : SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

static int signals_start(struct gateway *gateway)
{
	int rc = doorbell_open(&gateway->management_doorbell, true);

	if (rc < 0) {
		log_error("cannot make an eventfd: %s", strerror(-rc));
		return rc;
	}
	signalled = gateway;
	signals_set(stop_on_signal);
	return 0;
}

static void signals_stop(struct gateway *gateway)
{
	signals_set(SIG_DFL);
	doorbell_close(&gateway->management_doorbell);
}

/* ---- DPDK's environment ---- */

static bool cpu_is_allowed(const cpu_set_t *allowed, const struct config_cpu *cpu)
{
	return cpu->cpu < CPU_SETSIZE && CPU_ISSET(cpu->cpu, allowed);
}

int cpus_check(const struct config_lcores *lcores, char *error, size_t size)
{
	const struct config_cpu *missing = NULL;
	const char *where = "lcores.packet";
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return -errno;
	for (uint32_t i = 0; i < lcores->packet_count && missing == NULL; i++)
		if (!cpu_is_allowed(&allowed, &lcores->packet[i]))
			missing = &lcores->packet[i];
	if (!cpu_is_allowed(&allowed, &lcores->management)) {
		missing = &lcores->management;
		where = "lcores.management";
	}
	if (missing == NULL)
		return 0;
	snprintf(error, size,
		"%s: lcore %u is to run on CPU %u, which this process may not use or the machine does not "
		"have",
		where, missing->lcore, missing->cpu);
	return -EINVAL;
}

static int hugepages_decide(const struct config *config, bool *use)
{
	struct hugepage_facts facts;
	char reason[HUGEPAGE_REASON];
	int rc;

	hugepage_facts_read(&facts);
	rc = hugepage_choose(config->hugepages, config->memory_mib, &facts, use, reason, sizeof(reason));
	if (rc < 0)
		log_error("memory.hugepages: %s", reason);
	else if (reason[0] != '\0')
		log_info("running without hugepages, which costs some speed: %s", reason);
	return rc;
}

/* The memory was there when it was checked: what is left is what this process may have. */
static void eal_failed(const struct config *config, bool hugepages)
{
	uint64_t needed = memory_need_bytes(memory_gateway_need(config, hugepages));
	char limited[96] = "";
	struct rlimit limit;

	if (rte_errno != ENOMEM) {
		log_error("DPDK does not start%s%s", rte_errno != 0 ? ": " : "",
			rte_errno != 0 ? rte_strerror(rte_errno) : "");
		return;
	}
	if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		snprintf(limited, sizeof(limited),
			", and this process may have %" PRIu64 " of address space (ulimit -v)",
			(uint64_t)limit.rlim_cur);
	log_error("DPDK does not start: %s: the configuration needs %" PRIu64
		  " bytes, memory.mib asks for %" PRIu64 "%s",
		rte_strerror(ENOMEM), needed, (uint64_t)config->memory_mib << 20, limited);
}

static int eal_init(struct gateway *gateway, bool hugepages)
{
	char *arguments[gateway->eal_argument_count + 1]; /* the EAL reorders and overwrites */
	pid_t holder;

	memcpy(arguments, gateway->eal_arguments, sizeof(arguments));
	if (rte_eal_init(gateway->eal_argument_count, arguments) >= 0) {
		gateway->eal_runs = true;
		return 0;
	}
	holder = runtime_directory_holder();
	if (holder == 0)
		runtime_directory_remove(); /* ours, half made */
	if (holder != 0)
		log_error("another gateway named \"%s\" runs here (process %d)", gateway->config->name,
			(int)holder);
	else
		eal_failed(gateway->config, hugepages);
	return -EIO;
}

static int eal_start(struct gateway *gateway)
{
	struct eal_settings settings = { .config = gateway->config,
		.level = log_get_level(),
		.extra = gateway->eal_extra,
		.extra_count = gateway->eal_extra_count };
	char error[256] = "";
	int rc = cpus_check(&gateway->config->lcores, error, sizeof(error));

	if (error[0] != '\0')
		log_error("%s", error);
	if (rc == 0)
		rc = hugepages_decide(gateway->config, &settings.hugepages);
	if (rc < 0)
		return rc;
	rc = dpdk_log_start();
	if (rc == 0) {
		gateway->eal_arguments = eal_arguments_make(&settings, &gateway->eal_argument_count);
		rc = gateway->eal_arguments == NULL ? -errno : 0;
	}
	if (rc < 0) {
		log_error("cannot prepare DPDK: %s", strerror(-rc));
		return rc;
	}
	return eal_init(gateway, settings.hugepages);
}

static void eal_stop(struct gateway *gateway)
{
	if (gateway->eal_runs) {
		rte_eal_cleanup();
		runtime_directory_remove();
		hugepage_files_remove(gateway->config->name);
	}
	gateway->eal_runs = false;
	eal_arguments_free(gateway->eal_arguments, gateway->eal_argument_count);
}

/* ---- ports and plan ---- */

static bool all_ports_virtual(const struct config *config)
{
	struct device_string device;

	for (uint32_t i = 0; i < config->port_count; i++)
		if (device_string_parse(config->port[i].device, &device) == 0 && !device_is_virtual(&device))
			return false;
	return true;
}

static bool has_groups(const struct config *config)
{
	for (uint32_t i = 0; i < config->segment_count; i++)
		if (config->segment[i].group.family != AF_UNSPEC)
			return true;
	return false;
}

static int port_bring_up(struct gateway *gateway, uint32_t at)
{
	const struct config_port *port = &gateway->config->port[at];
	const struct port_settings settings = {
		.name = port->name,
		.device = port->device,
		.mtu = port->mtu,
		.has_mac = port->has_mac,
		.mac = port->mac,
		.rx_queues = port->rx_queues,
		.tx_queues = lcore_plan_senders(&gateway->config->lcores),
		.rx_descriptors = port->rx_descriptors,
		.tx_descriptors = port->tx_descriptors,
		.all_groups = has_groups(gateway->config),
		.sleeps = gateway->sleeps,
	};
	struct port *up = &gateway->port[at];
	int rc = port_start(up, &settings, gateway->packet_pool);

	if (rc < 0)
		return rc;
	gateway->facts[at] = (struct port_facts){
		.device = up->device,
		.mac = up->mac,
		.partial_checksums = up->partial_checksums,
		.rx_ip_checksum = up->rx_ip_checksum,
		.rx_l4_checksum = up->rx_l4_checksum,
	};
	log_info("port %s: %s, MAC " RTE_ETHER_ADDR_PRT_FMT ", MTU %u", up->name, port->device,
		RTE_ETHER_ADDR_BYTES(&up->mac), up->mtu);
	return 0;
}

static int ports_start(struct gateway *gateway)
{
	enum config_idle idle = gateway->config->lcores.idle;
	int rc = 0;

	gateway->sleeps =
		idle == CONFIG_IDLE_SLEEP || (idle == CONFIG_IDLE_AUTO && all_ports_virtual(gateway->config));
	for (uint32_t i = 0; rc == 0 && i < gateway->config->port_count; i++) {
		rc = port_bring_up(gateway, i);
		if (rc == 0)
			gateway->ports_started++;
	}
	return rc;
}

static void ports_stop(struct gateway *gateway)
{
	while (gateway->ports_started > 0)
		port_stop(&gateway->port[--gateway->ports_started]);
}

static void log_lines(char *text)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		log_info("  %s", line);
}

static int plan_start(struct gateway *gateway)
{
	struct lcore_plan_port ports[PORT_MAX];
	char error[256], *table;
	int rc;

	for (uint16_t i = 0; i < gateway->ports_started; i++)
		ports[i] = (struct lcore_plan_port){ gateway->port[i].name, gateway->port[i].device,
			gateway->port[i].rx_queues, gateway->port[i].tx_queues };
	rc = lcore_plan_make(&gateway->config->lcores, ports, gateway->ports_started, gateway->sleeps,
		&gateway->plan, error, sizeof(error));
	if (rc < 0) {
		log_error("%s", error);
		return rc;
	}
	table = lcore_plan_table(&gateway->plan, ports);
	if (table != NULL) {
		log_info("lcore plan:");
		log_lines(table);
	}
	free(table);
	return 0;
}

static int steer_by_rss(void *context, uint16_t port, enum port_rss kind, uint8_t *key, uint8_t key_size,
	const uint16_t *queue, uint16_t table_size)
{
	const struct gateway *gateway = context;

	return port_steer_by_rss(&gateway->port[port], kind, key, key_size, queue, table_size);
}

static int steer_by_rules(void *context, uint16_t port, const struct port_steering_rule *rules,
	uint32_t count, char *reason, size_t size)
{
	const struct gateway *gateway = context;

	return port_steer_by_rules(&gateway->port[port], rules, count, reason, size);
}

/* Before the tables: who owns what depends on it. */
static int steering_start(struct gateway *gateway)
{
	const struct steering_device device = { steer_by_rss, steer_by_rules, gateway };
	struct port_steering_facts facts[PORT_MAX];
	uint8_t key[NAT_STEERING_KEY];

	if (getentropy(key, sizeof(key)) < 0) {
		log_error("no random numbers: %s", strerror(errno));
		return -errno;
	}
	for (uint16_t i = 0; i < gateway->ports_started; i++)
		port_steering_facts(&gateway->port[i], &facts[i]);
	steering_make(&gateway->steering, gateway->config, &gateway->plan, facts, key, &device);
	for (uint16_t i = 0; i < gateway->steering.port_count && gateway->steering.owners > 1; i++) {
		const struct steering_port *port = &gateway->steering.port[i];
		log_info("port %s brings packets to their lcores by %s%s%s%s", port->name,
			steering_method_name[port->method], port->why[0] != '\0' ? " (" : "", port->why,
			port->why[0] != '\0' ? ")" : "");
	}
	if (steering_note(&gateway->steering, NULL)[0] != '\0')
		log_info("%s", steering_note(&gateway->steering, NULL));
	return 0;
}

/* ---- tables, path, slow path ---- */

static int tables_start(struct gateway *gateway)
{
	gateway->plane = data_plane_create_steered(gateway->config, gateway->facts,
		lcore_plan_owners(&gateway->plan), gateway->control_pool, &gateway->steering.nat);
	return gateway->plane == NULL ? -errno : 0;
}

static void tables_stop(struct gateway *gateway)
{
	if (gateway->plane != NULL)
		data_plane_destroy(gateway->plane);
	gateway->plane = NULL;
}

static int path_start(struct gateway *gateway)
{
	gateway->path = packet_path_wire(
		gateway->config->name, &gateway->plan, gateway->plane, &gateway->management_doorbell);
	return gateway->path == NULL ? -errno : 0;
}

static void path_stop(struct gateway *gateway)
{
	packet_path_unwire(gateway->path);
	gateway->path = NULL;
}

static int slowpath_start(struct gateway *gateway)
{
	const struct config *config = gateway->config;
	struct slowpath_settings settings;
	uint16_t count = gateway->path->count;

	gateway->channels = calloc(count, sizeof(*gateway->channels));
	if (gateway->channels == NULL || config_services_make(config, &settings) < 0) {
		log_error("no memory for the slow path");
		return -ENOMEM;
	}
	for (uint16_t i = 0; i < count; i++) {
		struct lcore_context *context = gateway->path->context[i];
		gateway->channels[i] = (struct slowpath_channel){ context->punt, context->inject,
			context->events, &context->doorbell };
	}
	gateway->slowpath = slowpath_create(gateway->plane, gateway->channels, count, &settings);
	config_services_free(&settings);
	if (gateway->slowpath == NULL) {
		log_error("no memory for the slow path: %s", strerror(errno));
		return -ENOMEM;
	}
	/* Its first turn: hosts that are configured are known before the first packet comes. */
	slowpath_poll(gateway->slowpath, clock_now_ns());
	return 0;
}

static void slowpath_stop(struct gateway *gateway)
{
	if (gateway->slowpath != NULL)
		slowpath_destroy(gateway->slowpath);
	gateway->slowpath = NULL;
	free(gateway->channels);
	gateway->channels = NULL;
}

/* ---- the log of NAT ---- */

static void reopen_on_signal(int number)
{
	(void)number;
	nat_log_reopen(signalled->nat_log);
}

/* Outlives the packet lcores, so that what they said last is logged. */
static int nat_log_begin(struct gateway *gateway)
{
	const struct config_nat_log *log = &gateway->config->nat.log;
	const struct nat_log_settings settings = {
		.nat = gateway->plane->nat,
		.segments = gateway->plane->segments,
		.json = log->json[0] == '\0' ? NULL : log->json,
		.syslog = log->syslog,
		.syslog_port = log->syslog_port,
		.collector = log->collector,
		.collector_port = log->collector_port,
		.source = log->source,
		.domain = log->domain,
		.template_interval_s = log->template_interval,
	};

	gateway->nat_log = nat_log_start(&settings);
	if (gateway->nat_log == NULL)
		return -errno;
	sigaction(
		SIGHUP, &(struct sigaction){ .sa_handler = reopen_on_signal, .sa_flags = SA_RESTART }, NULL);
	return 0;
}

static void nat_log_end(struct gateway *gateway)
{
	sigaction(SIGHUP, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	nat_log_stop(gateway->nat_log);
	gateway->nat_log = NULL;
}

/* ---- running ---- */

#define GOODBYE_MS 20

static void lcores_stop(struct gateway *gateway)
{
	if (gateway->lcores_launched == gateway->path->count) {
		slowpath_leave_groups(gateway->slowpath, clock_now_ns());
		usleep(GOODBYE_MS * 1000); /* the packet lcores send what that made */
	}
	packet_lcores_stop(gateway);
}

static int telemetry_begin(struct gateway *gateway)
{
	const struct telemetry_sources sources = {
		.config = gateway->config,
		.plane = gateway->plane,
		.path = gateway->path,
		.slowpath = gateway->slowpath,
		.nat_log = gateway->nat_log,
		.steering = &gateway->steering,
		.started_ns = gateway->started_ns,
	};

	int rc = telemetry_start(&sources);

	if (rc < 0)
		log_error("telemetry does not start: %s", strerror(-rc));
	return rc;
}

static void telemetry_end(struct gateway *gateway)
{
	(void)gateway;
	telemetry_stop();
}

static int ready_start(struct gateway *gateway)
{
	log_info("%s runs: %u ports, %u segments, %u packet lcores, fast path for %s", gateway->config->name,
		gateway->config->port_count, gateway->config->segment_count, gateway->path->count,
		fast_path_level()->name);
	service_notice("READY=1");
	return 0;
}

static void ready_stop(struct gateway *gateway)
{
	service_notice("STOPPING=1");
	log_info("%s stops (%s)", gateway->config->name, strsignal(atomic_load(&gateway->stop_signal)));
}

static const struct step {
	const char *name;
	int (*start)(struct gateway *gateway); /* 0 or -errno */
	void (*stop)(struct gateway *gateway); /* also after a start that failed; NULL: nothing to undo */
} steps[] = {
	{ "signals", signals_start, signals_stop },
	{ "DPDK", eal_start, eal_stop },
	{ "packet buffers", packet_pools_create, packet_pools_free },
	{ "ports", ports_start, ports_stop },
	{ "lcore plan", plan_start, NULL },
	{ "steering", steering_start, NULL },
	{ "tables", tables_start, tables_stop },
	{ "packet path", path_start, path_stop },
	{ "slow path", slowpath_start, slowpath_stop },
	{ "log of NAT", nat_log_begin, nat_log_end },
	{ "packet lcores", packet_lcores_start, lcores_stop },
	{ "telemetry", telemetry_begin, telemetry_end },
	{ "ready", ready_start, ready_stop },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

int gateway_run(struct gateway *gateway)
{
	size_t done = 0;
	int rc = 0;

	gateway->started_ns = clock_now_ns();
	while (rc == 0 && done < STEPS && !gateway_stopping(gateway)) {
		log_debug("starting: %s", steps[done].name);
		rc = steps[done].start(gateway);
		if (rc < 0)
			log_debug("failed: %s: %s", steps[done].name, strerror(-rc));
		done++;
	}
	if (rc == 0 && done == STEPS) /* not when a signal came before all was there */
		management_lcore_run(gateway);
	while (done-- > 0) {
		log_debug("stopping: %s", steps[done].name);
		if (steps[done].stop != NULL)
			steps[done].stop(gateway);
	}
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
