# From clang++'s stack usage (-fstack-usage) and assembly for RISC-V, in this order, to the lines that
# call_graph.awk reads; calls_from_gcc.awk says what they are. clang++ 14 has no call graph of its own.

FILENAME ~ /\.su$/ {  # FILE:LINE:FUNCTION BYTES KIND, between tabs
  sub(/^.*:/, "")
  print "frame", $1, $2, $3
  defined[$1] = 1
  next
}

# A function begins at its label; labels inside one begin with a dot.
/^[A-Za-z_$][^ \t]*:/ {
  label = $1
  sub(/:.*/, "", label)
  if (label in defined) caller = label
  next
}

$1 == "call" || $1 == "tail" || $1 == "jal" || $1 == "j" {
  callee = $NF
  sub(/@plt$/, "", callee)
  if (callee !~ /^\.L/) print "call", caller, callee
}

$1 == "jalr" { print "indirect", caller }

# `jr` is a tail call through a pointer, or the jump of a switch, which takes the address of its table.
/%hi\(\.LJTI/ { ++tables[caller] }
$1 == "jr" { ++jumps[caller] }
END {
  for (caller in jumps) {
    if (jumps[caller] > tables[caller]) print "indirect", caller
  }
}
