# SPDX-License-Identifier: BSD-3-Clause
"""A peer under test: a process with one thread that moves packets, stopped (SIGSTOP) while another one is measured.

Rates are per second of CPU time of that thread, as the scheduler counts it, so that what else runs on the machine takes no time
from them; what it does to caches and clock it still does."""
import os
import signal
import subprocess
import time

MANAGEMENT_CPU, WORKER_CPU = 0, 1
WARM_S = 0.3


class PeerError(Exception):
    """A peer that does not start, or does not do what it is measured for."""


class Peer:
    """One that runs. Subclasses start it and tell the thread that moves packets, and how many it has moved."""
    name = ""

    def __init__(self, case, folder):
        self.case, self.folder = case, os.path.join(folder, self.name.replace(" ", "-"))
        self.processes, self.thread = [], None
        os.makedirs(self.folder, exist_ok=True)

    @staticmethod
    def can(case):
        """Whether it can be measured in this case."""
        return True

    @staticmethod
    def memory_mib(case):
        """Of hugepages, that it needs."""
        raise NotImplementedError

    def start(self):
        raise NotImplementedError

    def counters(self):
        """Packets received and sent, since the start."""
        raise NotImplementedError

    def check(self):
        """After the last measurement: raises PeerError when packets were lost."""

    def spawn(self, command, **options):
        # A stopped process would stay for ever if this one were killed.
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], start_new_session=True, **options)
        self.processes.append(process)
        return process

    def log(self):
        return os.path.join(self.folder, "log")

    def log_end(self):
        with open(self.log(), errors="replace") as file:
            return "".join(file.readlines()[-12:])

    def wait_for(self, what, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            ended = [process for process in self.processes if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                raise PeerError(f"{self.name}: {what}: {'it ended' if ended else 'not in time'}\n{self.log_end()}")
            time.sleep(0.02)

    def find_thread(self, begin):
        """The thread of the (last) process whose name begins so."""
        pid = self.processes[-1].pid
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/comm") as file:
                if file.read().startswith(begin):
                    self.thread = f"/proc/{pid}/task/{thread}/schedstat"
                    return
        raise PeerError(f"{self.name}: it has no thread {begin}")

    def cpu_seconds(self):
        with open(self.thread) as file:
            return int(file.read().split()[0]) / 1e9

    def signal(self, number):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(number)

    def resume(self):
        self.signal(signal.SIGCONT)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def measure(self, seconds):
        """Packets sent a second of CPU time, the share of them that came out, and the share of the CPU it had."""
        self.resume()
        time.sleep(WARM_S)
        received, sent = self.counters()
        cpu, begin = self.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        received_then, sent_then = self.counters()
        spent, lasted = self.cpu_seconds() - cpu, time.monotonic() - begin
        self.pause()
        if sent_then == sent or spent <= 0:
            raise PeerError(f"{self.name}: it sends nothing\n{self.log_end()}")
        return {"rate": (sent_then - sent) / spent, "forwarded": (sent_then - sent) / (received_then - received),
                "on_cpu": spent / lasted}

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is not None:
                continue
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()
