include(CheckCCompilerFlag)

foreach(flag -fstack-protector-strong -fstack-clash-protection
        -fcf-protection=full -ftrivial-auto-var-init=zero
        -fno-delete-null-pointer-checks -fno-strict-overflow -fno-common)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" var)
  check_c_compiler_flag(${flag} ${var})
  if(${var})
    target_compile_options(sluice_flags INTERFACE ${flag})
  endif()
endforeach()
target_link_options(sluice_flags INTERFACE
  -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)

if(SLUICE_SANITIZE)
  target_compile_options(sluice_flags INTERFACE -g -O1
    -fno-omit-frame-pointer -fsanitize=address,undefined
    -fno-sanitize-recover=all)
  target_link_options(sluice_flags INTERFACE -fsanitize=address,undefined)
  target_compile_definitions(sluice_flags INTERFACE SLUICE_SANITIZE)
elseif(NOT CMAKE_BUILD_TYPE STREQUAL Debug)
  target_compile_options(sluice_flags INTERFACE -D_FORTIFY_SOURCE=3)
endif()
