#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What people use, through NAT (figure.sh has the drawing): ssh and scp, passive FTP, curl and iperf3, each both ways. A host
# behind a shared address reaches servers outside; a server with a static binding is reached from outside.
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up
web_servers_start

# ssh_server NS: takes the lab's key for root. The keys lie in a home that only this server sees.
ssh_server() {
	start_on "$1" "ssh-$1" unshare -m sh -c "mount -t tmpfs -o mode=700 none /root && mkdir -m 700 /root/.ssh &&
		cp '$LAB/key.pub' /root/.ssh/authorized_keys && exec dropbear -F -E -R -s -p 22 -r '$LAB/host-key' -P '$LAB/ssh-$1.pid'"
	wait_for 10 is_listening "$1" 22
}
ssh_options=(-i "$LAB/key" -F none -o StrictHostKeyChecking=no -o "UserKnownHostsFile=$LAB/known" -o ConnectTimeout=5 -o BatchMode=yes)
# seen_by_ssh NS ADDRESS PATTERN: logs in, and the server sees it come from there.
seen_by_ssh() {
	local seen
	# shellcheck disable=SC2016 # the server's variable
	seen=$(on "$1" ssh "${ssh_options[@]}" "root@$2" 'echo "$SSH_CONNECTION"')
	echo "$seen"
	grep -q "^$3 " <<<"$seen"
}
same_by_scp() { # NS ADDRESS
	rm -f "$LAB/download"
	on "$1" scp -O "${ssh_options[@]}" "root@$2:$LAB/file" "$LAB/download" && cmp "$LAB/download" "$LAB/file"
}
# ftp_server NS [OPTION ...]
ftp_server() {
	local host=$1
	shift
	start_on "$host" "ftp-$host" /usr/bin/python3 -m pyftpdlib -p 21 -d "$LAB/ftp" "$@"
	wait_for 10 is_listening "$host" 21
}
same_by_ftp() { # NS URL [OPTION ...]
	local from=$1 url=$2
	shift 2
	rm -f "$LAB/download"
	on "$from" curl -sS --max-time 10 "$@" -o "$LAB/download" "$url" && cmp "$LAB/download" "$LAB/file"
}
transfers() { # CLIENT SERVER ADDRESS [OPTION ...]: at least 50 Mbit/s for two seconds
	local client=$1 server=$2 address=$3 rate
	shift 3
	start_on "$server" "iperf-$server" iperf3 -s -1 -p 5201
	wait_for 5 is_listening "$server" 5201
	rate=$(on "$client" iperf3 -c "$address" -p 5201 -t 2 -J "$@" | jq '.end.sum_received.bits_per_second / 1e6 | round')
	echo "$rate Mbit/s"
	[ "${rate:-0}" -ge 50 ]
}

ssh-keygen -q -t ed25519 -N '' -f "$LAB/key"
dropbearkey -t ed25519 -f "$LAB/host-key" >/dev/null 2>&1
mkdir "$LAB/ftp"
cp "$LAB/file" "$LAB/ftp/file"
chmod 755 "$LAB" "$LAB/ftp"
gateway_vxgate
ssh_server ext
ssh_server app
ftp_server ext
ftp_server app -n 203.0.113.20 -r 30000-30010
wait_for 10 on web ping -c 1 -W 1 198.51.100.10
wait_for 10 on ext ping -c 1 -W 1 203.0.113.20
capture ext up0 "$LAB/uplink.pcap" -s 200
CAPTURE=$STARTED
check "ssh from a shared address is seen from the pool" seen_by_ssh web 198.51.100.10 '203\.0\.113\.1[0-3]'
check "ssh from a static binding is seen from its address" seen_by_ssh app 198.51.100.10 '203\.0\.113\.20'
check "ssh from outside to a static binding is seen as it is" seen_by_ssh ext 203.0.113.20 '203\.0\.113\.254'
check "ssh to a neighbour by the public address is seen from the pool" seen_by_ssh web 203.0.113.20 '203\.0\.113\.1[0-3]'
check "scp from outside brings the file" same_by_scp web 198.51.100.10
check "scp from inside brings the file" same_by_scp ext 203.0.113.20
check "passive FTP from outside brings the file" same_by_ftp web ftp://198.51.100.10/file
check "passive FTP without EPSV as well" same_by_ftp web ftp://198.51.100.10/file --disable-epsv
check "passive FTP from a server with a static binding" same_by_ftp ext ftp://203.0.113.20/file
# There is no application level gateway: the inside address that PORT names is not reachable.
# Conforms: RFC 5382 REQ-6
check "active FTP fails, as the manual says" not same_by_ftp web ftp://198.51.100.10/file --ftp-port - --disable-eprt
check "HTTP from outside through the forward, twenty times in one connection" same_file ext "http://203.0.113.1:8080/file?[1-20]"
check "iperf3 outwards" transfers web ext 203.0.113.254
check "iperf3 from outside, by the same connection" transfers web ext 203.0.113.254 -R
check "iperf3 to the inside, four streams" transfers ext app 203.0.113.20 -P 4
stop "$CAPTURE"
# Of the gateway's: ext itself sends a TCP checksum of 0xffff once in 65536 packets, which tshark takes for wrong.
check "nothing sent to the outside is malformed or has a wrong checksum" \
	capture_is_clean "$LAB/uplink.pcap" "ip.dst == 198.51.100.10 or ip.dst == 203.0.113.254"
lab_end
