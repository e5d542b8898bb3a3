# SPDX-License-Identifier: BSD-3-Clause
"""The captures that all peers receive, and what they are about.

up    from workloads in VXLAN: VTEPs 192.0.2.11 and .12 (MAC 02:00:00:00:01:11, :12) to the gateway 192.0.2.1 (MAC
      02:00:00:00:01:01), VNI 5001. Workload v, 0 to 999: 02:aa:00:00:HH:LL (v), 10.0.(1 + v / 250).(1 + v % 250), behind
      VTEP 11 + v % 2; to the gateway's MAC 02:00:00:00:00:01 and 198.51.100.1 to .254. Translated to 100.64.0.1 to .64.
down  from the router (MAC 02:00:00:00:02:02) to the gateway (02:00:00:00:02:01): from 198.51.100.1 to .254 to the static
      bindings 203.0.113.(1 + m), 0 <= m < 250, of the workloads 02:bb:00:00:00:MM (m), 10.0.0.(2 + m), behind VTEP 11 + m % 2.

UDP, one packet a session, sessions in random order; the lengths are those of the inner frame without FCS."""
import os
import random
import struct

VNI = 5001
UPS, DOWNS = 1000, 250
PAYLOAD = b"0123456789abcdef"


def address(a, b, c, d):
    return a << 24 | b << 16 | c << 8 | d


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


GATEWAY_UNDER, GATEWAY_UP, GATEWAY_INNER = mac("02:00:00:00:01:01"), mac("02:00:00:00:02:01"), mac("02:00:00:00:00:01")
ROUTER = mac("02:00:00:00:02:02")
VTEP_SELF = address(192, 0, 2, 1)


def vtep(last):
    return address(192, 0, 2, last), bytes((2, 0, 0, 0, 1, last % 100 // 10 * 16 + last % 10))


def up_host(v):
    """MAC, address, last byte of the VTEP's."""
    return bytes((2, 0xAA, 0, 0, v >> 8, v & 255)), address(10, 0, 1 + v // 250, 1 + v % 250), 11 + v % 2


def down_host(m):
    """MAC, inside address, last byte of the VTEP's, public address."""
    return bytes((2, 0xBB, 0, 0, 0, m)), address(10, 0, 0, 2 + m), 11 + m % 2, address(203, 0, 113, 1 + m)


def folded(total):
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def words_sum(data):
    if len(data) % 2:
        data += b"\0"
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


class Datagrams:
    """IPv4 UDP datagrams of one length."""

    def __init__(self, length):
        size = length - 28
        self.length, self.payload = length, (PAYLOAD * (size // 16 + 1))[:size]
        self.fixed = words_sum(self.payload) + 17 + 2 * (size + 8)

    def make(self, source, destination, source_port, destination_port):
        ends = (source >> 16) + (source & 0xFFFF) + (destination >> 16) + (destination & 0xFFFF)
        header = 0x4500 + self.length + 0x4000 + (64 << 8 | 17) + ends
        udp = 0xFFFF ^ folded(self.fixed + ends + source_port + destination_port)
        return struct.pack("!BBHHHBBHIIHHHH", 0x45, 0, self.length, 0, 0x4000, 64, 17, 0xFFFF ^ folded(header), source,
                           destination, source_port, destination_port, self.length - 20, udp or 0xFFFF) + self.payload


def sessions(count, hosts, seed):
    """Different (host, remote, remote port, own port)."""
    dice, seen = random.Random(seed), set()
    for i in range(count):
        while True:
            session = (i % hosts, dice.randint(1, 254),
                       dice.choice((53, 80, 123, 443, 4500, 8080, dice.randint(1024, 65535))), dice.randint(1024, 65535))
            if session not in seen:
                break
        seen.add(session)
        yield session


def up_frames(count, length):
    datagrams, outer_length = Datagrams(length - 14), length + 36
    vxlan = struct.pack("!II", 0x08000000, VNI << 8)
    outer = {}
    for last in (11, 12):
        source, source_mac = vtep(last)
        header = struct.pack("!BBHHHBBHII", 0x45, 0, outer_length, 0, 0x4000, 64, 17, 0, source, VTEP_SELF)
        checksum = struct.pack("!H", 0xFFFF ^ folded(words_sum(header)))
        outer[last] = GATEWAY_UNDER + source_mac + b"\x08\0" + header[:10] + checksum + header[12:]
    for v, remote, remote_port, port in sessions(count, UPS, 1):
        host_mac, inside, behind = up_host(v)
        destination = address(198, 51, 100, remote)
        entropy = 49152 + (inside * 31 + destination * 17 + port * 7 + remote_port * 13 & 0x3FFF)
        yield (outer[behind] + struct.pack("!HHHH", entropy, 4789, outer_length - 20, 0) + vxlan + GATEWAY_INNER +
               host_mac + b"\x08\0" + datagrams.make(inside, destination, port, remote_port))


def down_frames(count, length):
    datagrams = Datagrams(length - 14)
    for m, remote, remote_port, port in sessions(count, DOWNS, 2):
        public = down_host(m)[3]
        yield GATEWAY_UP + ROUTER + b"\x08\0" + datagrams.make(address(198, 51, 100, remote), public, remote_port, port)


def write(frames, path):
    with open(path + ".part", "wb", 1 << 22) as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, frame in enumerate(frames):
            file.write(struct.pack("<IIII", i // 1000000, i % 1000000, len(frame), len(frame)) + frame)
    os.rename(path + ".part", path)


def read(path):
    """The frames of a capture."""
    with open(path, "rb") as file:
        data = file.read()
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def prepare(folder, direction, count, length):
    """The path of the capture; it is made the first time."""
    path = os.path.join(folder, f"{direction}-{count}-{length}.pcap")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        write((up_frames if direction == "up" else down_frames)(count, length), path)
    return path
