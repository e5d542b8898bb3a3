/* SPDX-License-Identifier: BSD-3-Clause */
/* The services of the segments. */
#include "management/telemetry_private.h"

#include "base/ip_address.h"

static void dhcp_row(const struct telemetry_sources *sources, uint16_t segment, struct telemetry_object *row)
{
	const struct dhcp_relay *relay = slowpath_dhcp_relay(sources->slowpath);
	const struct dhcp_relay_settings *settings = dhcp_relay_of(relay, segment);
	const struct dhcp_relay_counters *c = dhcp_relay_counters(relay, segment);
	struct telemetry_list servers;
	char text[IP_ADDRESS_TEXT];

	object_start(row);
	object_string(row, "segment", sources->plane->segments->segment[segment].name);
	list_start(&servers);
	for (uint16_t i = 0; i < settings->server_count; i++)
		list_string(&servers, ipv4_text(settings->server[i], text));
	object_list(row, "servers", &servers);
	object_u64(row, "option_82", settings->option_82);
	object_string(row, "circuit_id", settings->id.circuit);
	object_string(row, "remote_id", settings->id.remote);
	object_u64(row, "requests", recent(c->requests));
	object_u64(row, "requests_sent", recent(c->requests_sent));
	object_u64(row, "replies", recent(c->replies));
	object_u64(row, "replies_sent", recent(c->replies_sent));
	object_u64(row, "option_82_left_out", recent(c->option_82_left_out));
}

int dhcp_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	const struct dhcp_relay *relay = slowpath_dhcp_relay(sources->slowpath);
	struct telemetry_reply reply;

	reply_start(&reply, data, asked->count);
	for (uint64_t i = asked->cursor; relay != NULL && i < sources->plane->segments->count; i++) {
		struct telemetry_object row;

		if (!segment_wanted(asked, (uint16_t)i) || dhcp_relay_of(relay, (uint16_t)i) == NULL)
			continue;
		if (reply_room(&reply, 1000) == 0) {
			reply.next = i;
			break;
		}
		dhcp_row(sources, (uint16_t)i, &row);
		reply_row(&reply, &row);
	}
	return reply_end(&reply, "dhcp");
}

int port_control_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	static const char *const result[] = { "success", "unsupp_version", "not_authorized",
		"malformed_request", "unsupp_opcode", "unsupp_option", "malformed_option", "network_failure",
		"no_resources", "unsupp_protocol", "user_ex_quota", "cannot_provide_external",
		"address_mismatch", "excessive_remote_peers" };
	const struct port_control *control = slowpath_port_control(sources->slowpath);
	struct telemetry_object object, results;

	(void)asked;
	object_start_in(&object, data);
	object_u64(&object, "enabled", control != NULL);
	if (control == NULL)
		return 0;
	const struct port_control_counters *c = port_control_counters(control);
	object_u64(&object, "mappings", recent(c->mappings));
	object_u64(&object, "requests", recent(c->requests));
	object_u64(&object, "responses", recent(c->responses));
	object_start(&results);
	for (unsigned i = 0; i < RTE_DIM(result); i++)
		object_u64(&results, result[i], recent(c->pcp_results[i]));
	object_object(&object, "results", &results);
	return 0;
}
