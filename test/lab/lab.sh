# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What all labs share: namespaces with names of their own, cables between them, processes that are ended with the
# lab, waiting for conditions, and counting what passed. A lab sources this file and calls, in this order,
#
#   lab_begin [--keep]         names the lab, makes its state folder ($LAB), cleans up on every exit
#   namespace NAME ...         network namespaces, silent ones: no IPv6, no reverse path filter
#   cable NS IF NS IF [MTU]    a veth pair
#   on NS COMMAND ...          runs a command in a namespace
#   start LABEL COMMAND ...    runs it beside the lab; its output goes to $LAB/LABEL.log, its pid is $STARTED
#   check TEXT COMMAND ...     counts it as passed when the command succeeds; else shows what it said
#   lab_end                    prints "N passed, N failed"; fails when any did
set -uo pipefail

LAB_FOLDER=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
BUILD=${BUILD:-$LAB_FOLDER/../../build}
VXGATE=$BUILD/app/vxgate/vxgate
VXGATECTL=$BUILD/app/vxgatectl/vxgatectl
passed=0 failed=0 lab_keep=no

lab_begin() {
	[ "$(id -u)" = 0 ] || { echo "a lab makes network namespaces and needs root"; exit 1; }
	LAB_PREFIX=vxlab$$
	LAB=$(mktemp -d "/tmp/$LAB_PREFIX.XXXXXX")
	touch "$LAB/pids" "$LAB/namespaces"
	[ "${1:-}" != --keep ] || lab_keep=yes
	trap lab_cleanup EXIT
	trap 'lab_keep=no; exit 130' INT
	trap 'lab_keep=no; exit 143' TERM HUP
}

# In a session of its own: whoever ends the lab may lose patience and kill its process group.
lab_cleanup() {
	trap '' INT TERM HUP
	[ $lab_keep = yes ] || setsid --wait "$LAB_FOLDER/lab_cleanup.sh" "$LAB"
}

namespace() {
	local name
	for name; do
		echo "$LAB_PREFIX-$name" >>"$LAB/namespaces"
		ip netns add "$LAB_PREFIX-$name" || exit 1
		# A link that comes up would announce its MAC by IPv6 neighbour discovery.
		on "$name" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 \
			net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
		ip -n "$LAB_PREFIX-$name" link set lo up
	done
}

on() {
	local name=$1
	shift
	ip netns exec "$LAB_PREFIX-$name" "$@"
}

# ip(8) in a namespace.
at() {
	local name=$1
	shift
	ip -n "$LAB_PREFIX-$name" "$@"
}

cable() {
	at "$1" link add "$2" mtu "${5:-1500}" type veth peer name "$4" mtu "${5:-1500}" netns "$LAB_PREFIX-$3"
	at "$1" link set "$2" up
	at "$3" link set "$4" up
}

# A port whose kernel side sends finished packets: no half-done checksums, no segments larger than the wire's.
offloads_off() {
	on "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null 2>&1
}

start() {
	local label=$1
	shift
	"$@" </dev/null >"$LAB/$label.log" 2>&1 &
	STARTED=$!
	# With the start time: a pid may belong to somebody else by the time of the clean-up.
	echo "$STARTED $(cut -d' ' -f22 "/proc/$STARTED/stat" 2>/dev/null)" >>"$LAB/pids"
}

# The same for a process in a namespace: start_on NS LABEL COMMAND ...
start_on() {
	local name=$1 label=$2
	shift 2
	start "$label" ip netns exec "$LAB_PREFIX-$name" "$@"
}

# Ends a started process and waits until it is gone.
stop() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# wait_for SECONDS COMMAND ...: until the command succeeds, looked at every 20 ms.
wait_for() {
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ ${EPOCHREALTIME/[.,]/} -lt $deadline ] || return 1
		sleep 0.02
	done
}

# is_listening NS TCP-PORT
is_listening() {
	[ -n "$(on "$1" ss -Hltn "sport = :$2")" ]
}

check() {
	local text=$1
	shift
	if "$@" >"$LAB/check.log" 2>&1; then
		echo "ok      $text"
		passed=$((passed + 1))
	else
		echo "FAILED  $text"
		tail -n 25 "$LAB/check.log" | sed 's/^/          /'
		failed=$((failed + 1))
	fi
}

not() {
	! "$@"
}

lab_end() {
	if [ $failed != 0 ]; then
		local log
		for log in "$LAB"/vxgate*.log; do
			[ -e "$log" ] && echo "--- ${log##*/}" && tail -n 40 "$log"
		done
	fi
	echo "$passed passed, $failed failed"
	[ $failed = 0 ]
}

# vxgate_start NS NAME CONFIGURATION-FILE [ARGUMENT ...]: until its telemetry answers. The pid is $VXGATE_PID. The name is
# the configuration's: unique, as other instances may run on this machine.
vxgate_start() {
	local namespace=$1 name=$2 file=$3
	shift 3
	echo "/run/dpdk/vxgate-$name" >>"$LAB/runtime_folders"
	start_on "$namespace" "vxgate-$name" "$VXGATE" --config "$file" "$@"
	VXGATE_PID=$STARTED
	wait_for 20 vxgate_answers_or_ended "$name"
	kill -0 "$VXGATE_PID" 2>/dev/null && vxgate_answers "$name" && return
	echo "vxgate did not start:"
	tail -n 30 "$LAB/vxgate-$name.log"
	return 1
}

vxgate_answers() {
	"$VXGATECTL" --name "$1" show ports --json >/dev/null 2>&1
}

vxgate_answers_or_ended() {
	! kill -0 "$VXGATE_PID" 2>/dev/null || vxgate_answers "$1"
}

# show NAME WHAT ...: as JSON.
show() {
	local name=$1
	shift
	"$VXGATECTL" --name "$name" show "$@" --json
}

# capture NS INTERFACE FILE [FILTER ...]: until it is listening. The pid is $STARTED.
capture() {
	local namespace=$1 interface=$2 file=$3
	shift 3
	start_on "$namespace" "capture-$(basename "$file")" tcpdump -i "$interface" -U -w "$file" --immediate-mode "$@"
	wait_for 5 grep -q 'listening on' "$LAB/capture-$(basename "$file").log"
}
