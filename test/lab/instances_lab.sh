#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Starting and stopping: two instances beside each other, each with an outside host of its own; what they leave behind, and
# what a wrong configuration does.
#
#   ext1 -- gw1 (vxgate a)      ext2 -- gw2 (vxgate b)
#      203.0.113.0/24              203.0.113.0/24
# shellcheck source=test/lab/lab.sh
. "$(dirname "$0")/lab.sh"
lab_begin
for i in 1 2; do
	namespace ext$i gw$i
	cable gw$i up0 ext$i up0
	cable gw$i under0 ext$i under0 1600
	at ext$i address add 203.0.113.254/24 dev up0
	offloads_off ext$i up0
done
configuration() {
	jq --arg name "$1" '.name = $name | .memory.mib = 256 | .nat.max_sessions = 65536' "$LAB_FOLDER/../../config/figure.json"
}
for i in a b; do configuration "$LAB_PREFIX-$i" >"$LAB/$i.json"; done

# Everything about the links of a namespace that is not a counter or of the moment.
links() {
	at "$1" -json -details link show | jq -S 'map(del(.stats64, .stats, .linkinfo.info_slave_data))'
	at "$1" address show | grep -E 'inet|link/'
	on "$1" ip route show table all
}
links gw1 >"$LAB/before"

check "vxgate --version tells its version" sh -c "'$VXGATE' --version | grep -E '[0-9]+\.[0-9]+'"
check "vxgate --help tells its options" sh -c "'$VXGATE' --help | grep -- --config"
check "vxgate --check accepts the configuration" on gw1 "$VXGATE" --check --config "$LAB/a.json"
jq '.ports[1].device = "net_af_packet1,iface=elsewhere"' "$LAB/a.json" >"$LAB/elsewhere.json"
right_elsewhere() {
	on gw1 "$VXGATE" --check --config "$LAB/elsewhere.json" >"$LAB/elsewhere.log" &&
		grep -F 'note: would not start here: ports[1].device' "$LAB/elsewhere.log" &&
		tail -n 1 "$LAB/elsewhere.log" | grep -F 'would not start on this machine as it is now (1 note)'
}
check "vxgate --check of one for another machine says that it would not start on this one" right_elsewhere
check "vxgate --print-schema prints JSON" sh -c "'$VXGATE' --print-schema | jq -e .properties"

check "the first instance starts" vxgate_start gw1 "$LAB_PREFIX-a" "$LAB/a.json"
first=$VXGATE_PID
check "the second instance starts beside it" vxgate_start gw2 "$LAB_PREFIX-b" "$LAB/b.json"
second=$VXGATE_PID
for i in 1 2; do check "instance $i answers ping" on ext$i ping -c 2 -i 0.2 -W 2 203.0.113.1; done
if [ "$(cat /proc/sys/vm/nr_hugepages)" = 0 ]; then
	one_line_about_hugepages() {
		[ "$(grep -ci hugepage "$LAB/vxgate-$LAB_PREFIX-a.log")" = 1 ]
	}
	check "without hugepages it says so in one line" one_line_about_hugepages
fi
check "each has a folder of its own among DPDK's files" \
	[ -e "/run/dpdk/vxgate-$LAB_PREFIX-a" -a -e "/run/dpdk/vxgate-$LAB_PREFIX-b" ]
stops_cleanly() { # PID SIGNAL
	kill -"$2" "$1"
	wait "$1"
}
check "SIGTERM ends the first one with status 0" stops_cleanly "$first" TERM
check "the second one goes on" on ext2 ping -c 2 -i 0.2 -W 2 203.0.113.1
links gw1 >"$LAB/after"
check "the links are as they were" diff "$LAB/before" "$LAB/after"
check "nothing of it is left among DPDK's files" [ ! -e "/run/dpdk/vxgate-$LAB_PREFIX-a" ]
check "a second start on the same links works" vxgate_start gw1 "$LAB_PREFIX-a" "$LAB/a.json"
check "and is reached" on ext1 ping -c 2 -i 0.2 -W 2 203.0.113.1
check "SIGINT ends it with status 0" stops_cleanly "$VXGATE_PID" INT
check "SIGTERM ends the second one with status 0" stops_cleanly "$second" TERM

# Its folder is there before most of it is.
stops_while_it_starts() {
	start_on gw1 early "$VXGATE" --config "$LAB/a.json"
	wait_for 10 test -e "/run/dpdk/vxgate-$LAB_PREFIX-a" && stops_cleanly "$STARTED" TERM
}
check "SIGTERM while it starts ends it with status 0" stops_while_it_starts

jq '.nat.max_sessions = 60000000' "$LAB/a.json" >"$LAB/large.json"
too_large() {
	on gw1 "$VXGATE" --config "$LAB/large.json" >"$LAB/large.log" 2>&1
	[ $? = 2 ] && grep -E 'memory.mib: 256 MiB, but [0-9]+ bytes are needed, .* 60000000 sessions .* at most [0-9]+ there' "$LAB/large.log"
}
check "more sessions than fit the memory end with status 2, and what would fit is told" too_large

limited() {
	(ulimit -v 200000 && on gw1 "$VXGATE" --config "$LAB/a.json") >"$LAB/limited.log" 2>&1
	[ $? = 1 ] && grep -E 'needs [0-9]+ bytes, memory.mib asks for 268435456, .* may have 204800000 of address space' "$LAB/limited.log"
}
check "a process that may not have the memory says how much is needed, and how much it may have" limited

jq '.nat.static[0].insidde = "10.0.1.5" | .segments[0].vni = 16777216' "$LAB/a.json" >"$LAB/wrong.json"
refuses() { # ARGUMENTS
	on gw1 "$VXGATE" --config "$LAB/wrong.json" "$@" >"$LAB/refused" 2>&1
	[ $? = 2 ] || { cat "$LAB/refused"; return 1; }
}
check "a wrong configuration ends with status 2" refuses
check "all its errors are told, with their lines" [ "$(grep -cE '^[^ ]*wrong.json:[0-9]+:[0-9]+: ' "$LAB/refused")" -ge 2 ]
check "a misspelled key gets a suggestion" grep -q 'insidde.*inside' "$LAB/refused"
check "and nothing was started" [ ! -e "/run/dpdk/vxgate-$LAB_PREFIX-a" ]
check "--check says the same" refuses --check
lab_end
