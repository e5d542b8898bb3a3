/* SPDX-License-Identifier: BSD-3-Clause */
/* What a telemetry request asks for: "segment=web,protocol=tcp,inside=10.0.1.5:80,cursor=0,count=20". */
#pragma once

#include "table/data_plane.h"
#include <stddef.h>

/* The keys, in the order of telemetry_parameters.c. Each command takes some; all lists take cursor and count. */
enum telemetry_key {
	TELEMETRY_CURSOR = 1 << 0,
	TELEMETRY_COUNT = 1 << 1,
	TELEMETRY_SEGMENT = 1 << 2,  /* a name or a VNI */
	TELEMETRY_PROTOCOL = 1 << 3, /* tcp, udp, icmp or a number */
	TELEMETRY_INSIDE = 1 << 4,   /* ADDRESS, ADDRESS:PORT or :PORT; so are the next two */
	TELEMETRY_OUTSIDE = 1 << 5,
	TELEMETRY_REMOTE = 1 << 6,
	TELEMETRY_PORT = 1 << 7, /* inside, outside or remote port */
	TELEMETRY_MAC = 1 << 8,
	TELEMETRY_VTEP = 1 << 9,
	TELEMETRY_ADDRESS = 1 << 10,
	TELEMETRY_INTERFACE = 1 << 11, /* the name of a port or a segment */
	TELEMETRY_STATE = 1 << 12,     /* of a session */
	TELEMETRY_KIND = 1 << 13,      /* dynamic, static or forward */
	TELEMETRY_ALL = 1 << 14,       /* 1: no filter is meant */
	TELEMETRY_PAGED = TELEMETRY_CURSOR | TELEMETRY_COUNT,
};

struct telemetry_endpoint {
	rte_be32_t address; /* 0: any */
	uint16_t port;      /* host byte order; 0: any */
};

struct telemetry_parameters {
	uint32_t given; /* enum telemetry_key of those that were there */
	uint64_t cursor;
	uint32_t count; /* 0: as many as fit into a reply */
	uint16_t segment;
	uint8_t protocol;
	struct telemetry_endpoint inside, outside, remote;
	uint16_t port; /* host byte order */
	struct rte_ether_addr mac;
	rte_be32_t vtep, address;
	interface_id interface;
	const char *state, *kind; /* static text */
	bool all;
};

/* `text` may be NULL: nothing asked. 0, or -EINVAL with a sentence in `error`. */
int telemetry_parameters_parse(const char *text, uint32_t allowed, const struct data_plane *plane,
	struct telemetry_parameters *parameters, char *error, size_t error_size);
