/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/config_scan.h"

#include <ctype.h>
#include <string.h>

#define NUMBER_LENGTH_MAX 63 /* cJSON reads no longer ones */
#define SHOWN_MAX         48 /* characters of a word that should not be there */

struct scan {
	struct config_errors *errors;
	struct config_offsets *offsets;
	size_t at;
};

static bool scan_value(struct scan *s, const struct config_path *path, size_t key, unsigned depth);

/* The byte at `at`, 0 at the end. A zero byte within the text is caught as what it is: not JSON. */
static unsigned char byte_at(const struct scan *s, size_t at)
{
	return at < s->errors->length ? (unsigned char)s->errors->text[at] : 0;
}

static unsigned char next_byte(const struct scan *s)
{
	return byte_at(s, s->at);
}

static bool at_end(const struct scan *s)
{
	return s->at >= s->errors->length;
}

static void skip_space(struct scan *s)
{
	while (next_byte(s) == ' ' || next_byte(s) == '\t' || next_byte(s) == '\n' || next_byte(s) == '\r')
		s->at++;
}

/* The length of the UTF-8 sequence at `at` (RFC 3629), 0 when it is not a valid one. */
static size_t utf8_length(const struct scan *s, size_t at)
{
	unsigned char first = byte_at(s, at), second = byte_at(s, at + 1);
	size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if ((first >= 0x80 && first < 0xc2) || first > 0xf4)
		return 0;
	if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
		(first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((byte_at(s, at + i) & 0xc0) != 0x80)
			return 0;
	}
	return length;
}

static bool fail(
	struct scan *s, const struct config_path *path, size_t offset, const char *found, const char *wanted)
{
	char text[CONFIG_PATH_TEXT];

	config_error_add(s->errors, offset, config_path_text(path, text), "%s; %s", found, wanted);
	return false;
}

/* Letters, digits and underscores from here on. */
static size_t word_length(const struct scan *s)
{
	size_t length = 0;

	while (isalnum(byte_at(s, s->at + length)) || byte_at(s, s->at + length) == '_')
		length++;
	return length;
}

/* What is at the current place, in words. */
static const char *found_here(const struct scan *s, char text[CONFIG_QUOTE_TEXT])
{
	const char *here = s->errors->text + s->at;
	size_t word = word_length(s);

	if (at_end(s))
		return "the end of the file";
	if (next_byte(s) == '"')
		return "a text in quotes";
	if (word > 0)
		snprintf(text, CONFIG_QUOTE_TEXT, "%.*s", (int)(word < SHOWN_MAX ? word : SHOWN_MAX), here);
	else if (!isprint(next_byte(s)) && (next_byte(s) < 0x80 || utf8_length(s, s->at) == 0))
		snprintf(text, CONFIG_QUOTE_TEXT, "byte 0x%02x", next_byte(s));
	else
		snprintf(text, CONFIG_QUOTE_TEXT, "'%.*s'", (int)utf8_length(s, s->at), here);
	return text;
}

static bool fail_here(struct scan *s, const struct config_path *path, const char *wanted)
{
	char found[CONFIG_QUOTE_TEXT];

	if (next_byte(s) == '/' || next_byte(s) == '#')
		wanted = "JSON has no comments";
	else if (next_byte(s) == '\'')
		wanted = "JSON takes double quotes only";
	return fail(s, path, s->at, found_here(s, found), wanted);
}

/* Four hexadecimal digits at `at`; -1 when they are not. */
static int hex4(const struct scan *s, size_t at)
{
	int value = 0;

	for (size_t i = 0; i < 4; i++) {
		unsigned char digit = byte_at(s, at + i);

		if (!isxdigit(digit))
			return -1;
		value = value * 16 + (isdigit(digit) ? digit - '0' : tolower(digit) - 'a' + 10);
	}
	return value;
}

/* At a backslash within a string. */
static bool scan_escape(struct scan *s, const struct config_path *path)
{
	size_t start = s->at;
	int code;

	s->at += 2;
	if (byte_at(s, start + 1) != 'u') {
		if (byte_at(s, start + 1) != 0 && strchr("\"\\/bfnrt", byte_at(s, start + 1)) != NULL)
			return true;
		return fail(s, path, start, "a backslash with an unknown letter",
			"want one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
	}
	code = hex4(s, s->at);
	s->at += 4;
	if (code < 0)
		return fail(s, path, start, "\\u without four hexadecimal digits", "want \\uXXXX");
	if (code == 0)
		return fail(s, path, start, "\\u0000", "a zero character is not allowed here");
	if (code < 0xd800 || code > 0xdfff)
		return true;
	if (code < 0xdc00 && byte_at(s, s->at) == '\\' && byte_at(s, s->at + 1) == 'u') {
		code = hex4(s, s->at + 2);
		s->at += 6;
		if (code >= 0xdc00 && code <= 0xdfff)
			return true;
	}
	return fail(
		s, path, start, "half of a surrogate pair", "want \\uD800..DBFF followed by \\uDC00..DFFF");
}

static bool scan_string(struct scan *s, const struct config_path *path)
{
	size_t start = s->at;

	for (s->at++; next_byte(s) != '"';) {
		size_t length = utf8_length(s, s->at);

		if (at_end(s) || next_byte(s) == '\n')
			return fail(s, path, start, "a string that does not end on its line",
				"want a closing '\"'");
		if (next_byte(s) < 0x20)
			return fail_here(s, path, "control characters in a string are written as \\uXXXX");
		if (length == 0)
			return fail_here(s, path, "want text in UTF-8");
		if (next_byte(s) != '\\')
			s->at += length;
		else if (!scan_escape(s, path))
			return false;
	}
	s->at++;
	return true;
}

static size_t scan_digits(struct scan *s)
{
	size_t start = s->at;

	while (isdigit(next_byte(s)))
		s->at++;
	return s->at - start;
}

static bool scan_number(struct scan *s, const struct config_path *path)
{
	size_t start = s->at, whole;
	bool leading_zero;

	if (next_byte(s) == '-')
		s->at++;
	leading_zero = next_byte(s) == '0';
	whole = scan_digits(s);
	if (whole == 0)
		return fail_here(s, path, "want a digit after the '-'");
	if (leading_zero && whole > 1)
		return fail(
			s, path, start, "a number that starts with 0", "want it without the leading zeros");
	if (next_byte(s) == '.') {
		s->at++;
		if (scan_digits(s) == 0)
			return fail_here(s, path, "want a digit after the decimal point");
	}
	if (next_byte(s) == 'e' || next_byte(s) == 'E') {
		s->at++;
		if (next_byte(s) == '+' || next_byte(s) == '-')
			s->at++;
		if (scan_digits(s) == 0)
			return fail_here(s, path, "want a digit in the exponent");
	}
	if (word_length(s) > 0)
		return fail_here(s, path, "want nothing but the digits of a decimal number");
	if (s->at - start > NUMBER_LENGTH_MAX)
		return fail(s, path, start, "a number of more than 63 characters", "want a shorter one");
	return true;
}

static bool scan_literal(struct scan *s, const struct config_path *path)
{
	static const char *const literals[] = { "true", "false", "null" };
	const char *here = s->errors->text + s->at;
	size_t word = word_length(s);

	for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
		if (strlen(literals[i]) == word && memcmp(literals[i], here, word) == 0) {
			s->at += word;
			return true;
		}
	}
	if (word > 0)
		return fail_here(s, path, "want a value; text is written in double quotes");
	return fail_here(s, path, "want a value");
}

/* After the '{': one "key": value. */
static bool scan_member(struct scan *s, const struct config_path *path, unsigned depth)
{
	struct config_path member = { .parent = path };
	size_t key = s->at;

	if (next_byte(s) != '"')
		return fail_here(s, path, "want a key in double quotes");
	if (!scan_string(s, path))
		return false;
	member.key = s->errors->text + key + 1;
	member.key_length = s->at - key - 2;
	skip_space(s);
	if (next_byte(s) != ':')
		return fail_here(s, &member, "want ':' after the key");
	s->at++;
	return scan_value(s, &member, key, depth);
}

/* At a '{' or '['. */
static bool scan_collection(struct scan *s, const struct config_path *path, unsigned depth)
{
	bool object = next_byte(s) == '{';
	unsigned char end = object ? '}' : ']';

	if (depth > CONFIG_DEPTH_MAX)
		return fail(s, path, s->at, "objects and lists more than 32 deep", "want fewer");
	s->at++;
	skip_space(s);
	if (next_byte(s) == end) {
		s->at++;
		return true;
	}
	for (uint32_t index = 0;; index++) {
		struct config_path element = { .parent = path, .index = index };

		if (!(object ? scan_member(s, path, depth) : scan_value(s, &element, SIZE_MAX, depth)))
			return false;
		skip_space(s);
		if (next_byte(s) == end) {
			s->at++;
			return true;
		}
		if (next_byte(s) != ',')
			return fail_here(s, object ? path : &element,
				object ? "want ',' or '}' after a value" : "want ',' or ']' after a value");
		s->at++;
		skip_space(s);
		if (next_byte(s) == end)
			return fail_here(s, path, "want another value after the ',', or no ','");
	}
}

static bool scan_value(struct scan *s, const struct config_path *path, size_t key, unsigned depth)
{
	struct config_offsets *offsets = s->offsets;

	skip_space(s);
	if (!config_grow(s->errors, (void **)&offsets->list, &offsets->capacity, offsets->count,
		    sizeof(offsets->list[0])))
		return false;
	offsets->list[offsets->count++] =
		(struct config_offset){ .key = key == SIZE_MAX ? s->at : key, .value = s->at };
	if (next_byte(s) == '{' || next_byte(s) == '[')
		return scan_collection(s, path, depth + 1);
	if (next_byte(s) == '"')
		return scan_string(s, path);
	if (next_byte(s) == '-' || isdigit(next_byte(s)))
		return scan_number(s, path);
	return scan_literal(s, path);
}

bool config_scan(struct config_errors *errors, struct config_offsets *offsets)
{
	struct scan s = { .errors = errors, .offsets = offsets };
	const struct config_path top = { 0 };

	if (errors->length > CONFIG_SIZE_MAX)
		return fail(&s, &top, 0, "more than 16 MiB of text", "want less");
	if (errors->length >= 3 && memcmp(errors->text, "\xef\xbb\xbf", 3) == 0)
		return fail(&s, &top, 0, "a byte order mark", "want the text without it");
	skip_space(&s);
	if (at_end(&s))
		return fail(&s, &top, s.at, "nothing in the file", "want an object: { ... }");
	if (!scan_value(&s, &top, SIZE_MAX, 0))
		return false;
	skip_space(&s);
	if (!at_end(&s))
		return fail_here(&s, &top, "want nothing after the end of the configuration");
	return true;
}
