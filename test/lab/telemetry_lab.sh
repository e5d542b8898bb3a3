#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a running gateway shows (docs/telemetry.md), in the figure (figure.sh has the drawing).
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up
gateway_vxgate
web_servers_start
on ext ping -q -c 3 -i 0.1 203.0.113.20 >/dev/null
on ext curl -s -o /dev/null http://203.0.113.1:8080/file
on ext bash -c 'for i in 1 2 3; do echo knock >/dev/udp/203.0.113.10/5000; done'

ctl() {
	"$VXGATECTL" --name "$GATEWAY" "$@"
}

subjects=$("$VXGATECTL" complete show '')
all_subjects_shown() {
	local subject
	[ "$(wc -w <<<"$subjects")" = 22 ] || return
	for subject in $subjects; do
		ctl show "$subject" && ctl show "$subject" --json | jq -e . >/dev/null || return
	done
}
check "all subjects are shown, as tables and as JSON" all_subjects_shown

has_rows() {
	local wanted=$1
	shift
	[ "$(show "$GATEWAY" "$@" | jq length)" = "$wanted" ]
}
check "a ping is a session of its workload" has_rows 1 sessions protocol=icmp inside=10.0.1.5 segment=web
check "a session is found by its outside end" has_rows 1 sessions outside=203.0.113.1:8080
check "a filter that fits nothing shows nothing" has_rows 0 sessions inside=10.0.1.99
check "the bindings of the rules are there" has_rows 1 bindings outside=203.0.113.20
check "one MAC is found" has_rows 1 fdb mac="${workload_mac[app]}"
drop_is_named() {
	show "$GATEWAY" drops | jq -e '.[] | select(.name == "nat_no_binding" and .count == 3) | .sentence | length > 20'
}
check "a drop has its name, its number and its meaning" drop_is_named
packets_agree() {
	show "$GATEWAY" sessions protocol=icmp | jq -e '.[0].packets_up == 3 and .[0].packets_down == 3 and .[0].bytes == 504'
}
check "a session counts its packets each way" packets_agree

configuration_is_accepted() {
	ctl show configuration >"$LAB/shown.json" && "$VXGATE" --check --config "$LAB/shown.json"
}
check "the configuration that is shown can be started from" configuration_is_accepted

top_shows_rates() {
	local blocks
	on ext ping -q -i 0.01 -c 200 203.0.113.20 >/dev/null &
	blocks=$(ctl top --interval 0.5 --count 3)
	wait $!
	[ "$(grep -c "^vxgate $GATEWAY" <<<"$blocks")" = 3 ] || return
	awk '$1 == "uplink" && $2 >= 20 { seen++ } END { exit seen < 2 }' <<<"$blocks"
}
check "the live view shows the rate of the pings" top_shows_rates

asked_by_script() {
	echo "/vxgate/sessions,protocol=icmp" | dpdk-telemetry.py -f "vxgate-$GATEWAY" |
		jq -e '."/vxgate/sessions" | .next == 0 and .sessions."0".segment == "web"'
}
check "dpdk-telemetry.py is answered too" asked_by_script

fails_with() {
	local status=$1 text=$2 said
	shift 2
	said=$("$@" 2>&1 >/dev/null)
	[ $? = "$status" ] && grep -F -- "$text" <<<"$said"
}
check "a wrong name hears the right ones" fails_with 1 "$GATEWAY" "$VXGATECTL" --name nobody show ports
check "a segment that is not there is named" fails_with 1 "no segment 'lost' here" ctl show fdb segment=lost
check "a wrong subject is wrong usage" fails_with 2 "no subject 'weather'" ctl show weather

# Sessions by the thousand, listed while pings pass: none may be lost.
many_sessions() {
	on web python3 -c '
import socket, time
for port in range(20000, 24000):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("", port))
        sender.sendto(b"x", ("198.51.100.10", 9))
    if port % 16 == 0:
        time.sleep(0.002)'
	[ "$(show "$GATEWAY" sessions protocol=udp inside=10.0.1.6 | jq '[.[].inside.port] | unique | length')" -gt 3500 ]
}
check "thousands of sessions are listed, each once" many_sessions
pings_pass_meanwhile() {
	local listing
	while :; do ctl show sessions >/dev/null; done &
	listing=$!
	on ext ping -q -i 0.01 -c 300 -W 1 203.0.113.20 | grep ' 0% packet loss'
	local lost=$?
	kill $listing
	wait $listing 2>/dev/null
	return $lost
}
check "no ping is lost while sessions are listed" pings_pass_meanwhile

stop "$VXGATE_PID"
check "a gateway that has stopped is named as missing" fails_with 1 "no gateway named '$GATEWAY'" ctl show ports
lab_end
