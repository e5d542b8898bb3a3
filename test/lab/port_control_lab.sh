#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Workloads open public ports for themselves (figure.sh has the drawing): app by NAT-PMP with a real client, libnatpmp's
# natpmpc; web by PCP with pcp_client.py. ext calls from outside.
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up
# Not app's static binding: it has a public address of its own.
gateway_vxgate '.nat.static = [] | .nat.forward = []
	| .nat.port_control = [ { segment: "web", prefix: "10.0.1.4/30", ports: "80-8999", max_mappings: 2, max_lifetime: 3600 } ]'
workload far 10.0.1.21 site2
web_servers_start
capture net to-gw "$LAB/underlay.pcap" 'udp port 4789'
CAPTURE=$STARTED

pmp() {
	on app natpmpc -g 10.0.1.1 "$@" >"$LAB/natpmpc.log" 2>&1
}
pcp() {
	local host=$1
	shift
	on "$host" python3 "$LAB_FOLDER/pcp_client.py" 10.0.1.1 "$@" >"$LAB/pcp.json"
}
value() { jq -r "$1" "$LAB/pcp.json"; }

# Conforms: RFC 6886 section 3.2
check "natpmpc learns the public address" pmp
PUBLIC=$(sed -n 's/^Public IP address : //p' "$LAB/natpmpc.log")
check "which is one of the pool" is_pool_address "$PUBLIC"
check "the port is closed before it is asked for" not on ext curl -s --max-time 1 "http://$PUBLIC:8080/whoami"
# Conforms: RFC 6886 section 3.3
check "natpmpc opens TCP port 8080 to port 80" pmp -a 8080 80 tcp 600
PORT=$(sed -n 's/^Mapped public port \([0-9]*\) .*/\1/p' "$LAB/natpmpc.log")
check "the public port is the one that was asked for" [ "$PORT" = 8080 ]
check "a download from outside through it is byte-identical" same_file ext "http://$PUBLIC:$PORT/file"
check "the mapping is listed" [ "$(show "$GATEWAY" sessions | jq '[.[] | select(.state == "mapping" and .outside.port == 8080)] | length')" = 1 ]
move app site2 garp
check "and goes on working after the workload moved" same_file ext "http://$PUBLIC:$PORT/file"
# Conforms: RFC 6886 section 3.4
check "natpmpc closes it" pmp -a 0 80 tcp 0
check "and then nobody gets in" not on ext curl -s --max-time 2 "http://$PUBLIC:$PORT/whoami"

# Conforms: RFC 6887 section 11.3
check "a PCP client opens a port" pcp web map tcp 80 8081 600
check "a download from outside through it is byte-identical as well" same_file ext "http://$(value .address):$(value .port)/file"
check "the lifetime is bounded by the policy" [ "$(pcp web map tcp 80 8081 100000 && value .lifetime)" = 3600 ]
check "another client's nonce opens nothing" [ "$(pcp web --nonce 2 map tcp 80 8081 600; value .result)" = 2 ]
check "a port that the policy does not name is refused" [ "$(pcp web map tcp 9000 9000 600; value .result)" = 2 ]
check "and a host that it does not name" [ "$(pcp far map tcp 80 8082 600; value .result)" = 2 ]
check "and more mappings than it allows" [ "$(pcp web map tcp 81 8083 600; pcp web map tcp 82 8084 600; value .result)" = 10 ]
check "an unknown version is answered with the one that is known" [ "$(pcp web --version 1 announce; value '"\(.result) \(.version)"')" = "1 2" ]
check "the epoch counts seconds" [ "$(pcp web announce; value '.epoch < 120')" = true ]
check "an operator closes all ports of a host" "$VXGATECTL" --name "$GATEWAY" nat clear inside=10.0.1.6 state=mapping
check "then it may open others" [ "$(pcp web map tcp 82 8084 600; value .result)" = 0 ]
check "and the first one again" pcp web map tcp 80 8081 600
check "PEER opens a session" [ "$(pcp web peer udp 5000 0 600 198.51.100.10 7; value .result)" = 0 ]
check "a closed port is closed" pcp web map tcp 80 0 0
check "for everyone" not on ext curl -s --max-time 2 "http://$PUBLIC:8081/whoami"
stop "$CAPTURE"
check "nothing that the gateway sent to the segment is malformed" capture_is_clean "$LAB/underlay.pcap" 'ip.src == 192.0.2.1'
lab_end
