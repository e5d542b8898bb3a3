#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Draws the matrix of the benchmark: plot.py bench.json bench.svg. A bar a scenario: cycles a packet, the part that the
bound takes in a darker colour."""
import json
import sys
from xml.sax.saxutils import escape

ROW = 22
LEFT = 330
WIDTH = 560
COLOURS = {"up": "#3b7dd8", "down": "#2a9d6f", "half and half": "#8a63c9", "across": "#d08a2e"}


def sessions_text(count):
    for unit, letter in ((1000000, "M"), (1000, "k")):
        if count >= unit:
            return f"{count / unit:g}{letter}"
    return str(count)


def name(row):
    words = [row["direction"], sessions_text(row["sessions"])]
    if row["segments"] > 1:
        words.append(f"{row['segments']} segments")
    for key, usual in (("frames", "64"), ("picked", "uniform"), ("bursts", "64"), ("pool", "hot")):
        if row[key] != usual:
            words.append({"frames": "frames ", "bursts": "bursts ", "pool": "pool "}.get(key, "") + row[key])
    return ", ".join(words)


def figures(row):
    text = f"{row['cycles_a_packet']:.0f} cycles, {row['mpps']:.2f} Mpps"
    return text + (f", {row['ratio']:.2f} x the bound" if "ratio" in row else "")


def row_drawing(row, top, scale):
    length = row["cycles_a_packet"] * scale
    yield f'<text x="{LEFT - 8}" y="{top + 14}" text-anchor="end">{escape(name(row))}</text>'
    yield (f'<rect x="{LEFT}" y="{top + 3}" width="{length:.1f}" height="{ROW - 6}" '
           f'fill="{COLOURS[row["direction"]]}" fill-opacity="0.55"/>')
    if "speed_of_light" in row:
        bound = min(row["speed_of_light"] * scale, length)
        yield (f'<rect x="{LEFT}" y="{top + 3}" width="{bound:.1f}" height="{ROW - 6}" '
               f'fill="{COLOURS[row["direction"]]}"/>')
    yield f'<text x="{LEFT + length + 6:.1f}" y="{top + 14}">{escape(figures(row))}</text>'


def drawing(bench):
    rows = bench["results"]
    if not rows:
        sys.exit("plot.py: there is no matrix in the figures")
    scale = WIDTH / max(row["cycles_a_packet"] for row in rows)
    height = ROW * len(rows) + 60
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 280}" height="{height}" '
           'font-family="sans-serif" font-size="12">')
    yield '<rect width="100%" height="100%" fill="white"/>'
    yield ('<text x="10" y="22" font-size="15">Cycles a packet on one core; dark: the least work that it could be '
           f'(TSC {bench["tsc_hz"] / 1e9:.2f} GHz, medians of {bench["rounds"]} rounds)</text>')
    for i, row in enumerate(rows):
        yield from row_drawing(row, 40 + i * ROW, scale)
    yield '</svg>'


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: plot.py bench.json bench.svg")
    with open(sys.argv[1], encoding="utf-8") as file:
        bench = json.load(file)
    picture = "\n".join(drawing(bench)) + "\n"  # whole before the file is touched: an older picture stays where there is none
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(picture)
    print(f"drawn: {sys.argv[2]}")


if __name__ == "__main__":
    main()
