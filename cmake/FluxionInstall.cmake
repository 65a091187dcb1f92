# The installed package: find_package(Fluxion) gives Fluxion::fluxion.
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Fluxion)
install(TARGETS fluxion EXPORT FluxionTargets FILE_SET HEADERS)
if(TARGET fluxion_llvm)
  install(TARGETS fluxion_llvm LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(EXPORT FluxionTargets NAMESPACE Fluxion:: DESTINATION ${package_folder})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/FluxionConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/FluxionConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/FluxionConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/FluxionConfig.cmake
              ${PROJECT_BINARY_DIR}/FluxionConfigVersion.cmake DESTINATION ${package_folder})
