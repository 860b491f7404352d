# Plants a bug: writes those headers again that it changes, into a folder that a compiler looks into first.
#
#   cmake -D BUG=NAME.bug -D SOURCES=FOLDER -D OUTPUT=FOLDER -D STAMP=FILE -P plant.cmake
#
# A .bug file has a line that says what is wrong, lines `key: value`, and replacements:
#   >> heap/heap.hpp
#   the text as it is, which has to occur exactly once
#   >> becomes
#   the text in its place
#   >> end
cmake_minimum_required(VERSION 3.25)

file(READ ${BUG} rest)
set(planted "")
while(TRUE)
  string(FIND "${rest}" "\n>> " at)
  if(at EQUAL -1)
    break()
  endif()
  math(EXPR at "${at} + 4")
  string(SUBSTRING "${rest}" ${at} -1 rest)
  string(FIND "${rest}" "\n" end)
  string(SUBSTRING "${rest}" 0 ${end} file)
  foreach(part IN ITEMS old new)
    math(EXPR end "${end} + 1")
    string(SUBSTRING "${rest}" ${end} -1 rest)
    if(part STREQUAL "old")
      set(mark ">> becomes\n")
    else()
      set(mark ">> end\n")
    endif()
    string(FIND "${rest}" "${mark}" end)
    if(end LESS 1)
      message(FATAL_ERROR "${BUG}: a replacement in ${file} has no `${mark}`")
    endif()
    # Without the end of the last line, so that a part of a line can be replaced.
    math(EXPR last "${end} - 1")
    string(SUBSTRING "${rest}" 0 ${last} ${part})
    string(LENGTH "${mark}" length)
    math(EXPR end "${end} + ${length} - 1")
  endforeach()
  string(SUBSTRING "${rest}" ${end} -1 rest)

  if(NOT "${file}" IN_LIST planted)
    list(APPEND planted "${file}")
    string(MAKE_C_IDENTIFIER "${file}" id)
    file(READ ${SOURCES}/${file} content_${id})
  endif()
  string(MAKE_C_IDENTIFIER "${file}" id)
  string(FIND "${content_${id}}" "${old}" first)
  string(FIND "${content_${id}}" "${old}" last REVERSE)
  if(first EQUAL -1)
    message(FATAL_ERROR "${BUG}: ${file} does not have:\n${old}")
  elseif(NOT first EQUAL last)
    message(FATAL_ERROR "${BUG}: ${file} has more than once:\n${old}")
  endif()
  string(REPLACE "${old}" "${new}" content_${id} "${content_${id}}")
endwhile()

foreach(file IN LISTS planted)
  string(MAKE_C_IDENTIFIER "${file}" id)
  # What stays the same keeps its time.
  file(CONFIGURE OUTPUT ${OUTPUT}/${file} CONTENT "@content_${id}@" @ONLY)
endforeach()
file(TOUCH ${STAMP})
