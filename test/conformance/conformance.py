#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes docs/rfc-conformance.md: each requirement, the tests that show it, and whether they passed.

A test names what it shows in the comment above it, "Conforms: RFC 4787 REQ-8, RFC 5382 REQ-3." The requirements are in
requirements.tsv; one without a test is listed as such. Sections of other RFCs may be named, too, and get a table of
their own. Results come from the logs that `meson test --logbase unit|pipeline|lab` left.

    conformance.py [--logs FOLDER] [--check] PAGE

--check compares with the page instead of writing it. Without --logs the results are taken to be good, as they are
whenever the tests pass: that is how the page is written.
"""
import argparse
import collections
import difflib
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
ITEM = re.compile(r"^(RFC \d+) (.+)$")
C_TEST = re.compile(r"^(?:Test|ParameterizedTest|Theory|CASE|CASE_IN)\(\s*(\w+),\s*(\w+)", re.MULTILINE)
C_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
LAB_CHECK = re.compile(r'^\s*(?:check|check_not|await_check)\s+"([^"]*)"', re.MULTILINE)
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
OWN = ("RFC 4787", "RFC 5382", "RFC 5508", "RFC 7857", "RFC 6888")
TITLE = {
    "RFC 4787": "UDP", "RFC 5382": "TCP", "RFC 5508": "ICMP", "RFC 7857": "updates to the three above",
    "RFC 6888": "carrier-grade NAT",
}

Requirement = collections.namedtuple("Requirement", "rfc id level sentence note")
Shown = collections.namedtuple("Shown", "rfc id file program test")


class Wrong(Exception):
    pass


def requirements():
    found = []
    for number, line in enumerate((HERE / "requirements.tsv").read_text("utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) not in (4, 5):
            raise Wrong(f"requirements.tsv:{number}: {len(fields)} fields; 4 or 5 are wanted")
        found.append(Requirement(*fields, *[""] * (5 - len(fields))))
    return found


def items(text, where):
    """The pairs (RFC, id) of a tag. "RFC 4787 REQ-1, REQ-2" names the RFC once for both."""
    rfc = None
    for word in re.split(r"\s*,\s*", " ".join(re.sub(r"\n\s*(?:\*|#)?\s*", " ", text).split())):
        if match := ITEM.match(word):
            rfc, word = match[1], match[2]
        if not rfc or not word:
            raise Wrong(f"{where}: cannot read the tag: {text!r}")
        yield rfc, word.strip().rstrip(".")


def tags_of(text, where):
    """What follows "Conforms:" up to the full stop that ends the sentence, with section numbers left whole."""
    found = re.findall(r"Conforms:\s*(.*?)(?:\.(?=\s|\*|$)|\*/|$(?=\n\s*[^#\s*]))", text, re.DOTALL | re.MULTILINE)
    if len(found) != text.count("Conforms:"):
        raise Wrong(f"{where}: a tag without its end, a full stop")
    for tag in found:
        yield from items(tag, where)


def in_c(path, program):
    text = path.read_text("utf-8")
    for comment in C_COMMENT.finditer(text):
        if "Conforms:" not in comment[0]:
            continue
        after = text[comment.end():].lstrip()
        where = f"{path}:{text.count(chr(10), 0, comment.start()) + 1}"
        test = C_TEST.match(after)
        if not test:
            raise Wrong(f"{where}: a tag that is not directly above a test")
        for rfc, name in tags_of(comment[0], where):
            yield Shown(rfc, name, path.relative_to(TESTS.parent), program, test[2])


def in_lab(path):
    lines = path.read_text("utf-8").splitlines()
    pending, tag = [], ""
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if stripped.startswith("#"):
            tag = f"{tag} {stripped[1:].strip()}" if tag else stripped if "Conforms:" in stripped else ""
            continue
        if tag:
            pending, tag = list(tags_of(tag.rstrip(".") + ".", f"{path}:{number - 1}")), ""
        if pending and (check := LAB_CHECK.match(line)):
            for rfc, name in pending:
                yield Shown(rfc, name, path.relative_to(TESTS.parent), path.name[:-len("_lab.sh")], check[1])
            pending = []
        elif pending and stripped:
            raise Wrong(f"{path}:{number}: a tag that is not directly above a check")


def all_shown():
    for suite in ("unit", "pipeline"):
        for path in sorted((TESTS / suite).glob("*_test.c")):
            yield from ((suite, shown) for shown in in_c(path, path.name[:-len("_test.c")]))
    for path in sorted((TESTS / "lab").glob("*_lab.sh")):
        yield from (("lab", shown) for shown in in_lab(path))


def failed_tests(folder):
    """(suite, program) -> the names of its failed tests, or None when it died or is not in the log. A lab that runs in
    more than one way (figure, figure_split) must pass in all."""
    outcome = {}
    for suite in ("unit", "pipeline", "lab"):
        for line in (folder / f"{suite}.json").read_text("utf-8", "replace").splitlines():
            test = json.loads(line)
            program = test["name"].split(" / ")[-1]
            output = ESCAPES.sub("", test.get("stdout", "") + "\n" + test.get("stderr", ""))
            failed = set(re.findall(r"\[FAIL\] \w+::(\w+)", output)) | set(re.findall(r"^FAILED  (.*)$", output, re.MULTILINE))
            outcome[suite, program] = None if test["result"] != "OK" and not failed else failed
    return outcome


def passed(outcome, suite, shown):
    if outcome is None:
        return True
    runs = [failed for (kind, program), failed in outcome.items()
            if kind == suite and (program == shown.program or suite == "lab" and program.startswith(shown.program + "_"))]
    return bool(runs) and all(failed is not None and shown.test not in failed for failed in runs)


def words(test):
    return test.replace("_", " ").replace("|", "\\|")


def cell(tests):
    return "<br>".join(f"{words(shown.test)} ([{shown.file.name}](../{shown.file}))" for _, shown in tests)


def result(tests, outcome):
    return "pass" if all(passed(outcome, *test) for test in tests) else "**FAILED**"


def section_key(name):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def page(outcome):
    needed, by_item = requirements(), collections.defaultdict(list)
    known = {(need.rfc, need.id) for need in needed}
    for suite, shown in all_shown():
        if shown.rfc in OWN and (shown.rfc, shown.id) not in known:
            raise Wrong(f"{shown.file}: {shown.test}: {shown.rfc} has no requirement {shown.id} in requirements.tsv")
        by_item[shown.rfc, shown.id].append((suite, shown))
    lines = ["# Conformance", "",
             "Written by `./run conformance` from the tags on the tests; `./run test` fails when this page is not what its tests say.",
             "The sentences are ours; the RFCs have the last word. A test that is named passed, or this page would not have landed.", ""]
    for rfc in OWN:
        mine = [need for need in needed if need.rfc == rfc]
        shown_count = sum(1 for need in mine if by_item[need.rfc, need.id])
        lines += [f"## {rfc}: {TITLE[rfc]}", "",
                  f"{shown_count} of {len(mine)} requirements are shown by tests.", "",
                  "| | level | what it asks | shown by | result |", "| --- | --- | --- | --- | --- |"]
        for need in mine:
            tests = by_item[need.rfc, need.id]
            shown = cell(tests) if tests else need.note or "no test"
            lines.append(f"| {need.id} | {need.level} | {need.sentence} | {shown} | {result(tests, outcome) if tests else 'no test'} |")
        lines.append("")
    others = sorted((key for key in by_item if key[0] not in OWN and by_item[key]),
                    key=lambda key: (int(key[0].split()[1]), section_key(key[1])))
    if others:
        lines += ["## Others", "", "| | | shown by | result |", "| --- | --- | --- | --- |"]
        lines += [f"| {rfc} | {name} | {cell(by_item[rfc, name])} | {result(by_item[rfc, name], outcome)} |" for rfc, name in others]
        lines.append("")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--logs", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("page", type=pathlib.Path)
    options = parser.parse_args()
    try:
        text = page(failed_tests(options.logs) if options.logs else None)
    except (Wrong, OSError) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 1
    if not options.check:
        options.page.write_text(text, "utf-8")
        return 0
    there = options.page.read_text("utf-8") if options.page.exists() else ""
    if text == there:
        return 0
    sys.stdout.writelines(difflib.unified_diff(there.splitlines(True), text.splitlines(True), str(options.page), "what the tests say"))
    return 1


if __name__ == "__main__":
    sys.exit(main())
