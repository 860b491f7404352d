#!/usr/bin/env python3
"""Draws measured against modelled latencies of storage calls: devices/plots/*.svg, one for each calibrated mode.

Measured: tests/sim/measured_latencies.hpp. Modelled: `./brownout timing`, the real driver on the simulated bus.

Usage: plot_timing.py
"""
import math
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TICK_US = 0.0625
PLOTS = [
    ('kMb85rs64vFifo', 'fifo-20mhz', 'MB85RS64V, 20 MHz, FIFO', ['--part', 'mb85rs64v', '--sck', '20 MHz', '--transfer', 'fifo']),
    ('kMb85rs64vDma', 'dma-20mhz', 'MB85RS64V, 20 MHz, DMA', ['--part', 'mb85rs64v', '--sck', '20 MHz', '--transfer', 'dma']),
    ('kMb85rs4mtSliced4', 'sliced-40mhz', 'MB85RS4MT, 40 MHz, slices of 4 B',
     ['--part', 'mb85rs4mt', '--sck', '40 MHz', '--transfer', 'sliced', '--slice', '4']),
]
WIDTH, LEFT, RIGHT = 720, 70, 20
TOP, HEIGHT, GAP, ERROR_HEIGHT, BOTTOM = 40, 300, 40, 110, 45
STYLE = '''  <style>
    text { font: 13px sans-serif; fill: #222 }
    .axis { stroke: #666; fill: none } .grid { stroke: #ddd }
    .read { stroke: #0060a8; fill: none } .write { stroke: #b04000; fill: none }
    .dot { stroke-width: 1.2 }
  </style>'''


def measured(name):
    with open(os.path.join(ROOT, 'tests', 'sim', 'measured_latencies.hpp'), encoding='utf-8') as file:
        text = file.read()
    body = re.search(name + r'\[\] = {(.*?)};', text, re.S).group(1)
    return [tuple(float(x) for x in row.split(',')) for row in re.findall(r'{([^{}]*)}', body)]


def modelled(arguments, sizes):
    command = [os.path.join(ROOT, 'brownout'), 'timing', '--bus', 'esp32c3-zephyr', *arguments, '--sizes',
               ','.join(str(int(size)) for size in sizes)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[1:]
    return [tuple(float(x) for x in line.split(',')) for line in lines]


def polyline(points, kind):
    return f'  <polyline class="{kind}" points="' + ' '.join(f'{x:.1f},{y:.1f}' for x, y in points) + '"/>'


def plot(name, title, arguments):
    rows = [row for row in measured(name) if row[0] > 0]
    model = modelled(arguments, [row[0] for row in rows])
    largest = max(max(row[1:]) for row in rows) * TICK_US
    x_low, x_high = math.log2(rows[0][0]), math.log2(rows[-1][0])
    y_low, y_high = 1, math.ceil(math.log10(largest))

    def x_of(size):
        return LEFT + (math.log2(size) - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)

    def y_of(microseconds):
        return TOP + (y_high - math.log10(microseconds)) / (y_high - y_low) * HEIGHT

    errors = [[100 * (model[i][column] / 1000 / (row[column] * TICK_US) - 1) for i, row in enumerate(rows)]
              for column in (1, 2)]
    span = max(0.1, max(abs(e) for column in errors for e in column))
    error_top = TOP + HEIGHT + GAP

    def error_y(percent):
        return error_top + ERROR_HEIGHT / 2 - percent / span * ERROR_HEIGHT / 2

    height = error_top + ERROR_HEIGHT + BOTTOM
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">', f'  <title>{title}</title>',
           STYLE, f'  <rect width="{WIDTH}" height="{height}" fill="#fff"/>',
           f'  <text x="{LEFT}" y="22">{title}: circles measured on an ESP32-C3, lines modelled</text>']
    for power in range(int(math.ceil(x_low)), int(x_high) + 1):
        x = x_of(2 ** power)
        out.append(f'  <line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{error_top + ERROR_HEIGHT}"/>')
        out.append(f'  <text x="{x:.1f}" y="{height - 24}" text-anchor="middle">{2 ** power}</text>')
    for power in range(y_low, y_high + 1):
        y = y_of(10 ** power)
        out.append(f'  <line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'  <text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10 ** power}</text>')
    for percent in (-span, 0, span):
        y = error_y(percent)
        out.append(f'  <line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'  <text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{percent:+.2f} %</text>')
    for column, kind in ((1, 'read'), (2, 'write')):
        out.append(polyline([(x_of(m[0]), y_of(m[column] / 1000)) for m in model], kind))
        out += [f'  <circle class="{kind} dot" cx="{x_of(r[0]):.1f}" cy="{y_of(r[column] * TICK_US):.1f}" r="3"/>' for r in rows]
        out.append(polyline([(x_of(r[0]), error_y(e)) for r, e in zip(rows, errors[column - 1])], kind))
        out.append(f'  <line class="{kind}" x1="{LEFT + 20}" x2="{LEFT + 50}" y1="{TOP + 18 * column}" y2="{TOP + 18 * column}"/>')
        out.append(f'  <text x="{LEFT + 58}" y="{TOP + 18 * column + 4}">{kind}</text>')
    out.append(f'  <text x="12" y="{TOP - 6}">us</text>')
    out.append(f'  <text x="{WIDTH - RIGHT}" y="{error_top - 6}" text-anchor="end">modelled against measured</text>')
    out.append(f'  <text x="{WIDTH / 2}" y="{height - 6}" text-anchor="middle">bytes of a call</text>')
    out.append('</svg>')
    return '\n'.join(out) + '\n'


def main():
    folder = os.path.join(ROOT, 'devices', 'plots')
    os.makedirs(folder, exist_ok=True)
    for name, file_name, title, arguments in PLOTS:
        with open(os.path.join(folder, file_name + '.svg'), 'w', encoding='utf-8') as file:
            file.write(plot(name, title, arguments))


if __name__ == '__main__':
    sys.exit(main())
