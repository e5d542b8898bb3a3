#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Datagrams larger than a packet, through the gateway (figure.sh has the drawing): cut by their sender, translated piece by
# piece, and cut again where a segment takes less. fragments_lab.sh [fused|split|two]
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
plan=${1:-fused}
lab_begin
figure_up
gateway_vxgate "$(plan_filter "$plan")"

large_ping() { # NS ADDRESS [OPTION ...]
	local from=$1 to=$2
	shift 2
	on "$from" ping -c 5 -i 0.2 -W 2 -s 8000 "$@" "$to" | tee /dev/stderr | grep -q ' 0% packet loss'
}
# udp_stream CLIENT SERVER ADDRESS: datagrams of 8000 bytes for two seconds; all but a few in a thousand arrive, in one piece.
udp_stream() {
	start_on "$2" "iperf-$2" iperf3 -s -1 -p 5201 -J
	local server=$STARTED
	wait_for 5 is_listening "$2" 5201
	on "$1" iperf3 -u -c "$3" -p 5201 -l 8000 -b 20M -t 2
	wait_for 5 not kill -0 "$server"
	jq -c '.end.sum | { received: (.packets - .lost_packets), lost_percent }' "$LAB/iperf-$2.log" | tee "$LAB/udp.json"
	jq -e '.received > 500 and .lost_percent < 1' "$LAB/udp.json"
}
sees_pmtu() { # NS ADDRESS MTU
	on "$1" tracepath -n "$2" | tee /dev/stderr | grep -q "Resume: pmtu $3 "
}
drops_of_fragments() {
	show "$GATEWAY" drops | jq -c '[.[] | select(.name | test("fragment|total_length"))]'
}

web_servers_start
ping_once() { on "$1" ping -c 1 -W 2 "$2"; }
for way in "ext 203.0.113.20" "web 198.51.100.10" "app 198.51.100.10"; do
	read -r from to <<<"$way"
	wait_for 10 ping_once "$from" "$to"
done
capture ext up0 "$LAB/ext.pcap"
CAPTURE_EXT=$STARTED
capture net to-gw "$LAB/underlay.pcap" udp port 4789
CAPTURE_UNDERLAY=$STARTED
# Conforms: RFC 4787 REQ-14
check "a ping of 8000 bytes from outside to a static binding" large_ping ext 203.0.113.20
check "from the host with the static binding to the outside" large_ping app 198.51.100.10
# Conforms: RFC 4787 REQ-14, RFC 5508 REQ-1
check "from a host behind a shared address" large_ping web 198.51.100.10
check "from a neighbour by the public address" large_ping web 203.0.113.20
check "UDP in datagrams of 8000 bytes to the inside" udp_stream ext app 203.0.113.20
echo "        $(cat "$LAB/udp.json")"
check "UDP in datagrams of 8000 bytes from a shared address" udp_stream web ext 203.0.113.254
echo "        $(cat "$LAB/udp.json")"
stop "$CAPTURE_EXT"
stop "$CAPTURE_UNDERLAY"
check "no fragment was dropped" [ "$(drops_of_fragments)" = '[]' ]
check "the outside saw whole datagrams, none with a wrong checksum" \
	capture_is_clean "$LAB/ext.pcap" "ip.dst == 198.51.100.10 or ip.dst == 203.0.113.254"
check "so did the VTEPs" capture_is_clean "$LAB/underlay.pcap" "ip.src == 192.0.2.1"
outer_fragments() { tcpdump -r "$LAB/underlay.pcap" 'src host 192.0.2.1 and ip[6:2] & 0x3fff != 0' 2>/dev/null; }
check "no outer packet was ever a fragment" [ -z "$(outer_fragments)" ]
check "tracepath finds the size of the way out" sees_pmtu web 198.51.100.10 1500
stop "$VXGATE_PID"

gateway_vxgate "$(plan_filter "$plan") | .segments[0].mtu = 1400"
for way in "ext 203.0.113.20" "web 198.51.100.10"; do
	read -r from to <<<"$way"
	wait_for 10 ping_once "$from" "$to"
done
capture net to-gw "$LAB/small.pcap" udp port 4789
CAPTURE_UNDERLAY=$STARTED
check "what may be cut is cut for a segment of 1400 bytes" large_ping ext 203.0.113.20 -M dont
check "UDP from outside as well" udp_stream ext app 203.0.113.20
stop "$CAPTURE_UNDERLAY"
too_large() { tshark -r "$LAB/small.pcap" -Y 'ip.src == 192.0.2.1 and ip.len > 1450 and vxlan' 2>/dev/null; }
check "nothing larger was sent into it" [ -z "$(too_large)" ]
check "its pieces are right" capture_is_clean "$LAB/small.pcap" "ip.src == 192.0.2.1"
check "tracepath from outside finds the size of the segment" sees_pmtu ext 203.0.113.20 1400
check "TCP to the inside finds it as well" same_file ext http://203.0.113.20/file
lab_end
