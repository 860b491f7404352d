#!/usr/bin/env python3
"""Counts the instructions of the heap's operations on RV32IMC and Cortex-M0+, and fits the cost of each unit of
work that the heap charges. README.md beside it says how, and has the result.

Usage: count.py        from anywhere; needs clang lld llvm gcc-arm-none-eabi libstdc++-arm-none-eabi-dev qemu-user
"""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FLAGS = ('-std=c++20 -Os -ffreestanding -fno-builtin -fno-exceptions -fno-rtti -fno-threadsafe-statics '
         '-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -nostdlib -static').split()
ARM = ['arm-none-eabi-g++', '-mcpu=cortex-m0plus', '-mthumb']
RISCV = ['clang++', '--target=riscv32-unknown-elf', '-march=rv32imc', '-mabi=ilp32', '-nostdinc++', '-fuse-ld=lld']
SECTIONS = []  # cycles of each critical section of the program that runs
UNITS = ['call', 'step', 'copied_byte', 'checksum_byte', 'checksum_byte_by_table', 'section']


def arm_headers():
    """Debian has C++ headers for Arm only; the freestanding ones take their widths from the compiler."""
    asked = subprocess.run(ARM + ['-x', 'c++', '-E', '-v', '/dev/null'], capture_output=True, text=True, check=True)
    found = re.search(r'#include <\.\.\.> search starts here:\n(.*?)End of search', asked.stderr, re.S).group(1)
    return [part for line in found.split() if '/c++/' in line for part in ('-isystem', line)]


def build(target, folder):
    include = os.path.join(folder, 'include')
    if not os.path.exists(include):
        os.mkdir(include)
        os.symlink(os.path.join(ROOT, 'heap'), os.path.join(include, 'heap'))
    program = os.path.join(folder, target)
    compiler = RISCV + arm_headers() if target == 'rv32imc' else ARM
    source = os.path.join(HERE, 'counted.cpp')
    libraries = [] if target == 'rv32imc' else ['-lgcc']
    subprocess.run(compiler + FLAGS + ['-I', include, source] + libraries + ['-o', program], check=True)
    return program


def symbols(program):
    """[(first address, end, name)] of all functions."""
    lines = subprocess.run(['llvm-nm', '-S', '-C', program], capture_output=True, text=True, check=True).stdout
    found = []
    for line in lines.splitlines():
        fields = line.split(maxsplit=3)
        if len(fields) == 4 and fields[2] in 'tTwW':
            begin = int(fields[0], 16) & ~1
            found.append((begin, begin + int(fields[1], 16), fields[3]))
    return found


def instructions(target, program):
    """Address -> (size, mnemonic, operands)."""
    tool = 'llvm-objdump' if target == 'rv32imc' else 'arm-none-eabi-objdump'
    lines = subprocess.run([tool, '-d', program], capture_output=True, text=True, check=True).stdout.splitlines()
    found = {}
    for line in lines:
        match = re.match(r'\s*([0-9a-f]+):\s+((?:[0-9a-f]{2,8} )+)\s*(\S+)\s*(.*)', line)
        if match:
            size = len(match.group(2).replace(' ', '')) // 2
            found[int(match.group(1), 16)] = (size, match.group(3), match.group(4))
    return found


def registers(operands):
    """How many a list such as {r4, r5-r7, lr} names."""
    count = 0
    for item in re.search(r'{(.*)}', operands).group(1).split(','):
        ends = [int(n) for n in re.findall(r'r(\d+)', item)]
        count += ends[1] - ends[0] + 1 if len(ends) == 2 else 1
    return count


def cycles(target, instruction, jumped):
    """Of one executed instruction, without wait states. Cortex-M0+: its technical reference manual, table 3-1. RV32IMC:
    no table is published for the core of the ESP32-C3; a four-stage pipeline with one cycle more for a load and two
    for a jump that is taken is assumed."""
    _, mnemonic, operands = instruction
    if target == 'rv32imc':
        loads = mnemonic.split('.')[-1] in ('lw', 'lh', 'lhu', 'lb', 'lbu', 'lwsp')
        divides = mnemonic in ('div', 'divu', 'rem', 'remu')
        return 1 + (1 if loads else 0) + (2 if jumped else 0) + (31 if divides else 0)
    if mnemonic in ('push', 'pop', 'stmia', 'ldmia', 'stm', 'ldm'):
        return 1 + registers(operands) + (2 if jumped else 0)
    if mnemonic.startswith(('ldr', 'str')):
        return 2
    if mnemonic == 'bl':
        return 3
    return 2 if jumped else 1


def trace(target, program, folder):
    """Per operation: name, units charged, instructions, cycles."""
    functions = symbols(program)
    outside = [f for f in functions if 'outside_' in f[2].split('(')[0] and '<' not in f[2].split('(')[0]]
    edge = {name: begin for begin, _, name in functions if name.endswith(('_first', '_last'))}
    listing = instructions(target, program)
    excluded = set()
    for begin, end, _ in outside:
        excluded.update(address for address in range(begin, end, 2))
    pipe = os.path.join(folder, 'trace')
    if not os.path.exists(pipe):
        os.mkfifo(pipe)
    emulator = 'qemu-riscv32' if target == 'rv32imc' else 'qemu-arm'
    process = subprocess.Popen([emulator, '-singlestep', '-d', 'exec,nochain', '-D', pipe, program],
                               stdout=subprocess.PIPE, text=True)
    counts = []
    counting = False
    executed = spent = 0
    previous = None
    with open(pipe) as lines:
        for line in lines:
            at = int(line.split('/')[1], 16)
            if at == edge['outside_first']:
                counting, executed, spent = True, 0, 0
            elif at == edge['outside_last'] and counting:
                counting = False
                counts.append((executed, spent))
            if previous is not None and counting and previous not in excluded:
                instruction = listing[previous]
                executed += 1
                spent += cycles(target, instruction, at != previous + instruction[0])
            if at == edge['section_first']:
                entered = spent
            elif at == edge['section_last'] and counting:
                SECTIONS.append(spent - entered)
            previous = at
    printed = process.communicate()[0].split('\n')
    result = []
    for line, (executed, spent) in zip(printed, counts):
        name, *units = line.split()
        result.append((name, [int(n) for n in units[:len(UNITS)]], executed, spent))
    return result


def costs_of(operations):
    """Cycles of each unit of work: slopes between operations that differ in little else."""
    cost = {name: spent for name, _, _, spent in operations}
    charged = {name: dict(zip(UNITS, units)) for name, units, _, _ in operations}

    def slope(unit, more, less):
        return (cost[more] - cost[less]) / (charged[more][unit] - charged[less][unit])

    fitted = {'section': sum(SECTIONS) / len(SECTIONS)}
    fitted['checksum_byte'] = slope('checksum_byte', 'persist/4x512', 'persist-clean/4x512')
    fitted['checksum_byte_by_table'] = slope('checksum_byte_by_table', 'persist/4x512-table', 'persist-clean/4x512-table')
    # An image of next to nothing is walks over slots.
    empty = 'persist-clean/4x32'
    fitted['step'] = (cost[empty] - fitted['checksum_byte'] * charged[empty]['checksum_byte']) / charged[empty]['step']
    fitted['call'] = cost['read/4x32'] / charged['read/4x32']['call'] - fitted['step']
    fitted['copied_byte'] = cost['fill/1024'] / 1024
    return fitted


def main():
    with tempfile.TemporaryDirectory() as folder:
        for target in ('rv32imc', 'cortex-m0plus'):
            SECTIONS.clear()
            operations = trace(target, build(target, folder), folder)
            fitted = costs_of(operations)
            print(f'{target}: ' + ', '.join(f'{unit} {fitted[unit]:.1f}' for unit in UNITS))
            print(f'longest critical section: {max(SECTIONS)} cycles\n')
            print('| operation | instructions | cycles | charged |')
            print('|---|---|---|---|')
            for name, units, executed, spent in operations[1:]:
                charged = sum(n * fitted[unit] for unit, n in zip(UNITS, units))
                print(f'| {name} | {executed} | {spent} | {100 * charged / spent - 100:+.0f} % |')
            print()


if __name__ == '__main__':
    sys.exit(main())
