/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/config_collision.h"

#include <stdlib.h>
#include <string.h>

static int compare_values(const struct config_label *a, const struct config_label *b)
{
	if (a->text != NULL)
		return strcmp(a->text, b->text);
	return a->number < b->number ? -1 : a->number > b->number;
}

static int compare_labels(const void *left, const void *right)
{
	const struct config_label *a = left, *b = right;
	int order = compare_values(a, b);

	return order != 0 ? order : a->index < b->index ? -1 : a->index > b->index;
}

void config_check_unique(struct config_document *document, struct config_label *labels, uint32_t count,
	const char *path, const char *wanted)
{
	uint32_t first = 0;

	if (count > 0)
		qsort(labels, count, sizeof(labels[0]), compare_labels);
	for (uint32_t i = 1; i < count; i++) {
		const char *here = CONFIG_PATH(path, labels[i].index);
		char found[CONFIG_QUOTE_TEXT];

		if (compare_values(&labels[i], &labels[first]) != 0) {
			first = i;
			continue;
		}
		config_error_at(document, here, "%s; the same as %s; want %s",
			config_found(document, config_document_find(document, here), found),
			CONFIG_OTHER(document, path, labels[first].index), wanted);
	}
}

void config_span_add(struct config_document *document, struct config_spans *spans, struct config_span span)
{
	if (config_grow(
		    &document->errors, (void **)&spans->list, &spans->capacity, spans->count, sizeof(span)))
		spans->list[spans->count++] = span;
}

static int compare_order(const struct config_span *a, const struct config_span *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	return a->element < b->element ? -1 : a->element > b->element;
}

static int compare_spans(const void *left, const void *right)
{
	const struct config_span *a = left, *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return compare_order(a, b);
}

void config_spans_check(const struct config *config, struct config_document *document,
	struct config_spans *spans, config_collide *collide)
{
	struct config_span *list = spans->list;

	if (spans->count > 0)
		qsort(list, spans->count, sizeof(list[0]), compare_spans);
	for (size_t i = 0; i < spans->count; i++) {
		for (size_t j = i + 1; j < spans->count && list[j].first <= list[i].last; j++) {
			bool in_order = compare_order(&list[i], &list[j]) < 0;

			if (!list[j].reported)
				list[j].reported = collide(config, document, in_order ? &list[i] : &list[j],
					in_order ? &list[j] : &list[i]);
		}
	}
	free(list);
	*spans = (struct config_spans){ 0 };
}

const char *config_span_path(const struct config_span *span, char text[CONFIG_QUOTE_TEXT])
{
	static const char *const formats[] = {
		[SPAN_PORT] = "ports[%u].addresses[%u]",
		[SPAN_NEXT_HOP] = "routes[%u].via",
		[SPAN_SEGMENT] = "segments[%u].gateway",
		[SPAN_PORT_EDGE] = "ports[%u].addresses[%u]",
		[SPAN_SEGMENT_EDGE] = "segments[%u].gateway",
		[SPAN_VTEP] = "segments[%u].flood.vteps[%u]",
		[SPAN_POOL] = "nat.pools[%u].addresses[%u]",
		[SPAN_STATIC] = "nat.static[%u].outside",
		[SPAN_FORWARD] = "nat.forward[%u].outside",
		[SPAN_BYPASS] = "nat.bypass[%u].destinations[%u]",
		[SPAN_SERVER] = "segments[%u].dhcp_relay.servers[%u]",
	};

	return config_format_path(text, formats[span->kind], span->index, span->element);
}
