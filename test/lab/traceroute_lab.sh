#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The path that traceroute and mtr see through the gateway (figure.sh has the drawing), with one more host behind ext, which
# is a router then:
#
#   far 192.0.33.10 --- 192.0.33.1 ext 203.0.113.254 --- 203.0.113.1 gw 10.0.1.1 --- app 10.0.1.5 (203.0.113.20), web 10.0.1.6
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up
namespace far
cable ext far0 far eth0 1500
at ext address add 192.0.33.1/24 dev far0
at far address add 192.0.33.10/24 dev eth0
at far route add default via 192.0.33.1
offloads_off ext far0
offloads_off far eth0
on ext sysctl -qw net.ipv4.ip_forward=1
for host in ext far app web; do on $host sysctl -qw net.ipv4.icmp_ratelimit=0; done
gateway_vxgate

# path NS DESTINATION METHOD: the addresses of the hops, on one line.
path() {
	on "$1" traceroute -n -q 1 -w 3 -m 6 "$3" "$2" | awk 'NR > 1 { printf "%s ", $2 }'
}
sees() { # NS DESTINATION METHOD HOPS
	local hops
	hops=$(path "$1" "$2" "$3")
	echo "$hops"
	[ "$hops" = "$4 " ]
}
mtr_sees() { # NS DESTINATION HOPS
	[ "$(on "$1" mtr -n -j -c 2 -i 0.3 "$2" | tee /dev/stderr | jq -r '[.report.hubs[].host] | join(" ")')" = "$3" ]
}
check "far is reached" on web ping -c 2 -i 0.2 -W 2 192.0.33.10
out="10.0.1.1 203.0.113.254 192.0.33.10"
in="192.0.33.1 203.0.113.1 203.0.113.20"
on far ping -c 1 -W 2 203.0.113.20 >/dev/null

capture ext up0 "$LAB/uplink.pcap"
CAPTURE=$STARTED
# Conforms: RFC 4787 REQ-12b, RFC 5508 REQ-4, REQ-10
check "a host behind a shared address sees the path by UDP" sees web 192.0.33.10 -U "$out"
# Conforms: RFC 5508 REQ-1, REQ-10
check "by ICMP" sees web 192.0.33.10 -I "$out"
# Conforms: RFC 5382 REQ-9
check "by TCP" sees web 192.0.33.10 -T "$out"
# Conforms: RFC 5508 REQ-5, REQ-10
check "a host outside sees the path to a static binding by UDP" sees far 203.0.113.20 -U "$in"
check "from outside by ICMP" sees far 203.0.113.20 -I "$in"
check "from outside by TCP" sees far 203.0.113.20 -T "$in"
check "mtr sees the same from inside" mtr_sees web 192.0.33.10 "$out"
check "mtr sees the same from outside" mtr_sees far 203.0.113.20 "$in"
# Conforms: RFC 4787 REQ-9, RFC 5508 REQ-7, REQ-7a
check "a neighbour inside is one hop behind the gateway by its public address" \
	sees web 203.0.113.20 -U "10.0.1.1 203.0.113.20"
stop "$CAPTURE"
# traceroute by UDP asks port 53, with what is no question.
check "no packet on the uplink is malformed or has a wrong checksum" capture_is_clean "$LAB/uplink.pcap" "not dns"
lab_end
