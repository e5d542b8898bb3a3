#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Smaller links behind the gateway (figure.sh has the drawing): first the segment takes packets of 1400 bytes only, then the
# uplink of 1450. Who sends more with "don't fragment" set is told the right size, and TCP finds it.
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
told() { # NS ADDRESS SIZE MTU FROM
	grep -i "from $5.*mtu = $4" <<<"$(on "$1" ping -c 1 -W 2 -M 'do' -s "$3" "$2" 2>&1)"
}
lab_begin
figure_up
web_servers_start

gateway_vxgate '.segments[0].mtu = 1400'
check "a packet that just fits into the segment goes through" on ext ping -c 2 -i 0.2 -W 2 -M 'do' -s 1372 203.0.113.20
check "one byte more is answered with the size of the segment" told ext 203.0.113.20 1373 1400 203.0.113.1
at ext route flush cache
check "TCP from outside finds the size" same_file web http://198.51.100.10/file
stop "$VXGATE_PID"

at ext link set up0 mtu 1450
gateway_vxgate '.ports[1].mtu = 1450'
check "a packet that just fits the uplink goes through" on app ping -c 2 -i 0.2 -W 2 -M 'do' -s 1422 198.51.100.10
check "one byte more is answered with the size of the uplink" told web 198.51.100.10 1423 1450 10.0.1.1
for host in ext app web; do at $host route flush cache; done
check "TCP to the outside finds the size" same_file ext http://203.0.113.20/file
lab_end
