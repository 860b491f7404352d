#!/usr/bin/env python3
"""Makes the pictures of the README's two stories from runs, and prints their tables: build first (./brownout list does).

Usage: readme_pictures.py [PROGRAM]       ./brownout if it is not named; pictures go to bench/pictures
"""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'brownout')
PICTURES = os.path.join(ROOT, 'bench', 'pictures')

INK, FAINT, LINE = '#1f2430', '#6b7280', '#d5d9e0'
COLOURS = {'run': '#9bb7d4', 'persist': '#d9792b', 'off': '#e6e8ec', 'WREN': '#7a5195', 'WRITE': '#2f6f9f', 'READ': '#5b9f76'}


def ask(command, scenario, settings=(), *flags):
    """The JSON that a command writes to the file behind the last of `flags`."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, 'out.json')
        line = [PROGRAM, command, os.path.join(ROOT, 'scenarios', scenario + '.yaml'), *flags, out]
        for setting in settings:
            line += ['--set', setting]
        done = subprocess.run(line, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode not in (0, 1):
            sys.exit(f'{" ".join(line)}: {done.stdout}')
        with open(out, encoding='utf-8') as file:
            return json.load(file)


class Picture:
    def __init__(self, width, height, title):
        self.size = (width, height)
        self.parts = [f'<title>{title}</title>', f'<rect width="{width}" height="{height}" fill="#ffffff"/>']

    def text(self, x, y, text, size=13, colour=INK, anchor='start', weight='normal'):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"'
                          f' font-weight="{weight}">{text}</text>')

    def box(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.2f}" y="{y:.1f}" width="{max(width, 0.4):.2f}" height="{height}" fill="{colour}"/>')

    def line(self, points, colour=INK, width=1.5, dash=''):
        path = ' '.join(f'{x:.2f},{y:.2f}' for x, y in points)
        dashes = f' stroke-dasharray="{dash}"' if dash else ''
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>')

    def write(self, name):
        os.makedirs(PICTURES, exist_ok=True)
        width, height = self.size
        with open(os.path.join(PICTURES, name), 'w', encoding='utf-8') as file:
            file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
                       f' height="{height}" font-family="sans-serif">\n' + '\n'.join(self.parts) + '\n</svg>\n')


def longest_persist(scenario):
    """The report, and the trace around its longest persist, with the instant of its warning in us."""
    report = ask('run', scenario, (), '--quiet', '--report')
    cycle = max(report['cycles']['records'], key=lambda record: record['persist_s'] or 0)
    warned = next(event[1] for event in cycle['events'] if event[0] == 'warn') * 1e6
    window = f'{warned - 300:.0f} us..{warned + 3000:.0f} us'
    return report, ask('run', scenario, (), '--quiet', '--window', window, '--trace-json'), warned


def transfer_modes():
    left, top, width, row = 92, 78, 640, 22
    panels = [('queue-fifo', 'FIFO'), ('queue', 'DMA')]
    picture = Picture(left + width + 30, top + 2 * 190 + 20, 'The longest persist of queue by FIFO and by DMA')
    picture.text(left, 24, 'The longest persist, from the warning on: same board, same program', 15, weight='bold')
    picture.text(left, 43, 'scenarios/queue-fifo.yaml and scenarios/queue.yaml, --trace-json', 12, FAINT)
    first, last = -0.3, 3.0
    x_of = lambda ms: left + (min(max(ms, first), last) - first) / (last - first) * width
    reports = []
    for index, (scenario, name) in enumerate(panels):
        report, trace, warned = longest_persist(scenario)
        reports.append(report)
        y = top + index * 190
        picture.text(6, y - 5, name, 14, weight='bold')
        for tick in range(0, 3):
            picture.line([(x_of(tick), y), (x_of(tick), y + 150)], LINE, 1)
            picture.text(x_of(tick), y + 165, f'{tick} ms', 12, FAINT, 'middle')
        for kind, offset, label in (('board', 0, 'board'), ('store', row + 4, 'bus')):
            picture.text(left - 8, y + offset + 15, label, 12, FAINT, 'end')
            for event in trace['traceEvents']:
                if event['ph'] != 'X' or event['cat'] != kind:
                    continue
                begin = (event['ts'] - warned) / 1e3
                end = begin + event['dur'] / 1e3
                if end > first and begin < last:
                    colour = COLOURS.get(event['name'], FAINT)
                    picture.box(x_of(begin), y + offset, x_of(end) - x_of(begin), row, colour)
                    if event['name'] in ('persist', 'off') and end - begin > 0.2:
                        text = f'persist {event["dur"] / 1e3:.2f} ms' if event['name'] == 'persist' else 'off'
                        picture.text((x_of(begin) + x_of(end)) / 2, y + offset + 16, text, 12, INK, 'middle')
        low, high = 3.784, 3.805
        y_of = lambda v: y + 145 - (v - low) / (high - low) * 85
        for level in (3.785, 3.79, 3.795, 3.80):
            picture.line([(left, y_of(level)), (left + width, y_of(level))], LINE, 1, '2 3')
            picture.text(left - 8, y_of(level) + 4, f'{level:.3f} V', 11, FAINT, 'end')
        volts = [((event['ts'] - warned) / 1e3, event['args']['V']) for event in trace['traceEvents']
                 if event['name'] == 'voltage']
        picture.line([(x_of(ms), y_of(v)) for ms, v in volts if first - 0.01 <= ms <= last + 0.01], '#1b6e4b', 1.8)
    x = left
    for name in ('run', 'persist', 'off', 'WREN', 'WRITE', 'READ'):
        picture.box(x, top + 2 * 190 - 4, 12, 12, COLOURS[name])
        picture.text(x + 17, top + 2 * 190 + 7, name, 12, FAINT)
        x += 82
    picture.write('transfer-modes.svg')
    fifo, dma = reports
    rows = [('longest persist', lambda r: r['persist']['time_s']['maximum'] * 1e3, '{:.2f} ms'),
            ('its energy', lambda r: r['persist']['energy_j']['maximum'] * 1e6, '{:.0f} uJ'),
            ('capacitor that it needs', lambda r: r['capacitor']['needed_by_largest_persist_f'] * 1e6, '{:.0f} uF'),
            ('restore, mean', lambda r: r['restore']['time_s']['mean'] * 1e3, '{:.2f} ms'),
            ('operations per second', lambda r: r['work']['operations_per_second'], '{:.0f}'),
            ('energy of an operation', lambda r: r['work']['energy_per_operation_j'] * 1e6, '{:.1f} uJ'),
            ('outages in 10,000 operations', lambda r: r['outages']['total'], '{:.0f}')]
    print('| | FIFO | DMA | |\n|---|---|---|---|')
    for label, value, form in rows:
        a, b = value(fifo), value(dma)
        print(f'| {label} | {form.format(a)} | {form.format(b)} | {(b / a - 1) * 100:+.0f} % |')


def memories():
    """The worst persist from `size`; RAM, image and energy of an operation from runs on an ideal supply."""
    ideal = 'supply.source={kind: constant, power: 1 W}'
    ram = lambda size, limit=None: (f'heap.ram={size}', f'heap.dirty_limit={limit or size}')
    workloads = [
        ('queue of 8 KiB', 'queue', (), [
            ('heap', ('heap.nv_allocator=block', 'heap.store_unit=264 B', 'heap.policy=clock')),
            ('pages of 128 B', ('heap.memory=pages', *ram('12 KiB', '4 KiB'))),
            ('direct FRAM', ('heap.memory=direct', *ram('1 KiB', '0.5 KiB'))),
            ('RAM, full snapshot', ('heap.memory=ram_snapshot', *ram('9 KiB')))]),
        ('kvs of 58 KiB', 'kvs', ('workload.keys=partitioned',), [
            ('heap', ('heap.nv_allocator=buddy', 'heap.policy=clock')),
            ('pages of 128 B', ('heap.memory=pages',)),
            ('direct FRAM', ('heap.memory=direct', *ram('2 KiB'))),
            ('RAM, full snapshot', ('heap.memory=ram_snapshot', *ram('60 KiB')))])]
    columns = [('RAM', 'KiB', '#8a94a6'), ('capacitor for the worst persist', 'uF', '#d9792b'),
               ('energy of an operation', 'uJ', '#2f6f9f')]
    left, width, gap, row, top = 158, 168, 34, 25, 84
    picture = Picture(left + 3 * (width + gap) + 16, top + 2 * (4 * row + 58) - 22, 'The heap beside its baselines')
    picture.text(16, 24, 'The heap beside what one does without it', 15, weight='bold')
    picture.text(16, 43, 'MB85RS4MT, 40 MHz, DMA; the capacitor by `brownout size`, all parts nominal', 12, FAINT)
    print('\n| workload | memory | RAM | worst image | worst persist | its capacitor | energy of an operation |')
    print('|---|---|---|---|---|---|---|')
    for index, (title, scenario, common, rows) in enumerate(workloads):
        found = []
        for name, settings in rows:
            size = ask('size', scenario, common + settings, '--report')
            report = ask('run', scenario, (ideal, *common, *settings), '--quiet', '--report')
            given = {entry['key']: entry['value'] for entry in size['inputs']}
            found.append((name, (given['heap.ram'] / 1024, size['persist']['nominal_f'] * 1e6,
                                 report['work']['energy_per_operation_j'] * 1e6)))
            bound = size['persist_bound']
            print(f'| {title if name == "heap" else ""} | {name} | {found[-1][1][0]:.3g} KiB | {bound["bytes"]:,} B |'
                  f' {bound["time_s"] * 1e3:.2f} ms | {found[-1][1][1]:.0f} uF | {found[-1][1][2]:.3g} uJ |')
        y = top + index * (4 * row + 58)
        picture.text(16, y - 6, title, 13, weight='bold')
        for column, (label, unit, colour) in enumerate(columns):
            x = left + column * (width + gap)
            picture.text(x, y - 6, label, 12, FAINT)
            most = max(values[column] for _, values in found)
            for line, (name, values) in enumerate(found):
                if column == 0:
                    picture.text(left - 10, y + line * row + 16, name, 12, INK, 'end', 'bold' if name == 'heap' else 'normal')
                length = values[column] / most * (width - 62)
                picture.box(x, y + line * row + 3, length, 17, colour)
                picture.text(x + length + 5, y + line * row + 16, f'{values[column]:.3g} {unit}', 12)
    picture.write('memories.svg')


if __name__ == '__main__':
    transfer_modes()
    memories()
