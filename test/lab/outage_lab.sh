#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An announced move interrupts a conversation for no longer with vxgate than with the kernel's VXLAN and NAT in its place
# (figure.sh has the drawing).
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up

# Outages differ by the milliseconds that plugging the cable in takes: five moves, of which the middle one counts.
measure() {
	local from to
	captures_start
	pinger_start
	for _ in 1 2 3 4 5; do
		from=${workload_site[app]}
		to=$(other_site "$from")
		wait_for 5 on ext ping -c 1 -W 1 203.0.113.20
		sleep 0.2
		move app "$to" garp
		sleep 1
		outage app "$to" "$from" "$UNPLUGGED" "$EPOCHREALTIME" >>"$LAB/$1.json"
	done
	stop "$PINGER"
	captures_stop
	echo "        $1: away for $(jq -s 'map(.outage) | sort | .[2] | round' "$LAB/$1.json") ms, follows in $(jq -s \
		'map(.reaction // 1e6) | sort | .[2] * 1000 | round' "$LAB/$1.json") us"
}

gateway_vxgate
check "ping through vxgate" on ext ping -c 3 -i 0.2 -W 2 203.0.113.20
measure vxgate
stop "$VXGATE_PID"
gateway_kernel
check "ping through the kernel" on ext ping -c 3 -i 0.2 -W 2 203.0.113.20
measure kernel
check "every move was followed" jq -se 'all(.[]; .recovered)' "$LAB/vxgate.json"
no_longer() {
	jq -ne --slurpfile ours "$LAB/vxgate.json" --slurpfile theirs "$LAB/kernel.json" \
		'def middle: map(.outage) | sort | .[2]; ($ours | middle) <= ($theirs | middle) + 5'
}
check "the outage is no longer than the kernel's (5 ms of room for the clock of the pings)" no_longer
follows() {
	jq -se 'map(.reaction // 1e6) | sort | .[2] < 10' "$LAB/vxgate.json"
}
check "the gateway follows the first frame within 10 ms" follows
lab_end
