# SPDX-License-Identifier: BSD-3-Clause
"""Hugepages for the time of a measurement: more are reserved when too few are free, mounted where only this process and
its children see them, and the number is put back as it was."""
import contextlib
import ctypes
import fcntl
import os
import re
import subprocess

from worker import PeerError

POOL = "/sys/kernel/mm/hugepages/hugepages-2048kB/"
PAGE_MIB = 2
SPARE_PAGES = 8  # each process rounds up
CLONE_NEWNS = 0x20000
LOCK = "/run/vxgate-bench.lock"  # ../hugepages.c says what it is for and what stands in it


def number(name):
    with open(POOL + name) as file:
        return int(file.read())


def number_set(pages):
    with open(POOL + "nr_hugepages", "w") as file:
        file.write(f"{pages}\n")


def lasting():
    """Without those that a process has as surplus, and that go with it."""
    return number("nr_hugepages") - number("surplus_hugepages")


class Lock:
    """Of this process until it ends."""
    file = None

    @classmethod
    def note(cls, *numbers):
        text = " ".join(map(str, (os.getpid(), *numbers))) + "\n"
        os.pwrite(cls.file, text.encode(), 0)
        os.ftruncate(cls.file, len(text))

    @classmethod
    def take(cls):
        if cls.file is not None:
            return
        file = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        words = re.findall(rb"\d+", os.pread(file, 80, 0).partition(b"\n")[0])
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PeerError(f"process {int(words[0]) if words else 0} measures; two at once would spoil each other's figures: "
                            "wait for it, or end it") from None
        cls.file = file
        if len(words) == 3 and int(words[1]) < lasting() <= int(words[2]):
            number_set(int(words[1]))
        cls.note()


@contextlib.contextmanager
def reserved(folder, mib):
    """`mib` MiB of them; with 0, and where the machine has none to give, there are none."""
    if mib == 0 or not os.path.exists(POOL):
        yield False
        return
    Lock.take()
    before, mount = lasting(), os.path.join(folder, "hugepages")
    wanted = -(-mib // PAGE_MIB) + SPARE_PAGES
    missing = max(0, wanted - number("free_hugepages"))
    os.makedirs(mount, exist_ok=True)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "hugetlbfs", "-o", "pagesize=2M", "hugetlbfs", mount], check=True)
    try:
        changed = number("nr_hugepages") + missing
        Lock.note(before, changed)
        number_set(changed)
        yield number("free_hugepages") >= wanted
    finally:
        number_set(before)
        Lock.note()
        subprocess.run(["umount", mount], check=False)
