# What `cmake --install` puts where, and the target "programs": all that is
# installed and nothing that only tests need.  Programs look for each other
# beside /proc/self/exe, so they stay together.
include(GNUInstallDirs)

set(programs sluice sluice-feed sluice-worker sluice-cell sluice-fetch sluice-book
  sluice-vmm sluice-flow sluice-learn sluice-rpc
  sluice-traffic sluice-sim)
add_custom_target(programs)
add_dependencies(programs ${programs} sluice-agent)
install(TARGETS ${programs} RUNTIME)

# tools/setup finds its parts in ../tools and its templates in ../etc.
set(libexec ${CMAKE_INSTALL_LIBEXECDIR}/sluice)
set(data ${CMAKE_INSTALL_DATADIR}/sluice)
install(PROGRAMS tools/setup DESTINATION ${libexec}/tools)
install(FILES tools/setup.conf tools/setup.check DESTINATION ${libexec}/tools)
install(FILES etc/sluice.conf etc/policy.conf etc/behaviours.conf
  etc/behaviours-api.conf etc/wrap.txt etc/in.mc etc/out.mc
  DESTINATION ${data})
install(FILES etc/spamassassin/SluiceFlow.pm etc/spamassassin/sluice-flow.cf
  DESTINATION ${data}/spamassassin)

# What references of clones are built from (tools/sluice/vm_build.c).
install(PROGRAMS vmm/reference/build DESTINATION ${libexec}/vmm/reference)
install(FILES vmm/reference/linux.recipe vmm/reference/wine.recipe
  DESTINATION ${libexec}/vmm/reference)
install(PROGRAMS vmm/guest/decoys DESTINATION ${libexec}/vmm/guest)
install(FILES vmm/guest/wine_apis.def DESTINATION ${libexec}/vmm/guest)
install(TARGETS sluice-agent RUNTIME DESTINATION ${libexec})

# install_link(TARGET NAME): a relative link, so that DESTDIR makes no odds.
function(install_link target name)
  install(CODE "
    set(at \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${libexec}\")
    file(MAKE_DIRECTORY \"\${at}\")
    file(CREATE_LINK \"${target}\" \"\${at}/${name}\" SYMBOLIC)")
endfunction()
file(RELATIVE_PATH data_from_libexec
  ${CMAKE_INSTALL_FULL_LIBEXECDIR}/sluice
  ${CMAKE_INSTALL_FULL_DATADIR}/sluice)
install_link(tools/setup setup)
install_link(${data_from_libexec} etc)

file(GLOB pages CONFIGURE_DEPENDS docs/man/*.[158])
foreach(page ${pages})
  string(REGEX REPLACE ".*\\." "" section ${page})
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

# The units name programs by their place under the usual prefix.
file(GLOB units CONFIGURE_DEPENDS etc/systemd/*.service etc/systemd/*.timer)
foreach(unit ${units})
  get_filename_component(name ${unit} NAME)
  file(READ ${unit} text)
  string(REPLACE "/usr/bin/sluice" "${CMAKE_INSTALL_FULL_BINDIR}/sluice"
    text "${text}")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/systemd/${name}
    CONTENT "${text}" @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/systemd/${name}
    DESTINATION lib/systemd/system)
endforeach()
install(FILES etc/sysusers.d/sluice.conf DESTINATION lib/sysusers.d)
install(FILES etc/tmpfiles.d/sluice.conf DESTINATION lib/tmpfiles.d)
install(FILES README.md NEWS.md COPYING TYPE DOC)
