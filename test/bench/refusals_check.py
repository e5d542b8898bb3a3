#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What cannot be measured as it is asked for is refused at once, with a sentence: refusals_check.py BENCH PEERS"""
import os
import subprocess
import sys

BENCH, PEERS = [sys.argv[1]], [sys.executable, sys.argv[2]]
AT_ONCE_S = 20

REFUSALS = [
    (BENCH, "--only connections --plot", "--plot draws the matrix, which is not to be measured"),
    (BENCH, "--only attacks --plo", "--plot draws the matrix"),
    (BENCH, "--only lcores --watched", "--watched is of the matrix"),
    (BENCH, "--only connections --realtime", "--realtime is of lcores"),
    (BENCH, "--sessions 1000 --realtime", "--realtime is of lcores"),
    (BENCH, "--json /nonexistent/figures.json", "cannot write /nonexistent/figures.json: No such file"),
    (BENCH, "--sessions 10000,20000 --only connections", "10000,20000: expected one number from 10000 to 1000000"),
    (BENCH, "--only attacks --sessions 1000", "1000: expected one number from 10000 to 1000000"),
    (BENCH, "--only lcores --sessions 10000000", "10000000: expected one number from 10000 to 1000000"),
    (BENCH, "--only lcores", "two lcores are not measured: the process may use one CPU alone"),
    (BENCH, "--only matrices", "matrices: expected matrix, connections, attacks or lcores"),
    (BENCH, "--peers", "usage: bench"),
    (PEERS, "--json /nonexistent/figures.json", "cannot write /nonexistent/figures.json: No such file"),
]


def said(command, options):
    """What it says to people who have one CPU alone, and how it ends."""
    try:
        done = subprocess.run(command + options.split(), capture_output=True, text=True, timeout=AT_ONCE_S, check=False)
    except subprocess.TimeoutExpired:
        return "it measures", 0
    return done.stderr, done.returncode


def main():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    wrong = 0
    for command, options, sentence in REFUSALS:
        words, status = said(command, options)
        if status not in (1, 2) or sentence not in words:
            print(f"{options}: {status}, {words}")
            wrong += 1
    print(f"{len(REFUSALS) - wrong} passed, {wrong} failed")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
