#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The second figure (figure.sh has the drawing): workloads move between the sites, announced, announced as QEMU does, and in
# silence, while TCP runs each way. moves_lab.sh [fused|split|two]
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
plan=${1:-fused}
lab_begin
figure_up
gateway_vxgate "$(plan_filter "$plan")"

bindings() {
	show "$GATEWAY" bindings | jq -S 'map(select(.protocol != "icmp") | del(.sessions)) | sort'
}
ledger() { # the moves of app, the oldest first
	show "$GATEWAY" moves | jq "map(select(.mac == \"${workload_mac[app]}\")) | sort_by(.serial)"
}

check "ping from outside" on ext ping -c 3 -i 0.2 -W 2 203.0.113.20
check "ping from inside" on web ping -c 3 -i 0.2 -W 2 198.51.100.10
check "nothing has moved yet" [ "$(ledger)" = "[]" ]
start_on app iperf-app iperf3 -s -1 -p 5201
start_on ext iperf-ext iperf3 -s -1 -p 5202
wait_for 5 is_listening app 5201 && wait_for 5 is_listening ext 5202
captures_start
pinger_start
start_on ext iperf-in iperf3 -c 203.0.113.20 -p 5201 -t 14 -b 100M -J
transfer_in=$STARTED
start_on web iperf-out iperf3 -c 198.51.100.10 -p 5202 -t 14 -b 100M -J
transfer_out=$STARTED
transfers_began=$EPOCHREALTIME
sleep 1
bindings >"$LAB/before"
for how in garp rarp silent; do
	from=${workload_site[app]} to=$(other_site "${workload_site[app]}")
	move app "$to" $how
	app_unplugged=$UNPLUGGED
	move web "$to" $how
	sleep 3
	outage app "$to" "$from" "$app_unplugged" "$EPOCHREALTIME" >"$LAB/$how.json"
	echo "        $how: $(jq -c 'map_values(if type == "number" then round else . end)' "$LAB/$how.json")"
done
bindings >"$LAB/after"
check "the transfer from outside went through three moves" wait "$transfer_in"
check "the transfer from inside went through three moves" wait "$transfer_out"
check "after an announced move app is away for less than half a second" jq -e '.recovered and .outage < 500' "$LAB/garp.json"
check "after a move announced by RARP as well" jq -e '.recovered and .outage < 500' "$LAB/rarp.json"
check "after a silent move app is found in less than a second" jq -e '.recovered and .outage < 1000' "$LAB/silent.json"
stop "$PINGER"
captures_stop
check "no connection was reset" no_resets_before $((${transfers_began%.*} + 13))
check "there were bindings of all kinds" jq -e '[.[].kind] | contains(["static", "forward", "dynamic"])' "$LAB/before"
check "no binding was changed" diff "$LAB/before" "$LAB/after"
ledger >"$LAB/ledger.json"
check "the ledger lists three moves of app" jq -e 'length == 3' "$LAB/ledger.json"
check "it names the old and the new VTEP" jq -e \
	'map([.old_vtep, .new_vtep] | map(.[-2:])) == [["11", "12"], ["12", "11"], ["11", "12"]]' "$LAB/ledger.json"
# Nor need the silent one be: a delayed acknowledgement of app's own may be sooner. oneway_lab.sh has who never says a word.
check "no announced move needed a probe" jq -e '.[:2] | map(.found_by_probe) == [0, 0]' "$LAB/ledger.json"
check "after the first frame from the new site, at most one burst still left for the old one" \
	jq -e 'all(.[]; .late_packets <= 64)' "$LAB/ledger.json"
check "app kept its sessions" jq -e 'all(.[]; .sessions_kept > 0)' "$LAB/ledger.json"
check "the ledger has app's address" jq -e 'all(.[]; .ip == "10.0.1.5")' "$LAB/ledger.json"
lab_end
