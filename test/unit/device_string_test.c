/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/device_string.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(device_string, a_pci_address_is_known_with_and_without_domain)
{
	struct device_string device;

	cr_assert_eq(device_string_parse("0000:3b:00.1", &device), 0);
	cr_assert_eq(device.kind, DEVICE_PCI);
	cr_assert_not(device_is_virtual(&device));
	cr_assert_eq(device_string_parse("3b:00.0,txq_inline_max=128", &device), 0);
	cr_assert_eq(device.kind, DEVICE_PCI);
	cr_assert_str_eq(device.name, "3b:00.0");
	cr_assert_str_eq(device.arguments, "txq_inline_max=128");
}

Test(device_string, a_virtual_device_is_known_by_its_driver)
{
	static const struct {
		const char *text;
		enum device_kind kind;
	} cases[] = {
		{ "net_af_packet0,iface=under0", DEVICE_AF_PACKET },
		{ "net_af_xdp_left,iface=under0", DEVICE_AF_XDP },
		{ "net_tap0,iface=tap0", DEVICE_TAP },
		{ "net_memif0,role=server", DEVICE_MEMIF },
		{ "net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap", DEVICE_PCAP },
		{ "net_ring0", DEVICE_RING },
		{ "net_null1", DEVICE_NULL },
		{ "net_virtio_user0,path=/dev/vhost-net", DEVICE_OTHER },
		{ "virtio_user0,path=/dev/vhost-net", DEVICE_OTHER },
	};
	struct device_string device;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(device_string_parse(cases[i].text, &device), 0, "%s", cases[i].text);
		cr_assert_eq(device.kind, cases[i].kind, "%s", cases[i].text);
		cr_assert(device_is_virtual(&device));
	}
}

Test(device_string, the_kernel_interface_is_found_among_the_arguments)
{
	struct device_string device;

	cr_assert_eq(
		device_string_parse("net_af_packet0,qdisc_bypass=0,iface=under0,blocksz=8192", &device), 0);
	cr_assert_str_eq(device.interface, "under0");
	cr_assert_eq(device_string_parse("net_tap0,iface=tap0", &device), 0);
	cr_assert_str_eq(device.interface, "", "a tap makes its interface itself");
}

Test(device_string, a_device_on_a_kernel_interface_must_name_it)
{
	struct device_string device;

	cr_assert_eq(device_string_parse("net_af_packet0", &device), -EINVAL);
	cr_assert_eq(device_string_parse("net_af_packet0,iface=", &device), -EINVAL);
	cr_assert_eq(device_string_parse("net_af_packet0,iface=a_name_of_16_byte", &device), -EINVAL);
	cr_assert_eq(device_string_parse("net_af_xdp0,interface=under0", &device), -EINVAL);
}

Test(device_string, what_is_no_device_is_refused)
{
	struct device_string device;
	static const char *const wrong[] = { "", "eth0", "0000:3b:00", "00:3b:00.0.1", "net_tap0 ,iface=x",
		"3b:00.0 " };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_assert_eq(device_string_parse(wrong[i], &device), -EINVAL, "\"%s\"", wrong[i]);
}

Test(device_string, what_the_user_gives_wins_over_a_default)
{
	struct device_string device;

	cr_assert_eq(device_string_parse("net_af_packet0,iface=under0,framesz=4096", &device), 0);
	cr_assert_eq(device_string_default(&device, "framesz", 2048), 0);
	cr_assert_eq(device_string_default(&device, "frame", 7), 0, "a key that begins another");
	cr_assert_str_eq(device.arguments, "iface=under0,framesz=4096,frame=7");
}
