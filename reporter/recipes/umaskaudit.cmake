# include() this before the first add_executable(). With -DUMASKAUDIT=ON, ctest runs the tests that
# are executables of the project under umaskaudit, and those with findings fail.
option(UMASKAUDIT "Run the tests under umaskaudit" OFF)
if(UMASKAUDIT)
  find_program(UMASKAUDIT_TOOL umaskaudit)
  if(NOT UMASKAUDIT_TOOL)
    message(FATAL_ERROR "UMASKAUDIT is ON, and umaskaudit is not installed")
  endif()
  set(umaskaudit_run "${UMASKAUDIT_TOOL};run;--quiet;--check;--")
  set(CMAKE_TEST_LAUNCHER "${umaskaudit_run}")
  if(CMAKE_VERSION VERSION_LESS 3.29)
    # Older versions know the same under the name of another use.
    set(CMAKE_CROSSCOMPILING_EMULATOR "${umaskaudit_run}")
  endif()
endif()
