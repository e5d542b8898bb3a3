/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/telemetry_reply.h"

#include "base/ip_address.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* DPDK's buffer has 16 KiB; what is left over holds the command, "next", "count" and the name of the list. */
#define REPLY_BYTES (16 * 1024 - 256)

/* Copies what DPDK can print: ASCII, at most TELEMETRY_STRING_MAX bytes. Returns the length of its JSON text. */
static size_t string_printable(const char *text, char out[RTE_TEL_MAX_STRING_LEN])
{
	size_t n = 0, bytes = 2;

	for (; text[n] != '\0' && n < TELEMETRY_STRING_MAX; n++) {
		unsigned char c = (unsigned char)text[n];
		bool escaped = c == '"' || c == '\\' || c == '\n' || c == '\t';

		out[n] = (c >= ' ' && c < 0x7f) || escaped ? (char)c : '?';
		bytes += escaped ? 2 : 1;
	}
	out[n] = '\0';
	return bytes;
}

static size_t member_bytes(const char *name, size_t value_bytes)
{
	return strlen(name) + 4 + value_bytes; /* two quotes, colon, comma */
}

void object_start(struct telemetry_object *object)
{
	object_start_in(object, rte_tel_data_alloc());
}

void object_start_in(struct telemetry_object *object, struct rte_tel_data *data)
{
	object->data = data;
	object->bytes = 2;
	if (data != NULL)
		rte_tel_data_start_dict(data);
}

void object_string(struct telemetry_object *object, const char *name, const char *text)
{
	char printable[RTE_TEL_MAX_STRING_LEN];
	size_t bytes = string_printable(text, printable);

	if (object->data != NULL && rte_tel_data_add_dict_string(object->data, name, printable) == 0)
		object->bytes += member_bytes(name, bytes);
}

void object_u64(struct telemetry_object *object, const char *name, uint64_t value)
{
	char text[24];

	if (object->data == NULL || rte_tel_data_add_dict_u64(object->data, name, value) != 0)
		return;
	object->bytes += member_bytes(name, (size_t)snprintf(text, sizeof(text), "%" PRIu64, value));
}

void object_ipv4(struct telemetry_object *object, const char *name, rte_be32_t address)
{
	char text[IP_ADDRESS_TEXT];

	object_string(object, name, address == 0 ? "" : ipv4_text(address, text));
}

void object_mac(struct telemetry_object *object, const char *name, const struct rte_ether_addr *mac)
{
	const uint8_t *b = mac->addr_bytes;
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
	object_string(object, name, text);
}

void object_endpoint(struct telemetry_object *object, const char *name, rte_be32_t address, uint16_t port)
{
	struct telemetry_object endpoint;

	object_start(&endpoint);
	object_ipv4(&endpoint, "address", address);
	object_u64(&endpoint, "port", port);
	object_object(object, name, &endpoint);
}

/* Adds a container; what cannot be added is freed, so that nothing leaks. */
static void object_container(
	struct telemetry_object *object, const char *name, struct rte_tel_data *data, size_t bytes)
{
	if (data == NULL)
		return;
	if (object->data != NULL && rte_tel_data_add_dict_container(object->data, name, data, 0) == 0)
		object->bytes += member_bytes(name, bytes);
	else
		rte_tel_data_free(data);
}

void object_object(struct telemetry_object *object, const char *name, struct telemetry_object *child)
{
	object_container(object, name, child->data, child->bytes);
	child->data = NULL;
}

void list_start(struct telemetry_list *list)
{
	list->data = rte_tel_data_alloc();
	list->bytes = 2;
	if (list->data != NULL)
		rte_tel_data_start_array(list->data, RTE_TEL_STRING_VAL);
}

void list_string(struct telemetry_list *list, const char *text)
{
	char printable[RTE_TEL_MAX_STRING_LEN];
	size_t bytes = string_printable(text, printable);

	if (list->data != NULL && rte_tel_data_add_array_string(list->data, printable) == 0)
		list->bytes += bytes + 1;
}

void object_list(struct telemetry_object *object, const char *name, struct telemetry_list *list)
{
	object_container(object, name, list->data, list->bytes);
	list->data = NULL;
}

void reply_start(struct telemetry_reply *reply, struct rte_tel_data *data, uint32_t limit)
{
	*reply = (struct telemetry_reply){ .data = data, .limit = RTE_TEL_MAX_DICT_ENTRIES };
	if (limit != 0 && limit < reply->limit)
		reply->limit = limit;
	object_start(&reply->rows);
}

uint32_t reply_room(const struct telemetry_reply *reply, size_t row_bytes)
{
	size_t left = reply->rows.bytes < REPLY_BYTES ? REPLY_BYTES - reply->rows.bytes : 0;
	size_t rows = left / (row_bytes + member_bytes("255", 0));
	uint32_t wanted = reply->limit - reply->count;

	return rows < wanted ? (uint32_t)rows : wanted;
}

void reply_row(struct telemetry_reply *reply, struct telemetry_object *row)
{
	char name[12];

	snprintf(name, sizeof(name), "%" PRIu32, reply->count++);
	object_object(&reply->rows, name, row);
}

void reply_discard(struct telemetry_reply *reply)
{
	rte_tel_data_free(reply->rows.data);
	reply->rows.data = NULL;
}

int reply_end(struct telemetry_reply *reply, const char *name)
{
	if (reply->rows.data == NULL)
		return -ENOMEM;
	rte_tel_data_start_dict(reply->data);
	rte_tel_data_add_dict_u64(reply->data, "next", reply->next);
	rte_tel_data_add_dict_u64(reply->data, "count", reply->count);
	return rte_tel_data_add_dict_container(reply->data, name, reply->rows.data, 0);
}

int reply_error(struct rte_tel_data *data, const char *format, ...)
{
	char text[RTE_TEL_MAX_STRING_LEN * 2], printable[RTE_TEL_MAX_STRING_LEN];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	string_printable(text, printable);
	rte_tel_data_start_dict(data);
	return rte_tel_data_add_dict_string(data, "error", printable);
}
