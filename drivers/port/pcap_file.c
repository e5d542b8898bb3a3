/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/pcap_file.h"

#include <byteswap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_MICROSECONDS UINT32_C(0xa1b2c3d4)
#define MAGIC_NANOSECONDS  UINT32_C(0xa1b23c4d)
#define FILE_HEADER_REST   20 /* after the magic number */

struct record {
	uint32_t seconds, fraction;
	uint32_t captured; /* bytes that follow */
	uint32_t length;
};

/* Reads over the packets: a seek would throw away what is buffered, for each of millions. */
static uint32_t records_count(FILE *file, bool swapped)
{
	static char packet[UINT16_MAX + 1];
	struct record record;
	uint32_t count = 0;

	while (fread(&record, sizeof(record), 1, file) == 1) {
		uint32_t captured = swapped ? bswap_32(record.captured) : record.captured;
		if (captured > sizeof(packet) || fread(packet, 1, captured, file) != captured)
			break;
		count++;
	}
	return count;
}

uint32_t pcap_file_packets(const char *path)
{
	FILE *file = fopen(path, "re");
	uint32_t magic, count = 0;

	if (file == NULL)
		return 0;
	if (fread(&magic, sizeof(magic), 1, file) == 1 && fseek(file, FILE_HEADER_REST, SEEK_CUR) == 0) {
		bool native = magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS;
		bool swapped = bswap_32(magic) == MAGIC_MICROSECONDS || bswap_32(magic) == MAGIC_NANOSECONDS;
		if (native || swapped)
			count = records_count(file, swapped);
	}
	fclose(file);
	return count;
}

uint32_t pcap_device_buffers(const struct device_string *device)
{
	static const char key[] = "rx_pcap=";
	char infinite[8], arguments[DEVICE_ARGUMENTS_MAX], *rest = arguments, *argument;
	uint32_t count = 0;

	if (device->kind != DEVICE_PCAP ||
		!device_string_argument(device, "infinite_rx", infinite, sizeof(infinite)) ||
		atoi(infinite) == 0)
		return 0;
	memcpy(arguments, device->arguments, sizeof(arguments));
	while ((argument = strsep(&rest, ",")) != NULL) /* one file for each queue */
		if (strncmp(argument, key, strlen(key)) == 0)
			count += pcap_file_packets(argument + strlen(key));
	return count;
}
