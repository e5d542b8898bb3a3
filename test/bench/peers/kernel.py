# SPDX-License-Identifier: BSD-3-Clause
"""The Linux kernel: vxlan, a bridge with the gateway's address, nftables NAT, in a namespace between two veth pairs.

    testpmd: capture > af_packet - under1 = under0 [kernel] up0 = up1    (down: the other way round)

Who sends into a veth pays for all that the kernel does with the packet until it is sent again: that thread is the worker,
with the kernel's own thread for what it puts off. The sender's part, about a fifth, is in the figure, and packets come one by
one: from a device that hands them over in bursts the kernel takes fewer cycles."""
import json
import os
import subprocess

import captures
from testpmd import Testpmd
from vxgate import mac_text, text
from worker import WORKER_CPU, PeerError

SESSIONS_MAX = 200000  # of the kernel's default limit, which is one for the machine and left alone

NAT = """
table ip nat {{
  map inside {{ type ipv4_addr : ipv4_addr; elements = {{ {inside} }} }}
  chain before {{ type nat hook prerouting priority dstnat; iifname "up0" dnat to ip daddr map @inside; }}
  chain after {{ type nat hook postrouting priority srcnat; oifname "up0" snat to 100.64.0.1-100.64.0.64; }}
}}
table ip raw {{
  chain received {{ type filter hook prerouting priority raw; iifname "under0" udp dport 4789 notrack; }}
  chain sent {{ type filter hook output priority raw; oifname "under0" udp dport 4789 notrack; }}
}}
table netdev end {{
  chain reached {{ type filter hook ingress device "{far}" priority 0; drop; }}
}}
"""


class Kernel(Testpmd):
    name = "Linux kernel"

    @staticmethod
    def can(case):
        return case.sessions <= SESSIONS_MAX

    def run(self, *command, stdin=None):
        done = subprocess.run(command, capture_output=True, text=True, input=stdin)
        if done.returncode != 0:
            raise PeerError(f"{self.name}: {' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def ip(self, words):
        return self.run("ip", "-n", self.namespace, *words.split())

    def start(self):
        near, self.far = ("under1", "up1") if self.case.direction == "up" else ("up1", "under1")
        self.namespace = f"vxkernel{os.getpid()}"
        self.run("ip", "netns", "add", self.namespace)
        self.make_links()
        self.make_bridge()
        self.settle()
        self.make_neighbours()
        static = ", ".join(f"{text(public)} : {text(inside)}"
                           for _, inside, _, public in map(captures.down_host, range(captures.DOWNS)))
        self.inside("nft", "-f", "-", stdin=NAT.format(inside=static, far=self.far))
        self.prefix = ["ip", "netns", "exec", self.namespace]
        self.more_devices = ["--vdev", f"net_af_packet0,iface={near},qdisc_bypass=1"]
        super().start()
        self.own_thread = self.kernel_thread()
        self.wait_for("sessions", lambda: self.sessions() >= self.case.sessions)

    def inside(self, *command, stdin=None):
        return self.run("ip", "netns", "exec", self.namespace, *command, stdin=stdin)

    def make_links(self):
        self.ip("link set lo up")
        for one, mac in (("under", captures.GATEWAY_UNDER), ("up", captures.GATEWAY_UP)):
            self.ip(f"link add {one}0 address {mac_text(mac)} mtu 1600 type veth peer name {one}1 mtu 1600")
            self.inside("sysctl", "-qw", f"net.ipv6.conf.{one}0.disable_ipv6=1", f"net.ipv6.conf.{one}1.disable_ipv6=1")
            self.ip(f"link set {one}0 up")
            self.ip(f"link set {one}1 up")
        self.ip(f"addr add {text(captures.VTEP_SELF)}/24 dev under0")
        self.ip("addr add 192.168.254.1/30 dev up0")
        self.ip(f"neigh add 192.168.254.2 lladdr {mac_text(captures.ROUTER)} dev up0 nud permanent")
        self.ip("route add default via 192.168.254.2")

    def make_bridge(self):
        self.ip(f"link add vxlan0 mtu 1500 type vxlan id {captures.VNI} dstport 4789 local {text(captures.VTEP_SELF)} "
                "dev under0 nolearning")
        self.ip(f"link add br0 address {mac_text(captures.GATEWAY_INNER)} type bridge mcast_snooping 0")
        self.ip("link set vxlan0 master br0 up")
        self.ip("link set br0 up")
        self.ip("addr add 10.0.0.1/16 dev br0")

    def settle(self):
        self.inside("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.under0.rp_filter=0",
                    "net.ipv4.conf.up0.rp_filter=0", "net.netfilter.nf_conntrack_udp_timeout=300")
        if os.path.exists("/proc/sys/net/bridge"):  # or each packet would go through the rules twice
            self.inside("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0")

    def make_neighbours(self):
        fdb, neighbours = [], []
        for address, mac in map(captures.vtep, (11, 12)):
            neighbours.append(f"neigh add {text(address)} lladdr {mac_text(mac)} dev under0 nud permanent")
        for mac, inside, behind, *_ in [*map(captures.up_host, range(captures.UPS)),
                                        *map(captures.down_host, range(captures.DOWNS))]:
            fdb.append(f"fdb add {mac_text(mac)} dev vxlan0 dst {text(captures.vtep(behind)[0])} self permanent")
            fdb.append(f"fdb add {mac_text(mac)} dev vxlan0 master static")
            neighbours.append(f"neigh add {text(inside)} lladdr {mac_text(mac)} dev br0 nud permanent")
        self.run("bridge", "-n", self.namespace, "-batch", "-", stdin="\n".join(fdb) + "\n")
        self.run("ip", "-n", self.namespace, "-batch", "-", stdin="\n".join(neighbours) + "\n")

    def kernel_thread(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with open(f"/proc/{pid}/comm") as file:
                if file.read().strip() == f"ksoftirqd/{WORKER_CPU}":
                    return f"/proc/{pid}/schedstat"
        raise PeerError(f"{self.name}: no thread for softirqs")

    def cpu_seconds(self):
        with open(self.own_thread) as file:
            return super().cpu_seconds() + int(file.read().split()[0]) / 1e9

    def sessions(self):
        return int(self.inside("sysctl", "-n", "net.netfilter.nf_conntrack_count"))

    def counters(self):
        received = self.ask_counter(1, "TX-packets")
        far = json.loads(self.run("ip", "-n", self.namespace, "-s", "-j", "link", "show", self.far))[0]
        return received, far["stats64"]["rx"]["packets"]

    def stop(self):
        super().stop()
        subprocess.run(["ip", "netns", "del", self.namespace], check=False)
