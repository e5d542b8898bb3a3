#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Finds C files and functions that are too long to be read in one go.

The house aims at 500 lines a file and 60 a function; these bounds leave room for the rare exception. The format is
fixed by clang-format, so a function is what stands between "{" and "}" in the first column.
"""
import sys

FILE_LINES = 600
TEST_FILE_LINES = 1000  # a list of cases, each of which is read alone
FUNCTION_LINES = 80


def findings(name):
    with open(name, encoding="utf-8") as file:
        lines = file.read().splitlines()
    most = TEST_FILE_LINES if name.endswith("_test.c") else FILE_LINES
    if len(lines) > most:
        yield f"{name}: {len(lines)} lines, more than {most}"
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start > FUNCTION_LINES:
                yield f"{name}:{start}: a function of {number - start} lines, more than {FUNCTION_LINES}"
            start = None


found = [finding for name in sys.argv[1:] for finding in findings(name)]
print("\n".join(found))
sys.exit(1 if found else 0)
