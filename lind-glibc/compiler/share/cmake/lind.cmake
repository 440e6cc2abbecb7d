# CMake toolchain file for lind programs:
#
#     cmake --toolchain "$(lind-cc -print-lind-share)/cmake/lind.cmake" -B build
#
# Test programs of try_run and of CTest run under lind. Own libraries for lind are found when their prefix is in
# CMAKE_FIND_ROOT_PATH, or by pkg-config files in PKG_CONFIG_PATH.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR wasm32)

# The tools beside this file's installation, else those of PATH.
get_filename_component(_lind_bin "${CMAKE_CURRENT_LIST_DIR}/../../../bin" ABSOLUTE)
if(EXISTS "${_lind_bin}/lind-cc")
  set(_lind_bin "${_lind_bin}/")
else()
  set(_lind_bin "")
endif()

set(CMAKE_C_COMPILER "${_lind_bin}lind-cc")
# There is no C++ library; with the compiler set, projects that merely enable the language configure.
set(CMAKE_CXX_COMPILER "${_lind_bin}lind-cc")
set(CMAKE_AR "${_lind_bin}lind-ar" CACHE FILEPATH "Archiver")
set(CMAKE_RANLIB "${_lind_bin}lind-ranlib" CACHE FILEPATH "Archive indexer")
set(CMAKE_NM "${_lind_bin}lind-nm" CACHE FILEPATH "Symbol lister")
set(CMAKE_STRIP "${_lind_bin}lind-strip" CACHE FILEPATH "Symbol remover")
set(PKG_CONFIG_EXECUTABLE "${_lind_bin}lind-pkg-config" CACHE FILEPATH "pkg-config for lind's libraries")
set(CMAKE_CROSSCOMPILING_EMULATOR "${_lind_bin}lind" CACHE FILEPATH "Runs programs of the target")

# Headers, libraries and packages come from the target's directories, programs from the host's.
execute_process(
  COMMAND "${CMAKE_C_COMPILER}" -print-sysroot
  OUTPUT_VARIABLE _lind_sysroot
  OUTPUT_STRIP_TRAILING_WHITESPACE)
list(APPEND CMAKE_FIND_ROOT_PATH "${_lind_sysroot}")
list(REMOVE_DUPLICATES CMAKE_FIND_ROOT_PATH)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Static programs have no run-time search path, and are not linked again when they are installed.
set(CMAKE_SKIP_RPATH TRUE CACHE BOOL "No run-time search paths")

# The platform files, read after this one, say that shared libraries exist; the rules are read after those.
set(CMAKE_USER_MAKE_RULES_OVERRIDE "${CMAKE_CURRENT_LIST_DIR}/lind-rules.cmake")
