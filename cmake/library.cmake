# cmake/library.cmake: the shared library voxloom (alias voxloom::voxloom), its headers, and its install and package files.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/empty.cpp CONTENT "// empty.cpp: a library target needs one source of its own.\n")
add_library(voxloom SHARED ${PROJECT_BINARY_DIR}/empty.cpp)
add_library(voxloom::voxloom ALIAS voxloom)
voxloom_link_modules(voxloom ${VOXLOOM_MODULES})
target_compile_features(voxloom PUBLIC cxx_std_20)
set_target_properties(voxloom PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
# Another LLVM may live in the same process: ours shows no symbol and binds to itself.
target_link_options(voxloom PRIVATE -Wl,--exclude-libs,ALL -Wl,-Bsymbolic -Wl,-z,nodelete)  # LLVM cannot be unloaded
if(NOT VOXLOOM_SANITIZE)
  target_link_options(voxloom PRIVATE -Wl,-z,defs)
endif()

voxloom_public_headers(public_headers)
target_sources(voxloom PUBLIC FILE_SET HEADERS BASE_DIRS ${VOXLOOM_HEADER_LINKS} FILES ${public_headers})
if(PROJECT_IS_TOP_LEVEL)
  set_target_properties(voxloom PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/voxloom)
install(TARGETS voxloom EXPORT voxloomTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT voxloomTargets NAMESPACE voxloom:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/voxloomConfig.cmake.in ${PROJECT_BINARY_DIR}/voxloomConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/voxloomConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/voxloomConfig.cmake ${PROJECT_BINARY_DIR}/voxloomConfigVersion.cmake DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/THIRD_PARTY_NOTICES DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
