#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""announce.py INTERFACE MAC ADDRESS FIFO: says "here I am" whenever a line "garp" or "rarp" comes out of the FIFO.

The process stands ready beforehand, so that the start of a program is no part of a measured outage. It speaks as soon as
the interface, whose cable was just plugged in, is up: what is sent before is lost. garp: a gratuitous
ARP request, as a Linux host sends; rarp: a reverse ARP request, as QEMU sends for its guest after a migration.
"""
import ipaddress
import socket
import sys
import time

interface, mac_text, address_text, fifo = sys.argv[1:]
mac = bytes.fromhex(mac_text.replace(":", ""))
address = ipaddress.IPv4Address(address_text).packed
ETHERNET_IPV4 = bytes.fromhex("000108000604")
frames = {
    "garp": b"\xff" * 6 + mac + b"\x08\x06" + ETHERNET_IPV4 + b"\x00\x01" + mac + address + bytes(6) + address + bytes(18),
    "rarp": b"\xff" * 6 + mac + b"\x80\x35" + ETHERNET_IPV4 + b"\x00\x03" + mac + bytes(4) + mac + bytes(4) + bytes(18),
}


def wait_until_up():
    while True:
        with open(f"/sys/class/net/{interface}/operstate", encoding="ascii") as state:
            if state.read().strip() == "up":
                break
        time.sleep(0.0005)
    time.sleep(0.001)  # the kernel tells the state a moment before it lets frames out


sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind((interface, 0))
print("ready", flush=True)
while True:
    with open(fifo, encoding="ascii") as lines:
        for line in lines:
            wait_until_up()
            sender.send(frames[line.strip()])
