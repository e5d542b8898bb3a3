/* SPDX-License-Identifier: BSD-3-Clause */
/* What the walkers of the table share. */
#include "management/config_schema.h"
#include <stdio.h>
#include <string.h>

uint32_t config_load(const void *field, size_t size)
{
	if (size == sizeof(uint8_t))
		return *(const uint8_t *)field;
	if (size == sizeof(uint16_t))
		return *(const uint16_t *)field;
	return *(const uint32_t *)field;
}

void config_store(void *field, size_t size, uint32_t value)
{
	if (size == sizeof(uint8_t))
		*(uint8_t *)field = (uint8_t)value;
	else if (size == sizeof(uint16_t))
		*(uint16_t *)field = (uint16_t)value;
	else
		*(uint32_t *)field = value;
}

static size_t append(char *text, size_t at, const char *more)
{
	int added = snprintf(text + at, CONFIG_WANTED_TEXT - at, "%s", more);

	return at + (size_t)added < CONFIG_WANTED_TEXT ? at + (size_t)added : CONFIG_WANTED_TEXT - 1;
}

/* "auto", "sleep" or "poll" */
static void words_wanted(const struct config_word *words, char text[CONFIG_WANTED_TEXT], size_t at)
{
	for (size_t i = 0; words[i].word != NULL; i++) {
		if (i > 0)
			at = append(text, at, words[i + 1].word == NULL ? " or " : ", ");
		at = append(text, at, "\"");
		at = append(text, at, words[i].word);
		at = append(text, at, "\"");
	}
}

const char *config_wanted(const struct config_key *key, char text[CONFIG_WANTED_TEXT])
{
	text[0] = '\0';
	switch (key->type) {
	case CONFIG_INTEGER:
		snprintf(text, CONFIG_WANTED_TEXT, "a whole number from %u to %u", key->min, key->max);
		break;
	case CONFIG_TRUE:
		append(text, 0, "true");
		break;
	case CONFIG_WORD:
	case CONFIG_WORD_TEXT:
		words_wanted(key->words, text, 0);
		break;
	case CONFIG_WORD_SET:
		words_wanted(key->words, text, append(text, 0, "a list of one or more of "));
		break;
	case CONFIG_TEXT:
		append(text, append(text, 0, key->format->wanted),
			key->format->part != NULL ? ", or a list of them" : "");
		break;
	case CONFIG_CPU:
		append(text, 0, config_format_lcore_on_cpu.wanted);
		break;
	case CONFIG_REFERENCE:
		snprintf(text, CONFIG_WANTED_TEXT, "the name of a %s", key->reference->what);
		break;
	case CONFIG_OBJECT:
		append(text, 0, "an object");
		break;
	}
	if (key->alternative != NULL)
		append(text, strlen(text), ", or a list of objects");
	return text;
}
