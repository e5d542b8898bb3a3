/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/top.h"

#include "vxgatectl/screen.h"
#include "vxgatectl/top_view.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double number_of(const cJSON *object, const char *key)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return text == NULL ? "" : text;
}

static bool traffic_take(struct sample *sample, enum counter_group group, const cJSON *row)
{
	struct counter_row *counters = sample_row(sample, group, text_of(row, "name"), false);

	if (counters == NULL)
		return false;
	counters->value[RX_PACKETS] = number_of(row, "rx_packets");
	counters->value[RX_BYTES] = number_of(row, "rx_bytes");
	counters->value[TX_PACKETS] = number_of(row, "tx_packets");
	counters->value[TX_BYTES] = number_of(row, "tx_bytes");
	counters->value[RX_MISSED] = number_of(row, "rx_missed");
	return true;
}

static bool port_take(void *argument, cJSON *row)
{
	return traffic_take(argument, GROUP_PORT, row);
}

static bool segment_take(void *argument, cJSON *row)
{
	return traffic_take(argument, GROUP_SEGMENT, row);
}

static bool lcore_take(void *argument, cJSON *row)
{
	char name[24];
	const cJSON *item;

	snprintf(name, sizeof(name), "%.0f", number_of(row, "lcore"));
	struct counter_row *counters = sample_row(argument, GROUP_LCORE, name, false);
	if (counters == NULL)
		return false;
	counters->value[LCORE_PACKETS] = number_of(row, "packets");
	counters->value[LCORE_BUSY_CYCLES] = number_of(row, "busy_cycles");
	counters->value[LCORE_SLEEPS] = number_of(row, "sleeps");
	counters->value[LCORE_CREATED] = number_of(row, "sessions_created");
	counters->value[LCORE_EXPIRED] = number_of(row, "sessions_expired");
	counters->value[LCORE_SESSIONS] = number_of(row, "sessions");
	cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(row, "stages")) {
		struct counter_row *stage = sample_row(argument, GROUP_STAGE, item->string, true);

		if (stage == NULL)
			return false;
		stage->value[STAGE_PACKETS] += number_of(item, "packets");
		stage->value[STAGE_CYCLES] += number_of(item, "cycles");
	}
	return true;
}

static bool drop_take(void *argument, cJSON *row)
{
	struct counter_row *counters = sample_row(argument, GROUP_DROP, text_of(row, "name"), false);

	if (counters != NULL)
		counters->value[DROP_COUNT] = number_of(row, "count");
	return counters != NULL;
}

static int sample_take(struct telemetry_client *client, struct sample *sample, struct top_header *header)
{
	static const struct {
		const char *command, *list;
		client_row *take;
	} part[] = { { "/vxgate/ports", "ports", port_take },
		{ "/vxgate/segments", "segments", segment_take }, { "/vxgate/lcores", "lcores", lcore_take },
		{ "/vxgate/drops", "drops", drop_take } };
	cJSON *info = client_ask(client, "/vxgate/info", NULL);
	time_t now = time(NULL);
	struct tm local;

	if (info == NULL)
		return -EIO;
	sample->when_ns = (uint64_t)number_of(info, "now_ns");
	sample->tsc_hz = number_of(info, "tsc_hz");
	header->uptime_s = (uint64_t)number_of(info, "uptime_s");
	snprintf(header->name, sizeof(header->name), "%s", text_of(info, "name"));
	snprintf(header->version, sizeof(header->version), "%s", text_of(info, "version"));
	snprintf(header->plan, sizeof(header->plan), "%s", text_of(info, "plan"));
	strftime(header->clock, sizeof(header->clock), "%H:%M:%S", localtime_r(&now, &local));
	cJSON_Delete(info);
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		int rc = client_list(client, part[i].command, part[i].list, NULL, part[i].take, sample);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static void view_draw(const struct top_view *view, bool screen)
{
	if (screen)
		fputs("\033[H", stdout);
	for (size_t i = 0; i < view->count; i++) {
		const struct top_line *line = &view->line[i];

		if (screen) /* no newline after the last line: it would scroll */
			printf("%s%s%s\033[K%s", line->heading ? "\033[7m" : "", line->text,
				line->heading ? "\033[0m" : "", i + 1 < view->count ? "\r\n" : "");
		else
			printf("%s\n", line->text);
	}
	fputs(screen ? "\033[J" : "\n", stdout);
	fflush(stdout);
}

static int view_show(
	const struct top_header *header, const struct sample *before, const struct sample *now, bool screen)
{
	unsigned width = 0, height = 0;
	struct top_view view = { 0 };

	if (screen)
		screen_size(&width, &height);
	int rc = top_view_make(&view, header, before, now, width, height);
	if (rc == 0)
		view_draw(&view, screen);
	top_view_destroy(&view);
	return rc;
}

/* Waits for the interval to pass, drawing the same anew when the window changes its size. False: it is to end. */
static bool interval_wait(unsigned interval_ms, const struct top_header *header, const struct sample *before,
	const struct sample *now, bool screen)
{
	enum screen_event event;

	while ((event = screen_wait(interval_ms)) == SCREEN_RESIZED)
		if (screen)
			view_show(header, before, now, screen);
	return event != SCREEN_QUIT;
}

static int top_loop(struct telemetry_client *client, const struct top_request *request, bool screen)
{
	struct sample before, now;
	struct top_header header = { 0 };
	uint64_t shown = 0;

	sample_init(&before);
	sample_init(&now);
	int rc = sample_take(client, &before, &header);
	/* The first view comes soon, with the rates of a short while. */
	bool go_on = rc == 0 &&
		     screen_wait(request->interval_ms < 500 ? request->interval_ms : 500) != SCREEN_QUIT;
	while (go_on) {
		sample_destroy(&now);
		rc = sample_take(client, &now, &header);
		if (rc == 0)
			rc = view_show(&header, &before, &now, screen);
		shown++;
		go_on = rc == 0 && (request->count == 0 || shown < request->count) &&
			interval_wait(request->interval_ms, &header, &before, &now, screen);
		if (go_on) {
			sample_destroy(&before);
			before = now;
			sample_init(&now);
		}
	}
	sample_destroy(&before);
	sample_destroy(&now);
	return rc;
}

int top_run(struct telemetry_client *client, const struct top_request *request)
{
	screen_catch_signals();
	bool screen = screen_open() == 0;
	int rc = top_loop(client, request, screen);

	screen_close();
	return rc;
}
