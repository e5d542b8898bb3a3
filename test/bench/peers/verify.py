# SPDX-License-Identifier: BSD-3-Clause
"""Whether what the gateway made of a capture is right: each packet, byte by byte, but for what it may choose freely."""
import struct
from collections import Counter, defaultdict

import captures
from worker import PeerError

POOL_FIRST, POOL_LAST = captures.address(100, 64, 0, 1), captures.address(100, 64, 0, 64)
VXLAN_ALL = 50  # outer Ethernet, IPv4, UDP and VXLAN


def fail(what, frame):
    raise PeerError(f"vxgate: {what}: {frame.hex()}")


def datagram(frame, at):
    """Source, destination, source port, destination port, TTL, payload of the UDP datagram at `at`; sums must be right."""
    length, ttl, protocol, source, destination = struct.unpack_from("!2xH4xBB2xII", frame, at)
    source_port, destination_port, udp_length = struct.unpack_from("!HHH", frame, at + 20)
    if frame[at] != 0x45 or protocol != 17 or at + length > len(frame) or udp_length != length - 20:
        fail("no UDP datagram", frame)
    if captures.folded(captures.words_sum(frame[at:at + 20])) != 0xFFFF:
        fail("wrong IPv4 checksum", frame)
    pseudo = captures.words_sum(frame[at + 12:at + 20]) + 17 + udp_length
    if captures.folded(pseudo + captures.words_sum(frame[at + 20:at + length])) != 0xFFFF:
        fail("wrong UDP checksum", frame)
    return source, destination, source_port, destination_port, ttl, frame[at + 28:at + length]


def outside_way(frames):
    """What each end on the near side sends: a set of (destination, port, payload). Ends go by their packets, not their
    names, as NAT gives them others."""
    ends = defaultdict(set)
    for source, destination, source_port, destination_port, payload in frames:
        ends[source, source_port].add((destination, destination_port, payload))
    return Counter(frozenset(sent) for sent in ends.values())


def up(given, made):
    def inside():
        for frame in given:
            source, destination, source_port, destination_port, _, payload = datagram(frame, VXLAN_ALL + 14)
            yield source, destination, source_port, destination_port, payload

    def outside():
        for frame in made:
            if frame[:14] != captures.ROUTER + captures.GATEWAY_UNDER + b"\x08\0":
                fail("wrong Ethernet header", frame)
            source, destination, source_port, destination_port, ttl, payload = datagram(frame, 14)
            if not POOL_FIRST <= source <= POOL_LAST or ttl != 63:
                fail("wrong source or TTL", frame)
            yield source, destination, source_port, destination_port, payload

    if outside_way(inside()) != outside_way(outside()):
        raise PeerError("vxgate: not each inside address and port has one outside, or packets differ")


def down(given, made):
    wanted = Counter()
    hosts = {public: (mac, inside, behind) for mac, inside, behind, public in map(captures.down_host, range(captures.DOWNS))}
    for frame in given:
        source, destination, source_port, destination_port, _, payload = datagram(frame, 14)
        mac, inside, behind = hosts[destination]
        wanted[mac, behind, source, inside, source_port, destination_port, payload] += 1
    vteps = {captures.vtep(last): last for last in (11, 12)}
    for frame in made:
        source, destination, port, vxlan_port, _, _ = datagram_without_sum(frame)
        behind = vteps.get((destination, frame[:6]))
        vni = int.from_bytes(frame[46:49], "big")
        if (behind is None or source != captures.VTEP_SELF or vxlan_port != 4789 or port < 49152 or vni != captures.VNI or
                frame[6:12] != captures.GATEWAY_UP or frame[56:64] != captures.GATEWAY_INNER + b"\x08\0"):
            fail("wrong tunnel", frame)
        source, destination, source_port, destination_port, ttl, payload = datagram(frame, VXLAN_ALL + 14)
        if ttl != 63:
            fail("wrong TTL", frame)
        wanted[frame[50:56], behind, source, destination, source_port, destination_port, payload] -= 1
    if any(wanted.values()):
        raise PeerError("vxgate: packets are missing, or changed in a wrong way")


def datagram_without_sum(frame):
    """The outer datagram: no UDP checksum (RFC 7348, section 5)."""
    if struct.unpack_from("!H", frame, 40)[0] != 0:
        fail("an outer UDP checksum", frame)
    length, ttl, source, destination = struct.unpack_from("!2xH4xB3xII", frame, 14)
    if captures.folded(captures.words_sum(frame[14:34])) != 0xFFFF or 14 + length != len(frame):
        fail("wrong outer header", frame)
    return (source, destination, *struct.unpack_from("!HH", frame, 34), ttl, frame[42:])


def verify(direction, given_path, made_path):
    given, made = list(captures.read(given_path)), list(captures.read(made_path))
    if len(given) != len(made):
        raise PeerError(f"vxgate: {len(given)} packets came, {len(made)} left")
    (up if direction == "up" else down)(given, made)
    return len(made)
