#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A segment that floods by an underlay multicast group, as VXLAN was first defined (figure.sh has the drawing): the
# gateway joins the group, learns the VTEPs from what they send, and finds workloads that move.
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up group
capture net to-gw "$LAB/igmp.pcap" igmp and src host 192.0.2.1
capture_igmp=$STARTED
gateway_vxgate "$(flood_filter group)"
joined() {
	[ -n "$(tshark -r "$LAB/igmp.pcap" -Y 'igmp.maddr == 239.1.1.1' 2>/dev/null)" ]
}
check "the gateway joins the group" wait_for 10 joined
stop "$capture_igmp"
check "its report is well-formed" capture_is_clean "$LAB/igmp.pcap" igmp
check "ping from outside" on ext ping -c 3 -i 0.2 -W 3 203.0.113.20
check "ping from inside" on web ping -c 3 -i 0.2 -W 3 198.51.100.10

captures_start
pinger_start
sleep 0.5
for how in garp silent; do
	from=${workload_site[app]} to=$(other_site "${workload_site[app]}")
	move app "$to" $how
	sleep 3
	outage app "$to" "$from" "$UNPLUGGED" "$EPOCHREALTIME" >"$LAB/$how.json"
	check "app is back in less than a second after its move ($how)" jq -e '.recovered and .outage < 1000' "$LAB/$how.json"
done
stop "$PINGER"
captures_stop
check "both moves are in the ledger" [ "$(show "$GATEWAY" moves | jq length)" = 2 ]
lab_end
