#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An idle gateway (figure.sh has the drawing) leaves the processor to others, and is there at once when a packet comes.
# shellcheck source=test/lab/figure.sh
. "$(dirname "$0")/figure.sh"
lab_begin
figure_up
gateway_vxgate
check "ping from outside" on ext ping -c 2 -i 0.2 -W 2 203.0.113.20

processor_time() { # of all threads, in hundredths of a second
	awk '{ print $14 + $15 }' "/proc/$VXGATE_PID/stat"
}
sleep 1
before=$(processor_time)
sleep 4
used=$(($(processor_time) - before))
echo "        in four idle seconds it used $used hundredths of a second"
check "an idle gateway uses less than a tenth of a core" [ $used -lt 40 ]
check "the first packet after it is answered" on ext ping -c 1 -W 1 203.0.113.20
quick() { # the middle of 20 pings with pauses that let it fall asleep, in microseconds
	local middle
	middle=$(on ext ping -c 20 -i 0.1 -W 1 203.0.113.1 | grep -o 'time=[0-9.]*' | cut -d= -f2 | sort -n | awk 'NR == 10 { print int($1 * 1000) }')
	echo "the middle of 20 pings took $middle us"
	[ "${middle:-999999}" -lt 2000 ]
}
check "a sleeping gateway wakes up within two milliseconds" quick
lab_end
