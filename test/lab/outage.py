#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a move cost, from two captures, as JSON. Times are in ms.

outage            the longest time without an echo reply outside, between the unplugging and --until
outage_start      when that hole begins, after the unplugging
announced         first frame of the MAC from the new VTEP, after the unplugging
answered          from that frame to the next echo reply outside: the part of the outage that is the gateway's
reaction          from that frame to the gateway's first frame to the MAC behind the new VTEP
late_frames       frames that the gateway sent to the old VTEP after that frame
recovered         whether replies came after the hole
flooded_arp       broadcast ARP requests of the gateway, by a head-end copy for the new VTEP
unicast_probes    ARP requests of the gateway to the MAC itself
"""
import argparse
import json
import socket
import struct

VXLAN_PORT = 4789


def packets(name):
    """(time, frame) of a pcap file with microseconds, as tcpdump writes."""
    with open(name, "rb") as file:
        data = file.read()
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    position = 24
    while position + 16 <= len(data):
        seconds, micros, captured, _ = struct.unpack_from(order + "IIII", data, position)
        yield seconds + micros / 1e6, data[position + 16 : position + 16 + captured]
        position += 16 + captured


def echo_replies(name, begin, end):
    return [
        time
        for time, frame in packets(name)
        if begin <= time <= end and frame[12:14] == b"\x08\x00" and frame[23] == 1 and frame[34] == 0
    ]


def inner_frames(name, begin, end):
    """(time, outer source, outer destination, inner frame)."""
    for time, frame in packets(name):
        if begin <= time <= end and frame[12:14] == b"\x08\x00" and frame[23] == socket.IPPROTO_UDP:
            if struct.unpack_from(">H", frame, 36)[0] == VXLAN_PORT:
                yield time, socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34]), frame[50:]


def longest_hole(times, begin, end):
    """(length, start, whether anything came after it)."""
    marks = [begin] + times + [end]
    length, start = max((after - before, before) for before, after in zip(marks, marks[1:]))
    return length, start, bool(times) and start < times[-1]


def measure(outside, underlay, mac, old, new, gateway, unplugged, until):
    host = bytes.fromhex(mac.replace(":", ""))
    replies = echo_replies(outside, unplugged - 0.05, until)
    length, start, recovered = longest_hole(replies, unplugged - 0.05, until)
    result = {
        "outage": length * 1000,
        "outage_start": (start - unplugged) * 1000,
        "recovered": recovered,
        "announced": None,
        "answered": None,
        "reaction": None,
        "late_frames": 0,
        "flooded_arp": 0,
        "unicast_probes": 0,
    }
    heard = None
    for time, source, destination, frame in inner_frames(underlay, unplugged, until):
        to_host = source == gateway and frame[:6] == host
        if heard is None and source == new and frame[6:12] == host:
            heard = time
            result["announced"] = (time - unplugged) * 1000
            result["answered"] = next(((reply - time) * 1000 for reply in replies if reply > time), None)
        if heard is not None and to_host and destination == new and result["reaction"] is None:
            result["reaction"] = (time - heard) * 1000
        if heard is not None and to_host and destination == old:
            result["late_frames"] += 1
        if source == gateway and frame[12:14] == b"\x08\x06":
            if frame[:6] == b"\xff" * 6 and destination == new:
                result["flooded_arp"] += 1
            if to_host and frame[20:22] == b"\x00\x01":
                result["unicast_probes"] += 1
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("outside", "underlay", "mac", "old", "new", "gateway"):
        parser.add_argument("--" + name, required=True)
    for name in ("unplugged", "until"):
        parser.add_argument("--" + name, type=float, required=True)
    print(json.dumps(measure(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
