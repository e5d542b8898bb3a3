#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The two figures, live: an outside host talks to workloads in a VXLAN segment through vxgate; then the workloads move
# to the other site, three times, while TCP runs at full speed each way. Succeeds only when all of it held.
# shellcheck source=test/lab/figure.sh
. "$(dirname "$(readlink -f "$0")")/figure.sh"

usage() {
	cat <<'U'
usage: ./run demo [--plan fused|split] [--keep] [--report FILE]
  --plan split   the stages spread over three lcores that rings join (fused: all stages on each packet lcore)
  --keep         leave everything running afterwards, and say what to try
  --report FILE  where the report goes (demo-report.html)
U
}

plan=fused keep=no report=demo-report.html seconds=30
while [ $# -gt 0 ]; do
	case $1 in
	--plan) plan=${2:-} && shift ;;
	--keep) keep=yes ;;
	--report) report=${2:-} && shift ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
case $plan in fused | split) ;; *) usage >&2; exit 2 ;; esac

bold='' dim='' green='' red='' cyan='' plain=''
if [ -t 1 ]; then
	bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' cyan=$'\e[36m' plain=$'\e[0m'
fi
began=$EPOCHREALTIME

# One line of the timeline, on the terminal and in the report: event KIND TEXT; KIND is ok, failed, move or note.
event() {
	local mark
	case $1 in
	ok) mark="${green}ok    $plain" ;;
	failed) mark="${red}FAILED$plain" ;;
	move) mark="${cyan}move  $plain" ;;
	*) mark='      ' ;;
	esac
	printf '%s\t%s\t%s\n' "$EPOCHREALTIME" "$1" "$2" >>"$LAB/events.tsv"
	printf '%s%6.1f s%s  %s  %s\n' "$dim" "$(seconds_between "$began" "$EPOCHREALTIME")" "$plain" "$mark" "$2"
}

# Both with six digits after the point, as $EPOCHREALTIME has.
seconds_between() {
	local micros=$((10#${2/[.,]/} - 10#${1/[.,]/}))
	printf '%d.%06d' $((micros / 1000000)) $((micros % 1000000))
}

# expect TEXT COMMAND ...: a line of the timeline, and the count.
expect() {
	local text=$1
	shift
	if "$@" >"$LAB/check.log" 2>&1; then
		passed=$((passed + 1))
		event ok "$text"
	else
		failed=$((failed + 1))
		event failed "$text"
		tail -n 8 "$LAB/check.log" | sed 's/^/                  /'
	fi
}

drawing() {
	cat <<-D
		$bold
		  The figure$plain (plan: $plan). The addresses outside belong to the gateway; the workloads are known by them.

		   outside host            ${bold}vxgate$plain              underlay           site 1             workloads
		  +---------------+     +-----------+    192.0.2.0/24     +-----------+     +-------------------+
		  | 198.51.100.10 |-----| .1     .1 |-----------+---------| VTEP  .11 |-----| app 10.0.1.5  <---|-- 203.0.113.20
		  | 203.0.113.254 |     | NAT       |           |         +-----------+     | web 10.0.1.6  <---|-- 203.0.113.1:8080
		  +---------------+     | 10.0.1.1  |           |         +-----------+     +---------|---------+
		       203.0.113.0/24   +-----------+           +---------| VTEP  .12 |- - - - - - - -+  moves
		                          segment web, VNI 5001           +-----------+
		                                                           site 2

	D
}

# The bindings that a move must not change. Pings have short-lived ones; those are left out.
bindings_save() {
	show "$GATEWAY" bindings | jq -S '[.[] | select(.protocol != "icmp")
		| { segment, protocol, kind, inside, outside }] | sort' >"$LAB/bindings-$1.json"
}

bindings_same() {
	[ "$(jq length "$LAB/bindings-before.json")" -ge 3 ] && diff "$LAB/bindings-before.json" "$LAB/bindings-after.json"
}

first_figure() {
	event note "figure 1: an outside host and a workload, through the gateway"
	expect "ping from outside to app (static binding 203.0.113.20)" on ext ping -c 3 -i 0.2 -W 2 203.0.113.20
	expect "ping from web to the outside" on web ping -c 3 -i 0.2 -W 2 198.51.100.10
	expect "2 MB from web through the port forward 203.0.113.1:8080, byte-identical" same_file ext http://203.0.113.1:8080/file
	expect "2 MB from app through the static binding, byte-identical" same_file ext http://203.0.113.20/file
	local seen
	seen=$(seen_as web)
	expect "a connection from web to the outside is seen as $seen, an address of the pool" is_pool_address "$seen"
}

a_process() {
	ip netns pids "$LAB_PREFIX-$1" | head -n 1
}

transfers_start() {
	start_on app iperf-app iperf3 -s -1 -p 5201
	start_on ext iperf-ext iperf3 -s -1 -p 5202
	local server=$STARTED
	wait_for 5 is_listening app 5201
	wait_for 5 is_listening ext 5202
	start sampler python3 "$LAB_FOLDER/sampler.py" "$LAB/samples.csv" "ext:$server:up0" \
		"app:$(a_process app):eth0" "web:$(a_process web):eth0"
	sampler=$STARTED
	start_on ext iperf-in iperf3 -c 203.0.113.20 -p 5201 -t $seconds -J
	transfer_in=$STARTED
	start_on web iperf-out iperf3 -c 198.51.100.10 -p 5202 -t $seconds -J
	transfer_out=$STARTED
	transfers_began=$EPOCHREALTIME
	event note "a TCP transfer each way at full speed, $seconds s: outside -> app (static), web -> outside (pool)"
}

# Sleeps until so many seconds after the transfers began.
until_second() { # a whole number
	local now
	now=$(seconds_between "$transfers_began" "$EPOCHREALTIME")
	[ "${now%.*}" -ge "$1" ] || sleep "$(seconds_between "$now" "$1.000000")"
}

# move_both SITE garp|rarp|silent TEXT: both workloads, one right after the other.
move_both() {
	local to=$1 how=$2 from
	from=$(other_site "$1")
	move app "$to" "$how"
	local app_unplugged=$UNPLUGGED
	move web "$to" "$how"
	event move "$3"
	sleep 4
	jq -nc --arg how "$how" --arg from "$from" --arg to "$to" --argjson unplugged "$app_unplugged" \
		--argjson app "$(outage app "$to" "$from" "$app_unplugged" "$EPOCHREALTIME")" \
		'{ how: $how, from: $from, to: $to, unplugged: $unplugged, app: $app }' >>"$LAB/moves.jsonl"
	event note "   app was away for $(tail -n 1 "$LAB/moves.jsonl" | jq '.app.outage | round') ms, of which \
$(tail -n 1 "$LAB/moves.jsonl" | jq '.app.announced // 0 | round') ms until its first frame from the new site"
}

second_figure() {
	event note "figure 2: the workloads move while the same conversations go on"
	captures_start
	pinger_start
	transfers_start
	until_second 3
	bindings_save before
	move_both site2 garp "to site 2, announced by gratuitous ARP"
	until_second 10
	move_both site1 rarp "back to site 1, announced by RARP, as QEMU does"
	until_second 18
	move_both site2 silent "to site 2 again, in silence; their own data may give them away"
	until_second $((seconds - 2))
	bindings_save after
	expect "the transfer from outside to app survived three moves" wait "$transfer_in"
	expect "the transfer from web to the outside survived three moves" wait "$transfer_out"
	stop "$PINGER"
	captures_stop
	stop "$sampler"
	cp "$LAB/iperf-in.log" "$LAB/iperf-in.json"
	cp "$LAB/iperf-out.log" "$LAB/iperf-out.json"
	show "$GATEWAY" moves >"$LAB/ledger.json"
	expect "no connection was reset" no_resets_before $((${transfers_began%.*} + seconds - 1))
	expect "no NAT binding was changed by the moves" bindings_same
	expect "app was back in less than one second after each move" \
		jq -se 'all(.[]; .app | .recovered and .outage < 1000)' "$LAB/moves.jsonl"
	expect "the ledger has the three moves of app" jq -e \
		"map(select(.mac == \"${workload_mac[app]}\")) | length == 3" "$LAB/ledger.json"
	expect "a new download through the port forward is byte-identical" same_file ext http://203.0.113.1:8080/file
}

# Moves of app without other traffic than the pings. quiet_moves GATEWAY HOW ...
quiet_moves() {
	local to from gateway=$1 how
	shift
	captures_start
	pinger_start
	for how; do
		from=${workload_site[app]}
		to=$(other_site "$from")
		wait_for 5 on ext ping -c 1 -W 1 203.0.113.20
		sleep 0.3
		move app "$to" "$how"
		sleep 1.2
		outage app "$to" "$from" "$UNPLUGGED" "$EPOCHREALTIME" |
			jq -c --arg gateway "$gateway" --arg how "$how" '. + { gateway: $gateway, how: $how }' >>"$LAB/quiet.jsonl"
	done
	stop "$PINGER"
	captures_stop
}

silent_figure() {
	event note "a silent move once more, without load: app gets pings only, and has no data of its own to be heard by"
	quiet_moves vxgate silent
	event note "   app was away for $(jq '.outage | round' "$LAB/quiet.jsonl") ms"
	expect "app was found in less than one second" jq -e '.recovered and .outage < 1000' "$LAB/quiet.jsonl"
	show "$GATEWAY" moves >"$LAB/ledger.json"
	expect "the ledger says that it was found by asking" \
		jq -e "map(select(.mac == \"${workload_mac[app]}\")) | max_by(.serial).found_by_probe == 1" "$LAB/ledger.json"
}

# Its part: from the first frame at the new site, whenever the cable was in, until answers come out again: the middle of five
# moves, with 2 ms of room for the clock of the pings.
no_longer_than_the_kernel() {
	jq -se 'def part(g): map(select(.gateway == g and .how == "garp").answered // 1e6) | sort | .[2];
		part("vxgate") <= part("kernel") + 2' "$LAB/quiet.jsonl"
}

comparison() {
	event note "the announced move without load, five times, and then with the kernel as the gateway"
	quiet_moves vxgate garp garp garp garp garp
	stop "$VXGATE_PID"
	gateway_kernel
	wait_for 10 on ext ping -c 1 -W 1 203.0.113.20
	quiet_moves kernel garp garp garp garp garp
	expect "its part of the outage is no longer than that of a kernel gateway in the same place" no_longer_than_the_kernel
}

say_what_to_try() {
	local ctl="build/app/vxgatectl/vxgatectl --name $GATEWAY" site=${workload_site[app]}
	cat <<-T

		${bold}It is still running.$plain Try
		  $ctl top
		  $ctl show moves        (bindings, sessions, fdb, drops, ...)
		  ip netns exec $LAB_PREFIX-ext ping 203.0.113.20
		  ip netns exec $LAB_PREFIX-ext curl http://203.0.113.1:8080/whoami
		  ip netns exec $LAB_PREFIX-net tcpdump -ni to-gw
		move app to the other site, saying nothing:
		  ip -n $LAB_PREFIX-$site link set app netns $LAB_PREFIX-$(other_site "$site")
		  ip -n $LAB_PREFIX-$(other_site "$site") link set app up master br5001
		and end it all with
		  test/lab/lab_cleanup.sh $LAB
	T
}

lab_begin
: >"$LAB/events.tsv"
drawing
event note "making the namespaces, the kernel VTEPs and the workloads"
figure_up
web_servers_start
event note "starting vxgate with config/figure.json"
gateway_vxgate "$(plan_filter "$plan")"
first_figure
second_figure
silent_figure
[ $keep = yes ] || comparison
python3 "$LAB_FOLDER/demo_report.py" --plan "$plan" --passed "$passed" --failed "$failed" "$LAB" "$report" ||
	failed=$((failed + 1))
event note "the report is $report"
if [ $keep = yes ]; then
	lab_keep=yes
	say_what_to_try
fi
lab_end
