#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds the configuration parser against its own JSON Schema, its manual and a set of good and bad files.

usage: config_schema_check.py CONFIG_TOOL SOURCE_FOLDER

A bad/NAME.json has a bad/NAME.expect: the first line says what kind of error it is, the others are the errors without
the name of the file.
  # syntax      not JSON (or the same key twice), which a schema cannot say
  # structural  the schema refuses it too
  # meaning     the parts do not go together: the schema accepts it
"""
import copy
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import jsonschema

TOOL, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
CONFIGS = SOURCE / "test/unit/configs"
MUTANTS = 3000
failures = []


def check(holds, text):
    if not holds:
        failures.append(text)


def tool(*arguments):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, check=False)


def check_printed_files(schema):
    for words, path in (("schema", "config/vxgate.schema.json"), ("manual", "docs/configuration.md")):
        printed = tool(words).stdout.decode()
        check(printed == (SOURCE / path).read_text(), f"{path} is out of date: print it again with `{TOOL} {words}`")
    jsonschema.Draft202012Validator.check_schema(schema)


def check_good_files(validator):
    for path in [*sorted(CONFIGS.glob("good/*.json")), *sorted(SOURCE.glob("config/*.json"))]:
        if path.name.endswith(".schema.json"):
            continue
        answer = tool("check", path)
        check(answer.returncode == 0, f"{path.name} is good, but: {answer.stdout.decode()}")
        check(validator.is_valid(json.loads(path.read_text())), f"the schema refuses {path.name}")
        check_round_trip(path, validator)


def check_round_trip(path, validator):
    """What is printed as the configuration in force is a configuration, and the same one."""
    printed = tool("print", path).stdout
    with tempfile.NamedTemporaryFile(suffix=".json") as copy_of_it:
        copy_of_it.write(printed)
        copy_of_it.flush()
        again = tool("print", copy_of_it.name).stdout
    check(printed and printed == again, f"{path.name} printed and read again is another configuration")
    check(validator.is_valid(json.loads(printed)), f"the schema refuses {path.name} as printed")


def check_bad_files(validator):
    for path in sorted(CONFIGS.glob("bad/*.json")):
        kind, *expected = path.with_suffix(".expect").read_text().splitlines()
        answer = tool("check", path)
        check(answer.returncode == 2, f"{path.name} is bad, but the exit status is {answer.returncode}")
        found = [line.removeprefix(f"{path}:") for line in answer.stdout.decode().splitlines()[:-1]]
        check(found == expected, f"{path.name}: want\n  " + "\n  ".join(expected) + "\nfound\n  " + "\n  ".join(found))
        check(kind in ("# syntax", "# structural", "# meaning"), f"{path.name}: {kind} is no kind of error")
        if kind != "# syntax":
            accepted = validator.is_valid(json.loads(path.read_text()))
            check(accepted == (kind == "# meaning"), f"{path.name} is {kind}, but the schema says {accepted}")


def places(node):
    """All (container, key) of a tree."""
    for key in list(node.keys() if isinstance(node, dict) else range(len(node))):
        yield node, key
        if isinstance(node[key], (dict, list)):
            yield from places(node[key])


VALUES = [None, True, False, 0, -1, 1, 2, 64, 65, 127, 128, 255, 256, 1.5, 1.0, 65535, 65536, 16777216, 2**26 + 1, 1e300,
          "", "a", "auto", "off", "fused", "tcp", "udp", "2@1", "128@0", "0@1024", "x y", [], {}, [[]], [{}], "a" * 31,
          "a" * 32, "10.0.1.9", "10.0.1.9/24", "10.0.1.0/24", "0.0.0.0/0", "239.1.1.1", "255.255.255.255", "1.2.3.4:5",
          "1.2.3.4:65536", "02:00:00:00:00:07", "03:00:00:00:00:07", "1-2", "0-2", "198.51.100.1-198.51.100.9",
          "net_null7", "0000:00:00.0", "fe80::1", "fe80::/10", "classify"]


def mutate(tree, chance):
    node, key = chance.choice(list(places(tree)))
    deed = chance.randrange(4)
    if deed == 0:
        del node[key]
    elif deed == 1 and isinstance(node, dict):
        node[chance.choice(["mtu", "group", "members", "via", "blackhole", "name", "zzz"])] = copy.deepcopy(chance.choice(VALUES))
    elif deed == 2 and isinstance(node[key], str) and node[key]:
        at = chance.randrange(len(node[key]))
        node[key] = node[key][:at] + chance.choice("09.:/-@,az _") + node[key][at + chance.randrange(2):]
    else:
        node[key] = copy.deepcopy(chance.choice(VALUES))


# What only arithmetic or the rest of the file can tell, so that the schema accepts what the parser refuses.
BEYOND_THE_SCHEMA = (
    "bits after the prefix length are set", "address of the network itself", "broadcast address of the network",
    "the first port is above", "a range begins before", "more than 16 ranges", "the first address is above", "overlaps", "the same as",
    "translates a host", "is in no network", "is no address of a port", "is an address of the gateway", "the same device as", "but no \"vxlan\"",
    "no lcore runs", "has nothing to do", "is not in lcores", "is the management lcore", "with one packet lcore",
    "is not in the network of the segment", "the gateway's own address", "the network or broadcast address of",
    "is that of VXLAN", "is no address of", "are excluded", "is no size of a port block", "have computed ports",
    "has no whole block", "hosts of nat.source", "so many for each host", "but a host can get", "but the gateway has",
    "network or broadcast address of", "is that of vxlan.source", "is the gateway's own", "public addresses of pools", "bytes of VXLAN make", "is translated then", "need ",
    "is not among those of the segment", "that of the gateway in the segment", "want fewer, or a larger limit", "is the address of the gateway")
# And what the schema refuses in some cases: a name that is no name, a network of which only a part is multicast.
PARTLY_BEYOND = ("there is none of that name", "names no", "reserved or broadcast")


def disagreement(errors, accepted):
    structural = [e for e in errors if not any(words in e for words in BEYOND_THE_SCHEMA + PARTLY_BEYOND)]
    partly = any(words in e for e in errors for words in PARTLY_BEYOND)
    return bool(structural) if accepted else not structural and not partly


def check_mutants(validator):
    """Whatever the schema refuses the parser must refuse, and the other way round what it refuses for its structure."""
    chance = random.Random(4789)
    seeds = [json.loads(path.read_text()) for path in sorted(CONFIGS.glob("good/*.json"))]
    seeds.append(json.loads((SOURCE / "config/figure.json").read_text()))
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for number in range(MUTANTS):
            tree = copy.deepcopy(chance.choice(seeds))
            for _ in range(chance.choice((1, 1, 1, 2, 3))):
                mutate(tree, chance)
            path = pathlib.Path(folder) / f"{number}.json"
            path.write_text(json.dumps(tree, indent=1))
            files[str(path)] = tree
        errors, counts = [], [0, 0]
        answer = tool("check", *files)
        check(answer.returncode == 2 and not answer.stderr, f"exit status {answer.returncode}: {answer.stderr.decode()}")
        for line in answer.stdout.decode().splitlines():
            verdict, _, path = line.partition(" ")
            if path not in files:
                errors.append(line)
                continue
            accepted = validator.is_valid(files[path])
            counts[accepted] += 1
            check((verdict == "good") == (not errors), f"{verdict} with {errors}")
            check(not disagreement(errors, accepted),
                  f"the schema says {accepted}, the parser {errors or verdict}: {json.dumps(files[path])}")
            errors = []
    check(sum(counts) == MUTANTS, f"{sum(counts)} of {MUTANTS} mutants were answered")
    check(min(counts) > MUTANTS // 20, f"mutants are too much alike: {counts} refused and accepted")


def main():
    schema = json.loads(tool("schema").stdout)
    validator = jsonschema.Draft202012Validator(schema)
    check_printed_files(schema)
    check_good_files(validator)
    check_bad_files(validator)
    check_mutants(validator)
    for failure in failures[:20]:
        print(failure)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


sys.exit(main())
