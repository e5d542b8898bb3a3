# SPDX-License-Identifier: BSD-3-Clause
"""What a run of the demo left in its folder, read and put into series and numbers. Times are seconds after the start of
the transfers."""
import csv
import json
import os

BIN = 0.1  # seconds, of the plotted throughput
SILENCE = 0.05  # of the middle rate: below it a 10 ms sample counts as a hole


def load(folder):
    run = Run(folder)
    run.read_samples()
    run.read_moves()
    return run


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def json_of(path, default):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return default


class Run:
    def __init__(self, folder):
        self.folder = folder
        self.events = []
        with open(self.path("events.tsv"), encoding="utf-8") as file:
            for line in file:
                time, kind, text = line.rstrip("\n").split("\t")
                self.events.append((float(time), kind, text))
        self.began = self.events[0][0]
        self.ledger = json_of(self.path("ledger.json"), [])
        self.bindings_before = json_of(self.path("bindings-before.json"), [])
        self.bindings_after = json_of(self.path("bindings-after.json"), [])
        self.transfers = {way: json_of(self.path(f"iperf-{way}.json"), {}) for way in ("in", "out")}
        self.quiet = rows_of(self.path("quiet.jsonl")) if os.path.exists(self.path("quiet.jsonl")) else []

    def path(self, name):
        return os.path.join(self.folder, name)

    def read_samples(self):
        """rates[way]: [(seconds, bytes in these 10 ms)]. What arrives is counted, so that retransmissions are not.

        ext receives the transfer out and what app says (acknowledgements and echo replies), so that is taken off.
        """
        with open(self.path("samples.csv"), encoding="ascii") as file:
            rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
        rows = [row for row in rows if len(row) == len(rows[0])]
        self.start = rows[0]["time"]
        self.samples = {"in": [], "out": []}
        for before, after in zip(rows, rows[1:]):
            at = after["time"] - self.start
            arrived = {name: after[name] - before[name] for name in before}
            self.samples["in"].append((at, arrived["app_rx"]))
            self.samples["out"].append((at, max(0.0, arrived["ext_rx"] - arrived["app_tx"])))

    def throughput(self, way):
        """[(seconds, Mbit/s)] in bins of 100 ms."""
        bins = {}
        for at, count in self.samples[way]:
            bins[int(at / BIN)] = bins.get(int(at / BIN), 0) + count
        last = max(index for index, count in bins.items() if count > 10000)  # pings go on beyond the transfers
        return [(index * BIN, bins.get(index, 0) * 8 / BIN / 1e6) for index in range(last)]

    def hole(self, way, begin, end):
        """The longest time in ms without data between two times, to 10 ms."""
        busy = sorted(count for _, count in self.samples[way])
        bound = busy[len(busy) // 2] * SILENCE
        longest, last = 0.0, begin
        for at, count in self.samples[way]:
            if begin <= at <= end and count > bound:
                longest, last = max(longest, at - last), at
        return max(longest, end - last) * 1000

    def read_moves(self):
        path = self.path("moves.jsonl")
        self.moves = rows_of(path) if os.path.exists(path) else []
        for move in self.moves:
            move["at"] = move["unplugged"] - self.start
            for way in ("in", "out"):
                move["hole_" + way] = self.hole(way, move["at"] - 0.05, move["at"] + 4.5)

    def transferred(self, way):
        """(seconds, gigabytes, Mbit/s, retransmissions) of a whole transfer, from iperf3; None when it failed."""
        end = self.transfers[way].get("end", {})
        if "sum_received" not in end:
            return None
        received = end["sum_received"]
        return (received["seconds"], received["bytes"] / 1e9, received["bits_per_second"] / 1e6,
                end["sum_sent"].get("retransmits", 0))

    def retransmissions(self, way, begin, end):
        """In the intervals of iperf3 (one second each) that touch the time between."""
        total = 0
        for interval in self.transfers[way].get("intervals", []):
            if interval["sum"]["end"] > begin and interval["sum"]["start"] < end:
                total += interval["sum"].get("retransmits", 0)
        return total
