/* SPDX-License-Identifier: BSD-3-Clause */
/* An exporting process of IPFIX (RFC 7011) over UDP for the log of NAT (RFC 8158).
 *
 * Records are gathered into messages that the path can carry whole; a message goes out when it is full or when it is
 * flushed. Templates go with the first message, again after each interval, and after a message that could not be
 * sent, as the collector may have been started anew (RFC 7011 section 8.4). The sequence number counts data records, also
 * those of messages that did not leave, so that the collector knows what it missed. One thread. */
#pragma once

#include "nat_log/nat_log_record.h"

#define IPFIX_MESSAGE_MAX                                                                                    \
	1452 /* with IPv4 and UDP headers in an Ethernet frame, with 20 bytes for a tunnel */
#define IPFIX_MESSAGE_MIN 512

struct ipfix_settings {
	uint32_t domain; /* observation domain */
	uint32_t template_interval_s;
	/* Hands a message over: true when it went out. `argument` is the caller's. */
	bool (*send)(void *argument, const void *data, size_t length);
	void *argument;
};

struct ipfix_exporter {
	struct ipfix_settings settings;
	size_t message_max;
	uint8_t message[IPFIX_MESSAGE_MAX];
	size_t length;         /* of the message so far; 0: none is begun */
	size_t set;            /* where its last set begins */
	uint16_t set_template; /* of that set; 0: there is none */
	uint32_t message_records;
	uint32_t sequence;
	uint64_t templates_due_ms;                   /* of record time */
	uint64_t messages, records, templates, lost; /* lost: records of messages that did not go out */
};

void ipfix_init(struct ipfix_exporter *exporter, const struct ipfix_settings *settings);
/* What the path takes in one UDP payload; between the two bounds above. */
void ipfix_limit(struct ipfix_exporter *exporter, size_t payload);
/* Adds a record. Those without an information element (the log's own, limits of rate) are left out. */
void ipfix_add(struct ipfix_exporter *exporter, const struct nat_log_record *record);
/* Sends what there is. `now_ms`: since 1970. Without records, templates that are due. */
void ipfix_flush(struct ipfix_exporter *exporter, uint64_t now_ms);
