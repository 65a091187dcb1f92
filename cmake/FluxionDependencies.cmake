# The libraries that Fluxion is built with. None of them shows in the installed package: LLVM and fmt
# are inside the shared library with hidden symbols, oneDNN and zlib are linked privately.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)

# By hand: Debian's dnnl-config.cmake asks for OpenCL, which this library does not use.
find_path(FLUXION_DNNL_INCLUDE_DIR dnnl.h REQUIRED)
find_library(FLUXION_DNNL_LIBRARY dnnl REQUIRED)

if(FLUXION_LLVM)
  find_package(LLVM 19.1 REQUIRED CONFIG)
  llvm_map_components_to_libnames(FLUXION_LLVM_LIBRARIES core analysis passes orcjit support native
                                  nativecodegen asmprinter mc)
  # Its functions are inlined; nothing is linked.
  find_path(FLUXION_XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
endif()

# fluxion_use_llvm(target): the headers of LLVM, for the few files that need them.
function(fluxion_use_llvm target)
  target_include_directories(${target} SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
  separate_arguments(definitions UNIX_COMMAND "${LLVM_DEFINITIONS}")
  target_compile_definitions(${target} PRIVATE ${definitions})
endfunction()

# Links the library with what its layers use; everything private, all symbols of archives hidden.
function(fluxion_link_dependencies)
  target_link_libraries(fluxion PRIVATE ${FLUXION_LLVM_LIBRARIES} ${FLUXION_DNNL_LIBRARY}
                                        ZLIB::ZLIB Threads::Threads ${CMAKE_DL_LIBS})
  # The build ID tells the cache on disk which library made an entry.
  target_link_options(fluxion PRIVATE
    LINKER:--build-id=sha1
    LINKER:--no-undefined LINKER:--exclude-libs,ALL LINKER:--gc-sections
    LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/hidden.map)
  set_target_properties(fluxion PROPERTIES
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/hidden.map LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
endfunction()
