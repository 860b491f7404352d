# cmake -DNPM=... -DSOURCE=DIR -DFOLDER=DIR -P fetch.cmake: the packages that package-lock.json pins, by their hashes,
# into FOLDER. A machine without npm or without its registry builds a program that cannot write pages, and says so. Where
# there is npm, and it failed, FOLDER/fetched is not made, so that the next build tries again.
file(MAKE_DIRECTORY "${FOLDER}")
file(COPY "${SOURCE}/package.json" "${SOURCE}/package-lock.json" DESTINATION "${FOLDER}")
set(result "there is no npm")
if(NPM)
  execute_process(
    COMMAND "${NPM}" ci --ignore-scripts --no-audit --no-fund --prefer-offline
    WORKING_DIRECTORY "${FOLDER}" RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said TIMEOUT 180)
endif()
if(NOT result EQUAL 0)
  message(WARNING "uPlot could not be had (npm ci: ${result}), so this build cannot write pages "
                  "(`brownout report --html`). The next build tries again; without npm, install it first.\n${said}")
endif()
if(NPM AND NOT result EQUAL 0)
  return()
endif()
file(WRITE "${FOLDER}/fetched" "${result}\n")
