#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The comparison with others (test/bench/peers) still works: vxgate and testpmd on captures of both directions. What comes out of
# the gateway is right, nothing is lost, and figures are written. How fast it is does not matter here.
# shellcheck source=test/lab/lab.sh
. "$(dirname "$0")/lab.sh"
lab_begin

peers() {
	PYTHONDONTWRITEBYTECODE=1 python3 "$LAB_FOLDER/../bench/peers/peers.py" --build "$BUILD" --captures "$LAB/captures" \
		--sessions 1000 --rounds 2 --seconds 0.2 --only testpmd-io --json "$LAB/peers.json"
}
# figure DIRECTION JQ-EXPRESSION
figure() {
	jq -e --arg direction "$1" ".results[] | select(.direction == \$direction) | $2" "$LAB/peers.json"
}
pages_before=$(cat /proc/sys/vm/nr_hugepages)
check "vxgate and testpmd are measured in both directions" peers
for direction in up down; do
	check "$direction: each packet that comes out is right" figure $direction '.verified == 1000'
	check "$direction: nothing is lost" figure $direction '.peers.vxgate.forwarded > 0.99'
	check "$direction: there is a figure for either" figure $direction \
		'.peers.vxgate.mpps > 0 and .peers["testpmd io"].mpps > 0 and .peers["testpmd io"].vxgate_times > 0'
done
pages_are_as_before() {
	[ "$(cat /proc/sys/vm/nr_hugepages)" = "$pages_before" ]
}
check "hugepages are as before" pages_are_as_before
lab_end
