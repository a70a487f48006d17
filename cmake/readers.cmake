# The libraries of the scan cells, as the target "readers".
#
# A cell is a fork for each message, and what a fork costs is its mappings:
# GMime, libarchive and libmagic bring 30 shared objects of five mappings each.
# Linked from their archives, a fork and exit of the cells' parent costs less
# than half (measured: docs/decisions/0006-cost-of-a-cell.md), so that is how
# it is done where all the archives are installed.  libc stays shared, for its
# converters of character sets.
option(SLUICE_STATIC_READERS "Link the cells' libraries statically" ON)

add_library(readers INTERFACE)

set(archives gmime-3.0 gobject-2.0 glib-2.0 archive magic nettle pcre2-8 ffi z
    bz2 lzma zstd lz4 acl gpgme assuan gpg-error idn2 unistring)
set(found)
foreach(name ${archives})
  find_library(ARCHIVE_${name} lib${name}.a)
  if(NOT ARCHIVE_${name})
    message(STATUS "lib${name}.a not found: cells are linked dynamically")
    set(SLUICE_STATIC_READERS OFF)
    break()
  endif()
  list(APPEND found ${ARCHIVE_${name}})
endforeach()

if(SLUICE_STATIC_READERS AND NOT SLUICE_SANITIZE AND NOT SLUICE_FUZZ)
  target_include_directories(readers SYSTEM INTERFACE
    ${gmime_3_0_INCLUDE_DIRS} ${libarchive_INCLUDE_DIRS})
  # GMime registers its stream over GIO, which no cell can use: give that one
  # name the meaning of the plain stream's, and GIO with its libraries stays
  # out.
  target_link_options(readers INTERFACE
    -Wl,--defsym=g_mime_stream_gio_get_type=g_mime_stream_get_type)
  target_link_libraries(readers INTERFACE
    -Wl,--start-group ${found} -Wl,--end-group m)
else()
  target_link_libraries(readers INTERFACE PkgConfig::gmime_3_0
    PkgConfig::libarchive PkgConfig::libmagic)
endif()
