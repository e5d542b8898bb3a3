/* SPDX-License-Identifier: BSD-3-Clause */
/* What a configuration may say: one table of objects and their keys. The parser, the printed JSON Schema, the manual
 * and the printing of a configuration all walk this table, so that they cannot disagree. */
#pragma once

#include "management/config.h"
#include "management/config_format.h"
#include <stddef.h>
#include <stdint.h>

enum config_type {
	CONFIG_INTEGER,   /* whole number within min..max, into an unsigned field of 8, 16 or 32 bits */
	CONFIG_TRUE,      /* the word true, into a bool */
	CONFIG_WORD,      /* one of `words`, its value into an unsigned or enum field */
	CONFIG_WORD_TEXT, /* one of `words`, the word itself into a char array */
	CONFIG_WORD_SET,  /* a list of different `words`, as a mask of their values (0..31) into a uint32_t */
	CONFIG_TEXT,      /* a string of `format` */
	CONFIG_CPU,       /* a lcore: 2 or "2@1", into a struct config_cpu */
	CONFIG_REFERENCE, /* the name of an element of another list, its index into a uint32_t */
	CONFIG_OBJECT,    /* `object` */
};

struct config_word {
	const char *word; /* NULL ends a list of words */
	uint32_t value;
};

struct config_reference {
	const char *list; /* path of the list that it points into; its elements have a "name" */
	const char *what; /* "segment" */
	const char *(*name)(const struct config *config, uint32_t index);
};
#define CONFIG_REFERENCE_NONE UINT32_MAX /* what is stored when there is no element of that name */

struct config_key {
	const char *name;    /* NULL ends a list of keys */
	const char *meaning; /* one sentence */
	enum config_type type;

	bool required;
	const char *fallback; /* when the key is missing: the value as JSON text, or NULL */
	const char *computed; /* for the manual: how the value is found where there is no fallback */
	const char *with;     /* this key makes sense only beside that one */

	uint32_t min, max; /* of a CONFIG_INTEGER */
	const char *unit;
	uint32_t
		bytes_each; /* of memory that each of them takes: said of more than there may be; 0: it is not */
	const struct config_word *words;
	const struct config_format *format;
	const struct config_object *object;
	const struct config_reference *reference;

	/* Where it lands, in bytes from the start of the structure of its object. */
	size_t offset, size; /* of the field; of an element when it is a list */
	size_t second;       /* of the other field of a format with two parts */
	size_t present;      /* of a bool that says that the key was given; 0: there is none */

	bool list;    /* a list: the field is a pointer to the elements */
	size_t count; /* offset of the uint32_t with the number of elements */
	uint32_t list_min, list_max;

	/* What may be written instead, with `alternative_value` as the value of this key then. */
	const struct config_key *alternative;
	uint32_t alternative_value;
};

struct config_object {
	const char *meaning;           /* one sentence */
	const struct config_key *keys; /* ends with a name of NULL */
	const char *one_of[2];         /* exactly one of these two keys must be there; NULL: no such rule */
};

#define CONFIG_KEYS_MAX       16   /* of one object; the unit test counts */
#define CONFIG_VTEPS_MAX      1024 /* of one segment */
#define CONFIG_MEMORY_MIB_MIN 64
#define CONFIG_MEMORY_MIB_MAX (1024 * 1024)

extern const struct config_object config_top;

static inline const void *config_field(const void *structure, size_t offset)
{
	return (const char *)structure + offset;
}
static inline void *config_field_mutable(void *structure, size_t offset)
{
	return (char *)structure + offset;
}
/* Unsigned fields of 1, 2 or 4 bytes. */
uint32_t config_load(const void *field, size_t size);
void config_store(void *field, size_t size, uint32_t value);

/* "a whole number from 1 to 65535": what a value of this key, or one element of its list, must be. */
#define CONFIG_WANTED_TEXT 512
const char *config_wanted(const struct config_key *key, char text[CONFIG_WANTED_TEXT]);
