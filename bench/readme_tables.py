#!/usr/bin/env python3
"""Prints the two tables of the README that compare settings: build first (./brownout list does).

Usage: readme_tables.py
"""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(ROOT, 'brownout')
PUBLISHED_W = 0.132


def run(scenario, settings):
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, 'report.json')
        command = [PROGRAM, 'run', os.path.join(ROOT, 'scenarios', scenario + '.yaml'), '--quiet', '--report', report]
        for key, value in settings.items():
            command += ['--set', f'{key}={value}']
        subprocess.run(command, check=True)
        with open(report, encoding='utf-8') as file:
            return json.load(file)


def memories():
    ideal = {'supply.source': '{kind: constant, power: 1 W}'}
    pages = {'heap.memory': 'pages'}
    direct = {'heap.memory': 'direct'}
    snapshot = {'heap.memory': 'ram_snapshot'}

    def ram(size, limit=None):
        return {'heap.ram': size, 'heap.dirty_limit': limit or size}

    queue_heap = {'heap.nv_allocator': 'block', 'heap.store_unit': '264 B', 'heap.policy': 'clock'}
    kvs_heap = {'heap.nv_allocator': 'buddy'}
    rows = [('queue, heap', 'queue', queue_heap),
            ('queue, pages of 128 B', 'queue', pages | ram('12 KiB', '4 KiB')),
            ('queue, direct access', 'queue', direct | ram('1 KiB', '0.5 KiB')),
            ('queue, all in RAM, snapshot', 'queue', snapshot | ram('9 KiB'))]
    for keys in ('random', 'partitioned'):
        drawn = {'workload.keys': keys}
        rows += [(f'kvs {keys}, heap', 'kvs', drawn | kvs_heap),
                 (f'kvs {keys}, heap, policy clock', 'kvs', drawn | kvs_heap | {'heap.policy': 'clock'}),
                 (f'kvs {keys}, pages of 128 B', 'kvs', drawn | pages),
                 (f'kvs {keys}, pages of 32 B', 'kvs', drawn | pages | {'heap.page': '32 B'}),
                 (f'kvs {keys}, direct access', 'kvs', drawn | direct | ram('2 KiB')),
                 (f'kvs {keys}, all in RAM, snapshot', 'kvs', drawn | snapshot | ram('60 KiB'))]
    print('| workload and memory | store calls | KiB | time |\n|---|---|---|---|')
    for name, scenario, settings in rows:
        report = run(scenario, ideal | settings)
        bus = report['bus']
        print(f'| {name} | {bus["transfers"]:,} | {bus["data_bytes"] / 1024:,.0f} |'
              f' {report["phases"]["run"]["time_s"]:.3g} s |')


def largest_persist(settings):
    persist = run('full-image', settings)['persist']
    seconds = persist['time_s']['maximum']
    return persist['bytes']['maximum'], f'{seconds * 1e6:.0f} us ({seconds * PUBLISHED_W * 1e3:.3g} mJ)'


def persists():
    slices = {'storage.transfer': 'sliced', 'storage.slice': '4 B'}
    modes = [{'storage.bus': bus} | mode for bus in ('esp32c3-baremetal', 'esp32c3-zephyr')
             for mode in ({'storage.transfer': 'dma'}, {'storage.transfer': 'fifo'}, slices)]
    print('\n| dirty limit | image | bare metal: DMA | FIFO | slices of 4 B | Zephyr: DMA | FIFO | slices of 4 B |')
    print('|---|---|---|---|---|---|---|---|')
    for limit in (512, 1024, 2048, 3916):
        found = [largest_persist({'heap.dirty_limit': f'{limit} B'} | mode) for mode in modes]
        print(f'| {limit} B | {found[0][0]:.0f} B | ' + ' | '.join(text for _, text in found) + ' |')
    print()
    for size, count in ((16, 160), (64, 56), (1024, 3)):
        objects = {'workload.size': f'{size} B', 'workload.objects': count, 'heap.max_residents': count}
        for bus in ('esp32c3-baremetal', 'esp32c3-zephyr'):
            print(f'{size} B objects, {bus}, DMA:', *largest_persist(objects | {'storage.bus': bus}))


def main():
    memories()
    persists()


if __name__ == '__main__':
    sys.exit(main())
