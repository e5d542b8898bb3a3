#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The gateway on hugepages (figure.sh has the drawing); the other labs run without where the machine has none reserved. The
# pages are reserved and mounted for this lab only.
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up

reserved=/proc/sys/vm/nr_hugepages
page_kib=$(awk '/^Hugepagesize/ { print $2 }' /proc/meminfo)
needed=$((320 * 1024 / page_kib))
free_pages() {
	awk '/^HugePages_Free/ { print $2 }' /proc/meminfo
}
cat $reserved >"$LAB/nr_hugepages" # for the clean-up
echo $(($(cat $reserved) + needed)) >$reserved
enough() {
	[ "$(free_pages)" -ge $needed ]
}
check "the machine gives 320 MiB of hugepages" enough
before=$(free_pages)

# `ip netns exec` has mounts of its own: this one ends with the gateway.
mkdir "$LAB/hugepages"
cat >"$LAB/vxgate_on_hugepages" <<-S
	#!/bin/sh
	mount -t hugetlbfs hugetlbfs "$LAB/hugepages" && exec "$VXGATE" "\$@"
S
chmod +x "$LAB/vxgate_on_hugepages"
VXGATE=$LAB/vxgate_on_hugepages
gateway_vxgate '.memory.hugepages = "yes"'
fewer_pages() {
	[ "$(free_pages)" -lt "$before" ]
}
check "it takes its memory from them" fewer_pages
check "and does not say that it runs without" not grep -i "without hugepages" "$LAB/vxgate-$GATEWAY.log"
check "ping from outside" on ext ping -c 3 -i 0.2 -W 2 203.0.113.20
check "ping from inside" on web ping -c 3 -i 0.2 -W 2 198.51.100.10
stop "$VXGATE_PID"
pages_are_back() {
	[ "$(free_pages)" = "$before" ]
}
check "it gives all of them back" wait_for 5 pages_are_back
lab_end
