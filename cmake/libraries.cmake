# Outside libraries, each wrapped in one file (docs/ARCHITECTURE.md).
find_package(PkgConfig REQUIRED)
foreach(lib libevent_core libevent_extra libconfuse jansson libseccomp
        libcrypto sqlite3 gmime-3.0 libarchive libmagic nlopt libcurl libpcap
        libzstd libsodium expat libmicrohttpd)
  string(MAKE_C_IDENTIFIER ${lib} name)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${lib})
endforeach()

# It comes without a description for pkg-config.
find_library(LIBRARY_linear linear REQUIRED)
find_path(INCLUDE_linear linear.h REQUIRED)

# Every process reads its configuration and enters its sandbox once: from their
# archives these two cost no mappings for the rest of its life (or, in the
# parent of the cells, of each cell's).
foreach(lib libconfuse libseccomp)
  find_library(ARCHIVE_${lib} ${lib}.a)
  if(ARCHIVE_${lib} AND NOT SLUICE_SANITIZE)
    set(LINK_${lib} ${ARCHIVE_${lib}})
  else()
    set(LINK_${lib} PkgConfig::${lib})
  endif()
endforeach()

# Control of Xen's domains: where its libraries are there (tools/packages xen).
pkg_check_modules(xen QUIET IMPORTED_TARGET xencontrol xenguest
  xenforeignmemory xenstore xentoollog)
option(SLUICE_XEN "Build the back end Xen" ${xen_FOUND})
if(SLUICE_XEN AND NOT xen_FOUND)
  message(FATAL_ERROR "SLUICE_XEN needs libxen-dev (tools/packages xen)")
endif()
