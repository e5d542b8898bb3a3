# SPDX-License-Identifier: BSD-3-Clause
"""Open vSwitch with DPDK: VXLAN and conntrack NAT in user space, one PMD thread.

br-under has the underlay, br-int the segment and the outside. Each packet is translated by one ct(commit, nat), which opens the
session the first time: UDP that goes one way stays "new" for its tracker, and a pipeline that only lets "established" on
would drop all but the first packet of a flow."""
import os
import re
import subprocess

import captures
from vxgate import mac_text, text
from worker import MANAGEMENT_CPU, WORKER_CPU, Peer, PeerError

DAEMON = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
POOL_PACKETS = 262144 - 32768  # of its pool, which is never larger, what a capture may take
NOTHING = "net_null0,no-rx=1"


def flows():
    yield (f"table=0,priority=5,in_port=1,tun_id={captures.VNI},dl_dst={mac_text(captures.GATEWAY_INNER)},ip,"
           "actions=ct(commit,zone=1,nat(src=100.64.0.1-100.64.0.64),table=1)")
    for _, inside, _, public in map(captures.down_host, range(captures.DOWNS)):
        yield (f"table=0,priority=9,in_port=2,dl_dst={mac_text(captures.GATEWAY_UP)},ip,nw_dst={text(public)},"
               f"actions=ct(commit,zone=1,nat(dst={text(inside)}),table=2)")
    yield (f"table=1,ip,actions=dec_ttl,mod_dl_src:{mac_text(captures.GATEWAY_UP)},mod_dl_dst:{mac_text(captures.ROUTER)},"
           "output:2")
    hosts = [*map(captures.up_host, range(captures.UPS)), *map(captures.down_host, range(captures.DOWNS))]
    for mac, inside, behind, *_ in hosts:
        yield (f"table=2,ip,nw_dst={text(inside)},actions=dec_ttl,mod_dl_src:{mac_text(captures.GATEWAY_INNER)},"
               f"mod_dl_dst:{mac_text(mac)},set_field:{captures.VNI}->tun_id,"
               f"set_field:{text(captures.vtep(behind)[0])}->tun_dst,output:1")


class OpenVSwitch(Peer):
    name = "Open vSwitch"

    @staticmethod
    def memory_mib(case):
        return 1024 if OpenVSwitch.can(case) else 0

    @staticmethod
    def can(case):
        """Whether it can be measured: its pool must hold the capture, and it wants hugepages."""
        return case.packets <= POOL_PACKETS and os.path.exists(DAEMON) and not case.small_pages

    def at(self, name):
        return os.path.join(self.folder, name)

    def run(self, *command, stdin=None):
        done = subprocess.run(command, capture_output=True, text=True, input=stdin, env=self.environment)
        if done.returncode != 0:
            raise PeerError(f"{self.name}: {' '.join(command[:4])}: {done.stderr.strip()}\n{self.log_end()}")
        return done.stdout

    def control(self, *words):
        return self.run("ovs-appctl", "-t", self.at("vswitchd.ctl"), *words)

    def configure(self, *words):
        return self.run("ovs-vsctl", "--timeout=30", f"--db=unix:{self.at('db.sock')}", *words)

    def inside(self, *command):
        return ["ip", "netns", "exec", self.namespace, *command]

    def start(self):
        self.environment = {**os.environ, "OVS_RUNDIR": self.folder, "OVS_LOGDIR": self.folder, "OVS_DBDIR": self.folder}
        self.namespace = f"vxpeers{os.getpid()}"
        self.run("ip", "netns", "add", self.namespace)
        self.start_daemons()
        self.make_bridges()
        self.make_ports()
        self.wait_for("sessions", lambda: int(self.control("dpctl/ct-get-nconns")) >= self.case.sessions)
        self.find_thread("pmd")

    def start_daemons(self):
        if os.path.exists(self.at("conf.db")):
            os.unlink(self.at("conf.db"))
        self.run("ovsdb-tool", "create", self.at("conf.db"), SCHEMA)
        with open(self.log(), "w") as log:
            self.spawn(self.inside("ovsdb-server", self.at("conf.db"), f"--remote=punix:{self.at('db.sock')}",
                                   f"--unixctl={self.at('ovsdb.ctl')}"), stdout=log, stderr=log, env=self.environment)
            self.wait_for("database", lambda: os.path.exists(self.at("db.sock")))
            self.configure("--no-wait", "init")
            self.configure("--no-wait", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
                           f"other_config:dpdk-lcore-mask={1 << MANAGEMENT_CPU:#x}",
                           f"other_config:pmd-cpu-mask={1 << WORKER_CPU:#x}",
                           f"other_config:dpdk-socket-mem={self.memory_mib(self.case)}",
                           "other_config:n-handler-threads=1", "other_config:n-revalidator-threads=1",
                           "other_config:dpdk-extra=--no-pci --in-memory --no-telemetry", "other_config:max-idle=600000")
            self.spawn(self.inside(DAEMON, f"unix:{self.at('db.sock')}", f"--unixctl={self.at('vswitchd.ctl')}"), stdout=log,
                       stderr=log, env=self.environment)
        self.wait_for("daemon", lambda: os.path.exists(self.at("vswitchd.ctl")))

    def make_bridges(self):
        for bridge, mac in (("br-under", captures.GATEWAY_UNDER), ("br-int", captures.GATEWAY_INNER)):
            self.configure("add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=netdev", "fail_mode=secure",
                           f'other_config:hwaddr="{mac_text(mac)}"')
        self.run(*self.inside("ip", "addr", "add", f"{text(captures.VTEP_SELF)}/24", "dev", "br-under"))
        self.run(*self.inside("ip", "link", "set", "br-under", "mtu", "1600", "up"))
        self.configure("add-port", "br-int", "vx", "--", "set", "interface", "vx", "type=vxlan", "options:remote_ip=flow",
                       f"options:local_ip={text(captures.VTEP_SELF)}", "options:key=flow", "ofport_request=1")
        self.wait_for("route", lambda: "br-under" in self.control("ovs/route/show"))
        for address, mac in map(captures.vtep, (11, 12)):
            self.control("tnl/neigh/set", "br-under", text(address), mac_text(mac))
        tunnels = "priority=9,in_port=LOCAL,actions=output:1\npriority=8,udp,tp_dst=4789,actions=LOCAL\n"
        self.run("ovs-ofctl", "add-flows", f"unix:{self.at('br-under.mgmt')}", "-", stdin=tunnels)
        self.run("ovs-ofctl", "add-flows", f"unix:{self.at('br-int.mgmt')}", "-", stdin="\n".join(flows()) + "\n")
        self.control("dpctl/ct-set-maxconns", "3000000")

    def make_ports(self):
        wire = f"net_pcap0,rx_pcap={os.path.abspath(self.case.capture)},infinite_rx=1"
        up = self.case.direction == "up"
        for bridge, port, number, device in (("br-int", "outside", 2, NOTHING if up else wire),
                                             ("br-under", "under", 1, wire if up else NOTHING)):
            self.configure("add-port", bridge, port, "--", "set", "interface", port, "type=dpdk",
                           f'options:dpdk-devargs="{device}"',
                           f"ofport_request={number}", "mtu_request=1500")

    def port(self, bridge, port):
        said = self.run("ovs-ofctl", "dump-ports", f"unix:{self.at(bridge + '.mgmt')}", port)
        return [int(number) for number in re.findall(r"pkts=(\d+)", said)]

    def counters(self):
        outside, under = self.port("br-int", "outside"), self.port("br-under", "under")
        return (under[0], outside[1]) if self.case.direction == "up" else (outside[0], under[1])

    def stop(self):
        super().stop()
        subprocess.run(["ip", "netns", "del", self.namespace], check=False)
