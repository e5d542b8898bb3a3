#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The DHCP relay between real clients and servers (figure.sh has the drawing):
#
#   web   VNI 5001  10.0.1.0/24   clients busy (udhcpc) and isc (dhclient), without an address at first
#   data  VNI 5002  10.0.2.0/24   client late (udhcpc); base .5 is a server: ISC dhcpd, for web and data
#   ext   203.0.113.254           a server: dnsmasq, for web, which says by option 82 where a client is
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up
for site in site1 site2; do vtep_up $site "${site_address[$site]}" vteps 5002; done
workload base 10.0.2.5 site2 5002
workload busy 10.0.1.21 site1
workload isc 10.0.1.22 site1
workload late 10.0.2.23 site1 5002
for host in busy isc late; do at $host address flush dev eth0; done
gateway_vxgate '.segments[0].dhcp_relay = { servers: ["203.0.113.254"], option_82: true, remote_id: "edge-1" }
	| .segments += [ .segments[0] + { name: "data", vni: 5002, gateway: "10.0.2.1/24", mac: "02:00:5e:00:50:02",
		dhcp_relay: { servers: ["203.0.113.254", "10.0.1.5"], option_82: true } } ]
	| .nat.source += [ { segment: "data", prefix: "10.0.2.0/24", pool: "internet" } ]'
at ext route add 10.0.1.1/32 via 203.0.113.1
at ext route add 10.0.2.1/32 via 203.0.113.1

# dnsmasq outside knows segment web alone, by its circuit ID; who comes from elsewhere gets nothing.
start_on ext dnsmasq dnsmasq -d --conf-file=/dev/null --port=0 --log-dhcp --no-ping --dhcp-leasefile="$LAB/dnsmasq.leases" \
	--pid-file="$LAB/dnsmasq.pid" --interface=up0 --user=root --dhcp-circuitid=set:web,web/5001 \
	--dhcp-range=tag:web,10.0.1.100,10.0.1.120,255.255.255.0,120 --dhcp-option=option:router,10.0.1.1
wait_for 5 grep -q 'DHCP, IP range' "$LAB/dnsmasq.log"
# ISC dhcpd in segment web, on app, for segment data.
cat >"$LAB/dhcpd.conf" <<-'D'
	default-lease-time 120;
	authoritative;
	subnet 10.0.1.0 netmask 255.255.255.0 { }
	subnet 10.0.2.0 netmask 255.255.255.0 { range 10.0.2.100 10.0.2.120; option routers 10.0.2.1; }
	log(info, concat("circuit ", option agent.circuit-id, " remote ", option agent.remote-id));
D
touch "$LAB/dhcpd.leases"
start_on app dhcpd dhcpd -4 -d -f --no-pid -user root -group root -cf "$LAB/dhcpd.conf" -lf "$LAB/dhcpd.leases" eth0
wait_for 10 grep -q 'Server starting service' "$LAB/dhcpd.log"
capture ext up0 "$LAB/ext.pcap" 'udp port 67'
CAPTURE_EXT=$STARTED
capture net to-gw "$LAB/underlay.pcap" 'udp port 4789'
CAPTURE_UNDERLAY=$STARTED

# What the clients do with what they get.
cat >"$LAB/udhcpc.sh" <<-'S'
	#!/bin/sh
	echo "event $1 ip $ip router $router server $serverid lease $lease"
	case $1 in
	bound | renew)
		ip address replace "$ip/24" dev "$interface"
		ip route replace default via "$router"
		;;
	esac
S
chmod +x "$LAB/udhcpc.sh"
udhcpc_on() {
	start_on "$1" "udhcpc-$1" udhcpc -f -i eth0 -s "$LAB/udhcpc.sh" -t 5 -T 2 -A 2
}
has_lease() {
	on "$1" ip -4 -brief address show dev eth0 | grep -q "$2"
}

udhcpc_on busy
UDHCPC=$STARTED
# Conforms: RFC 2131 section 4.1, RFC 1542 section 4.1
check "udhcpc gets a lease of dnsmasq outside" wait_for 10 has_lease busy '10\.0\.1\.1[0-2][0-9]/24'
# Conforms: RFC 3046 section 2.1
check "dnsmasq was told the circuit: it knows which segment the client is in" grep -q 'tags: web' "$LAB/dnsmasq.log"
check "the client reaches the outside by the address and the router that it was given" on busy ping -c 2 -i 0.2 -W 2 198.51.100.10

# dhclient asks for broadcast or not, and keeps its own files. Its script wants a file system of its own, so a small one.
cat >"$LAB/dhclient.sh" <<-'S'
	#!/bin/sh
	echo "reason $reason ip $new_ip_address router $new_routers server $new_dhcp_server_identifier"
	case $reason in
	BOUND | RENEW | REBIND | REBOOT)
		ip address replace "$new_ip_address/24" dev "$interface"
		ip route replace default via "$new_routers"
		;;
	esac
S
chmod +x "$LAB/dhclient.sh"
start_on isc dhclient dhclient -4 -d -v -cf /dev/null -sf "$LAB/dhclient.sh" -lf "$LAB/dhclient.leases" -pf "$LAB/dhclient.pid" eth0
check "dhclient gets a lease of dnsmasq outside" wait_for 15 has_lease isc '10\.0\.1\.1[0-2][0-9]/24'

udhcpc_on late
check "a client of another segment gets its lease of ISC dhcpd inside segment web" wait_for 15 has_lease late '10\.0\.2\.1[0-2][0-9]/24'
check "dhcpd was told circuit and remote ID" grep -q "circuit data/5002 remote $GATEWAY" "$LAB/dhcpd.log"

# SIGUSR1 is udhcpc's word for "renew now", by unicast to the server, which NAT would translate.
renewals() {
	grep -c 'event renew' "$LAB/udhcpc-busy.log"
}
kill -USR1 "$(pgrep -P "$UDHCPC" -x udhcpc || echo "$UDHCPC")"
# Conforms: RFC 2131 section 4.4.5
check "the lease is renewed by unicast, through NAT" wait_for 10 grep -q 'event renew' "$LAB/udhcpc-busy.log"
renewed_by_unicast() {
	[ -n "$(tshark -r "$LAB/underlay.pcap" -Y 'dhcp.option.dhcp == 3 and dhcp.ip.client != 0.0.0.0 and ip.dst == 203.0.113.254' 2>/dev/null)" ]
}
check "the client did send that to the server itself" wait_for 5 renewed_by_unicast
move busy site2 silent
kill -USR1 "$(pgrep -P "$UDHCPC" -x udhcpc || echo "$UDHCPC")"
renewed_twice() { [ "$(renewals)" -ge 2 ]; }
check "and again after the workload moved to another site" wait_for 10 renewed_twice

servers_saw_no_client_option() {
	[ -z "$(tshark -r "$LAB/underlay.pcap" -Y 'dhcp.type == 2 and udp.dstport == 68 and dhcp.option.type == 82' 2>/dev/null)" ]
}
stop "$CAPTURE_EXT"
stop "$CAPTURE_UNDERLAY"
# Conforms: RFC 3046 section 2.1
check "no client got option 82 back" servers_saw_no_client_option
check "every request that reached the server outside has option 82 with the remote ID" \
	[ "$(tshark -r "$LAB/ext.pcap" -Y 'dhcp.type == 1' -T fields -e dhcp.option.agent_information_option.agent_remote_id 2>/dev/null | sort -u | grep -vc -e '^edge-1$' -e "^$GATEWAY\$" -e '^[0-9a-f:]*$')" = 0 ]
check "nothing that the gateway sent to the outside is malformed" capture_is_clean "$LAB/ext.pcap" 'ip.src == 10.0.1.1 or ip.src == 10.0.2.1'
check "nor anything to the segments" capture_is_clean "$LAB/underlay.pcap" 'ip.src == 192.0.2.1'
check "vxgatectl counts the requests and replies of each segment" \
	[ "$(show "$GATEWAY" dhcp | jq -c '[.[] | select(.requests_sent >= 2 and .replies_sent >= 2) | .segment] | sort')" = '["data","web"]' ]
lab_end
