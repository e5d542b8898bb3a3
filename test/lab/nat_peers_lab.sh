#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What programs that know NATs say of this one (figure.sh has the drawing): coturn's natdiscovery and the stun client, against
# a STUN server with two addresses, with each kind of filtering.
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up
at ext address add 198.51.100.11/32 dev lo
cat >"$LAB/turnserver.conf" <<C
listening-ip=198.51.100.10
listening-ip=198.51.100.11
listening-port=3478
alt-listening-port=3479
no-auth
no-tls
no-dtls
no-cli
stun-only
pidfile=$LAB/turnserver.pid
userdb=$LAB/turnserver.db
log-file=$LAB/turn.log
simple-log
C
start_on ext turnserver turnserver -c "$LAB/turnserver.conf"
wait_for 20 is_listening ext 3478
stun_answers() {
	local said
	said=$(on web timeout 3 turnutils_stunclient -p 3478 198.51.100.10)
	grep -q 'UDP reflexive addr: 203.0.113.1[0-3]:' <<<"$said"
}
discovers() { # OPTION TEXT
	local said
	said=$(on web timeout 20 turnutils_natdiscovery "$1" 198.51.100.10 2>&1)
	echo "$said"
	grep -q "$2" <<<"$said"
}
stun_says() { # TEXT ...
	local said text
	said=$(on web timeout 20 stun 198.51.100.10 2>&1)
	echo "$said"
	for text; do grep -q "$text" <<<"$said" || return 1; done
}

gateway_vxgate '.nat.pools[0].filtering = "endpoint-independent"'
check "a STUN server tells a host its public endpoint" wait_for 10 stun_answers
# Conforms: RFC 4787 REQ-1
check "natdiscovery finds endpoint-independent mapping" discovers -m "Endpoint Independent Mapping"
# Conforms: RFC 4787 REQ-8
check "natdiscovery finds endpoint-independent filtering" discovers -f "Endpoint Independent Filtering"
# Conforms: RFC 4787 REQ-9
check "natdiscovery finds hairpinning" discovers -H "successful hairpinning"
# Conforms: RFC 4787 REQ-1, REQ-8, REQ-9
check "the stun client finds the same" stun_says "Independent Mapping" "Independent Filter" "will hairpin"
stop "$VXGATE_PID"

gateway_vxgate '.nat.pools[0].filtering = "address-dependent"'
wait_for 10 stun_answers
# Conforms: RFC 4787 REQ-8
check "natdiscovery finds address-dependent filtering" discovers -f "Address Dependent Filtering"
stop "$VXGATE_PID"

gateway_vxgate
wait_for 10 stun_answers
# Conforms: RFC 4787 REQ-8
check "natdiscovery finds address and port dependent filtering by default" discovers -f "Address and Port Dependent Filtering"
# Conforms: RFC 4787 REQ-1, REQ-11
check "the mapping does not depend on the filtering" discovers -m "Endpoint Independent Mapping"
lab_end
