/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_row.h"
#include "table/nat_memory.h"
#include <assert.h>
#include <errno.h>

/* Records in use of a row, on average, when the table is full. */
#define NAT_ROW_LOAD 28u

static uint64_t rows_for(uint32_t most)
{
	return ((uint64_t)most + NAT_ROW_LOAD - 1) / NAT_ROW_LOAD;
}

uint32_t nat_rows_records(uint32_t most)
{
	return (uint32_t)rows_for(most) * NAT_ROW_RECORDS;
}

struct memory_need nat_rows_need(uint32_t most)
{
	struct memory_need need = nat_memory_need(rows_for(most), sizeof(struct nat_row));

	memory_need_add(&need, nat_memory_need(rows_for(most), sizeof(uint16_t)));
	memory_need_add(&need, memory_of_process(1, id_pool_bytes(nat_rows_records(most))));
	return need;
}

int nat_rows_init(struct nat_rows *rows, uint32_t most)
{
	uint64_t count = rows_for(most);

	if (most == 0 || count * NAT_ROW_RECORDS > ID_POOL_MAX)
		return -EINVAL;
	*rows = (struct nat_rows){ .rows = (uint32_t)count, .most = most };
	rows->row = nat_memory_take(count, sizeof(*rows->row));
	rows->spilled = nat_memory_take(count, sizeof(*rows->spilled));
	if (rows->row == NULL || rows->spilled == NULL)
		return -ENOMEM;
	return id_pool_init(&rows->free, nat_rows_records(most));
}

void nat_rows_destroy(struct nat_rows *rows)
{
	nat_memory_give(rows->row);
	nat_memory_give(rows->spilled);
	if (rows->free.size > 0)
		id_pool_destroy(&rows->free);
	*rows = (struct nat_rows){ 0 };
}

size_t nat_rows_bytes(const struct nat_rows *rows)
{
	return rows->rows * (sizeof(*rows->row) + sizeof(*rows->spilled)) + id_pool_bytes(rows->free.size);
}

static uint32_t number_of(const struct nat_rows *rows, const struct nat_row *row)
{
	return (uint32_t)(row - rows->row);
}

/* A free record of the row, or ID_NONE. */
static uint32_t row_take(struct nat_rows *rows, const struct nat_row *row)
{
	uint32_t base = number_of(rows, row) * NAT_ROW_RECORDS;

	return id_pool_take_among(&rows->free, base / 64, (uint64_t)UINT32_MAX << base % 64);
}

uint32_t nat_record_take(struct nat_rows *rows, uint64_t hash)
{
	if (nat_records_left(rows) == 0)
		return ID_NONE;
	const struct nat_row *first = nat_row_first(rows, hash);
	uint32_t number = row_take(rows, first);
	if (likely(number != ID_NONE))
		return number;
	number = row_take(rows, nat_row_second(rows, hash));
	return number != ID_NONE
		       ? number
		       : id_pool_take(&rows->free, (uint32_t)((hash & UINT32_MAX) * rows->free.size >> 32));
}

void nat_record_give(struct nat_rows *rows, uint32_t number)
{
	id_pool_give(&rows->free, number);
}

/* Whether the record lies where the hash leads; counts it, by one more or less, if that is not the first row. */
static bool lies_there(struct nat_rows *rows, uint64_t hash, uint32_t number, int change)
{
	uint32_t row = number / NAT_ROW_RECORDS, first = number_of(rows, nat_row_first(rows, hash));

	if (likely(row == first))
		return true;
	if (likely(rows->spilled[first] != UINT16_MAX))
		rows->spilled[first] = (uint16_t)(rows->spilled[first] + change);
	return row == number_of(rows, nat_row_second(rows, hash));
}

bool nat_record_show(struct nat_rows *rows, uint64_t hash, uint32_t number)
{
	if (unlikely(!lies_there(rows, hash, number, 1)))
		return false;
	__atomic_store_n(&rows->row[number / NAT_ROW_RECORDS].tag[number % NAT_ROW_RECORDS],
		nat_row_tag(hash), __ATOMIC_RELEASE); /* the record is whole */
	return true;
}

bool nat_record_hide(struct nat_rows *rows, uint64_t hash, uint32_t number)
{
	if (unlikely(!lies_there(rows, hash, number, -1)))
		return false;
	uint16_t *tag = &rows->row[number / NAT_ROW_RECORDS].tag[number % NAT_ROW_RECORDS];
	assert(*tag == nat_row_tag(hash));
	*tag = 0;
	return true;
}
