#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two segments that use the same addresses, and the same MACs, each with a pool and a static binding of its own
# (figure.sh has the drawing; each VTEP carries both):
#
#   web     VNI 5001  10.0.1.0/24   app 10.0.1.5   static 203.0.113.20   web 10.0.1.6    pool 203.0.113.10-13
#   tenant  VNI 5003  10.0.1.0/24   twin 10.0.1.5  static 203.0.113.40   guest 10.0.1.6  pool 203.0.113.30
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up
for site in site1 site2; do vtep_up $site "${site_address[$site]}" vteps 5003; done
workload twin 10.0.1.5 site2 5003
workload guest 10.0.1.6 site1 5003
gateway_vxgate '.segments += [ (.segments[0] + { name: "tenant", vni: 5003, mac: "02:00:5e:00:50:03" }) ]
	| .nat.pools += [ { name: "tenant", addresses: ["203.0.113.30"], ports: "1024-65535" } ]
	| .nat.source += [ { segment: "tenant", prefix: "10.0.1.0/24", pool: "tenant" } ]
	| .nat.static += [ { segment: "tenant", inside: "10.0.1.5", outside: "203.0.113.40" } ]'
web_servers_start
echo "the twin" >"$LAB/twin-file"
start_on twin http-twin python3 "$LAB_FOLDER/http_server.py" 80 "$LAB/twin-file"
wait_for 10 grep -q ready "$LAB/http-twin.log"

for host in app web twin guest; do
	check "ping from $host to the outside" on $host ping -c 2 -i 0.2 -W 2 198.51.100.10
done
check "web is seen by its segment's pool" is_pool_address "$(seen_as web)"
check "guest, of the same address, by the other pool" [ "$(seen_as guest)" = 203.0.113.30 ]
check "app is seen by its own address" [ "$(seen_as app)" = 203.0.113.20 ]
check "twin, of the same address, by its own address" [ "$(seen_as twin)" = 203.0.113.40 ]
check "from outside, one static binding leads to app" same_file ext http://203.0.113.20/file
check "and the other one to twin" [ "$(on ext curl -sS --max-time 5 http://203.0.113.40/file)" = "the twin" ]
move app site2 garp
check "app is reached after it moved" wait_for 2 on ext ping -c 1 -W 1 203.0.113.20
check "twin, of the same MAC, has not moved" [ "$(show "$GATEWAY" moves | jq -c 'map(.segment)')" = '["web"]' ]
check "and is reached" on ext ping -c 1 -W 2 203.0.113.40
lab_end
