# SPDX-License-Identifier: BSD-3-Clause
"""Hugepages for the time of a measurement: more are reserved when too few are free, mounted where only this process and
its children see them, and the number is put back as it was."""
import contextlib
import ctypes
import os
import subprocess

POOL = "/sys/kernel/mm/hugepages/hugepages-2048kB/"
PAGE_MIB = 2
SPARE_PAGES = 8  # each process rounds up
CLONE_NEWNS = 0x20000


def number(name):
    with open(POOL + name) as file:
        return int(file.read())


def number_set(pages):
    with open(POOL + "nr_hugepages", "w") as file:
        file.write(f"{pages}\n")


@contextlib.contextmanager
def reserved(folder, mib):
    """`mib` MiB of them; with 0, and where the machine has none to give, there are none."""
    if mib == 0 or not os.path.exists(POOL):
        yield False
        return
    before, mount = number("nr_hugepages"), os.path.join(folder, "hugepages")
    wanted = -(-mib // PAGE_MIB) + SPARE_PAGES
    missing = max(0, wanted - number("free_hugepages"))
    os.makedirs(mount, exist_ok=True)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "hugetlbfs", "-o", "pagesize=2M", "hugetlbfs", mount], check=True)
    try:
        number_set(before + missing)
        yield number("free_hugepages") >= wanted
    finally:
        number_set(before)
        subprocess.run(["umount", mount], check=False)
