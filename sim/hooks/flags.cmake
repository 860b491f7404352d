# hooks_flags(VARIABLE COMPILER_ID): options with which every access of the firmware calls a hook (tsan_hooks.cpp)
# first, and is no larger than a register. Nothing of the thread sanitizer is linked.
function(hooks_flags variable compiler_id)
  set(flags -fsanitize=thread -fno-builtin -include ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/hooked_builtins.hpp
    # A hook returns into the function with the access, which names its place.
    -fno-optimize-sibling-calls)
  if(compiler_id STREQUAL "GNU")
    list(APPEND flags
      --param=tsan-instrument-func-entry-exit=0
      # Loops and neighbouring stores stay what the source says; no loop becomes a call of the function it is in.
      -fno-tree-vectorize -fno-tree-slp-vectorize -fno-store-merging -fno-tree-loop-distribute-patterns
      # Unique symbols cannot be made local.
      -fno-gnu-unique)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
      # What the compiler copies and clears by itself is a call too, if it is more than a few words.
      list(APPEND flags -mgeneral-regs-only -mstringop-strategy=libcall)
    endif()
  else()
    list(APPEND flags
      # A read with a write to the same address after it counts.
      "SHELL:-mllvm -tsan-instrument-read-before-write=1" "SHELL:-mllvm -tsan-instrument-func-entry-exit=0"
      -fno-vectorize -fno-slp-vectorize)
  endif()
  set(${variable} ${flags} PARENT_SCOPE)
endfunction()
