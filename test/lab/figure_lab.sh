#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The first figure (figure.sh has the drawing): an outside host talks to workloads in a segment through the gateway, which
# does the NAT and is the default gateway of the segment. figure_lab.sh [fused|split|two]
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
plan=${1:-fused}
lab_begin
figure_up
workload client 10.0.1.7 site2
gateway_vxgate "$(plan_filter "$plan")"
web_servers_start

capture ext up0 "$LAB/ext.pcap" && capture_ext=$STARTED
capture net to-gw "$LAB/underlay.pcap" && capture_underlay=$STARTED
check "ping from outside to a static binding" on ext ping -c 5 -i 0.1 -W 2 203.0.113.20
check "ping from inside to the outside" on web ping -c 5 -i 0.1 -W 2 198.51.100.10
check "ping from a workload at the other site" on client ping -c 5 -i 0.1 -W 2 198.51.100.10
check "ping from inside to the segment's gateway" on web ping -c 3 -i 0.1 -W 2 10.0.1.1
check "ping from outside to the gateway" on ext ping -c 3 -i 0.1 -W 2 203.0.113.1
check "ping from a VTEP to the gateway" on site1 ping -c 3 -i 0.1 -W 2 192.0.2.1
check "a download through the port forward is byte-identical" same_file ext http://203.0.113.1:8080/file
check "a download through the static binding is byte-identical" same_file ext http://203.0.113.20/file
check "a download from inside is byte-identical" same_file web http://198.51.100.10/file
check "a workload is seen outside by an address of the pool" is_pool_address "$(seen_as web)"
check "one workload keeps one address of the pool" [ "$(seen_as client)" = "$(seen_as client)" ]
check "the static workload is seen outside by its own address" [ "$(seen_as app)" = 203.0.113.20 ]
traced() {
	grep -i "from $3.*time to live exceeded" <<<"$(on "$1" ping -c 1 -W 2 -t 1 "$2")"
}
check "a route trace from outside shows the gateway's uplink address" traced ext 203.0.113.20 203.0.113.1
check "a route trace from inside shows the segment's gateway" traced web 198.51.100.10 10.0.1.1
pings_lose_a_hop() {
	[ "$(on ext ping -c 1 -W 2 203.0.113.20 | grep -o 'ttl=[0-9]*')" = ttl=63 ]
}
check "the gateway takes one hop off the time to live" pings_lose_a_hop
not_served() {
	! on ext curl -sS --max-time 2 http://203.0.113.1:8081/
}
check "a port without a forward is not served" not_served
stop "$capture_ext"
stop "$capture_underlay"
check "nothing sent to the outside is malformed" capture_is_clean "$LAB/ext.pcap" "ip.dst == 198.51.100.10 or ip.dst == 203.0.113.254"
check "nothing sent to the VTEPs is malformed" capture_is_clean "$LAB/underlay.pcap" "ip.src == 192.0.2.1"
no_inside_address() {
	[ -z "$(tshark -r "$LAB/ext.pcap" -Y 'ip.addr == 10.0.0.0/8 and not icmp.type == 11' 2>/dev/null)" ]
}
check "no address of the segment is seen outside" no_inside_address
bindings_listed() {
	show "$GATEWAY" bindings | jq -e 'length > 0 and ([.. | .kind? // empty] | contains(["static", "forward", "dynamic"]))'
}
check "the bindings of all kinds are listed" bindings_listed
both_see_packets_through() {
	show "$GATEWAY" lcores | jq -e '[.[] | .stages.fast_path.packets] | length == 2 and all(. > 0)'
}
[ "$plan" != two ] || check "both lcores see packets of sessions through" both_see_packets_through
lab_end
