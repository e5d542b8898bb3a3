/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line. */
#pragma once

#include "vxgatectl/nat_command.h"
#include "vxgatectl/subjects.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum action {
	ACTION_SHOW,
	ACTION_CLEAR,
	ACTION_WHO,
	ACTION_TOP,
	ACTION_LIST,
	ACTION_COMPLETE,
	ACTION_HELP,
	ACTION_VERSION
};

struct options {
	enum action action;
	const char *name;   /* of the gateway, or NULL */
	const char *socket; /* path, or NULL */
	struct who_request who;
	char who_time[WHO_TIME_TEXT];
	bool json, all;
	const struct subject *subject;
	char filters[960]; /* "KEY=VALUE,..." for the gateway */
	uint64_t count;    /* rows of a list, or views of top; 0: all */
	unsigned interval_ms;
	char **word; /* after "complete": words of an unfinished command line, the last one being typed */
	int word_count;
};

/* 0, or -EINVAL with a sentence on `errors`. argv is put into another order, as getopt does. */
int options_parse(struct options *options, int argc, char **argv, FILE *errors);
void options_help(FILE *out);
