# SPDX-License-Identifier: BSD-3-Clause
"""The drawings of the demo's report, as inline SVG: the topology, and throughput over time."""
from html import escape

LABEL = {"garp": "announced by ARP", "rarp": "announced by RARP", "silent": "silent"}


def box(x, y, width, height, title, lines, kind=""):
    text = "".join(f'<text x="{x + width / 2}" y="{y + 38 + 16 * i}" class="small">{escape(line)}</text>'
                   for i, line in enumerate(lines))
    return (f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" class="box {kind}"/>'
            f'<text x="{x + width / 2}" y="{y + 21}" class="title">{escape(title)}</text>{text}')


def wire(*points, kind="wire"):
    path = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline points="{path}" class="{kind}"/>'


def topology(title, site):
    """The figure with the workloads in site 1 or 2; the way of a packet is drawn thick."""
    workload_y = 40 if site == 1 else 190
    parts = [
        wire((150, 150), (210, 150), kind="path"),
        wire((360, 150), (420, 150), (420, 80 if site == 2 else 230), (460, 80 if site == 2 else 230)),
        wire((360, 150), (420, 150), (420, 80 if site == 1 else 230), (460, 80 if site == 1 else 230), kind="path"),
        wire((590, 80 if site == 1 else 230), (640, 80 if site == 1 else 230), kind="path"),
        box(10, 95, 140, 110, "outside host", ["198.51.100.10", "router", "203.0.113.254"]),
        box(210, 75, 150, 150, "vxgate", ["203.0.113.1", "NAT", "10.0.1.1 (segment)", "192.0.2.1 (VTEP)"], "gateway"),
        box(460, 40, 130, 80, "site 1", ["kernel VTEP", "192.0.2.11"], "" if site == 1 else "idle"),
        box(460, 190, 130, 80, "site 2", ["kernel VTEP", "192.0.2.12"], "" if site == 2 else "idle"),
        box(640, workload_y, 150, 80, "app and web", ["10.0.1.5", "10.0.1.6"], "workload"),
        box(640, 190 if site == 1 else 40, 150, 80, "", [], "ghost"),
        '<text x="180" y="140" class="small">uplink</text><text x="389" y="140" class="small">underlay</text>',
        '<text x="20" y="258" class="small start">203.0.113.20 is app</text>',
        '<text x="20" y="276" class="small start">203.0.113.1:8080 is web, port 80</text>',
    ]
    return (f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 800 285" role="img" '
            f'aria-label="{escape(title)}">{"".join(parts)}</svg></figure>')


def nice_top(value):
    """The end of the axis: 1, 2 or 5 times a power of ten, or a half of it, at or above."""
    power = 1.0
    while power * 10 < value:
        power *= 10
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)


def plot(run):
    series = {way: run.throughput(way) for way in ("in", "out")}
    left, top, width, height = 70, 40, 1010, 300
    end = max(points[-1][0] for points in series.values())
    peak = nice_top(max(rate for points in series.values() for _, rate in points) or 1)

    def x(at):
        return round(left + width * at / end, 1)

    def y(rate):
        return round(top + height * (1 - rate / peak), 1)

    parts = []
    for step in range(5):
        rate = peak * step / 4
        parts.append(f'<line x1="{left}" x2="{left + width}" y1="{y(rate)}" y2="{y(rate)}" class="grid"/>'
                     f'<text x="{left - 8}" y="{y(rate) + 4}" class="axis end">{rate:g}</text>')
    for second in range(0, int(end) + 1, 5):
        parts.append(f'<text x="{x(second)}" y="{top + height + 20}" class="axis">{second} s</text>')
    for move in run.moves:
        parts.append(f'<line x1="{x(move["at"])}" x2="{x(move["at"])}" y1="{top}" y2="{top + height}" class="move"/>'
                     f'<text x="{x(move["at"]) + 6}" y="{top - 22}" class="axis start">to site '
                     f'{move["to"][-1]}, {LABEL[move["how"]]}</text><text x="{x(move["at"]) + 6}" y="{top - 7}" '
                     f'class="axis start">app away {move["app"]["outage"]:.0f} ms</text>')
    for way, points in series.items():
        line = " ".join(f"{x(at)},{y(rate)}" for at, rate in points)
        parts.append(f'<polyline points="{line}" class="series {way}"/>')
    parts.append(f'<text x="{left - 60}" y="{top - 12}" class="axis start">Mbit/s</text>')
    return (f'<svg viewBox="0 0 1100 370" role="img" aria-label="Throughput over time">{"".join(parts)}</svg>'
            '<p class="legend"><span class="key in"></span> outside to app (static binding) '
            '<span class="key out"></span> web to outside (pool) '
            '<span class="key move"></span> a move. Received bytes in steps of 100 ms.</p>')
