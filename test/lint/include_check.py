#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Includes flow downward only, and libraries are seen only where they belong.

    app -> management, control, drivers, stage -> slowpath -> services -> table -> packet -> base

A header NAME_private.h stays in its folder. cJSON is for management and vxgatectl, libbpf for the drivers, and
nothing but tests includes tests.
"""
import re
import sys

BELOW = {
    "base": set(),
    "packet": {"base"},
    "table": {"packet", "base"},
    "nat_log": {"table", "packet", "base"},
    "services": {"table", "packet", "base"},
    "slowpath": {"services", "table", "packet", "base"},
    "stage": {"slowpath", "services", "table", "packet", "base"},
    "control": {"slowpath", "table", "packet", "base"},
    "port": {"packet", "base"},
    "xdp_steer": {"packet", "base"},
    "management": {
        "control", "port", "xdp_steer", "stage", "nat_log", "slowpath", "services", "table", "packet", "base"
    },
}
BELOW["vxgate"] = set(BELOW) | {"vxgate"}
BELOW["vxgatectl"] = {"management", "base"}
LIBRARIES = {
    "cjson/": {"management", "vxgatectl"},
    "bpf/": {"port", "xdp_steer"},
    "xdp/": {"xdp_steer"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def layer_of(path):
    parts = path.removeprefix("./").split("/")
    return parts[1] if parts[0] in ("lib", "drivers", "app") and len(parts) > 2 else None


def wrong_include(layer, quote, target):
    folder = target.split("/")[0] if "/" in target else layer
    if quote == '"':
        if target.endswith("_private.h") and folder != layer:
            return "a private header of another folder"
        if folder != layer and folder in BELOW and folder not in BELOW[layer]:
            return f"{layer} does not stand above {folder}"
        if folder == "test":
            return "tests are not part of the product"
    for prefix, layers in LIBRARIES.items():
        if quote == "<" and target.startswith(prefix) and layer not in layers:
            return f"only {' and '.join(sorted(layers))} may see <{prefix}...>"
    return None


def findings(name):
    layer = layer_of(name)
    if layer is None:
        return
    if layer not in BELOW:
        yield f"{name}: the folder {layer} has no place in test/lint/include_check.py"
        return
    with open(name, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if match := INCLUDE.match(line):
                if reason := wrong_include(layer, match[1], match[2]):
                    yield f"{name}:{number}: {match[2]}: {reason}"


found = [finding for name in sys.argv[1:] for finding in findings(name)]
print("\n".join(found))
sys.exit(1 if found else 0)
