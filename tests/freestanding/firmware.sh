# To be sourced. What the targets are, and how a firmware is built and measured for each. Whoever sources
# it sets `work`, a folder of its own, and `check_name`, who speaks in messages, first.
#
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables set here are used there, and the other way round

readonly here=${BASH_SOURCE[0]%/*}
readonly targets=(x86_64 cortex_m0plus cortex_m4 rv32imc)

# Where a machine enters a firmware.
readonly entries='boot_restore persist_interrupt use'

# The four functions that a compiler expects even of a freestanding implementation.
readonly freestanding_four=(memcpy memmove memset memcmp)

readonly common_flags=(
  -std=c++20 -Os -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics -ffunction-sections
  -fdata-sections -fno-asynchronous-unwind-tables -Wall -Wextra -Werror)

fail() {
  printf '%s: %s\n' "$check_name" "$*" >&2
  exit 1
}

require() {
  type -P "$1" >/dev/null || fail "$1 is missing; apt-get install -y --no-install-recommends $2"
}

# set_target NAME: its compiler and flags, what of the compiler's own library firmware may call (division of
# 32 bits, and switches), and the most stack that the persist path may take, in bytes.
set_target() {
  target=$1
  stack_flags=(-fstack-usage -fcallgraph-info=su)
  include_flags=()
  support=()
  case $target in
    x86_64)
      title='x86-64'
      compiler=g++
      target_flags=(-fno-pie)
      persist_limit=768
      ;;
    cortex_m0plus)
      title='Cortex-M0+'
      compiler=arm-none-eabi-g++
      target_flags=(-mcpu=cortex-m0plus -mthumb)
      support=(
        __aeabi_uidiv __aeabi_uidivmod __aeabi_idiv __aeabi_idivmod __gnu_thumb1_case_sqi
        __gnu_thumb1_case_uqi __gnu_thumb1_case_shi __gnu_thumb1_case_uhi __gnu_thumb1_case_si)
      persist_limit=512
      ;;
    cortex_m4)
      title='Cortex-M4'
      compiler=arm-none-eabi-g++
      target_flags=(-mcpu=cortex-m4 -mthumb)
      persist_limit=512
      ;;
    rv32imc)
      title='RV32IMC'
      compiler=clang++
      target_flags=(--target=riscv32-unknown-elf -march=rv32imc -mabi=ilp32)
      stack_flags=(-fstack-usage)
      set_riscv_includes
      persist_limit=512
      ;;
    # Compiled only (freestanding_test.sh): an int of 16 bits, pointers too.
    msp430)
      title='MSP430'
      compiler=clang++
      target_flags=(--target=msp430)
      set_riscv_includes
      ;;
    *) fail "no target $target; there are ${targets[*]} and msp430" ;;
  esac
  require "$compiler" 'g++ clang gcc-arm-none-eabi libstdc++-arm-none-eabi-dev'
}

# Debian has no C++ headers for RISC-V. The freestanding ones for 32-bit Arm do: they take the widths of
# all types from the compiler.
set_riscv_includes() {
  local folder
  require arm-none-eabi-g++ 'gcc-arm-none-eabi libstdc++-arm-none-eabi-dev'
  include_flags=(-nostdinc++)
  while read -r folder; do
    include_flags+=(-isystem "$folder")
  done < <(arm-none-eabi-g++ -mcpu=cortex-m0plus -mthumb -x c++ -E -v /dev/null 2>&1 |
    sed -n '/^#include </,/^End/p' | grep '/c++/')
  ((${#include_flags[@]} > 1)) || fail 'arm-none-eabi-g++ names no folder of C++ headers'
}

# Firmware sees heap/ of the repository and nothing else of it.
make_include_root() {
  mkdir "$work/include"
  ln -s "$(realpath -- "$1/heap")" "$work/include/heap"
}

# compile ARGUMENT...: for the target.
compile() {
  "$compiler" "${target_flags[@]}" "${common_flags[@]}" "${include_flags[@]}" -I"$work/include" "$@"
}

# build SOURCE: makes $work/firmware.o, and $work/calls: its functions, for call_graph.awk.
build() {
  if [[ $compiler == clang++ ]]; then
    # Its call graph has to be read from the assembly.
    compile "${stack_flags[@]}" -S "$1" -o "$work/firmware.s" || fail "$1 does not compile"
    "$compiler" "${target_flags[@]}" -c "$work/firmware.s" -o "$work/firmware.o"
    awk -f "$here/calls_from_riscv.awk" "$work/firmware.su" "$work/firmware.s" >"$work/calls"
  else
    compile "${stack_flags[@]}" -c "$1" -o "$work/firmware.o" || fail "$1 does not compile"
    awk -f "$here/calls_from_gcc.awk" "$work/firmware.ci" >"$work/calls"
  fi
  {
    readelf --symbols --wide "$work/firmware.o"
    readelf --relocs --wide "$work/firmware.o"
  } | awk -f "$here/functions_from_object.awk" >>"$work/calls"
}

# Sets text, data and bss, in bytes, of the object file: without the freestanding four and the compiler's
# library. Constants count as text.
measure_size() {
  read -r text data bss _ < <(size "$work/firmware.o" | tail -n 1)
}

# Sets the array stack: the deepest stack below each entry, in bytes, without the frames of the freestanding
# four, of the compiler's library, and of what hardware puts there at an interrupt.
declare -A stack
measure_stack() {
  local entry bytes
  awk -v entries="$entries" -v outside="${freestanding_four[*]} ${support[*]}" \
    -f "$here/call_graph.awk" "$work/calls" >"$work/stack" 2>"$work/call_graph_errors" ||
    fail "$(c++filt <"$work/call_graph_errors")"
  while read -r entry bytes _; do
    stack[$entry]=$bytes
  done <"$work/stack"
}

# The calls that lead to the deepest stack below an entry, each with its frame in bytes.
deepest_path() {
  sed -n "s/^$1 [0-9]* //p" "$work/stack" | tr ' ' '\n' | c++filt | sed 's/\(.*\)(\([0-9]*\))$/  \2 B  \1/'
}
