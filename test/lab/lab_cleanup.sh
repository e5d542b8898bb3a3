#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# lab_cleanup.sh FOLDER: ends the processes of a lab, removes its namespaces and everything that it left. FOLDER is its
# state folder, with the lists of both. Kills nothing that the lab did not start.
set -u
lab=$1
[ -e "$lab/namespaces" ] || exit 0

# The processes that the lab started, and whatever they started in its namespaces.
processes() {
	local pid started namespace
	while read -r pid started; do
		[ "$(cut -d' ' -f22 "/proc/$pid/stat" 2>/dev/null)" = "$started" ] && echo "$pid"
	done <"$lab/pids"
	while read -r namespace; do
		ip netns pids "$namespace" 2>/dev/null
	done <"$lab/namespaces"
}

# shellcheck disable=SC2046 # a list of numbers
kill $(processes) 2>/dev/null
for _ in {1..100}; do
	[ -n "$(processes)" ] || break
	sleep 0.02
done
# shellcheck disable=SC2046
kill -KILL $(processes) 2>/dev/null
while read -r namespace; do
	ip netns delete "$namespace" 2>/dev/null
done <"$lab/namespaces"
if [ -e "$lab/runtime_folders" ]; then
	xargs rm -rf <"$lab/runtime_folders"
fi
[ ! -e "$lab/nr_hugepages" ] || cat "$lab/nr_hugepages" >/proc/sys/vm/nr_hugepages
rm -rf "$lab"
