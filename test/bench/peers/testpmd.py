# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-testpmd in io mode: what net_pcap itself costs, and nothing else."""
import re
import subprocess
import time

from worker import MANAGEMENT_CPU, WORKER_CPU, Peer, PeerError

BUFFER = 2176
SPARE_BUFFERS = 16384


class Testpmd(Peer):
    name = "testpmd io"
    prefix = ()  # of the command
    more_devices = ()  # after the capture

    @staticmethod
    def memory_mib(case):
        return (case.packets + SPARE_BUFFERS) * (BUFFER + 192) // (1 << 20) + 160

    def start(self):
        buffers = self.case.packets + SPARE_BUFFERS
        self.output = open(self.log(), "w+")
        self.read_to = 0
        command = ["dpdk-testpmd", "-l", f"{MANAGEMENT_CPU},{WORKER_CPU}", "--main-lcore", str(MANAGEMENT_CPU), "--no-pci",
                   "--no-telemetry", "-m", str(self.memory_mib(self.case)), *(["--in-memory"] if self.case.hugepages else ["--no-huge", "--no-shconf"]),
                   "--vdev", f"net_pcap0,rx_pcap={self.case.capture},infinite_rx=1", *self.more_devices, "--", "-i",
                   "--nb-cores=1", f"--port-topology={'paired' if self.more_devices else 'loop'}", "--forward-mode=io", f"--total-num-mbufs={buffers}", f"--mbuf-size={BUFFER}"]
        self.testpmd = self.spawn([*self.prefix, "stdbuf", "-oL", *command], stdin=subprocess.PIPE, stdout=self.output, stderr=self.output,
                                  text=True, bufsize=1)
        self.wait_for("start", lambda: "testpmd>" in self.said() or "Done" in self.said())
        self.find_thread(("rte-worker", "lcore-worker"))
        self.ask("start")

    def said(self):
        with open(self.log()) as file:
            file.seek(self.read_to)
            return file.read()

    def ask(self, command):
        self.testpmd.stdin.write(command + "\n")
        self.testpmd.stdin.flush()

    def ask_counter(self, port, name):
        with open(self.log()) as file:
            self.read_to = file.seek(0, 2)
        self.ask(f"show port stats {port}")
        deadline = time.monotonic() + 10
        while True:
            found = re.search(rf"{name}: (\d+) .*\n", self.said())
            if found:
                return int(found.group(1))
            if time.monotonic() > deadline:
                raise PeerError(f"{self.name}: it does not answer\n{self.log_end()}")
            time.sleep(0.001)

    def counters(self):
        return self.ask_counter(0, "RX-packets"), self.ask_counter(0, "TX-packets")
