#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A workload that only receives (figure.sh has the drawing): app gets a UDP stream from outside and never answers. As long
# as it stays where it is, that must not make the gateway flood the segment with questions; when it moves in silence, the
# stream must follow in less than a second.
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up
gateway_vxgate

start_on app receiver python3 "$LAB_FOLDER/udp_stream.py" receive 9000 "$LAB/arrivals"
wait_for 10 grep -q ready "$LAB/receiver.log"
check "app is reached" on ext ping -c 2 -i 0.2 -W 2 203.0.113.20
start_on ext sender python3 "$LAB_FOLDER/udp_stream.py" send 203.0.113.20 9000
arrived() {
	[ "$(wc -l <"$LAB/arrivals")" -ge "$1" ]
}
check "the stream arrives" wait_for 10 arrived 100

captures_start
begin=$EPOCHREALTIME
sleep 8
end=$EPOCHREALTIME
captures_stop
outage app site2 site1 "$begin" "$end" >"$LAB/quiet.json"
echo "        eight quiet seconds: $(jq -c '{ flooded_arp, unicast_probes }' "$LAB/quiet.json")"
check "a quiet receiver is asked now and then whether it is still there" jq -e '.unicast_probes > 0' "$LAB/quiet.json"
check "but by no more than ten questions a second" jq -e '.unicast_probes <= 80' "$LAB/quiet.json"
check "and nothing is flooded for it" jq -e '.flooded_arp == 0' "$LAB/quiet.json"
hole() {
	python3 "$LAB_FOLDER/udp_stream.py" hole "$LAB/arrivals" "$1" "$2"
}
check "the stream had no hole of more than 200 ms meanwhile" [ "$(hole "$begin" "$end")" -lt 200 ]
check "nothing moved" [ "$(show "$GATEWAY" moves | jq length)" = 0 ]

captures_start
move app site2 silent
sleep 3
end=$EPOCHREALTIME
captures_stop
away=$(hole "$UNPLUGGED" "$end")
outage app site2 site1 "$UNPLUGGED" "$end" >"$LAB/moved.json"
echo "        the stream was away for $away ms: $(jq -c '{ flooded_arp, unicast_probes, late_frames }' "$LAB/moved.json")"
check "after a silent move the stream follows in less than a second" [ "$away" -lt 1000 ]
check "the segment was asked" jq -e '.flooded_arp > 0' "$LAB/moved.json"
check "the ledger says that a probe found it" [ "$(show "$GATEWAY" moves | jq '.[0].found_by_probe')" = 1 ]
lab_end
