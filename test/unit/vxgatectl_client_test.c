/* SPDX-License-Identifier: BSD-3-Clause */
/* vxgatectl against a telemetry socket that says what the test wants: pages, errors, silence. */
#include "vxgatectl/instances.h"
#include "vxgatectl/show.h"
#include "vxgatectl/telemetry_client.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define GREETING "{\"version\":\"DPDK 22.11.11\",\"pid\":77,\"max_output_len\":16384}"

struct answer {
	const char *request, *reply; /* reply NULL: closes the connection; "": stays silent */
};

struct server {
	char directory[64], path[108];
	int listener;
	const char *greeting;
	const struct answer *answer; /* ended by a NULL request */
	pthread_t thread;
};

static const struct answer *answer_find(const struct server *server, const char *request)
{
	const struct answer *answer = server->answer;

	while (answer->request != NULL && strcmp(answer->request, request) != 0)
		answer++;
	return answer->request == NULL ? NULL : answer;
}

/* Serves one client after the other; what the test does not expect is answered as DPDK does. */
static void *server_run(void *argument)
{
	struct server *server = argument;
	char request[1024], unknown[1100];
	ssize_t n;

	for (;;) {
		int fd = accept(server->listener, NULL, NULL);

		if (fd < 0)
			return NULL;
		if (server->greeting != NULL)
			(void)!write(fd, server->greeting, strlen(server->greeting));
		while ((n = read(fd, request, sizeof(request) - 1)) > 0) {
			request[n] = '\0';
			const struct answer *answer = answer_find(server, request);
			snprintf(unknown, sizeof(unknown), "{\"%s\":null}", request);
			const char *reply = answer == NULL ? unknown : answer->reply;
			if (reply == NULL)
				break;
			if (reply[0] != '\0')
				(void)!write(fd, reply, strlen(reply));
		}
		close(fd);
	}
}

static void server_start(struct server *server, const char *instance, const struct answer *answer)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*server = (struct server){ .answer = answer, .greeting = GREETING };
	strcpy(server->directory, "/tmp/vxgatectl_test.XXXXXX");
	cr_assert_not_null(mkdtemp(server->directory));
	snprintf(server->path, sizeof(server->path), "%s/dpdk", server->directory);
	mkdir(server->path, 0700);
	snprintf(server->path, sizeof(server->path), "%s/dpdk/vxgate-%s", server->directory, instance);
	mkdir(server->path, 0700);
	snprintf(server->path, sizeof(server->path), "%s/dpdk/vxgate-%s/dpdk_telemetry.v2", server->directory,
		instance);
	strcpy(address.sun_path, server->path);
	server->listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	cr_assert_eq(bind(server->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(server->listener, 4), 0);
	cr_assert_eq(setenv("RUNTIME_DIRECTORY", server->directory, 1), 0);
	cr_assert_eq(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static void server_stop(struct server *server)
{
	char path[140];

	shutdown(server->listener, SHUT_RDWR);
	close(server->listener);
	pthread_join(server->thread, NULL);
	unlink(server->path);
	for (int up = 0; up < 3; up++) {
		snprintf(path, sizeof(path), "%s", server->path);
		*strrchr(path, '/') = '\0';
		strcpy(server->path, path);
		rmdir(path);
	}
}

static char *shown(struct server *server, const char *subject, const char *filters, uint64_t count, bool json,
	int wanted, char error[256])
{
	const struct show_request request = { subject_find(subject), filters, count, false, json };
	struct telemetry_client client;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(client_open(&client, server->path, 2000), 0, "%s", client.error);
	int rc = show_subject(&client, &request, out);
	fclose(out);
	cr_assert_eq(rc == 0 ? 0 : 1, wanted, "%s", client.error);
	if (error != NULL)
		strcpy(error, client.error);
	client_close(&client);
	return text;
}

#define FDB_ROW(mac)                                                                                         \
	"{\"segment\":\"web\",\"mac\":\"" mac                                                                \
	"\",\"vtep\":\"192.0.2.11\",\"idle_ms\":5,\"learned_s\":7,\"moves\":0,\"previous_vtep\":\"\"}"

static const struct answer fdb_pages[] = {
	{ "/vxgate/fdb", "{\"/vxgate/fdb\":{\"next\":7,\"count\":2,\"fdb\":{\"0\":" FDB_ROW(
				 "m1") ",\"1\":" FDB_ROW("m2") "}}}" },
	{ "/vxgate/fdb,cursor=7", "{\"/vxgate/fdb\":{\"next\":9,\"count\":0,\"fdb\":{}}}" },
	{ "/vxgate/fdb,cursor=9",
		"{\"/vxgate/fdb\":{\"next\":0,\"count\":1,\"fdb\":{\"0\":" FDB_ROW("m3") "}}}" },
	{ "/vxgate/fdb,segment=web",
		"{\"/vxgate/fdb\":{\"next\":4,\"count\":1,\"fdb\":{\"0\":" FDB_ROW("f1") "}}}" },
	{ "/vxgate/fdb,segment=web,cursor=4",
		"{\"/vxgate/fdb\":{\"next\":0,\"count\":1,\"fdb\":{\"0\":" FDB_ROW("f2") "}}}" },
	{ "/vxgate/fdb,segment=lost", "{\"/vxgate/fdb\":{\"error\":\"no segment 'lost' here\"}}" },
	{ NULL, NULL },
};

Test(vxgatectl_client, a_list_of_many_pages_is_one_table)
{
	struct server server;

	server_start(&server, "a", fdb_pages);
	char *text = shown(&server, "fdb", NULL, 0, false, 0, NULL);
	cr_assert_str_eq(text, "SEGMENT  MAC  VTEP        IDLE  LEARNED  MOVES  PREVIOUS VTEP\n"
			       "web      m1   192.0.2.11   5ms       7s      0  -\n"
			       "web      m2   192.0.2.11   5ms       7s      0  -\n"
			       "web      m3   192.0.2.11   5ms       7s      0  -\n");
	free(text);
	server_stop(&server);
}

Test(vxgatectl_client, json_is_one_array_that_parses)
{
	struct server server;

	server_start(&server, "a", fdb_pages);
	char *text = shown(&server, "fdb", NULL, 0, true, 0, NULL);
	cJSON *rows = cJSON_Parse(text);
	cr_assert_eq(cJSON_GetArraySize(rows), 3);
	cr_assert_str_eq(cJSON_GetObjectItem(cJSON_GetArrayItem(rows, 2), "mac")->valuestring, "m3");
	cJSON_Delete(rows);
	free(text);
	server_stop(&server);
}

Test(vxgatectl_client, filters_go_along_on_every_page)
{
	struct server server;

	server_start(&server, "a", fdb_pages);
	char *text = shown(&server, "fdb", "segment=web", 0, false, 0, NULL);
	cr_assert(strstr(text, "f1") && strstr(text, "f2") && !strstr(text, "m1"));
	free(text);
	server_stop(&server);
}

Test(vxgatectl_client, a_count_of_rows_ends_the_list)
{
	struct server server;

	server_start(&server, "a", fdb_pages);
	char *text = shown(&server, "fdb", NULL, 2, false, 0, NULL);
	cr_assert(strstr(text, "m2") && !strstr(text, "m3"));
	free(text);
	text = shown(&server, "fdb", NULL, 1, true, 0, NULL);
	cr_assert(strstr(text, "m1") && !strstr(text, "m2"));
	free(text);
	server_stop(&server);
}

Test(vxgatectl_client, what_the_gateway_finds_wrong_is_told)
{
	struct server server;
	char error[256];

	server_start(&server, "a", fdb_pages);
	free(shown(&server, "fdb", "segment=lost", 0, false, 1, error));
	cr_assert_str_eq(error, "no segment 'lost' here");
	free(shown(&server, "moves", NULL, 0, false, 1, error));
	cr_assert(strstr(error, "does not know /vxgate/moves") != NULL, "%s", error);
	server_stop(&server);
}

Test(vxgatectl_client, only_drops_that_happened_are_shown_unless_all_are_wanted)
{
	static const struct answer drops[] = {
		{ "/vxgate/drops", "{\"/vxgate/drops\":{\"next\":0,\"count\":2,\"drops\":{"
				   "\"0\":{\"name\":\"no_route\",\"count\":1200,\"sentence\":\"No route.\"},"
				   "\"1\":{\"name\":\"ring_full\",\"count\":0,\"sentence\":\"Full.\"}}}}" },
		{ NULL, NULL },
	};
	struct server server;
	struct show_request request = { subject_find("drops"), NULL, 0, true, false };
	struct telemetry_client client;
	char *all = NULL;
	size_t size = 0;

	server_start(&server, "a", drops);
	char *text = shown(&server, "drops", NULL, 0, false, 0, NULL);
	cr_assert_str_eq(text, "REASON    COUNT  WHAT IT MEANS\nno_route  1,200  No route.\n");
	free(text);
	FILE *out = open_memstream(&all, &size);
	cr_assert_eq(client_open(&client, server.path, 2000), 0);
	cr_assert_eq(show_subject(&client, &request, out), 0);
	fclose(out);
	client_close(&client);
	cr_assert(strstr(all, "ring_full      0  Full.") != NULL, "%s", all);
	free(all);
	server_stop(&server);
}

Test(vxgatectl_client, stages_of_lcores_are_a_table_of_their_own)
{
	static const struct answer lcores[] = {
		{ "/vxgate/lcores",
			"{\"/vxgate/lcores\":{\"next\":0,\"count\":1,\"lcores\":{\"0\":{\"lcore\":1,"
			"\"busy_percent\":42,\"stages\":{\"route\":{\"packets\":5000,\"bursts\":100,"
			"\"cycles\":60000,\"cycles_a_packet\":12}}}}}}" },
		{ NULL, NULL },
	};
	struct server server;

	server_start(&server, "a", lcores);
	char *text = shown(&server, "lcores", NULL, 0, false, 0, NULL);
	cr_assert(strstr(text, "\n    1      42 ") != NULL, "%s", text);
	cr_assert(strstr(text, "\n\nLCORE  STAGE  PACKETS  BURSTS  CYCLES A PACKET\n"
			       "    1  route    5,000     100               12\n") != NULL,
		"%s", text);
	free(text);
	server_stop(&server);
}

/* Once, whatever rows say it. */
Test(vxgatectl_client, what_to_know_of_steering_is_below_the_tables_that_show_it)
{
	static const struct answer answers[] = {
		{ "/vxgate/lcores", "{\"/vxgate/lcores\":{\"next\":0,\"count\":2,\"lcores\":{"
				    "\"0\":{\"lcore\":1,\"note\":\"not on a NIC\",\"stages\":{}},"
				    "\"1\":{\"lcore\":2,\"note\":\"not on a NIC\",\"stages\":{}}}}}" },
		{ "/vxgate/steering",
			"{\"/vxgate/steering\":{\"next\":0,\"count\":2,\"steering\":{"
			"\"0\":{\"name\":\"underlay\",\"from\":\"inside\",\"steering\":\"handoff\","
			"\"rules\":0,\"queue_rules\":[],\"block\":0,\"why\":\"old\","
			"\"queue_lcore_owner\":[],\"note\":\"\"},"
			"\"1\":{\"name\":\"up\",\"from\":\"outside\",\"steering\":\"rules\","
			"\"rules\":16,\"queue_rules\":[\"0:8\",\"1:8\"],\"block\":512,\"why\":\"\","
			"\"queue_lcore_owner\":[\"0>1>0\",\"1>2>1\"],\"note\":\"not on a NIC\"}}}}" },
		{ NULL, NULL },
	};
	struct server server;

	server_start(&server, "a", answers);
	char *text = shown(&server, "steering", NULL, 0, false, 0, NULL);
	cr_assert_str_eq(text,
		"PORT      FROM     STEERING  RULES  QUEUE:RULES  PORT BLOCK  QUEUE>LCORE>OWNER  WHY NOT "
		"BETTER\n"
		"underlay  inside   handoff       0  -                     -  -                  old\n"
		"up        outside  rules        16  0:8 1:8             512  0>1>0 1>2>1        -\n"
		"not on a NIC\n");
	free(text);
	text = shown(&server, "lcores", NULL, 0, false, 0, NULL);
	cr_assert_not_null(strstr(text, "\nnot on a NIC\n\nLCORE  STAGE"), "%s", text);
	cr_assert_null(strstr(strstr(text, "not on a NIC") + 1, "not on a NIC"), "%s", text);
	free(text);
	server_stop(&server);
}

Test(vxgatectl_client, the_configuration_is_joined_from_its_pieces)
{
	static const struct answer pieces[] = {
		{ "/vxgate/configuration",
			"{\"/vxgate/configuration\":{\"next\":9,\"pieces\":[\"{ \\\"na\",\"me\\\":\"]}}" },
		{ "/vxgate/configuration,cursor=9",
			"{\"/vxgate/configuration\":{\"next\":0,\"pieces\":[\" 1 }\\n\"]}}" },
		{ NULL, NULL },
	};
	struct server server;

	server_start(&server, "a", pieces);
	char *text = shown(&server, "configuration", NULL, 0, false, 0, NULL);
	cr_assert_str_eq(text, "{ \"name\": 1 }\n");
	free(text);
	server_stop(&server);
}

Test(vxgatectl_client, pages_that_lead_in_a_circle_are_refused)
{
	static const struct answer circle[] = {
		{ "/vxgate/fdb", "{\"/vxgate/fdb\":{\"next\":7,\"count\":0,\"fdb\":{}}}" },
		{ "/vxgate/fdb,cursor=7", "{\"/vxgate/fdb\":{\"next\":7,\"count\":0,\"fdb\":{}}}" },
		{ NULL, NULL },
	};
	struct server server;
	char error[256];

	server_start(&server, "a", circle);
	free(shown(&server, "fdb", NULL, 0, false, 1, error));
	cr_assert(strstr(error, "do not end") != NULL, "%s", error);
	server_stop(&server);
}

Test(vxgatectl_client, nonsense_silence_and_hanging_up_are_named)
{
	static const struct answer bad[] = {
		{ "/vxgate/fdb", "{\"/vxgate/fdb\":" },
		{ "/vxgate/moves", NULL },
		{ "/vxgate/routes", "" },
		{ NULL, NULL },
	};
	struct server server;
	struct telemetry_client client;

	server_start(&server, "a", bad);
	cr_assert_eq(client_open(&client, server.path, 300), 0);
	cr_assert_eq(client.pid, 77);
	cr_assert_null(client_ask(&client, "/vxgate/fdb", NULL));
	cr_assert(strstr(client.error, "makes no sense") != NULL, "%s", client.error);
	cr_assert_null(client_ask(&client, "/vxgate/routes", NULL));
	cr_assert(strstr(client.error, "did not answer within 300 ms") != NULL, "%s", client.error);
	cr_assert_null(client_ask(&client, "/vxgate/moves", NULL));
	cr_assert(strstr(client.error, "closed the connection") != NULL, "%s", client.error);
	client_close(&client);
	server_stop(&server);
}

Test(vxgatectl_client, a_socket_of_something_else_is_recognised)
{
	static const struct answer none[] = { { NULL, NULL } };
	struct server server;
	struct telemetry_client client;

	server_start(&server, "a", none);
	server.greeting = "220 ready";
	cr_assert_eq(client_open(&client, server.path, 2000), -EPROTO);
	client_close(&client);
	cr_assert_eq(client_open(&client, "/nowhere/at/all", 2000), -ENOENT);
	cr_assert(strstr(client.error, "/nowhere/at/all") != NULL);
	client_close(&client);
	server_stop(&server);
}

Test(vxgatectl_instances, the_only_gateway_needs_no_name_and_a_wrong_name_hears_the_right_one)
{
	static const struct answer none[] = { { NULL, NULL } };
	struct server server;
	struct instance instance;
	char error[512];

	server_start(&server, "edge-a", none);
	cr_assert_eq(instance_choose(NULL, &instance, error, sizeof(error)), 0);
	cr_assert_str_eq(instance.name, "edge-a");
	cr_assert_str_eq(instance.socket, server.path);
	cr_assert_eq(instance_choose("edge-a", &instance, error, sizeof(error)), 0);
	cr_assert_eq(instance_choose("edge-b", &instance, error, sizeof(error)), -ENOENT);
	cr_assert_str_eq(error, "no gateway named 'edge-b' runs here; there are: edge-a");
	server_stop(&server);
}

Test(vxgatectl_instances, a_socket_that_a_crash_left_behind_is_no_gateway)
{
	static const struct answer none[] = { { NULL, NULL } };
	struct server server;
	struct instance instance;
	char error[512];

	server_start(&server, "edge-a", none);
	shutdown(server.listener, SHUT_RDWR);
	close(server.listener);
	cr_assert_eq(instance_choose(NULL, &instance, error, sizeof(error)), -ENOENT);
	cr_assert(strstr(error, "no gateway runs here") != NULL, "%s", error);
	server_stop(&server);
}
