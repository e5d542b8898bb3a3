#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Several segments at one gateway (figure.sh has the drawing; each VTEP carries all of them):
#
#   web     VNI 5001  10.0.1.0/24   app .5, web .6     pool 203.0.113.10-13
#   data    VNI 5002  10.0.2.0/24   base .5            the same pool; web and data reach each other without NAT
#   tenant  VNI 5003  10.0.3.0/24   other .5           a pool of its own; not reached from the others' addresses
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up
for site in site1 site2; do
	vtep_up $site "${site_address[$site]}" vteps 5002
	vtep_up $site "${site_address[$site]}" vteps 5003
done
workload base 10.0.2.5 site2 5002
workload other 10.0.3.5 site1 5003
gateway_vxgate '.segments += [
		(.segments[0] + { name: "data", vni: 5002, gateway: "10.0.2.1/24", mac: "02:00:5e:00:50:02" }),
		(.segments[0] + { name: "tenant", vni: 5003, gateway: "10.0.3.1/24", mac: "02:00:5e:00:50:03" })
	]
	| .nat.pools += [ { name: "tenant", addresses: ["203.0.113.30"], ports: "1024-65535" } ]
	| .nat.source += [ { segment: "data", prefix: "10.0.2.0/24", pool: "internet" },
		{ segment: "tenant", prefix: "10.0.3.0/24", pool: "tenant" } ]'
web_servers_start
start_on base http-base python3 "$LAB_FOLDER/http_server.py" 80 "$LAB/file"
wait_for 10 grep -q ready "$LAB/http-base.log"

for host in app web base other; do
	check "ping from $host to the outside" on $host ping -c 2 -i 0.2 -W 2 198.51.100.10
done
check "ping from web to base, in another segment at another site" on web ping -c 2 -i 0.2 -W 2 10.0.2.5
check "a download from base to web is byte-identical" same_file web http://10.0.2.5/file
seen_by_base() {
	[ "$(on web curl -sS --max-time 5 http://10.0.2.5/whoami)" = 10.0.1.6 ]
}
check "base sees web's own address: between segments there is no NAT" seen_by_base
check "a workload of data is seen outside by the pool it shares" is_pool_address "$(seen_as base)"
check "the tenant is seen outside by its own pool" [ "$(seen_as other)" = 203.0.113.30 ]
move base site1 silent
check "base is reached from web after it moved in silence" wait_for 2 on web ping -c 1 -W 1 10.0.2.5
move web site2 garp
check "and web from base after it moved to another site" wait_for 2 on base ping -c 1 -W 1 10.0.1.6
check "the moves are listed in their own segments" [ "$(show "$GATEWAY" moves | jq -c 'map(.segment) | sort')" = '["data","web"]' ]
lab_end
