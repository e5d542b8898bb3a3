#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An announced move interrupts a conversation for no longer with vxgate than with the kernel's VXLAN and NAT in its place
# (figure.sh has the drawing). Most of an outage is the change of the cable, some 30 ms that differ from move to move; so
# what is compared is the rest, from the workload's first frame at the new site until its answers come out again: the
# middle of five moves, with 2 ms of room for the clock of the pings.
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up

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
	echo "        $1, ms: away $(values "$1" .outage), of which until the first frame from the new site \
$(values "$1" .announced), after it $(values "$1" .answered)"
}

values() {
	jq -sc "map($2 // 1e6 | . * 10 | round / 10) | sort" "$LAB/$1.json"
}

gateway_vxgate
check "ping through vxgate" on ext ping -c 3 -i 0.2 -W 2 203.0.113.20
measure vxgate
stop "$VXGATE_PID"
gateway_kernel
check "ping through the kernel" on ext ping -c 3 -i 0.2 -W 2 203.0.113.20
measure kernel
check "every move was followed" jq -se 'all(.[]; .recovered)' "$LAB/vxgate.json"
middle() {
	values "$1" "$2" | jq '.[2]'
}
at_most() {
	echo "$1 ms against $2 ms"
	jq -ne "$1 <= $2"
}
check "vxgate's part of the outage is no longer than the kernel's" at_most "$(middle vxgate .answered)" "$(middle kernel .answered) + 2"
check "the gateway follows the first frame within 5 ms" at_most "$(middle vxgate .reaction)" 5
lab_end
