# docs/ARCHITECTURE.md, "Warnings": applied to every target of the tree.
add_library(sluice_flags INTERFACE)
target_compile_definitions(sluice_flags INTERFACE _GNU_SOURCE)
target_include_directories(sluice_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(sluice_flags INTERFACE
  -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes
  -Wold-style-definition -Wpointer-arith -Wcast-qual -Wcast-align
  -Wwrite-strings -Wundef -Wvla -Wconversion -Wno-sign-conversion
  -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference -Wdate-time)
if(CMAKE_C_COMPILER_ID STREQUAL GNU)
  target_compile_options(sluice_flags INTERFACE
    -Wduplicated-cond -Wduplicated-branches -Wlogical-op)
endif()
if(CMAKE_C_COMPILER_ID MATCHES Clang)
  # libseccomp's SCMP_A0() and its like leave a field to its default; uthash
  # marks its fall-throughs by comments, which gcc reads and clang does not; a
  # long string in a list of strings may stand on two lines.
  target_compile_options(sluice_flags INTERFACE
    -Wno-missing-field-initializers -Wno-implicit-fallthrough
    -Wno-string-concatenation)
endif()
if(SLUICE_WERROR)
  target_compile_options(sluice_flags INTERFACE -Werror)
endif()
