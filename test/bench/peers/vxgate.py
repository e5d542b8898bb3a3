# SPDX-License-Identifier: BSD-3-Clause
"""The daemon: the whole process, with its management lcore and its telemetry, on one port that is the capture."""
import json
import os
import socket

import captures
from worker import MANAGEMENT_CPU, WORKER_CPU, Peer, PeerError

SESSIONS_MIN = 262144
BYTES_A_BUFFER = 2560  # of a packet, with its header and private area
IN_FLIGHT = 1024  # packets between one counter and the other


def text(address):
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


def mac_text(mac):
    return mac.hex(":")


def sessions_max(case):
    return max(SESSIONS_MIN, case.sessions * 5 // 4)


def hosts():
    """All workloads, as if they had asked for the gateway by ARP."""
    everyone = [*map(captures.up_host, range(captures.UPS)), *map(captures.down_host, range(captures.DOWNS))]
    return [{"address": text(inside), "mac": mac_text(mac), "vtep": text(captures.vtep(behind)[0])}
            for mac, inside, behind, *_ in everyone]


def configuration(case, device, name, hugepages):
    """Both sides are one port. The MAC that it has is the one that the capture is for."""
    sessions = sessions_max(case)
    vteps = [captures.vtep(last) for last in (11, 12)]
    neighbours = [{"address": text(address), "mac": mac_text(mac)} for address, mac in vteps]
    neighbours.append({"address": "192.168.254.2", "mac": mac_text(captures.ROUTER)})
    return {
        "name": name,
        "lcores": {"management": MANAGEMENT_CPU, "packet": [WORKER_CPU], "idle": "poll"},
        "memory": {"hugepages": "yes" if hugepages else "no",
                   "mib": Vxgate.memory_mib(case)},
        "ports": [{
            "name": "wire", "device": device, "mtu": 1600, "addresses": ["192.0.2.1/24", "192.168.254.1/30"],
            "mac": mac_text(captures.GATEWAY_UNDER if case.direction == "up" else captures.GATEWAY_UP),
            "neighbours": neighbours}],
        "routes": [{"prefix": "0.0.0.0/0", "via": "192.168.254.2"}],
        "vxlan": {"source": text(captures.VTEP_SELF)},
        "segments": [{
            "name": "workloads", "vni": captures.VNI, "gateway": "10.0.0.1/16", "mac": mac_text(captures.GATEWAY_INNER),
            "mtu": 1500, "flood": {"vteps": [text(address) for address, _ in vteps]}, "hosts": hosts()}],
        "nat": {
            "pools": [{"name": "pool", "addresses": ["100.64.0.1-100.64.0.64"]}],
            "source": [{"segment": "workloads", "prefix": "10.0.0.0/16", "pool": "pool"}],
            "static": [{"segment": "workloads", "inside": text(inside), "outside": text(public)}
                       for _, inside, _, public in map(captures.down_host, range(captures.DOWNS))],
            "max_sessions": sessions, "new_sessions_in_overload": 0}}


class Vxgate(Peer):
    name = "vxgate"
    daemon = ""  # the path of it

    @staticmethod
    def memory_mib(case):
        return 640 + (sessions_max(case) * 160 + case.packets * BYTES_A_BUFFER) // (1 << 20)

    def start(self, output=None):
        name = f"peers-{os.getpid()}"
        device = f"net_pcap0,rx_pcap={self.case.capture}," + (f"tx_pcap={output}" if output else "infinite_rx=1")
        path = os.path.join(self.folder, "vxgate.json")
        with open(path, "w") as file:
            json.dump(configuration(self.case, device, name, self.case.hugepages), file, indent=1)
        self.socket_path = f"/var/run/dpdk/vxgate-{name}/dpdk_telemetry.v2"
        self.telemetry = None
        with open(self.log(), "w") as log:
            self.spawn([self.daemon, "--config", path], stdout=log, stderr=log)
        self.wait_for("start", self.answers)
        self.find_thread(("rte-worker", "lcore-worker"))
        self.wait_for("sessions", lambda: self.sessions() == self.case.sessions)

    def answers(self):
        try:
            self.telemetry = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.telemetry.settimeout(20)
            self.telemetry.connect(self.socket_path)
            self.telemetry.recv(1024)
            return bool(self.ask("ports"))
        except OSError:
            self.telemetry.close()
            return False

    def ask(self, command):
        self.telemetry.send(f"/vxgate/{command}".encode())
        return json.loads(self.telemetry.recv(1 << 20))["/vxgate/" + command]

    def sessions(self):
        return self.ask("lcores")["lcores"]["0"]["sessions"]

    def counters(self):
        port = self.ask("ports")["ports"]["0"]
        return port["rx_packets"], port["tx_packets"]

    def drops(self):
        return {drop["name"]: drop["count"] for drop in self.ask("drops")["drops"].values() if drop["count"]}

    def tsc_hz(self):
        return self.ask("info")["tsc_hz"]

    def check(self):
        """Nothing was lost, and each packet was of a session that is there."""
        received, sent = self.counters()
        if self.drops() or abs(received - sent) > IN_FLIGHT or self.sessions() != self.case.sessions:
            raise PeerError(f"{self.name}: {received} packets came, {sent} left, drops {self.drops()}, "
                            f"{self.sessions()} sessions of {self.case.sessions}")

    def stop(self):
        if self.telemetry:
            self.telemetry.close()
        super().stop()
