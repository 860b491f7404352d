# Makes one relocatable object of the instrumented firmware, with everything but its entry points local to it. Inline
# functions and templates exist in the firmware and in the simulator, and a linker takes one of the two for both: then
# hooks are missing in the one or fire in the other, depending on the order of the files, and nobody says so.
#
#   cmake -D OBJECTS=A.o;B.o -D OUTPUT=FILE -D ENTRY_POINTS=NAME;NAME -D BUILT_WITH=TEXT -D SECTIONS=FILE.ld
#         -D LD=... -D OBJCOPY=... -D NM=... -P one_object.cmake
#
# ENTRY_POINTS are functions of brownout::sim::firmware. Everything fails that would leave the object other than
# promised. The object's build id (sim/firmware/build_id.cpp) is hashed over its bytes and BUILT_WITH.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "'${ARGN}' failed: ${err}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()

# Members of groups stay in one file of several with the same group, so groups have to be resolved here.
run(${LD} -r --force-group-allocation -T ${SECTIONS} -o ${OUTPUT}.all ${OBJECTS})

set(keep "")
foreach(name IN LISTS ENTRY_POINTS)
  string(LENGTH ${name} length)
  list(APPEND keep --keep-global-symbol=_ZN8brownout3sim8firmware${length}${name}E*)
endforeach()
run(${OBJCOPY} --wildcard ${keep} ${OUTPUT}.all ${OUTPUT}.local)
file(REMOVE ${OUTPUT}.all)

run(${NM} --extern-only --defined-only --format=posix ${OUTPUT}.local)
string(REGEX MATCHALL "[^\n]+" defined "${out}")
list(LENGTH defined found)
list(LENGTH ENTRY_POINTS wanted)
if(NOT found EQUAL wanted)
  message(FATAL_ERROR "the firmware should define ${ENTRY_POINTS}, and defines:\n${out}")
endif()
run(${NM} --undefined-only --format=posix ${OUTPUT}.local)
if(out MATCHES "(^|\n)(mem(cpy|move|set|cmp)|__builtin_[a-z]+) ")
  message(FATAL_ERROR "the firmware calls ${CMAKE_MATCH_2}() of the C library, which has no hooks")
endif()

file(SHA256 ${OUTPUT}.local content)
string(SHA256 id "${BUILT_WITH}\n${content}")
string(SUBSTRING ${id} 0 16 id)
file(WRITE ${OUTPUT}.id "${id}")
# The text is 16 digits and a zero.
run(${OBJCOPY} --dump-section brownout_build_id=${OUTPUT}.stamp ${OUTPUT}.local)
file(READ ${OUTPUT}.stamp stamp LIMIT 16)
if(NOT stamp STREQUAL "not stamped     ")
  message(FATAL_ERROR "the firmware has no place for its build id, but '${stamp}'")
endif()
run(${OBJCOPY} --update-section brownout_build_id=${OUTPUT}.id ${OUTPUT}.local ${OUTPUT})
file(REMOVE ${OUTPUT}.local ${OUTPUT}.stamp)
