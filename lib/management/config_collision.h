/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds what is there twice, and ranges of addresses that overlap, among many, in about the time it takes to sort. */
#pragma once

#include "management/config.h"
#include "management/config_document.h"

struct config_label {
	const char *text; /* NULL: none, only the number counts */
	uint64_t number;
	uint32_t index; /* in its list */
};

/* An error for each label that is the same as that of a lower index. `path` is a format with the index, such as
 * "segments[%u].vni"; `wanted` is what is wanted instead. Sorts the labels. */
void config_check_unique(struct config_document *document, struct config_label *labels, uint32_t count,
	const char *path, const char *wanted);

enum config_span_kind { /* in the order of the text: the error is at the later one */
	SPAN_PORT,      /* an address of a port, or its network */
	SPAN_NEXT_HOP,
	SPAN_SEGMENT,      /* the gateway of a segment, or its network */
	SPAN_PORT_EDGE,    /* the address of the network of a port itself, and its broadcast address */
	SPAN_SEGMENT_EDGE, /* the same of a segment */
	SPAN_VTEP,         /* of a segment */
	SPAN_POOL,
	SPAN_STATIC,  /* the outside address of a static binding */
	SPAN_FORWARD, /* the outside address of a forward */
	SPAN_BYPASS,  /* a destination of a bypass */
	SPAN_SERVER,  /* a DHCP server that a segment's relay asks */
};

struct config_span {
	uint32_t first, last; /* host byte order, both belong to it */
	enum config_span_kind kind;
	uint32_t index, element; /* in its list, and in the list within that */
	bool reported;
};

struct config_spans {
	struct config_span *list;
	size_t count, capacity;
};

void config_span_add(struct config_document *document, struct config_spans *spans, struct config_span span);

/* Calls `collide` for pairs that overlap, the earlier one by kind and index first. It returns true when it reported
 * an error; then one of the two is left out of further pairs. Frees the list. */
typedef bool config_collide(const struct config *config, struct config_document *document,
	const struct config_span *earlier, const struct config_span *later);
void config_spans_check(const struct config *config, struct config_document *document,
	struct config_spans *spans, config_collide *collide);

/* "ports[0].addresses[1]" */
const char *config_span_path(const struct config_span *span, char text[CONFIG_QUOTE_TEXT]);
#define CONFIG_SPAN_PATH(span) config_span_path(span, (char[CONFIG_QUOTE_TEXT]){ 0 })
