# Reads functions, frames and calls (calls_from_gcc.awk says in which form) and prints for each entry:
#   ENTRY BYTES PATH     the deepest stack below it and the calls that lead there, as FUNCTION(FRAME) ...
# Fails if any function can come to call itself, if a frame has no bound, or if a call leads nowhere.
#
#   -v entries   functions to begin at
#   -v outside   functions that may be called without being defined; they count as frames of 0
#
# A call through a pointer is taken to reach every function whose address is taken; in the heap these are
# above all the streams' functions, `next`. A stream that is made of another one wraps it, in one fixed order,
# so a call in a wrapper reaches neither itself nor what wraps it. Nor does the pull() of a stream, where it
# is not inlined, call for itself: it counts as part of each of its callers.
BEGIN {
  # Patterns of mangled names. The wrappers outermost first: SpiFram's slices of what it was handed.
  wrappers = split("^_ZNK?8brownout4heap6SlicerI", wrapper, " ")
  is_pull = "^_ZN8brownout4heap(11PieceStream|10HeldStream)I.*E4pullE"

  split(outside, names, /[ \t\n]+/)
  for (i in names) is_outside[names[i]] = 1
}

function give_up(message) {
  print message >"/dev/stderr"
  failed = 1
  exit 1
}

$1 == "frame" {
  frame[$2] = $3
  if ($4 == "dynamic") give_up("the stack of " $2 " has no bound")
}
$1 == "call" { add_call($2, $3) }
$1 == "indirect" { has_indirect[$2] = 1 }
$1 == "taken" { address_taken[$2] = 1 }
$1 == "place" { place[$3] = $2 }

function add_call(caller, callee) {
  if ((caller, callee) in known) return
  known[caller, callee] = 1
  callee_of[caller, ++calls[caller]] = callee
}

# A function with several names, as constructors have, has its frame under one of them.
function with_frame(name) {
  return !(name in frame) && (name in place) ? known_at[place[name]] : name
}
function use_names_with_frames(    name, i) {
  for (name in frame) known_at[place[name]] = name
  for (name in calls) {
    for (i = 1; i <= calls[name]; ++i) callee_of[name, i] = with_frame(callee_of[name, i])
  }
  for (name in address_taken) {
    name = with_frame(name)
    if (name in frame) reached_by_pointer[name] = 1
  }
}

# How far inside a function is: 0 for what no pointer leads to, wrappers + 1 for a stream that wraps nothing.
function rank(name,    i) {
  for (i = 1; i <= wrappers; ++i) {
    if (name ~ wrapper[i]) return i
  }
  return name in reached_by_pointer ? wrappers + 1 : 0
}

# Gives each caller of pull() one of its own.
function separate_pulls(    name, i, pull, own) {
  for (name in calls) {
    for (i = 1; i <= calls[name]; ++i) {
      pull = callee_of[name, i]
      if (pull !~ is_pull) continue
      own = name ".pull"
      frame[own] = frame[pull]
      has_indirect[own] = 1
      callee_of[name, i] = own
    }
  }
}

function add_indirect_calls(caller,    name, reached) {
  for (name in reached_by_pointer) {
    if (rank(name) > rank(caller)) {
      add_call(caller, name)
      reached = 1
    }
  }
  if (!reached) give_up(caller " calls through a pointer, and there is no function that it could reach")
}

# The deepest stack below a function and with it.
function depth(name,    i, below) {
  if (name in deepest) return deepest[name]
  if (name in open) give_up("recursion: " cycle(name))
  if (!(name in frame)) {
    if (!(name in is_outside)) give_up("a call leads to " name ", which is not defined")
    return deepest[name] = 0
  }
  open[name] = ++level
  path[level] = name
  for (i = 1; i <= calls[name]; ++i) {
    below = depth(callee_of[name, i])
    if (below > most[name]) {
      most[name] = below
      heaviest[name] = callee_of[name, i]
    }
  }
  --level
  delete open[name]
  return deepest[name] = frame[name] + most[name]
}

function cycle(name,    i, text) {
  for (i = open[name]; i <= level; ++i) text = text path[i] " calls "
  return text name
}

function heaviest_path(name,    text) {
  for (; name != ""; name = heaviest[name]) text = text " " name "(" frame[name] + 0 ")"
  return text
}

END {
  if (failed) exit 1
  use_names_with_frames()
  separate_pulls()
  for (name in has_indirect) add_indirect_calls(name)
  for (name in frame) depth(name)
  count = split(entries, entry, " ")
  for (i = 1; i <= count; ++i) {
    if (!(entry[i] in frame)) give_up("there is no function " entry[i])
    print entry[i], depth(entry[i]) heaviest_path(entry[i])
  }
}
