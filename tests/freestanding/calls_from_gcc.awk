# From a call graph of g++ (-fcallgraph-info=su, in VCG) to the lines that call_graph.awk reads:
#   frame FUNCTION BYTES KIND     KIND: static, dynamic, or dynamic,bounded
#   call CALLER CALLEE
#   indirect CALLER               through a pointer
# Functions go by their names in the object file.

function quoted(key,    rest) {
  rest = substr($0, index($0, key ": \"") + length(key) + 3)
  return substr(rest, 1, index(rest, "\"") - 1)
}
# Functions that are not visible everywhere are titled FILE:NAME.
function plain(title) {
  sub(/^.*:/, "", title)
  return title
}

$1 == "node:" && match($0, /\\n[0-9]+ bytes \([a-z,]+\)/) {
  split(substr($0, RSTART + 2, RLENGTH - 3), usage, / bytes \(/)
  print "frame", plain(quoted("title")), usage[1], usage[2]
}

$1 == "edge:" {
  callee = plain(quoted("targetname"))
  if (callee == "__indirect_call") print "indirect", plain(quoted("sourcename"))
  else print "call", plain(quoted("sourcename")), callee
}
