/* SPDX-License-Identifier: BSD-3-Clause */
/* The log of NAT (RFC 6888 section 4, RFC 8158): one thread beside the packet lcores takes the events of all owners and
 * writes them where the settings say. It also looks at the pools each second and warns when one gets full, without a
 * log too. */
#pragma once

#include "base/ip_address.h"
#include <stdbool.h>
#include <stdint.h>

struct nat;
struct segment_table;

/* Events that an owner may be ahead of the log. Taken each 20 ms. */
#define NAT_LOG_ROOM 65536u

struct nat_log_settings {
	struct nat *nat; /* with its log_events on for what is to be logged */
	const struct segment_table *segments;
	const char *json;         /* path, "-" for standard output, or NULL */
	struct ip_address syslog; /* family AF_UNSPEC: none */
	uint16_t syslog_port;
	struct ip_address collector, source; /* of IPFIX; family AF_UNSPEC: none */
	uint16_t collector_port;
	uint32_t domain, template_interval_s;
};

struct nat_log_counters {            /* any thread; of some recent moment */
	uint64_t events, queue_lost; /* taken from the owners; lost as their queues were full */
	uint64_t json_lines, json_bytes, json_lost;
	uint64_t syslog_messages, syslog_lost;
	uint64_t ipfix_messages, ipfix_records, ipfix_templates, ipfix_lost;
};

/* Starts the thread; texts stay the caller's until nat_log_stop. NULL with errno, and logged. */
struct nat_log *nat_log_start(const struct nat_log_settings *settings);
/* After the packet lcores: writes what is left, and that the log ends. */
void nat_log_stop(struct nat_log *log);
void nat_log_reopen(struct nat_log *log); /* safe in a signal handler: the file was moved away */
struct nat_log_counters nat_log_counters(struct nat_log *log);
