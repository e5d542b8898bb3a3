# shellcheck shell=bash disable=SC2034 # variables for the labs that source this file
# SPDX-License-Identifier: BSD-3-Clause
# The figure as a lab. The workloads app (10.0.1.5) and web (10.0.1.6) have one cable each, in site 1 or in site 2:
#
#    ext                       gw                     net                   site1 / site2             app, web
#   +-----------------+       +-----------+          +--------+ 192.0.2.11 +-------------------+       +-----------+
#   | 198.51.100.10   |-------|up0  under0|----------| bridge |------------|und  vx5001=br5001 |-------|eth0       |
#   | 203.0.113.254   |  .1   | 10.0.1.1  | 192.0.2.1|        |------------|   (kernel VTEP)   |       | 10.0.1.x  |
#   +-----------------+ uplink+-----------+          +--------+ 192.0.2.12 +-------------------+       +-----------+
#
# The gateway in gw is vxgate (gateway_vxgate), or the kernel's VXLAN device and nftables (gateway_kernel), which do the
# same translations and serve as the measure of an outage.
# shellcheck source=test/lab/lab.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lab.sh"

GATEWAY_MAC=02:00:5e:00:50:01
declare -A workload_mac workload_vni workload_site site_address=([site1]=192.0.2.11 [site2]=192.0.2.12)

# figure_up [vteps|group]: how the VTEPs flood: to each of a list, or to the multicast group 239.1.1.1.
figure_up() {
	local site flood=${1:-vteps}
	namespace ext gw net site1 site2
	at net link add bridge0 mtu 1600 type bridge mcast_snooping 0
	at net link set bridge0 up
	cable gw under0 net to-gw 1600
	cable site1 und net to-site1 1600
	cable site2 und net to-site2 1600
	for site in gw site1 site2; do at net link set to-$site master bridge0; done
	for site in site1 site2; do
		at $site address add "${site_address[$site]}/24" dev und
		vtep_up $site "${site_address[$site]}" "$flood" 5001
	done
	cable gw up0 ext up0 1500
	at ext address add 203.0.113.254/24 dev up0
	at ext address add 198.51.100.10/32 dev lo
	[ "${OFFLOADS:-off}" = on ] || offloads_off ext up0
	workload app 10.0.1.5 site1
	workload web 10.0.1.6 site1
}

# vtep_up NS ADDRESS FLOOD VNI: a kernel VTEP and the bridge of one segment.
vtep_up() {
	local namespace=$1 address=$2 flood=$3 vni=$4 peer
	if [ "$flood" = group ]; then
		at "$namespace" link add "vx$vni" type vxlan id "$vni" local "$address" group 239.1.1.1 dev und dstport 4789 ttl 8
	else
		at "$namespace" link add "vx$vni" type vxlan id "$vni" local "$address" dev und dstport 4789
		for peer in 192.0.2.1 "${site_address[@]}"; do
			[ "$peer" = "$address" ] ||
				on "$namespace" bridge fdb append 00:00:00:00:00:00 dev "vx$vni" dst "$peer"
		done
	fi
	at "$namespace" link add "br$vni" type bridge mcast_snooping 0
	at "$namespace" link set "vx$vni" up mtu 1500 master "br$vni"
	at "$namespace" link set "br$vni" up
}

# workload NAME ADDRESS SITE [VNI]: a host with a cable to a segment's bridge at a site. Its MAC and address stay when it
# moves.
workload() {
	local name=$1 address=$2 site=$3 vni=${4:-5001}
	workload_vni[$name]=$vni
	workload_mac[$name]=$(printf '02:00:00:00:01:%02x' "${address##*.}")
	workload_site[$name]=$site
	namespace "$name"
	cable "$name" eth0 "$site" "$name"
	at "$site" link set "$name" master "br$vni"
	# A guest that is migrated live keeps what it knows of its neighbours: its link does not go down.
	on "$name" sysctl -qw net.ipv4.conf.all.arp_evict_nocarrier=0 net.ipv4.conf.eth0.arp_evict_nocarrier=0
	at "$name" link set eth0 address "${workload_mac[$name]}"
	at "$name" address add "$address/24" dev eth0
	at "$name" route add default via "${address%.*}.1"
	[ "${OFFLOADS:-off}" = on ] || offloads_off "$name" eth0
	mkfifo "$LAB/$name.announce"
	start_on "$name" "announce-$name" python3 "$LAB_FOLDER/announce.py" eth0 "${workload_mac[$name]}" "$address" "$LAB/$name.announce"
	wait_for 10 grep -q ready "$LAB/announce-$name.log"
}

# move NAME SITE garp|rarp|silent: pulls the cable at one site and plugs it in at the other one. Sets $UNPLUGGED, the time
# (seconds of the epoch).
move() {
	local name=$1 to=$2 announcement=$3
	UNPLUGGED=$EPOCHREALTIME
	at "${workload_site[$name]}" link set "$name" netns "$LAB_PREFIX-$to"
	at "$to" link set "$name" up master "br${workload_vni[$name]}"
	[ "$announcement" = silent ] || echo "$announcement" >"$LAB/$name.announce"
	workload_site[$name]=$to
}

# gateway_configuration NAME [JQ-FILTER]: the example configuration under a name of this lab's own, changed by the filter.
gateway_configuration() {
	jq --arg name "$1" ".name = \$name | .nat.max_sessions = 65536 | .memory.mib = 256 | ${2:-.}" \
		"$LAB_FOLDER/../../config/figure.json"
}

# The lcores of a plan, as a filter: split puts the stages on three lcores, joined by rings, on the two cores there are; two has all of them on
# each of two lcores, and each port spreads packets over both.
plan_filter() {
	case $1 in
	two) echo '.lcores = { management: "0@0", packet: ["1@0", "2@1"], plan: "fused" } | .ports[].rx_queues = 2' ;;
	split) echo '.lcores = { management: "0@0", packet: ["1@0", "2@1", "3@1"], plan: "split" }' ;;
	*) echo . ;;
	esac
}

# How the segment floods, as a filter.
flood_filter() {
	case $1 in
	group) echo '.segments[0].flood = { group: "239.1.1.1" }' ;;
	*) echo . ;;
	esac
}

# gateway_vxgate [JQ-FILTER]: the daemon's name is $GATEWAY afterwards.
gateway_vxgate() {
	GATEWAY=$LAB_PREFIX-a
	gateway_configuration "$GATEWAY" "${1:-.}" >"$LAB/$GATEWAY.json"
	vxgate_start gw "$GATEWAY" "$LAB/$GATEWAY.json" || exit 1
}

gateway_kernel() {
	local address
	at gw address add 192.0.2.1/24 dev under0
	on gw ip link add vx5001 type vxlan id 5001 local 192.0.2.1 dev under0 dstport 4789
	for address in "${site_address[@]}"; do
		on gw bridge fdb append 00:00:00:00:00:00 dev vx5001 dst "$address"
	done
	at gw link set vx5001 address $GATEWAY_MAC
	at gw link set vx5001 up mtu 1500
	at gw address add 10.0.1.1/24 dev vx5001
	at gw address add 203.0.113.1/24 dev up0
	for address in 203.0.113.{10..13} 203.0.113.20; do at gw address add "$address/32" dev up0; done
	at gw route add default via 203.0.113.254
	on gw sysctl -qw net.ipv4.ip_forward=1
	on gw nft -f - <<-'N'
		table ip nat {
			chain prerouting {
				type nat hook prerouting priority dstnat;
				iifname "up0" ip daddr 203.0.113.20 dnat to 10.0.1.5
				iifname "up0" ip daddr 203.0.113.1 tcp dport 8080 dnat to 10.0.1.6:80
			}
			chain postrouting {
				type nat hook postrouting priority srcnat;
				oifname "up0" ip saddr 10.0.1.5 snat to 203.0.113.20
				oifname "up0" ip saddr 10.0.1.0/24 snat to 203.0.113.10-203.0.113.13
			}
		}
	N
}

# Pings every millisecond from outside through the static binding to app: the clock of an outage, so it goes before other
# processes. $PINGER is its pid.
pinger_start() {
	start_on ext pinger nice -n -20 python3 "$LAB_FOLDER/pinger.py" 203.0.113.20
	PINGER=$STARTED
}

# Captures on both sides of the gateway what tells of a move, and no bulk data: pings and resets outside; in the segment
# pings, ARP and RARP. On the far ends of its cables: what it sends past the queues of its own links is not seen there.
captures_start() {
	capture ext up0 "$LAB/ext.pcap" -s 64 'icmp or tcp[tcpflags] & tcp-rst != 0' || return 1
	CAPTURE_EXT=$STARTED
	capture net to-gw "$LAB/underlay.pcap" -s 128 \
		'udp dst port 4789 and (ether[62:2] = 0x0806 or ether[62:2] = 0x8035 or (ether[62:2] = 0x0800 and ether[73] = 1))' ||
		return 1
	CAPTURE_UNDERLAY=$STARTED
}

captures_stop() {
	stop "$CAPTURE_EXT"
	stop "$CAPTURE_UNDERLAY"
}

# outage WORKLOAD NEW-SITE OLD-SITE UNPLUGGED UNTIL: JSON, from the captures, of the time between. See outage.py.
outage() {
	python3 "$LAB_FOLDER/outage.py" --outside "$LAB/ext.pcap" --underlay "$LAB/underlay.pcap" --mac "${workload_mac[$1]}" \
		--new "${site_address[$2]}" --old "${site_address[$3]}" --gateway 192.0.2.1 --unplugged "$4" --until "$5"
}

# no_resets_before SECOND: of the epoch, shortly before the transfers end. iperf3 itself ends some connections by a reset.
no_resets_before() {
	[ -z "$(tshark -r "$LAB/ext.pcap" -Y "tcp.flags.reset == 1 and frame.time_epoch < $1" 2>/dev/null)" ]
}

other_site() {
	[ "$1" = site1 ] && echo site2 || echo site1
}

# Web servers on app, web and ext, each with the same 2 MB file.
web_servers_start() {
	local host
	head -c 2000000 /dev/urandom >"$LAB/file"
	for host in app web ext; do
		start_on $host "http-$host" python3 "$LAB_FOLDER/http_server.py" 80 "$LAB/file"
	done
	for host in app web ext; do wait_for 10 grep -q ready "$LAB/http-$host.log"; done
}

# same_file NS URL: the download is the file, byte by byte.
same_file() {
	on "$1" curl -sS --max-time 20 -o "$LAB/download" "$2" && cmp "$LAB/download" "$LAB/file"
}

# The address that HOST has for a server outside.
seen_as() {
	on "$1" curl -sS --max-time 10 http://198.51.100.10/whoami
}

is_pool_address() {
	case $1 in 203.0.113.1[0-3]) true ;; *) echo "$1"; false ;; esac
}

# Nothing that the gateway sent is malformed or has a wrong checksum. FILE, FILTER for what it sent. Of captures that have only the
# beginning of each frame, tshark takes one random body of HTTP in 100,000 frames for malformed; it is compared elsewhere.
capture_is_clean() {
	local found
	found=$(tshark -r "$1" --disable-protocol http -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE \
		-Y "($2) and (_ws.malformed or ip.checksum.status == 0 or udp.checksum.status == 0 or tcp.checksum.status == 0 or icmp.checksum.status == 0)" \
		2>/dev/null) || return 1
	[ -z "$found" ] || { echo "$found" | head; return 1; }
}
