#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""sampler.py FILE NAME:PID:INTERFACE ...: every 10 ms the byte counters of interfaces, as CSV: time, then received and
sent bytes of each. PID is any process in the namespace of the interface."""
import sys
import time

INTERVAL = 0.01


def counters(file, interface):
    file.seek(0)
    for line in file:
        name, _, rest = line.partition(":")
        if name.strip() == interface:
            fields = rest.split()
            return fields[0], fields[8]
    return "0", "0"


sources = [source.split(":") for source in sys.argv[2:]]
# Each look at the file renders it anew; it stays open, as the process may be gone by the end.
files = [(open(f"/proc/{pid}/net/dev", encoding="ascii"), interface) for _, pid, interface in sources]
with open(sys.argv[1], "w", encoding="ascii", buffering=1) as out:
    print("time," + ",".join(f"{name}_rx,{name}_tx" for name, _, _ in sources), file=out)
    due = time.time()
    while True:
        row = [f"{time.time():.4f}"]
        for file, interface in files:
            row += counters(file, interface)
        print(",".join(row), file=out)
        due = max(due + INTERVAL, time.time())
        time.sleep(max(0, due - time.time()))
