#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Ports on other devices than packet sockets: each answers ping on its address and forwards.
#
#   net_tap:     the kernel side of the tap is the outside host
#   net_af_xdp:  ext -- up0 (AF_XDP socket)
#   net_memif:   ext -- gateway a -- memif -- gateway b, which answers from behind a
#   net_pcap:    an ARP request from a file, the answer into a file
# shellcheck source=test/lab/lab.sh
. "$(dirname "$0")/lab.sh"
lab_begin

# port NAME DEVICE ADDRESS: of a configuration with ports and nothing else
port() {
	jq -nc --arg name "$1" --arg device "$2" --arg address "$3" '{ name: $name, device: $device, addresses: [$address] }'
}
configuration() { # NAME ROUTES PORT ...
	local name=$1 routes=$2
	shift 2
	jq -n --arg name "$name" --argjson routes "$routes" '{ name: $name, lcores: { management: 0, packet: [1] }, memory: { mib: 256 },
		ports: [ $ARGS.positional[] ], routes: $routes }' --jsonargs "$@"
}
no_routes='[]'
answers() { # NS ADDRESS
	wait_for 5 on "$1" ping -c 1 -W 1 "$2" && on "$1" ping -c 5 -i 0.1 -W 2 "$2"
}

namespace tap
name=$LAB_PREFIX-tap
configuration "$name" "$no_routes" "$(port outside net_tap0,iface=outside 203.0.113.1/24)" >"$LAB/tap.json"
check "a gateway starts on net_tap" vxgate_start tap "$name" "$LAB/tap.json"
at tap address add 203.0.113.254/24 dev outside
at tap link set outside up
check "it answers ping on net_tap" answers tap 203.0.113.1
stop "$VXGATE_PID"
check "the tap is gone with it" not at tap link show outside

namespace xdp ext
cable xdp up0 ext up0
at ext address add 203.0.113.254/24 dev up0
offloads_off ext up0
name=$LAB_PREFIX-xdp
configuration "$name" "$no_routes" "$(port outside net_af_xdp0,iface=up0 203.0.113.1/24)" >"$LAB/xdp.json"
check "a gateway starts on net_af_xdp" vxgate_start xdp "$name" "$LAB/xdp.json"
check "it answers ping on net_af_xdp" answers ext 203.0.113.1
stop "$VXGATE_PID"
no_program() {
	! at xdp link show up0 | grep xdp
}
check "no XDP program stays on the link" no_program

namespace near far
cable near up0 ext memif-up
at ext address flush dev up0
at ext address add 203.0.113.254/24 dev memif-up
at ext route add 192.0.2.0/24 via 203.0.113.1
offloads_off ext memif-up
far=$LAB_PREFIX-far near=$LAB_PREFIX-near
configuration "$far" '[{ "prefix": "0.0.0.0/0", "via": "192.0.2.1" }]' \
	"$(port link "net_memif0,role=server,socket=$LAB/memif.sock,socket-abstract=no" 192.0.2.2/24)" >"$LAB/far.json"
configuration "$near" "$no_routes" "$(port link "net_memif0,role=client,socket=$LAB/memif.sock,socket-abstract=no" 192.0.2.1/24)" \
	"$(port outside net_af_packet0,iface=up0 203.0.113.1/24)" >"$LAB/near.json"
check "a gateway starts on the server side of net_memif" vxgate_start far "$far" "$LAB/far.json"
far_pid=$VXGATE_PID
check "a gateway starts on the client side of net_memif" vxgate_start near "$near" "$LAB/near.json"
check "the near one answers ping" answers ext 192.0.2.1
check "the far one answers ping from behind it" answers ext 192.0.2.2
stop "$VXGATE_PID"
stop "$far_pid"

namespace file
python3 - "$LAB/in.pcap" <<'P'
import struct
import sys
host = bytes.fromhex("0200000000fe")
request = (b"\xff" * 6 + host + bytes.fromhex("0806" "0001080006040001") + host + bytes([203, 0, 113, 254]) +
           bytes(6) + bytes([203, 0, 113, 1]) + bytes(18))
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    file.write(struct.pack("<IIII", 0, 0, len(request), len(request)) + request)
P
name=$LAB_PREFIX-pcap
configuration "$name" "$no_routes" "$(port outside "net_pcap0,rx_pcap=$LAB/in.pcap,tx_pcap=$LAB/out.pcap" 203.0.113.1/24)" >"$LAB/pcap.json"
check "a gateway starts on net_pcap" vxgate_start file "$name" "$LAB/pcap.json"
sleep 0.5
stop "$VXGATE_PID"
answered() {
	[ "$(tshark -r "$LAB/out.pcap" -Y 'arp.opcode == 2 and arp.src.proto_ipv4 == 203.0.113.1' 2>/dev/null | wc -l)" -ge 1 ]
}
check "the ARP request from the file is answered into the file" answered
lab_end
