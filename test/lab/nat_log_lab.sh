#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The log of NAT, in the figure (figure.sh has the drawing) with a collector beside the gateway on the management network:
#
#    gw  mgmt0 10.255.0.1 ------- 10.255.0.2 eth0  collector: nfcapd (IPFIX), a capture, a listener for syslog
#
# What nfcapd, tshark, the file and the session table of the gateway say must be the same.
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up
namespace collector
cable gw mgmt0 collector eth0
at gw address add 10.255.0.1/24 dev mgmt0
at collector address add 10.255.0.2/24 dev eth0
mkdir "$LAB/flows"

collector_start() {
	start_on collector nfcapd nfcapd -w "$LAB/flows" -p 4739 -t 3600 -e
	NFCAPD=$STARTED
	wait_for 5 is_bound 4739
}
is_bound() {
	[ -n "$(on collector ss -Hlun "sport = :$1")" ]
}
collector_start
capture collector eth0 "$LAB/log.pcap" 'udp port 4739'
CAPTURE=$STARTED
start_on collector syslog python3 -u -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 4 << 20) # SO_RCVBUFFORCE: a burst of 400 messages is more than there is room for
s.bind(("10.255.0.2", 514))
while True:
    print(s.recv(2000).decode())'
wait_for 5 is_bound 514
gateway_vxgate ".nat.log = { events: [\"bindings\", \"sessions\"], json: \"$LAB/nat.json\", syslog: \"10.255.0.2:514\",
	ipfix: { collector: \"10.255.0.2:4739\", domain: 42, template_interval: 2 } }"

# udp_flows FIRST-PORT LAST-PORT: from web, each to two remotes.
udp_flows() {
	on web python3 - "$1" "$2" <<-'P'
		import socket, sys, time
		for port in range(int(sys.argv[1]), int(sys.argv[2]) + 1):
		    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
		        sender.bind(("", port))
		        for remote in ("198.51.100.10", "203.0.113.254"):
		            sender.sendto(b"x", (remote, 9))
		    if port % 16 == 0:
		        time.sleep(0.002)
	P
}
web_servers_start
udp_flows 20000 20099
on web curl -s -o /dev/null http://198.51.100.10/file
on web ping -q -c 2 -i 0.2 198.51.100.10 >/dev/null

bindings() {
	show "$GATEWAY" bindings | jq -S 'map(select(.kind == "dynamic") | {segment, protocol, inside, outside}) | sort'
}
# logged EVENT: from the file, as the session table has it.
logged() {
	jq -S -s "map(select(.event == \"$1\") | {segment, protocol, inside, outside}) | sort" "$LAB/nat.json"
}
log_counter() {
	show "$GATEWAY" log | jq ".$1"
}
settled() { # all events are written and sent
	[ "$(log_counter events)" = "$(log_counter ipfix_records)" ]
}
wait_for 5 settled
sleep 1.5

file_is_the_table() {
	diff <(bindings) <(logged binding-created) && [ "$(bindings | jq length)" -gt 100 ]
}
# Conforms: RFC 6888 REQ-12
check "each binding of the table is in the file, with its segment, and nothing else is" file_is_the_table
check "each line of the file is JSON with a time" jq -e -s 'all(.[]; .time | fromdateiso8601? // (sub("\\.[0-9]+Z"; "Z") | fromdateiso8601) > 1000000000)' "$LAB/nat.json"
sessions_are_logged() {
	[ "$(jq -s 'map(select(.event == "session-created")) | length' "$LAB/nat.json")" = "$(show "$GATEWAY" sessions | jq length)" ]
}
check "each session is in the file, with its remote end" sessions_are_logged
bindings >"$LAB/bindings.json"

# The records of IPFIX as tshark reads them: one line a record, in the order of the file.
ipfix_records() { # natEvent
	tshark -r "$LAB/log.pcap" -d udp.port==4739,cflow -T json -2 2>/dev/null |
		jq -S -c --arg event "$1" '[.. | objects | select(."cflow.nat_event"? == $event) |
			{ protocol: { "6": "tcp", "17": "udp", "1": "icmp" }[."cflow.protocol"],
			  vni: ."cflow.ingress_vrfid" | tonumber,
			  inside: { address: ."cflow.srcaddr", port: ."cflow.srcport" | tonumber },
			  outside: { address: ."cflow.post_natsource_ipv4_address",
				     port: ."cflow.post_naptsource_transport_port" | tonumber } }] | sort'
}
tshark_is_the_table() {
	diff <(ipfix_records "$1" | jq -S .) <(jq -S "map({protocol, vni: 5001, inside, outside}) | sort" "$LAB/bindings.json")
}
# Conforms: RFC 8158 section 5.6
check "tshark finds a create record (natEvent 8) for each binding" tshark_is_the_table 8
no_malformed() {
	[ -z "$(tshark -r "$LAB/log.pcap" -d udp.port==4739,cflow -Y '_ws.malformed or cflow.sequence_analysis.expected_sequence or cflow.template_missing' 2>/dev/null)" ]
}
check "tshark finds nothing malformed, and no gap in the sequence" no_malformed
longest_message() {
	[ "$(tshark -r "$LAB/log.pcap" -T fields -e udp.length 2>/dev/null | sort -n | tail -1)" -le 1480 ]
}
check "no message is longer than the path takes" longest_message
templates_come_again() {
	[ "$(tshark -r "$LAB/log.pcap" -d udp.port==4739,cflow -Y 'cflow.template_id' -T fields -e frame.number 2>/dev/null | wc -l)" -ge 2 ]
}
check "templates come again" wait_for 8 templates_come_again
syslog_is_the_file() {
	grep -c ' binding-created - {' "$LAB/syslog.log" | grep -qx "$(bindings | jq length)" &&
		sed 's/^<[0-9]*>1 [^ ]* [^ ]* vxgate [0-9]* [^ ]* - //' "$LAB/syslog.log" | jq -e . >/dev/null
}
check "syslog got the same, in RFC 5424's form" syslog_is_the_file

# A rotated file is opened anew.
mv "$LAB/nat.json" "$LAB/nat.json.1"
kill -HUP "$VXGATE_PID"
wait_for 5 test -e "$LAB/nat.json"
udp_flows 21000 21009
check "after rotation the new file has what is new" wait_for 5 jq -e -s 'map(select(.event == "binding-created")) | length == 10' "$LAB/nat.json"

# Without a collector nothing waits.
stop "$NFCAPD"
udp_flows 22000 22499
sleep 1.5
check "without a collector bindings are made as before" [ "$(show "$GATEWAY" bindings inside=10.0.1.6 protocol=udp | jq length)" -ge 600 ]
lost_are_counted() {
	[ "$(log_counter ipfix_lost)" -gt 0 ]
}
check "what a missing collector refused is counted" wait_for 5 lost_are_counted
check "no event was lost on the way to the log" [ "$(log_counter queue_lost)" = 0 ]
check "pings are answered meanwhile" on web ping -q -c 20 -i 0.02 -W 1 198.51.100.10
collector_start
sleep 2.5

# Control: who, and ending sessions, with traffic.
ctl() {
	"$VXGATECTL" --name "$GATEWAY" nat "$@"
}
public() { # the public endpoint of web's UDP port $1, as "ADDRESS PORT"
	show "$GATEWAY" bindings protocol=udp inside="10.0.1.6:$1" | jq -r '.[0].outside | "\(.address) \(.port)"'
}
read -r address port < <(public 22100)
who_is() { # HOST:PORT ARGUMENT ...
	local wanted=$1
	shift
	ctl who "$@" --json | jq -e --arg wanted "$wanted" 'map(select(.protocol == "udp") | "\(.inside.address):\(.inside.port)") == [$wanted]'
}
check "who has a public port is answered from memory" who_is 10.0.1.6:22100 "$address" "$port"
nobody() {
	[ "$(ctl who 203.0.113.10 1024 --json)" = "[]" ]
}
check "of a port that nobody has, nobody is named" nobody
forward_is_named() {
	ctl who 203.0.113.1 8080 --json | jq -e '.[0].source == "rule" and .[0].inside.address == "10.0.1.6"'
}
check "of a forwarded port, the host of the rule is named" forward_is_named
now=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
sleep 0.1
ends() { # COUNT ARGUMENT ...
	local count=$1
	shift
	[ "$(ctl clear "$@" --json | jq .ended)" = "$count" ]
}
check "one session is ended" ends 1 protocol=udp inside=10.0.1.6:22101 remote=198.51.100.10
check "one session of two is left, with its binding" [ "$(show "$GATEWAY" sessions protocol=udp inside=10.0.1.6:22101 | jq length)" = 1 ]
check "both sessions of a binding are ended" ends 2 protocol=udp inside=10.0.1.6:22100
check "its public port is nobody's now" [ "$(ctl who "$address" "$port" --json)" = "[]" ]
check "who had it before is answered from the log" wait_for 3 who_is 10.0.1.6:22100 "$address" "$port" "$now"
check "not without saying which" not ctl clear
start_on ext pinger ping -q -i 0.02 -c 100 -W 1 203.0.113.20
pinger=$STARTED
sleep 0.2
many=$(show "$GATEWAY" sessions protocol=udp port=9 kind=dynamic state=udp | jq length)
check "many sessions are ended by a filter" ends "$many" protocol=udp port=9 kind=dynamic state=udp
wait "$pinger"
check "no ping was lost meanwhile" grep ' 0% packet loss' "$LAB/pinger.log"
udp_flows 22100 22100
check "a new packet makes a new binding" wait_for 3 [ "$(show "$GATEWAY" bindings protocol=udp inside=10.0.1.6:22100 | jq length)" = 1 ]
ctl clear --all >/dev/null
check "no session is left" [ "$(show "$GATEWAY" sessions | jq length)" = 0 ]
wait_for 5 test "$(log_counter queue_lost)" = 0
sleep 1.5
deletes_are_logged() { # all that were created are deleted: the endpoints of both sets are the same
	cat "$LAB/nat.json.1" "$LAB/nat.json" >"$LAB/both.json"
	diff <(jq -S -s 'map(select(.event == "binding-created") | {protocol, inside, outside}) | sort' "$LAB/both.json") \
		<(jq -S -s 'map(select(.event == "binding-deleted") | {protocol, inside, outside}) | sort' "$LAB/both.json")
}
# Conforms: RFC 6888 REQ-12
check "each binding that was created has its delete record" deletes_are_logged
tshark_deletes() {
	[ "$(ipfix_records 9 | jq length)" -gt 100 ]
}
check "tshark finds delete records (natEvent 9) too" tshark_deletes

stop "$VXGATE_PID"
check "the end of the log is in it" jq -e -s '.[-1].event == "log-stopped"' "$LAB/nat.json"
sleep 0.5
stop "$CAPTURE"
stop "$NFCAPD"
# nfdump 1.7 does not name the events of RFC 8158 (it knows those of Cisco's NSEL), but stores the endpoints.
nfdump_endpoints() {
	nfdump -R "$LAB/flows" -q -o "fmt:%pr %sa %sp %nsa %nsp" | awk '$1 == "UDP" { print $2, $3, $4, $5 }' | sort -u
}
file_endpoints() {
	jq -r 'select(.protocol == "udp" and (.event | startswith("binding") or startswith("session"))) |
		"\(.inside.address) \(.inside.port) \(.outside.address) \(.outside.port)"' "$LAB/both.json" | sort -u
}
nfdump_is_the_file() { # but for what was sent while it was away
	nfdump_endpoints >"$LAB/nfdump.txt"
	file_endpoints >"$LAB/file.txt"
	[ "$(wc -l <"$LAB/nfdump.txt")" -gt 600 ] && [ -z "$(comm -23 "$LAB/nfdump.txt" "$LAB/file.txt")" ] &&
		[ -z "$(comm -13 "$LAB/nfdump.txt" "$LAB/file.txt" | awk '$2 < 22000')" ]
}
check "nfcapd stored the endpoints of the file" nfdump_is_the_file

# A pool that fills up: 100 ports, which do not rest.
gateway_vxgate ".nat.pools[0] += { addresses: [\"203.0.113.10\"], ports: [\"30000-30099\"] } | .nat.port_rest = 0 |
	.nat.log = { events: [\"blocks\"], json: \"$LAB/small.json\" }"
marks_are() {
	[ "$(jq -c -s 'map(select(.event | startswith("pool-")) | [.event, .protocol, .percent])' "$LAB/small.json")" = "$1" ]
}
udp_flows 30000 30078
check "a pool that is used less than 80 % is no event" marks_are '[]'
udp_flows 30079 30079
check "80 % of a pool are an event" wait_for 5 marks_are '[["pool-above","udp",80]]'
udp_flows 30080 30095
check "95 % of a pool are an event" wait_for 5 marks_are '[["pool-above","udp",80],["pool-above","udp",95]]'
check "the gateway's own log warns" grep -q 'more than 95 % of its UDP ports' "$LAB/vxgate-$GATEWAY.log"
ctl clear --all >/dev/null
check "that it is over is told" wait_for 5 marks_are \
	'[["pool-above","udp",80],["pool-above","udp",95],["pool-below","udp",95],["pool-below","udp",80]]'
udp_flows 30000 30010
hosts_are_shown() {
	ctl show hosts inside=10.0.1.6 --json | jq -e '.[0] | .segment == "web" and .outside == "203.0.113.10" and .sessions == 22'
}
check "hosts are shown with what they have" hosts_are_shown
pools_show_most() {
	ctl show pools --json | jq -e '.[0] | .used_udp == 11 and .most_udp >= 96'
}
check "a pool shows the most ports in use so far" pools_show_most
lab_end
