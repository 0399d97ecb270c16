# One place for compiler flags, the precompiled header and the shape of a module.

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # The slack ccache needs to cache objects built with a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()

add_library(tv_flags INTERFACE)
target_compile_options(tv_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
target_include_directories(tv_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(tv_flags INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 reports these inside the standard library and Boost when it inlines across them.
  target_compile_options(tv_flags INTERFACE -fpch-preprocess -Wno-maybe-uninitialized -Wno-restrict
    -Wno-stringop-overflow -Wno-array-bounds -Wno-dangling-pointer)
endif()
if(TELEVISIT_SANITIZE)
  target_compile_options(tv_flags INTERFACE -fsanitize=${TELEVISIT_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(tv_flags INTERFACE -fsanitize=${TELEVISIT_SANITIZE})
  if(TELEVISIT_SANITIZE MATCHES "undefined")
    target_compile_options(tv_flags INTERFACE -fno-sanitize-recover=all)
  endif()
endif()
target_link_libraries(tv_flags INTERFACE Threads::Threads)

file(WRITE ${CMAKE_BINARY_DIR}/pch.cpp "")
add_library(tv_pch OBJECT ${CMAKE_BINARY_DIR}/pch.cpp)
target_link_libraries(tv_pch PRIVATE tv_flags)
target_precompile_headers(tv_pch PRIVATE
  <algorithm> <array> <atomic> <chrono> <compare> <cstdint> <cstring> <deque> <functional> <map> <memory>
  <mutex> <optional> <set> <span> <string> <string_view> <tuple> <unordered_map> <utility> <variant> <vector>
  <tl/expected.hpp>)

# televisit_module(<name> DEPS <modules and libraries...>)
# Every .cpp below the folder is compiled; x_test.cpp files make the program <name>_test.
# A file testing_*.{h,cpp} is shared by tests and never part of the library.
function(televisit_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;TEST_DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/testing_[a-z_]*|/main)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "(_test|/testing_[a-z_]*)\\.cpp$")
  list(TRANSFORM ARG_DEPS REPLACE "^(base|json|crypto|telemetry|net|storage|http|rtc|sfu|provider|probe|engine|visits)$" "tv_\\1")
  if(sources)
    add_library(tv_${name} STATIC ${sources})
    target_link_libraries(tv_${name} PUBLIC tv_flags ${ARG_DEPS})
    target_precompile_headers(tv_${name} REUSE_FROM tv_pch)
  else()
    add_library(tv_${name} INTERFACE)
    target_link_libraries(tv_${name} INTERFACE tv_flags ${ARG_DEPS})
  endif()
  if(TELEVISIT_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE tv_${name} ${ARG_TEST_DEPS} gtest gmock gtest_main)
    target_precompile_headers(${name}_test REUSE_FROM tv_pch)
    target_compile_definitions(${name}_test PRIVATE)
    set_property(GLOBAL APPEND PROPERTY TELEVISIT_TEST_TARGETS ${name}_test)
  endif()
endfunction()
