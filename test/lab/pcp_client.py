#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A PCP client (RFC 6887) of one request: prints the response as JSON; fails unless the result is 0.

usage: pcp_client.py SERVER [--nonce N] [--version N] announce
       pcp_client.py SERVER ... map tcp|udp INSIDE-PORT PUBLIC-PORT LIFETIME
       pcp_client.py SERVER ... peer tcp|udp INSIDE-PORT PUBLIC-PORT LIFETIME REMOTE REMOTE-PORT
"""
import argparse
import ipaddress
import json
import socket
import struct
import sys

PROTOCOLS = {"tcp": 6, "udp": 17}


def mapped(address):
    return bytes(10) + b"\xff\xff" + ipaddress.IPv4Address(address).packed


def request(options, own):
    opcode = {"announce": 0, "map": 1, "peer": 2}[options.what]
    lifetime = int(options.rest[3]) if opcode else 0
    message = struct.pack("!BBHI", options.version, opcode, 0, lifetime) + mapped(own)
    if opcode:
        protocol, inside, public = options.rest[0], int(options.rest[1]), int(options.rest[2])
        message += struct.pack("!12sB3xHH", bytes([options.nonce] * 12), PROTOCOLS[protocol], inside, public)
        message += mapped("0.0.0.0")
    if opcode == 2:
        message += struct.pack("!H2x", int(options.rest[5])) + mapped(options.rest[4])
    return message


def ask(server, message_of):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.connect((server, 5351))
        channel.settimeout(1)
        message = message_of(channel.getsockname()[0])
        for _ in range(3):
            channel.send(message)
            try:
                return channel.recv(1200)
            except TimeoutError:
                continue
    sys.exit("no response")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--nonce", type=int, default=1)
    parser.add_argument("--version", type=int, default=2)
    parser.add_argument("what", choices=("announce", "map", "peer"))
    parser.add_argument("rest", nargs="*")
    options = parser.parse_args()
    response = ask(options.server, lambda own: request(options, own))
    version, opcode, result, lifetime, epoch = struct.unpack("!BBxBII", response[:12])
    answer = {"version": version, "opcode": opcode, "result": result, "lifetime": lifetime, "epoch": epoch}
    if len(response) >= 60:
        answer["port"] = struct.unpack("!H", response[42:44])[0]
        answer["address"] = str(ipaddress.IPv4Address(response[56:60]))
    print(json.dumps(answer))
    sys.exit(0 if result == 0 and opcode & 0x80 else 1)


main()
