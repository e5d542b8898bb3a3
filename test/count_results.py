#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Prints "N passed, N failed" for a log of `meson test` (one JSON object a line).

A program of the tests holds many tests. Criterion ends with a line "Synthesis: Tested: 5 | Passing: 5 | ...", a lab
with "5 passed, 0 failed"; what prints neither counts as one. A program that was skipped, timed out or died without
naming a failed test counts as one failed test.
"""
import json
import re
import sys

SYNTHESIS = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+)")
LAST_LINE = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def count(test):
    output = ESCAPES.sub("", test.get("stdout", "") + "\n" + test.get("stderr", ""))
    passed, failed = (1, 0) if test["result"] == "OK" else (0, 1)
    if match := SYNTHESIS.search(output):
        tested, passed = int(match[1]), int(match[2])
        failed = tested - passed
    elif matches := LAST_LINE.findall(output):
        passed, failed = map(int, matches[-1])
    if test["result"] != "OK" and failed == 0:
        failed = 1
    return passed, failed


def main():
    passed = failed = 0
    try:
        with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
            for line in log:
                counted = count(json.loads(line))
                passed, failed = passed + counted[0], failed + counted[1]
    except OSError:
        failed = 1
    print(f"{passed} passed, {failed} failed")


if __name__ == "__main__":
    main()
