# From symbols and relocations of an object file (readelf, in this order) to more lines for call_graph.awk:
#   place PLACE FUNCTION   functions at the same place are one function with several names
#   taken NAME             its address is taken; if it is a function, it may be called through a pointer
# Each function has a section of its own (-ffunction-sections).

$4 == "FUNC" && $7 != "UND" { print "place", $7 ":" $2, $8 }

# Whatever is not known to be a call or a branch takes the address. A place within a function, as the table
# of a switch has them, is its section and an addend.
$3 ~ /^R_/ && $3 !~ /_(PLT32|PC32|THM_CALL|THM_JUMP[0-9]+|CALL|CALL_PLT|JAL|BRANCH|RVC_JUMP|RVC_BRANCH)$/ {
  if (NF > 5 && $7 != "0") next
  name = $5
  sub(/^\.text\.(unlikely\.|startup\.)?/, "", name)
  print "taken", name
}
