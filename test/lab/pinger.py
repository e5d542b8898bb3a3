#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""pinger.py ADDRESS: an ICMP echo request each millisecond, whatever is answered. ping(8) is no clock for an outage: while it
waits for answers it sends one in 10 ms only."""
import os
import socket
import struct
import sys
import time

INTERVAL = 0.001


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def request(sequence):
    header = struct.pack(">BBHHH", 8, 0, 0, os.getpid() & 0xFFFF, sequence)
    return header[:2] + struct.pack(">H", checksum(header)) + header[4:]


sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
sender.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the answers are for a capture to see
sequence, due = 0, time.monotonic()
while True:
    try:
        sender.sendto(request(sequence), (sys.argv[1], 0))
    except OSError:
        pass  # no way there for a moment
    sequence = (sequence + 1) & 0xFFFF
    due = max(due + INTERVAL, time.monotonic() - INTERVAL)
    time.sleep(max(0.0, due - time.monotonic()))
