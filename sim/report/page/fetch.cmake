# cmake -DNPM=... -DSOURCE=DIR -DFOLDER=DIR -P fetch.cmake: the packages that package-lock.json pins, by their hashes,
# into FOLDER. A machine without npm or without its registry builds a program that cannot write pages, and says so.
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
                  "(`brownout report --html`). Install npm, remove ${FOLDER} and build again.\n${said}")
endif()
file(WRITE "${FOLDER}/fetched" "${result}\n")
