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

#define GIB (UINT64_C(1) << 30)

/* A machine with pages of 2 MB, and of 1 GB that no hugetlbfs is mounted for. */
static struct hugepage_facts facts_of(uint64_t pages, uint64_t free, bool mounted)
{
	return (struct hugepage_facts){ .size = { { 2048, pages, free, mounted }, { 1048576, 0, 0, false } },
		.sizes = 2,
		.ordinary = 2 * GIB };
}

static const char *reason_of(
	enum config_hugepages wanted, uint32_t mib, struct hugepage_facts facts, bool uses)
{
	static char reason[HUGEPAGE_REASON];
	bool use;
	int status = hugepage_choose(wanted, mib, &facts, &use, reason, sizeof(reason));

	cr_assert_eq(use, uses);
	cr_assert_eq(status, wanted == CONFIG_HUGEPAGES_YES && !uses ? -ENOMEM : 0);
	return reason;
}

Test(hugepages, are_used_when_enough_are_free)
{
	cr_assert_str_eq(reason_of(CONFIG_HUGEPAGES_AUTO, 512, facts_of(300, 256, true), true), "");
	cr_assert_str_eq(reason_of(CONFIG_HUGEPAGES_YES, 512, facts_of(300, 256, true), true), "");
	cr_assert_str_eq(reason_of(CONFIG_HUGEPAGES_NO, 512, facts_of(4096, 4096, true), false), "",
		"nothing to explain");
}

Test(hugepages, that_are_too_few_are_said_in_bytes_and_pages_with_how_to_get_more)
{
	for (unsigned i = 0; i < 2; i++) /* without them the gateway runs, unless they are a must */
		cr_assert_str_eq(reason_of(i == 0 ? CONFIG_HUGEPAGES_AUTO : CONFIG_HUGEPAGES_YES, 513,
					 facts_of(300, 100, true), false),
			"537919488 bytes are needed, 257 hugepages of 2 MB, and 100 of 2 MB are free "
			"(209715200 bytes); want 157 more pages: echo 457 > "
			"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
}

Test(hugepages, that_the_machine_has_no_memory_for_are_not_recommended)
{
	cr_assert_str_eq(reason_of(CONFIG_HUGEPAGES_YES, 4096, facts_of(300, 100, true), false),
		"4294967296 bytes are needed, 2048 hugepages of 2 MB, and 100 of 2 MB are free (209715200 "
		"bytes); the 2147483648 bytes of memory that are free are not enough to make more");
}

Test(hugepages, that_no_hugetlbfs_is_mounted_for_are_said_to_want_one)
{
	cr_assert_str_eq(reason_of(CONFIG_HUGEPAGES_YES, 512, facts_of(300, 300, false), false),
		"536870912 bytes are needed, 256 hugepages of 2 MB, and 300 of 2 MB are free (629145600 "
		"bytes), but no hugetlbfs for them is mounted; want a hugetlbfs: mkdir -p /dev/hugepages && "
		"mount -t hugetlbfs -o pagesize=2M hugetlbfs /dev/hugepages");
	cr_assert_str_eq(reason_of(CONFIG_HUGEPAGES_AUTO, 512, facts_of(0, 0, false), false),
		"536870912 bytes are needed, 256 hugepages of 2 MB, and 0 of 2 MB are free (0 bytes), but no "
		"hugetlbfs for them is mounted; want a hugetlbfs: mkdir -p /dev/hugepages && mount -t "
		"hugetlbfs -o pagesize=2M hugetlbfs /dev/hugepages, and 256 more pages: echo 256 > "
		"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
}

Test(hugepages, of_a_size_that_is_not_mounted_count_for_nothing_but_are_named)
{
	struct hugepage_facts facts = facts_of(10, 10, true);

	facts.size[1] = (struct hugepage_size){ 1048576, 1, 1, false };
	cr_assert_eq(hugepage_free_mib(&facts), 20);
	cr_assert_str_eq(reason_of(CONFIG_HUGEPAGES_AUTO, 1026, facts, false),
		"1075838976 bytes are needed, 513 hugepages of 2 MB, and 10 of 2 MB and 1 of 1 GB that are "
		"not mounted are free (1094713344 bytes); want 503 more pages: echo 513 > "
		"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
	cr_assert_str_eq(reason_of(CONFIG_HUGEPAGES_AUTO, 1024, facts, false),
		"1073741824 bytes are needed, 1 hugepage of 1 GB, and 10 of 2 MB and 1 of 1 GB are free "
		"(1094713344 bytes), but no hugetlbfs for them is mounted; want a hugetlbfs: mkdir -p "
		"/dev/hugepages && mount -t hugetlbfs -o pagesize=1G hugetlbfs /dev/hugepages");
	facts.size[1].mounted = true;
	cr_assert_str_eq(reason_of(CONFIG_HUGEPAGES_YES, 1044, facts, true), "", "both together");
}

Test(hugepages, that_the_kernel_has_none_of_are_said_not_to_be_there)
{
	cr_assert_str_eq(
		reason_of(CONFIG_HUGEPAGES_YES, 512, (struct hugepage_facts){ .ordinary = GIB }, false),
		"536870912 bytes are needed, and there are no hugepages: this kernel has none in "
		"/sys/kernel/mm/hugepages");
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
