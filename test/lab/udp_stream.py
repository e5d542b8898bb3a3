#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A one-way UDP stream, a datagram every 5 ms.

udp_stream.py send ADDRESS PORT       until it is ended
udp_stream.py receive PORT FILE       never answers; writes the time of each arrival to FILE
udp_stream.py hole FILE BEGIN END     the longest time without an arrival between two times, in ms
"""
import socket
import sys
import time

mode = sys.argv[1]
if mode == "hole":
    begin, end = float(sys.argv[3]), float(sys.argv[4])
    with open(sys.argv[2], encoding="ascii") as lines:
        times = [begin] + [at for at in map(float, lines) if begin <= at <= end] + [end]
    print(round(max(after - before for before, after in zip(times, times[1:])) * 1000))
    sys.exit()

channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if mode == "send":
    while True:
        channel.sendto(bytes(64), (sys.argv[2], int(sys.argv[3])))
        time.sleep(0.005)

channel.bind(("0.0.0.0", int(sys.argv[2])))
with open(sys.argv[3], "w", encoding="ascii", buffering=1) as log:
    print("ready", flush=True)
    while True:
        channel.recv(2048)
        log.write(f"{time.time():.6f}\n")
