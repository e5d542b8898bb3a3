#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What NAT leaves as it is, and what it refuses (figure.sh has the drawing): web is not translated to 198.51.100.10, and what
# real clients hear from ports that nobody listens at.
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up
at ext route add 10.0.1.0/24 via 203.0.113.1
web_servers_start
gateway_vxgate '.nat.bypass = [ { "segment": "web", "prefix": "10.0.1.6/32", "destinations": ["198.51.100.10/32"] } ]'

# The addresses that ext saw connections to it come from.
clients() {
	tshark -r "$LAB/uplink.pcap" -Y "tcp.flags.syn == 1 && tcp.flags.ack == 0 && ip.dst == $1" -T fields -e ip.src 2>/dev/null |
		sort -u | paste -sd ' '
}
came_from() { # DESTINATION REGULAR-EXPRESSION
	local seen
	seen=$(clients "$1")
	echo "$seen"
	grep -qx "$2" <<<"$seen"
}
inside_file() {
	on ext curl -sS --max-time 20 --interface 198.51.100.10 -o "$LAB/download" http://10.0.1.6/ && cmp "$LAB/download" "$LAB/file"
}
# curl's exit status 7 is "refused", after so many seconds.
is_refused() { # NS URL LEAST MOST
	local began=$EPOCHREALTIME status=0 took
	on "$1" curl -sS --connect-timeout 20 -o /dev/null "$2" || status=$?
	took=$(jq -n "$EPOCHREALTIME - $began")
	echo "status $status after $took s"
	[ $status = 7 ] && jq -en "$took >= $3 and $took <= $4" >/dev/null
}

check "the bypassed destination is reached" wait_for 10 on web ping -c 1 -W 1 198.51.100.10
capture ext up0 "$LAB/uplink.pcap"
CAPTURE=$STARTED
check "a download from it is whole" same_file web http://198.51.100.10/
check "and one from another destination" same_file web http://203.0.113.254/
check "it reaches the workload by its inside address" inside_file
check "another address does not" not on ext ping -c 1 -W 1 -I 203.0.113.254 10.0.1.6
check "nor does it reach a workload that is translated" not on ext ping -c 1 -W 1 -I 198.51.100.10 10.0.1.5
stop "$CAPTURE"
# Conforms: RFC 6888 REQ-6
check "the bypassed destination saw the inside address" came_from 198.51.100.10 10[.]0[.]1[.]6
check "the other one saw a public address" came_from 203.0.113.254 "203[.]0[.]113[.]1[0-3]"
# Conforms: RFC 9293 section 3.10.7.1
check "a closed port of the gateway refuses at once" is_refused web http://10.0.1.1:81/ 0 1
# Conforms: RFC 5382 REQ-4
check "a port of a pool that nobody has is refused after six seconds" is_refused ext http://203.0.113.10:5000/ 5.9 9
check "no packet on the uplink is malformed or has a wrong checksum" capture_is_clean "$LAB/uplink.pcap" ip
lab_end
