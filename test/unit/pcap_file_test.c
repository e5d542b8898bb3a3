/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/pcap_file.h"
#include "port/port.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LITTLE "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0\0"
#define BIG    "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\1"
#define FRAME  "\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0DATA"

static char path[] = "/tmp/pcap_file_test.XXXXXX";

static const char *file_of(const char *bytes, size_t length)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, length), (ssize_t)length);
	close(fd);
	return path;
}

static void file_remove(void)
{
	unlink(path);
}

TestSuite(pcap_file, .fini = file_remove);

Test(pcap_file, the_packets_of_a_capture_are_counted)
{
	static const char capture[] = LITTLE FRAME FRAME FRAME;

	cr_assert_eq(pcap_file_packets(file_of(capture, sizeof(capture) - 1)), 3);
}

Test(pcap_file, a_capture_of_a_machine_of_the_other_byte_order_is_read_as_well)
{
	static const char capture[] = BIG "\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4"
					  "DATA";

	cr_assert_eq(pcap_file_packets(file_of(capture, sizeof(capture) - 1)), 1);
}

Test(pcap_file, what_is_cut_off_does_not_count)
{
	static const char capture[] = LITTLE FRAME FRAME;

	cr_assert_eq(pcap_file_packets(file_of(capture, sizeof(capture) - 2)), 1);
}

Test(pcap_file, other_files_have_none)
{
	cr_assert_eq(pcap_file_packets(file_of("#!/bin/sh\necho a b c d e f g\n", 30)), 0);
	cr_assert_eq(pcap_file_packets("/nowhere/at.all"), 0);
}

Test(pcap_file, a_port_keeps_buffers_only_for_a_capture_that_it_plays_for_ever)
{
	static const char capture[] = LITTLE FRAME FRAME;
	const char *file = file_of(capture, sizeof(capture) - 1);
	struct port_settings settings = { .name = "wire", .mtu = 1500 };
	char device[200];

	settings.device = device;
	snprintf(device, sizeof(device), "net_pcap0,rx_pcap=%s,infinite_rx=1", file);
	cr_assert_eq(port_buffers_kept(&settings), 2);
	snprintf(device, sizeof(device), "net_pcap0,rx_pcap=%s,infinite_rx=1,rx_pcap=%s", file, file);
	cr_assert_eq(port_buffers_kept(&settings), 4, "a file for each queue");
	snprintf(device, sizeof(device), "net_pcap0,rx_pcap=%s,tx_pcap=/dev/null", file);
	cr_assert_eq(port_buffers_kept(&settings), 0);
	snprintf(device, sizeof(device), "net_pcap0,rx_pcap=%s,infinite_rx=0", file);
	cr_assert_eq(port_buffers_kept(&settings), 0);
	settings.device = "net_tap0";
	cr_assert_eq(port_buffers_kept(&settings), 0);
}
