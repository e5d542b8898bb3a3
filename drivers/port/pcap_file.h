/* SPDX-License-Identifier: BSD-3-Clause */
/* Capture files that a net_pcap device receives from. */
#pragma once

#include "port/device_string.h"
#include <stdint.h>

/* How many packets a capture file has (the classic format, of either byte order); 0 when it is none or cannot be read. */
uint32_t pcap_file_packets(const char *path);

/* Buffers that the device keeps: with infinite_rx=1 net_pcap holds each packet of its files in one, for ever, and hands
 * out copies. */
uint32_t pcap_device_buffers(const struct device_string *device);
