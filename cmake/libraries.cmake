# Outside libraries, each wrapped in one file (docs/ARCHITECTURE.md).
find_package(PkgConfig REQUIRED)
foreach(lib libevent_core libevent_extra libconfuse jansson libseccomp
        libcrypto sqlite3 gmime-3.0 libarchive libmagic)
  string(MAKE_C_IDENTIFIER ${lib} name)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${lib})
endforeach()
