/* SPDX-License-Identifier: BSD-3-Clause */
/* Replies of DPDK's telemetry, in pages that fit.
 *
 * DPDK 22.11 nests dictionaries but has no array of dictionaries, takes at most 256 entries in one, cuts strings at 127
 * bytes, breaks on bytes beyond ASCII, and leaves out without a word what does not fit into 16 KiB. So a list is a
 * dictionary of rows "0", "1", ..., each part knows how long its text is, and a reply that is full names the cursor
 * by which the next one goes on:
 *     { "next": 0 (the end) or a cursor, "count": rows here, "sessions": { "0": { ... }, "1": { ... } } } */
#pragma once

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_telemetry.h>
#include <stdint.h>

#define TELEMETRY_STRING_MAX (RTE_TEL_MAX_STRING_LEN - 1)

struct telemetry_object { /* a dictionary being filled. Out of memory: data is NULL, and adding to it does nothing */
	struct rte_tel_data *data;
	size_t bytes; /* of its JSON text, at most */
};
void object_start(struct telemetry_object *object);
void object_start_in(
	struct telemetry_object *object, struct rte_tel_data *data); /* the reply itself is the object */
void object_string(struct telemetry_object *object, const char *name, const char *text);
void object_u64(struct telemetry_object *object, const char *name, uint64_t value);
void object_ipv4(struct telemetry_object *object, const char *name, rte_be32_t address); /* "" when it is 0 */
void object_mac(struct telemetry_object *object, const char *name, const struct rte_ether_addr *mac);
void object_endpoint(struct telemetry_object *object, const char *name, rte_be32_t address, uint16_t port);
void object_object(
	struct telemetry_object *object, const char *name, struct telemetry_object *child); /* takes it */

struct telemetry_list { /* an array of strings, likewise */
	struct rte_tel_data *data;
	size_t bytes;
};
void list_start(struct telemetry_list *list);
void list_string(struct telemetry_list *list, const char *text);
void object_list(
	struct telemetry_object *object, const char *name, struct telemetry_list *list); /* takes it */

struct telemetry_reply {
	struct rte_tel_data *data; /* of the handler */
	struct telemetry_object rows;
	uint32_t count;
	uint32_t limit; /* of rows */
	uint64_t next;  /* set by the view when it stops before the end */
};
/* `limit` is what the caller asked for, 0: as many as fit. */
void reply_start(struct telemetry_reply *reply, struct rte_tel_data *data, uint32_t limit);
/* How many more rows of at most `row_bytes` surely fit. */
uint32_t reply_room(const struct telemetry_reply *reply, size_t row_bytes);
void reply_row(struct telemetry_reply *reply, struct telemetry_object *row); /* takes it */
void reply_discard(struct telemetry_reply *reply); /* instead of reply_end, when there is no row in it */
int reply_end(struct telemetry_reply *reply, const char *name); /* what the handler returns */

/* A reply that says what is wrong: { "error": "..." }; for the handler to return. */
int reply_error(struct rte_tel_data *data, const char *format, ...) __attribute__((format(printf, 2, 3)));
