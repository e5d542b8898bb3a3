/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of vxgatectl and its completion. */
#include "vxgatectl/complete.h"
#include "vxgatectl/options.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 16

/* The line split at its blanks, as a shell would. What was said about errors, to free, in *said. */
static int parse(struct options *options, const char *line, char **said)
{
	static char copy[2048];
	static char *word[WORDS_MAX + 1];
	int count = 0;
	size_t size = 0;
	FILE *errors = open_memstream(said, &size);

	snprintf(copy, sizeof(copy), "vxgatectl %s", line);
	for (char *rest = copy, *item; (item = strsep(&rest, " ")) != NULL && count < WORDS_MAX;)
		if (item[0] != '\0')
			word[count++] = item;
	word[count] = NULL;
	int rc = options_parse(options, count, word, errors);
	fclose(errors);
	return rc;
}

static struct options accepted(const char *line)
{
	struct options options;
	char *said = NULL;

	cr_assert_eq(parse(&options, line, &said), 0, "%s: %s", line, said);
	free(said);
	return options;
}

static void refused(const char *line, const char *sentence)
{
	struct options options;
	char *said = NULL;

	cr_assert_eq(parse(&options, line, &said), -EINVAL, "%s", line);
	cr_assert(strstr(said, sentence) != NULL, "%s: '%s' does not say '%s'", line, said, sentence);
	cr_assert(strstr(said, "--help") != NULL);
	free(said);
}

Test(vxgatectl_options, filters_go_to_the_gateway_and_the_count_of_rows_stays_here)
{
	struct options o = accepted("show sessions segment=web inside=10.0.1.5:80 count=20 --json");

	cr_assert_eq(o.action, ACTION_SHOW);
	cr_assert_str_eq(o.subject->name, "sessions");
	cr_assert_str_eq(o.filters, "segment=web,inside=10.0.1.5:80");
	cr_assert_eq(o.count, 20);
	cr_assert(o.json && !o.all);
}

Test(vxgatectl_options, options_may_stand_before_and_after_the_command)
{
	struct options o = accepted("--name edge-a show drops --all");

	cr_assert_str_eq(o.name, "edge-a");
	cr_assert(o.all);
	o = accepted("show drops --name edge-a");
	cr_assert_str_eq(o.name, "edge-a");
}

Test(vxgatectl_options, top_has_an_interval_and_an_end)
{
	struct options o = accepted("top");

	cr_assert_eq(o.action, ACTION_TOP);
	cr_assert_eq(o.interval_ms, 1000);
	cr_assert_eq(o.count, 0);
	o = accepted("top --interval 0.25 --count 3");
	cr_assert_eq(o.interval_ms, 250);
	cr_assert_eq(o.count, 3);
}

Test(vxgatectl_options, wrong_usage_is_explained)
{
	refused("", "show, nat, top or list");
	refused("shw", "no command 'shw'");
	refused("show", "show what?");
	refused("show session", "no subject 'session'");
	refused("show drops segment=web", "drops are not filtered by 'segment'");
	refused("show sessions web", "'web' is no filter KEY=VALUE");
	refused("show sessions segment=", "no filter KEY=VALUE");
	refused("show sessions segment=a,port=5", "no comma");
	refused("show sessions count=-1", "number of rows");
	refused("show info count=3", "not filtered by 'count'");
	refused("top --interval 0", "wanted seconds");
	refused("top --interval nan", "wanted seconds");
	refused("top --count 0", "wanted a number");
	refused("top web", "top takes no 'web'");
	refused("nat", "show, clear or who");
	refused("nat erase", "no command 'nat erase'");
	refused("nat clear", "which sessions");
	refused("nat clear --all inside=10.0.1.5", "not both");
	refused("nat clear vtep=192.0.2.11", "not filtered by 'vtep'");
	refused("nat who 203.0.113.10", "ADDRESS PORT");
	refused("nat who here 80", "no IPv4 address");
	refused("nat who 203.0.113.10 65536", "no port");
	refused("nat who 203.0.113.10 80 yesterday", "no time");
	refused("--frobnicate", "--frobnicate is no option");
	refused("--name", "--name needs a value");
	refused("--name a --socket b list", "exclude each other");
}

static void completes(const char *line, const char *wanted)
{
	static char copy[512];
	char *word[WORDS_MAX], *text = NULL;
	size_t size = 0;
	int count = 0;
	FILE *out = open_memstream(&text, &size);

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *rest = copy, *item; (item = strsep(&rest, " ")) != NULL && count < WORDS_MAX;)
		word[count++] = item;
	complete_print(word, count, out);
	fclose(out);
	cr_assert_str_eq(text, wanted, "'%s' completes to '%s'", line, text);
	free(text);
}

Test(vxgatectl_complete, each_place_offers_what_can_stand_there)
{
	completes("", "show\nnat\ntop\nlist\n");
	completes("nat ", "show\nclear\nwho\n");
	completes("nat clear st", "state=\n");
	completes("nat clear --a", "--all\n");
	completes("nat show sessions kind=s", "kind=static\n");
	completes("s", "show\n");
	completes("show n", "neighbours\n");
	completes("show s", "steering\nsteering_rules\nsegments\nsessions\nslowpath\n");
	completes("show sessions ",
		"segment=\nprotocol=\ninside=\noutside=\nremote=\nport=\nstate=\nkind=\ncount=\n");
	completes("show sessions segment=web p", "protocol=\nport=\n");
	completes("show sessions protocol=t", "protocol=tcp\n");
	completes("show info ", "");
	completes("show drops --a", "--all\n");
	completes("top --i", "--interval\n");
	completes("top --interval ", "");
	completes("--name edge-a show f", "fdb\n");
}
