#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""vxgate as a whole process, and beside it, on the same captures and one CPU each, what else there is: testpmd in io mode as
the floor, Open vSwitch with DPDK, the kernel. All of them are started for a case, but only the one that is being measured is not
stopped: in turn, round by round. docs/performance.md tells how and why."""
import argparse
import dataclasses
import json
import os
import signal
import statistics
import sys
import tempfile

import captures
import hugepages
from kernel import Kernel
from openvswitch import OpenVSwitch
from testpmd import Testpmd
from verify import verify
from vxgate import Vxgate
from worker import PeerError

PEERS = [Testpmd, Vxgate, OpenVSwitch, Kernel]
VERIFIED_SESSIONS_MAX = 100000  # a million takes a minute and tells nothing new


@dataclasses.dataclass
class Case:
    direction: str
    sessions: int
    length: int  # bytes of the inner frame
    capture: str = ""
    hugepages: bool = False
    small_pages: bool = False  # hugepages are not wanted
    tsc_hz: float = 0

    @property
    def packets(self):
        return self.sessions

    @property
    def name(self):
        return f"{self.direction}, {self.sessions:,}, {self.length} bytes"


CASES = [Case(direction, sessions, length) for sessions, length in ((1000, 64), (100000, 64), (1000000, 64), (100000, 1400))
         for direction in ("up", "down")]
QUICK = [case for case in CASES if case.sessions == 100000 and case.length == 64]


def arguments():
    parser = argparse.ArgumentParser(prog="./run bench --peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100,000 sessions and 64 bytes only, short rounds")
    parser.add_argument("--sessions", type=int, choices=sorted({case.sessions for case in CASES}), help="only the cases with so many sessions")
    parser.add_argument("--only", action="append", choices=[peer.name.replace(" ", "-") for peer in PEERS],
                        help="only this peer, and vxgate; may be given several times")
    parser.add_argument("--rounds", type=int, default=11, help="measurements of each (%(default)s)")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement (%(default)s)")
    parser.add_argument("--small-pages", action="store_true", help="without hugepages")
    parser.add_argument("--build", default="build", help=argparse.SUPPRESS)
    parser.add_argument("--captures", default="build/captures", help="where the captures are kept (%(default)s, 520 MB)")
    parser.add_argument("--json", default="build/bench-peers.json", help="where to write the figures")
    options = parser.parse_args()
    if options.rounds < 1 or not 0 < options.seconds < float("inf"):
        parser.error("--rounds is at least 1, and --seconds more than 0")
    if options.quick and options.sessions not in (None, QUICK[0].sessions):
        parser.error(f"--quick has {QUICK[0].sessions} sessions only")
    was_there = os.path.exists(options.json)
    try:
        with open(options.json, "a"):
            pass
        if not was_there:
            os.unlink(options.json)
    except OSError as error:
        parser.error(f"cannot write {options.json}: {error.strerror}")
    return options


def verified(case, folder):
    """The number of packets looked at, of a run of its own that plays the capture once."""
    if case.sessions > VERIFIED_SESSIONS_MAX:
        return 0
    gateway = Vxgate(case, folder)
    made = os.path.join(folder, "made.pcap")
    try:
        gateway.start(made)
        gateway.wait_for("all packets", lambda: gateway.counters() == (case.packets, case.packets))
        if gateway.drops():
            raise PeerError(f"vxgate: drops {gateway.drops()}")
    finally:
        gateway.stop()
    return verify(case.direction, case.capture, made)


def play(case, peers, folder, options):
    """All measurements of a case, by the name of the peer."""
    running, rounds = [], {peer.name: [] for peer in peers if peer.can(case)}
    try:
        for kind in (kind for kind in peers if kind.can(case)):
            peer = kind(case, folder)
            running.append(peer)
            peer.start()
            if isinstance(peer, Vxgate):
                case.tsc_hz = peer.tsc_hz()
            peer.pause()
        for _ in range(options.rounds):
            for peer in running:
                rounds[peer.name].append(peer.measure(options.seconds))
        for peer in running:
            peer.resume()
            peer.check()
    finally:
        for peer in running:
            peer.stop()
    return rounds


def spread(rates):
    """Half of what lies between the quartiles, as a share of the median."""
    if len(rates) < 2:
        return 0.0
    low, _, high = statistics.quantiles(rates, n=4)
    return (high - low) / 2 / statistics.median(rates)


def figures(case, rounds):
    """What is said of each peer in a case. Ratios are the medians of the rounds' own: both were measured within seconds."""
    result = {}
    for name, measured in rounds.items():
        rates = [one["rate"] for one in measured]
        median = statistics.median(rates)
        result[name] = {"mpps": median / 1e6, "cycles_a_packet": case.tsc_hz / median, "spread": spread(rates),
                        "forwarded": statistics.median(one["forwarded"] for one in measured),
                        "on_cpu": min(one["on_cpu"] for one in measured)}
        if name != Vxgate.name:
            result[name]["vxgate_times"] = statistics.median(
                ours["rate"] / theirs["rate"] for ours, theirs in zip(rounds[Vxgate.name], measured))
    return result


def head_print(peers):
    print(f"{'':24}" + "".join(f"   {peer.name:<{29 if peer is Vxgate else 37}}" for peer in peers))
    print(f"{'case':24}" + "".join(f"  {'cycles':>7} {'Mpps':>7} {'+-':>5} {'came out':>8}" +
                                   ("" if peer is Vxgate else f" {'vxgate':>7}") for peer in peers), flush=True)


def row_print(case, peers, result):
    line = f"{case.name:24}"
    for peer in peers:
        one = result.get(peer.name)
        if one is None:
            line += f"  {'not possible':>36}"
            continue
        line += f"  {one['cycles_a_packet']:7.0f} {one['mpps']:7.2f} {100 * one['spread']:3.0f} % {100 * one['forwarded']:6.1f} %"
        if peer is not Vxgate:
            times = one["vxgate_times"]
            line += f" {100 * times:5.0f} %" if times < 2 else f" {times:5.1f} x"
    print(line, flush=True)


def bench(options, folder):
    cases = QUICK if options.quick else CASES
    if options.sessions:
        cases = [case for case in cases if case.sessions == options.sessions]
    peers = [peer for peer in PEERS if not options.only or peer is Vxgate or peer.name.replace(" ", "-") in options.only]
    Vxgate.daemon = os.path.join(options.build, "app/vxgate/vxgate")
    results = []
    head_print(peers)
    for case in cases:
        case.capture = captures.prepare(options.captures, case.direction, case.packets, case.length)
        case.small_pages = options.small_pages
        needed = 0 if options.small_pages else sum(peer.memory_mib(case) for peer in peers)
        with hugepages.reserved(folder, needed) as case.hugepages:
            checked = verified(case, folder)
            result = figures(case, play(case, peers, folder, options))
        row_print(case, peers, result)
        results.append({"direction": case.direction, "sessions": case.sessions, "frame": case.length, "verified": checked,
                        "tsc_hz": case.tsc_hz, "hugepages": case.hugepages, "peers": result})
        with open(options.json, "w") as file:
            json.dump({"rounds": options.rounds, "seconds": options.seconds, "results": results}, file, indent=2)
            file.write("\n")


ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def give_up(number, _):
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)  # once is enough: what was made is being put back
    sys.exit(128 + number)


def main():
    options = arguments()
    for ending in ENDINGS:
        signal.signal(ending, give_up)
    if options.quick:
        options.rounds, options.seconds = min(options.rounds, 10), min(options.seconds, 0.7)
    if os.geteuid() != 0 or os.cpu_count() < 2:
        sys.exit("bench --peers: it needs root and two CPUs")
    with tempfile.TemporaryDirectory(prefix="vxgate-peers.") as folder:
        try:
            bench(options, folder)
        except PeerError as error:
            sys.exit(f"bench --peers: {error}")


if __name__ == "__main__":
    main()
