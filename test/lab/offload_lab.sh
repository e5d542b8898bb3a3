#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Workloads and the outside host as they come (figure.sh has the drawing): their kernels leave checksums half-finished and
# hand over segments of 64 KB, trusting that the device finishes and cuts them. No device does between a veth pair and the
# gateway's packet socket.
OFFLOADS=on
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up
gateway_vxgate
web_servers_start
check "ping from outside" on ext ping -c 3 -i 0.2 -W 2 203.0.113.20
check "a large ping, cut into fragments by nobody on the way" on ext ping -c 3 -i 0.2 -W 2 -s 1472 203.0.113.20
check "a download through the port forward is byte-identical" same_file ext http://203.0.113.1:8080/file
check "a download through the static binding is byte-identical" same_file ext http://203.0.113.20/file
check "a download from inside is byte-identical" same_file web http://198.51.100.10/file
# speed NS ADDRESS: Mbit/s of a transfer of two seconds
speed() {
	on "$1" iperf3 -c "$2" -p 5201 -t 2 -J | jq '.end.sum_received.bits_per_second / 1e6 | round'
}
for way in "ext app 203.0.113.20" "web ext 198.51.100.10"; do
	read -r client server address <<<"$way"
	start_on "$server" "iperf-$server" iperf3 -s -1 -p 5201
	wait_for 5 is_listening "$server" 5201
	rate=$(speed "$client" "$address")
	echo "        $client to $server: ${rate:-0} Mbit/s"
	check "TCP from $client to $server is not slowed to a crawl (50 Mbit/s)" [ "${rate:-0}" -ge 50 ]
done
lab_end
