# SPDX-License-Identifier: Apache-2.0
# Run by every build (cmake -P): writes the commit into OUTPUT and leaves the file alone if it did not change, so that
# nothing is compiled again. -D SOURCE_DIR=... -D OUTPUT=... [-D GIT=...]
cmake_minimum_required(VERSION 3.25)
set(commit "unknown")
# .git is a folder in a clone and a file in a worktree; without it we may sit inside somebody else's repository.
if(GIT AND EXISTS "${SOURCE_DIR}/.git")
  execute_process(
    COMMAND "${GIT}" --no-optional-locks describe --always --dirty --abbrev=12 --exclude=*
    WORKING_DIRECTORY "${SOURCE_DIR}"
    OUTPUT_VARIABLE described
    OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET
    RESULT_VARIABLE status)
  if(status EQUAL 0 AND described)
    set(commit "${described}")
  endif()
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" @ONLY
  CONTENT "#pragma once\n#define CHOKEPOINT_COMMIT \"@commit@\"\n")
