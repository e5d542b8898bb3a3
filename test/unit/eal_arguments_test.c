/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgate/eal_arguments.h"
#include "vxgate/hugepages.h"

#include <criterion/criterion.h>
#include <errno.h>

static struct config_cpu two_on_one_cpu[] = { { 1, 1 }, { 2, 1 } };
static struct config_port ports[] = {
	{ .name = "underlay", .device = "net_af_packet0,iface=under0" },
	{ .name = "uplink", .device = "net_tap0" },
};

static struct config config_of_edge(void)
{
	return (struct config){
		.name = "edge-a",
		.lcores = { .management = { 0, 0 }, .packet = two_on_one_cpu, .packet_count = 2 },
		.memory_mib = 512,
		.port = ports,
		.port_count = 2,
		.telemetry_socket = "auto",
	};
}

static bool has(char **arguments, const char *wanted)
{
	for (; *arguments != NULL; arguments++)
		if (strcmp(*arguments, wanted) == 0)
			return true;
	return false;
}

Test(eal_arguments, lcores_are_put_on_their_cpus_and_management_is_the_main_one)
{
	struct config config = config_of_edge();
	struct eal_settings settings = { .config = &config };
	int count;
	char **arguments = eal_arguments_make(&settings, &count);

	cr_assert_not_null(arguments);
	cr_assert(has(arguments, "--lcores=0@0,1@1,2@1"));
	cr_assert(has(arguments, "--main-lcore=0"));
	cr_assert_null(arguments[count]);
	eal_arguments_free(arguments, count);
}

Test(eal_arguments, instances_are_kept_apart_by_their_names)
{
	struct config config = config_of_edge();
	struct eal_settings settings = { .config = &config };
	int count;
	char **arguments = eal_arguments_make(&settings, &count);

	cr_assert(has(arguments, "--file-prefix=vxgate-edge-a"));
	eal_arguments_free(arguments, count);
}

Test(eal_arguments, memory_is_as_configured_with_and_without_hugepages)
{
	struct config config = config_of_edge();
	struct eal_settings settings = { .config = &config, .hugepages = false };
	int count;
	char **arguments = eal_arguments_make(&settings, &count);

	cr_assert(has(arguments, "512"));
	cr_assert(has(arguments, "--no-huge"));
	eal_arguments_free(arguments, count);
	settings.hugepages = true;
	arguments = eal_arguments_make(&settings, &count);
	cr_assert(has(arguments, "512"));
	cr_assert_not(has(arguments, "--no-huge"));
	eal_arguments_free(arguments, count);
}

Test(eal_arguments, only_the_pci_devices_of_the_configuration_are_taken)
{
	struct config config = config_of_edge();
	struct config_port with_pci[] = { ports[0],
		{ .name = "uplink", .device = "0000:3b:00.0,rx_vec_en=1" } };
	struct eal_settings settings = { .config = &config };
	int count;
	char **arguments = eal_arguments_make(&settings, &count);

	cr_assert(has(arguments, "--no-pci"), "no PCI device is configured, none is looked for");
	eal_arguments_free(arguments, count);
	config.port = with_pci;
	arguments = eal_arguments_make(&settings, &count);
	cr_assert(has(arguments, "--allow=0000:3b:00.0,rx_vec_en=1"));
	cr_assert_not(has(arguments, "--no-pci"));
	eal_arguments_free(arguments, count);
}

Test(eal_arguments, what_the_user_adds_comes_last_and_wins)
{
	char *extra[] = { "--log-level=lib.eal:debug", "--no-telemetry" };
	struct config config = config_of_edge();
	struct eal_settings settings = { .config = &config, .extra = extra, .extra_count = 2 };
	int count;
	char **arguments = eal_arguments_make(&settings, &count);

	cr_assert_str_eq(arguments[count - 2], extra[0]);
	cr_assert_str_eq(arguments[count - 1], extra[1]);
	eal_arguments_free(arguments, count);
}

Test(eal_arguments, telemetry_can_be_switched_off)
{
	struct config config = config_of_edge();
	struct eal_settings settings = { .config = &config };
	int count;
	char **arguments = eal_arguments_make(&settings, &count);

	cr_assert_not(has(arguments, "--no-telemetry"));
	eal_arguments_free(arguments, count);
	strcpy(config.telemetry_socket, "off");
	arguments = eal_arguments_make(&settings, &count);
	cr_assert(has(arguments, "--no-telemetry"));
	eal_arguments_free(arguments, count);
}

Test(hugepages, are_used_when_enough_are_free)
{
	struct hugepage_facts facts = { .free_mib = 512, .mounted = true };
	char reason[256];
	bool use;

	cr_assert_eq(hugepage_choose(CONFIG_HUGEPAGES_AUTO, 512, &facts, &use, reason, sizeof(reason)), 0);
	cr_assert(use);
	cr_assert_str_eq(reason, "");
}

Test(hugepages, without_them_the_gateway_runs_and_says_why_it_has_none)
{
	struct hugepage_facts few = { .free_mib = 100, .mounted = true }, unmounted = { .free_mib = 1024 };
	char reason[256];
	bool use;

	cr_assert_eq(hugepage_choose(CONFIG_HUGEPAGES_AUTO, 512, &few, &use, reason, sizeof(reason)), 0);
	cr_assert_not(use);
	cr_assert_str_eq(reason, "100 MiB of hugepages are free, memory.mib is 512");
	cr_assert_eq(
		hugepage_choose(CONFIG_HUGEPAGES_AUTO, 512, &unmounted, &use, reason, sizeof(reason)), 0);
	cr_assert_not(use);
	cr_assert(strstr(reason, "hugetlbfs") != NULL);
}

Test(hugepages, are_a_must_or_unwanted_when_the_configuration_says_so)
{
	struct hugepage_facts none = { 0 }, many = { .free_mib = 4096, .mounted = true };
	char reason[256];
	bool use;

	cr_assert_eq(
		hugepage_choose(CONFIG_HUGEPAGES_YES, 512, &none, &use, reason, sizeof(reason)), -ENOMEM);
	cr_assert_neq(reason[0], '\0');
	cr_assert_eq(hugepage_choose(CONFIG_HUGEPAGES_NO, 512, &many, &use, reason, sizeof(reason)), 0);
	cr_assert_not(use);
	cr_assert_str_eq(reason, "", "nothing to explain");
}

Test(hugepages, only_pages_of_a_size_that_is_mounted_can_be_had)
{
	cr_assert_eq(hugepage_mount_kib("rw,relatime,pagesize=2M"), 2048);
	cr_assert_eq(hugepage_mount_kib("rw,relatime,pagesize=1024M"), 1048576);
	cr_assert_eq(hugepage_mount_kib("rw,pagesize=1G,size=4G"), 1048576);
	cr_assert_eq(hugepage_mount_kib("rw,pagesize=64K"), 64);
	cr_assert_eq(hugepage_mount_kib("rw,pagesize=2097152"), 2048);
	cr_assert_eq(hugepage_mount_kib("rw,relatime"), 0);
}
