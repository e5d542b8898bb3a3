/* SPDX-License-Identifier: BSD-3-Clause */
/* The table. A new key is one entry here, and a field in config.h. */
#include "management/config_schema_private.h"

#include "packet/vxlan_wire.h"
#include "stage/stage.h"
#include "table/interface.h"

#define PORT_MTU_MIN 576 /* what each IPv4 host must take (RFC 791) */
#define PORT_MTU_MAX 9710

static const char *segment_name(const struct config *config, uint32_t index)
{
	return config->segment[index].name;
}

const struct config_reference config_reference_segment = { "segments", "segment", segment_name };

static const struct config_word plan_words[] = { { "fused", CONFIG_PLAN_FUSED },
	{ "split", CONFIG_PLAN_SPLIT }, { NULL } };
static const struct config_word idle_words[] = { { "auto", CONFIG_IDLE_AUTO }, { "sleep", CONFIG_IDLE_SLEEP },
	{ "poll", CONFIG_IDLE_POLL }, { NULL } };
static const struct config_word hugepages_words[] = { { "auto", CONFIG_HUGEPAGES_AUTO },
	{ "yes", CONFIG_HUGEPAGES_YES }, { "no", CONFIG_HUGEPAGES_NO }, { NULL } };
static const struct config_word socket_words[] = { { "auto", 0 }, { "off", 0 }, { NULL } };
static const struct config_word stage_words[] = {
#define STAGE(identifier, name, sentence) { name, STAGE_##identifier },
#include "stage/stage.def"
#undef STAGE
	{ NULL },
};

static const struct config_key plan_entry_keys[] = {
	{ .name = "lcore",
		.meaning = "The packet lcore that this entry is about.",
		.type = CONFIG_INTEGER,
		RANGE(0, CONFIG_LCORE_MAX),
		.required = true,
		FIELD(config_plan_entry, lcore) },
	{ .name = "stages",
		.meaning = "The stages that it runs. Each stage must be on one lcore at least.",
		.type = CONFIG_WORD_SET,
		.words = stage_words,
		.required = true,
		FIELD(config_plan_entry, stages) },
	{ NULL },
};
static const struct config_object plan_entry_object = {
	.meaning = "Which stages one packet lcore runs, for a plan made by hand. Lcores are joined by rings.",
	.keys = plan_entry_keys,
};

static const struct config_key plan_list = {
	.name = "plan",
	.type = CONFIG_OBJECT,
	.object = &plan_entry_object,
	LIST(config_lcores, plan_entry, plan_entry_count, 1, 64),
};

static const struct config_key lcores_keys[] = {
	{ .name = "management",
		.meaning = "The lcore of everything but packets: ARP, learning, telemetry. Not one of the "
			   "packet lcores.",
		.type = CONFIG_CPU,
		.fallback = "0",
		FIELD(config_lcores, management) },
	{ .name = "packet",
		.meaning = "The lcores that move packets.",
		.type = CONFIG_CPU,
		.required = true,
		LIST(config_lcores, packet, packet_count, 1, 64) },
	{ .name = "plan",
		.meaning = "Which stages run where. `fused`: all stages on each packet lcore. `split`: "
			   "spread over two or "
			   "more packet lcores that are joined by rings. A list says it lcore by lcore.",
		.type = CONFIG_WORD,
		.words = plan_words,
		.fallback = "\"fused\"",
		.alternative = &plan_list,
		.alternative_value = CONFIG_PLAN_EXPLICIT,
		FIELD(config_lcores, plan) },
	{ .name = "idle",
		.meaning =
			"What a packet lcore does when no packet comes. `sleep`: leaves the CPU to others "
			"until one "
			"comes. `poll`: looks all the time. `auto`: sleeps if all ports are virtual devices.",
		.type = CONFIG_WORD,
		.words = idle_words,
		.fallback = "\"auto\"",
		FIELD(config_lcores, idle) },
	{ NULL },
};
static const struct config_object lcores_object = {
	.meaning = "The threads of the gateway. A lcore is a number, which is then also that of its CPU, or "
		   "`\"LCORE@CPU\"`.",
	.keys = lcores_keys,
};

static const struct config_key memory_keys[] = {
	{ .name = "hugepages",
		.meaning = "Whether memory is in hugepages. `auto`: when enough of them are free. `yes`: "
			   "else it is an error, which says how many bytes and pages are needed, how many "
			   "are free, and how to get more.",
		.type = CONFIG_WORD,
		.words = hugepages_words,
		.fallback = "\"auto\"",
		FIELD(config, hugepages) },
	{ .name = "mib",
		.meaning =
			"Memory for packets, tables and sessions. When not all of it fits, here or on the "
			"machine, the error says how many bytes are needed, which limit takes the most, and "
			"what of it would fit.",
		.type = CONFIG_INTEGER,
		RANGE(CONFIG_MEMORY_MIB_MIN, CONFIG_MEMORY_MIB_MAX),
		.unit = "MiB",
		.computed = "what the configuration needs, at least 512",
		FIELD(config, memory_mib) },
	{ NULL },
};
static const struct config_object memory_object = { .meaning = "The memory of the gateway.",
	.keys = memory_keys };

static const struct config_key port_keys[] = {
	{ .name = "name",
		.meaning = "What the port is called wherever it is shown.",
		.type = CONFIG_TEXT,
		.format = &config_format_name,
		.required = true,
		FIELD(config_port, name) },
	{ .name = "device",
		.meaning =
			"The device as DPDK names it: a PCI address, or a virtual device with its arguments.",
		.type = CONFIG_TEXT,
		.format = &config_format_device,
		.required = true,
		FIELD(config_port, device) },
	{ .name = "mtu",
		.meaning = "The largest IP packet on this port.",
		.type = CONFIG_INTEGER,
		RANGE(PORT_MTU_MIN, PORT_MTU_MAX),
		.unit = "bytes",
		.fallback = "1500",
		FIELD(config_port, mtu) },
	{ .name = "mac",
		.meaning = "The MAC address of the port.",
		.type = CONFIG_TEXT,
		.format = &config_format_mac,
		.computed = "the device's own",
		PRESENT(config_port, has_mac),
		FIELD(config_port, mac) },
	{ .name = "addresses",
		.meaning = "The addresses of the gateway on this port, each with the length of its network.",
		.type = CONFIG_TEXT,
		.format = &config_format_interface_address,
		.fallback = "[]",
		LIST(config_port, address, address_count, 0, PORT_ADDRESSES_MAX) },
	{ .name = "neighbours",
		.meaning = "Neighbours of the port that are not asked for their MAC address by ARP.",
		.type = CONFIG_OBJECT,
		.object = &config_neighbour_object,
		.fallback = "[]",
		LIST(config_port, neighbour, neighbour_count, 0, 1024) },
	{ .name = "rx_queues",
		.meaning = "Receive queues, shared out among the packet lcores that receive.",
		.type = CONFIG_INTEGER,
		RANGE(1, 64),
		.fallback = "1",
		FIELD(config_port, rx_queues) },
	{ .name = "rx_descriptors",
		.meaning = "Packets that each receive queue can hold.",
		.type = CONFIG_INTEGER,
		RANGE(64, 16384),
		.fallback = "1024",
		FIELD(config_port, rx_descriptors) },
	{ .name = "tx_descriptors",
		.meaning = "Packets that each transmit queue can hold.",
		.type = CONFIG_INTEGER,
		RANGE(64, 16384),
		.fallback = "1024",
		FIELD(config_port, tx_descriptors) },
	{ NULL },
};
static const struct config_object port_object = {
	.meaning = "A port to the underlay, where the VTEPs are, or to the outside. One port can be both.",
	.keys = port_keys,
};

static const struct config_key route_keys[] = {
	{ .name = "prefix",
		.meaning = "The destinations. The longest prefix wins.",
		.type = CONFIG_TEXT,
		.format = &config_format_network,
		.required = true,
		FIELD(config_route, prefix) },
	{ .name = "via",
		.meaning = "The next hop, in the network of a port or of a segment.",
		.type = CONFIG_TEXT,
		.format = &config_format_host,
		FIELD(config_route, via) },
	{ .name = "blackhole",
		.meaning = "Drops what is sent there.",
		.type = CONFIG_TRUE,
		FIELD(config_route, blackhole) },
	{ NULL },
};
static const struct config_object route_object = {
	.meaning = "A route. The networks of ports and segments need none.",
	.keys = route_keys,
	.one_of = { "via", "blackhole" },
};

static const struct config_key vxlan_keys[] = {
	{ .name = "source",
		.meaning = "The address of the gateway as a VTEP; one of the addresses of a port.",
		.type = CONFIG_TEXT,
		.format = &config_format_host,
		.required = true,
		FIELD(config_vxlan, source) },
	{ .name = "udp_port",
		.meaning = "The UDP port of VXLAN.",
		.type = CONFIG_INTEGER,
		RANGE(1, 65535),
		.fallback = "4789",
		FIELD(config_vxlan, udp_port) },
	{ .name = "ttl",
		.meaning = "The time to live of the outer IP header.",
		.type = CONFIG_INTEGER,
		RANGE(1, 255),
		.unit = "hops",
		.fallback = "64",
		FIELD(config_vxlan, ttl) },
	{ NULL },
};
static const struct config_object vxlan_object = {
	.meaning = "The gateway as a VTEP (RFC 7348). Needed as soon as there is a segment.",
	.keys = vxlan_keys,
};

static const struct config_key flood_keys[] = {
	{ .name = "vteps",
		.meaning = "The VTEPs of the segment: each gets a copy of a frame that is flooded, and only "
			   "these may send "
			   "frames of the segment.",
		.type = CONFIG_TEXT,
		.format = &config_format_host,
		LIST(config_segment, vtep, vtep_count, 1, CONFIG_VTEPS_MAX) },
	{ .name = "group",
		.meaning = "The multicast group of the segment in the underlay: joined by IGMP, and flooded "
			   "frames go to it.",
		.type = CONFIG_TEXT,
		.format = &config_format_group,
		FIELD(config_segment, group) },
	{ .name = "members",
		.meaning = "The only VTEPs that may send frames of the segment; without it any may.",
		.type = CONFIG_TEXT,
		.format = &config_format_member,
		.with = "group",
		LIST(config_segment, member, member_count, 1, CONFIG_VTEPS_MAX) },
	{ NULL },
};
static const struct config_object flood_object = {
	.meaning = "Where broadcast goes. Frames to unknown MAC addresses are not flooded: the gateway asks "
		   "for the host by a flooded "
		   "ARP request, and what waits for it follows.",
	.keys = flood_keys,
	.one_of = { "vteps", "group" },
};

static const struct config_key segment_keys[] = {
	{ .name = "name",
		.meaning = "What the segment is called wherever it is shown.",
		.type = CONFIG_TEXT,
		.format = &config_format_name,
		.required = true,
		FIELD(config_segment, name) },
	{ .name = "vni",
		.meaning = "The VXLAN network identifier.",
		.type = CONFIG_INTEGER,
		RANGE(1, VXLAN_VNI_MAX),
		.required = true,
		FIELD(config_segment, vni) },
	{ .name = "gateway",
		.meaning = "The gateway's address in the segment, with the length of the segment's network.",
		.type = CONFIG_TEXT,
		.format = &config_format_interface_address,
		.required = true,
		FIELD(config_segment, gateway) },
	{ .name = "mac",
		.meaning = "The gateway's MAC address in the segment.",
		.type = CONFIG_TEXT,
		.format = &config_format_mac,
		.required = true,
		FIELD(config_segment, mac) },
	{ .name = "mtu",
		.meaning =
			"The largest IP packet within the segment. VXLAN takes 50 bytes of the underlay's.",
		.type = CONFIG_INTEGER,
		RANGE(PORT_MTU_MIN - VXLAN_OVERHEAD, PORT_MTU_MAX - VXLAN_OVERHEAD),
		.unit = "bytes",
		.computed = "the MTU of the port of `vxlan.source` less 50, at most 1500",
		FIELD(config_segment, mtu) },
	{ .name = "tcp_mss_clamp",
		.meaning = "The largest segment (MSS) that a TCP SYN from or to the segment may announce. "
			   "What fits the MTUs of "
			   "the way is a limit in any case; larger ones are lowered. 0: leave them as they "
			   "are.",
		.type = CONFIG_INTEGER,
		RANGE(0, UINT16_MAX),
		.unit = "bytes",
		.fallback = "65535",
		FIELD(config_segment, tcp_mss_clamp) },
	{ .name = "flood",
		.meaning = "The VTEPs of the segment.",
		.type = CONFIG_OBJECT,
		.object = &flood_object,
		.required = true,
		SAME_STRUCTURE },
	{ .name = "mac_limit",
		.meaning =
			"How many MAC addresses are learned at most. "
			"All segments together learn no more than 1048576, whatever their limits add up to.",
		.type = CONFIG_INTEGER,
		RANGE(1, 1u << 20),
		.fallback = "4096",
		FIELD(config_segment, mac_limit) },
	{ .name = "mac_age",
		.meaning = "How long a MAC address that sends nothing stays known. One that traffic goes to "
			   "is asked, and stays while it "
			   "answers.",
		.type = CONFIG_INTEGER,
		RANGE(1, 604800),
		.unit = "seconds",
		.fallback = "300",
		FIELD(config_segment, mac_age) },
	{ .name = "hosts",
		.meaning = "Hosts that are known from the start, for such as never speak by themselves or do "
			   "not answer ARP.",
		.type = CONFIG_OBJECT,
		.object = &config_host_object,
		.fallback = "[]",
		LIST(config_segment, host, host_count, 0, 65536) },
	{ .name = "dhcp_relay",
		.meaning = "The DHCP relay of the segment; without it there is none.",
		.type = CONFIG_OBJECT,
		.object = &config_dhcp_relay_object,
		PRESENT(config_segment, dhcp_relay.present),
		FIELD(config_segment, dhcp_relay) },
	{ NULL },
};
static const struct config_object segment_object = {
	.meaning = "A VXLAN segment, whose default gateway this is.",
	.keys = segment_keys,
};

static const struct config_key telemetry_keys[] = {
	{ .name = "socket",
		.meaning = "The socket that vxgatectl asks. `auto`: at DPDK's place, /var/run/dpdk/NAME. "
			   "`off`: none.",
		.type = CONFIG_WORD_TEXT,
		.words = socket_words,
		.fallback = "\"auto\"",
		FIELD(config, telemetry_socket) },
	{ NULL },
};
static const struct config_object telemetry_object = {
	.meaning = "How the running gateway is looked at.",
	.keys = telemetry_keys,
};

static const struct config_key top_keys[] = {
	{ .name = "name",
		.meaning =
			"The name of this gateway; gateways that run beside each other have different ones.",
		.type = CONFIG_TEXT,
		.format = &config_format_name,
		.required = true,
		FIELD(config, name) },
	{ .name = "lcores",
		.meaning = "The threads.",
		.type = CONFIG_OBJECT,
		.object = &lcores_object,
		.required = true,
		FIELD(config, lcores) },
	{ .name = "memory",
		.meaning = "The memory.",
		.type = CONFIG_OBJECT,
		.object = &memory_object,
		.fallback = "{}",
		SAME_STRUCTURE },
	{ .name = "ports",
		.meaning = "The ports.",
		.type = CONFIG_OBJECT,
		.object = &port_object,
		.required = true,
		LIST(config, port, port_count, 1, PORT_MAX) },
	{ .name = "routes",
		.meaning = "The routes.",
		.type = CONFIG_OBJECT,
		.object = &route_object,
		.fallback = "[]",
		LIST(config, route, route_count, 0, 8192) },
	{ .name = "vxlan",
		.meaning = "The gateway as a VTEP.",
		.type = CONFIG_OBJECT,
		.object = &vxlan_object,
		PRESENT(config, vxlan.present),
		FIELD(config, vxlan) },
	{ .name = "segments",
		.meaning = "The VXLAN segments.",
		.type = CONFIG_OBJECT,
		.object = &segment_object,
		.fallback = "[]",
		LIST(config, segment, segment_count, 0, 8192) },
	{ .name = "nat",
		.meaning = "Network address translation.",
		.type = CONFIG_OBJECT,
		.object = &config_nat_object,
		.fallback = "{}",
		FIELD(config, nat) },
	{ .name = "telemetry",
		.meaning = "Looking at the running gateway.",
		.type = CONFIG_OBJECT,
		.object = &telemetry_object,
		.fallback = "{}",
		SAME_STRUCTURE },
	{ NULL },
};
const struct config_object config_top = { .meaning = "The configuration of one gateway.", .keys = top_keys };
