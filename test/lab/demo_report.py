#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""demo_report.py FOLDER REPORT: prints the tables of a run of the demo, and writes its report, one HTML file that needs
nothing else."""
import argparse
import os
import platform
import time
from html import escape

import demo_data
import demo_figure
from demo_figure import LABEL

STYLE = """
:root { --page: #fff; --text: #1c2330; --faint: #5d6778; --line: #d5dae3; --fill: #f4f6fa; --in: #1f6feb; --out: #b45309;
  --good: #15803d; --bad: #c62828; --move: #8250df; --gateway: #dbeafe; --workload: #dcfce7; color-scheme: light dark }
@media (prefers-color-scheme: dark) { :root { --page: #11161f; --text: #e4e8ef; --faint: #97a3b6; --line: #303a4b;
  --fill: #1a212d; --in: #6aa8ff; --out: #f0a04b; --good: #4ade80; --bad: #f87171; --move: #b794f6; --gateway: #1d3557;
  --workload: #17402a } }
body { background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 1120px; padding: 1.5rem }
h1 { margin: 0 } h2 { margin: 2.2rem 0 .6rem; font-size: 1.25rem } p.about { color: var(--faint); margin: .2rem 0 1rem }
.verdict { font-weight: 600 } .good { color: var(--good) } .bad { color: var(--bad) }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(135px, 1fr)); gap: .8rem; margin: 1rem 0 }
.tile { background: var(--fill); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem }
.tile b { display: block; white-space: nowrap; font-size: 1.1rem; line-height: 1.2 } .tile span { color: var(--faint); font-size: .85rem }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(430px, 1fr)); gap: 1rem }
figure { margin: 0 } figcaption { font-weight: 600 } svg { width: 100%; height: auto; display: block }
svg text { fill: var(--text); font: 15px system-ui, sans-serif; text-anchor: middle }
svg .title { font-weight: 600; font-size: 16px } svg .small { fill: var(--faint); font-size: 14px }
svg .axis { fill: var(--faint); font-size: 12px }
svg .end { text-anchor: end } svg .start { text-anchor: start }
.box { fill: var(--fill); stroke: var(--faint) } .box.gateway { fill: var(--gateway); stroke: var(--in) }
.box.workload { fill: var(--workload); stroke: var(--good) } .box.idle { stroke: var(--line) }
.box.ghost { fill: none; stroke: var(--line); stroke-dasharray: 5 5 }
.wire { fill: none; stroke: var(--line); stroke-width: 2 } .path { fill: none; stroke: var(--in); stroke-width: 4 }
.grid { stroke: var(--line) } .series { fill: none; stroke-width: 1.8 } .series.in { stroke: var(--in) }
.series.out { stroke: var(--out) } line.move { stroke: var(--move); stroke-width: 2; stroke-dasharray: 6 4 }
.key { display: inline-block; width: 1.6em; height: .25em; vertical-align: middle; margin-left: 1em }
.key.in { background: var(--in) } .key.out { background: var(--out) } .key.move { background: var(--move) }
.legend { color: var(--faint); font-size: .9rem; margin: .2rem 0 } .scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .9rem } th { text-align: left; color: var(--faint) }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .7rem .35rem 0; vertical-align: top }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums } td.mark { width: 4.5em }
"""


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def quiet_moves(run, gateway, how):
    return [row for row in run.quiet if row["gateway"] == gateway and row["how"] == how]


def moves_table(run):
    head = ["move", "from", "to", "away, ms", "first frame after, ms", "gateway follows in, ms", "frames to old VTEP after it",
            "hole in transfer in, ms", "hole in transfer out, ms", "sent again in", "sent again out"]
    rows = []
    for move in run.moves:
        app, at = move["app"], move["at"]
        rows.append([LABEL[move["how"]], move["from"], move["to"], number(app["outage"], 1), number(app["announced"], 1),
                     number(app["reaction"], 2), str(app["late_frames"]), number(move["hole_in"]), number(move["hole_out"]),
                     str(run.retransmissions("in", at, at + 2)), str(run.retransmissions("out", at, at + 2))])
    for app in quiet_moves(run, "vxgate", "silent"):
        rows.append(["silent, no load", "", "", number(app["outage"], 1), number(app["announced"], 1),
                     number(app["reaction"], 2), str(app["late_frames"]), "-", "-", "-", "-"])
    return head, rows


def transfers_table(run):
    rows = []
    for way, text in (("in", "outside to app"), ("out", "web to outside")):
        if done := run.transferred(way):
            rows.append([text, number(done[0], 1), number(done[1], 2), number(done[2]), str(done[3])])
        else:
            rows.append([text, "failed", "", "", ""])
    return ["transfer", "seconds", "GB", "Mbit/s", "retransmissions"], rows


def ledger_table(run):
    head = ["serial", "segment", "mac", "ip", "old VTEP", "new VTEP", "late packets", "silent for, ms", "found by probe",
            "sessions kept"]
    keys = ["serial", "segment", "mac", "ip", "old_vtep", "new_vtep", "late_packets", "silent_ms", "found_by_probe", "sessions_kept"]
    rows = []
    for row in sorted(run.ledger, key=lambda row: row["serial"]):
        row = dict(row, found_by_probe="yes" if row["found_by_probe"] else "no")
        rows.append([str(row.get(key, "")) for key in keys])
    return head, rows


def endpoint(value):
    if not isinstance(value, dict):
        return str(value)
    return f"{value['address']}:{value['port']}" if value.get("port") else value["address"]


def bindings_table(run):
    def key(row):
        return tuple([row["segment"], row["protocol"], row["kind"], endpoint(row["inside"]), endpoint(row["outside"])])

    before, after = ({key(row) for row in rows} for rows in (run.bindings_before, run.bindings_after))
    rows = [list(binding) + ["same" if binding in after and binding in before else "CHANGED"] for binding in sorted(before | after)]
    return ["segment", "protocol", "kind", "inside", "outside", "after the moves"], rows


def comparison_table(run):
    rows = []
    for gateway in ("vxgate", "kernel"):
        for move in quiet_moves(run, gateway, "garp"):
            rows.append([gateway, number(move["outage"], 1), number(move["announced"], 1), number(move["answered"], 1),
                         number(move["reaction"], 2)])
    return ["gateway", "away, ms", "first frame after, ms", "from it until answers, ms", "gateway follows in, ms"], rows


def text_table(title, table):
    head, rows = table
    print(f"\n  {title}")
    widths = [max(len(row[i]) for row in [head] + rows) for i in range(len(head))]
    for row in [head] + rows:
        print("    " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def html_table(title, table, note=""):
    head, rows = table
    numeric = [bool(rows) and all(row[i] in ("-", "") or row[i][0].isdigit() and row[i].count(".") < 2 and ":" not in row[i]
                                  for row in rows) for i in range(len(head))]

    def cells(tag, row):
        return "".join(f'<{tag}{" class=number" if numeric[i] else ""}>{escape(cell)}</{tag}>' for i, cell in enumerate(row))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (f'<h2>{escape(title)}</h2>{f"<p class=about>{escape(note)}</p>" if note else ""}<div class=scroll><table><tr>'
            f'{cells("th", head)}</tr>{body}</table></div>')


def tiles(run):
    unchanged = all(row[-1] == "same" for row in bindings_table(run)[1])
    found = [(f"{move['app']['outage']:.0f} ms", f"away: {LABEL[move['how']]}") for move in run.moves]
    found += [(f"{app['outage']:.0f} ms", "away: silent, without load") for app in quiet_moves(run, "vxgate", "silent")]
    for way, text in (("in", "in"), ("out", "out")):
        if done := run.transferred(way):
            found.append((f"{done[2]:,.0f} Mbit/s", f"transfer {text}, {done[3]} retransmissions"))
    found.append(("same" if unchanged else "changed", "NAT bindings before and after"))
    return "".join(f"<div class=tile><b>{escape(big)}</b><span>{escape(small)}</span></div>" for big, small in found)


def timeline(run):
    mark = {"ok": '<span class="good">held</span>', "failed": '<span class="bad">failed</span>', "move": "move", "note": ""}
    rows = "".join(f"<tr><td class=number>{at - run.began:.1f} s</td><td class=mark>{mark[kind]}</td><td>{escape(text.strip())}</td></tr>"
                   for at, kind, text in run.events)
    return f"<h2>Timeline</h2><table>{rows}</table>"


def html(run, arguments):
    held = arguments.failed == 0
    verdict = "All of it held." if held else f"{arguments.failed} of {arguments.passed + arguments.failed} expectations did not hold."
    about = f"{time.strftime('%Y-%m-%d %H:%M:%S %Z')}, plan {arguments.plan}, Linux {platform.release()}, {os.cpu_count()} CPUs"
    parts = [
        f"<h1>vxgate: the two figures</h1><p class=about>{escape(about)}</p>",
        f'<p class="verdict {"good" if held else "bad"}">{escape(verdict)}</p><div class=tiles>{tiles(run)}</div>',
        "<div class=figures>", demo_figure.topology("Figure 1: before the move", 1),
        demo_figure.topology("Figure 2: after the move, the same NAT bindings", 2), "</div>",
        "<h2>Throughput while the workloads move</h2>", demo_figure.plot(run),
        html_table("The moves", moves_table(run), "Away: the longest time without an answer to a ping each millisecond from "
                   "outside, the change of the cable itself included. First frame: when the workload is first heard from the new "
                   "site: its announcement, or its own data, or, after a silent move, its answer to the gateway's question."),
        html_table("The transfers", transfers_table(run)),
        html_table("The ledger of moves", ledger_table(run), "As the gateway tells it: vxgatectl show moves."),
        html_table("NAT bindings before and after", bindings_table(run)),
    ]
    if quiet_moves(run, "kernel", "garp"):
        parts.append(html_table("The same move with the kernel as the gateway", comparison_table(run),
                                "An announced move of app without other traffic, five times each, in the same place. Most of the "
                                "time is the change of the cable; what follows its first frame is the gateway's part."))
    parts.append(timeline(run))
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f'<link rel="icon" href="data:,"><title>vxgate demo report</title><style>{STYLE}</style></head><body>{"".join(parts)}'
            '</body></html>\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("report")
    parser.add_argument("--plan", default="fused")
    parser.add_argument("--passed", type=int, default=0)
    parser.add_argument("--failed", type=int, default=0)
    arguments = parser.parse_args()
    run = demo_data.load(arguments.folder)
    text_table("The moves (app, seen from outside; holes and retransmissions of the transfers)", moves_table(run))
    text_table("The transfers", transfers_table(run))
    text_table("The ledger of moves", ledger_table(run))
    text_table("NAT bindings before and after", bindings_table(run))
    if quiet_moves(run, "kernel", "garp"):
        text_table("An announced move without load, and with the kernel as the gateway", comparison_table(run))
    print()
    with open(arguments.report, "w", encoding="utf-8") as file:
        file.write(html(run, arguments))


if __name__ == "__main__":
    main()
