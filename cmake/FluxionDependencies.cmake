# The libraries that Fluxion is built with. None of them shows in the installed package: LLVM and fmt
# are inside our shared objects with hidden symbols, oneDNN and zlib are linked privately.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)

# fluxion_fmt: fmt inside what links it. Compiled once; other versions than Debian 12's as headers.
if(fmt_VERSION VERSION_GREATER_EQUAL 9 AND fmt_VERSION VERSION_LESS 10)
  add_library(fluxion_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/formatting.cpp)
  target_compile_features(fluxion_fmt PUBLIC cxx_std_20)
  target_include_directories(fluxion_fmt SYSTEM PUBLIC
    $<TARGET_PROPERTY:fmt::fmt-header-only,INTERFACE_INCLUDE_DIRECTORIES>)
  set_target_properties(fluxion_fmt PROPERTIES POSITION_INDEPENDENT_CODE ON)
else()
  add_library(fluxion_fmt INTERFACE)
  target_link_libraries(fluxion_fmt INTERFACE fmt::fmt-header-only)
endif()

# Half the size and time of the relocations of a library with many tables; glibc 2.36 reads it.
include(CheckLinkerFlag)
check_linker_flag(CXX LINKER:-z,pack-relative-relocs FLUXION_SMALL_RELOCATIONS)

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

# fluxion_use_llvm(target): the headers and archives of LLVM, for the module of the compiler.
function(fluxion_use_llvm target)
  target_include_directories(${target} SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
  separate_arguments(definitions UNIX_COMMAND "${LLVM_DEFINITIONS}")
  target_compile_definitions(${target} PRIVATE ${definitions})
  target_link_libraries(${target} PRIVATE ${FLUXION_LLVM_LIBRARIES})
  fluxion_link_quickly(${target})
endfunction()

# What both shared objects are linked with: symbols of archives hidden, few and small relocations,
# and a build ID, which tells the cache on disk who made an entry.
function(fluxion_link_quickly target)
  target_link_options(${target} PRIVATE
    LINKER:--build-id=sha1
    LINKER:--no-undefined LINKER:--exclude-libs,ALL LINKER:--gc-sections
    LINKER:-Bsymbolic-functions
    LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/hidden.map)
  if(FLUXION_SMALL_RELOCATIONS)
    target_link_options(${target} PRIVATE LINKER:-z,pack-relative-relocs)
  endif()
  set_target_properties(${target} PROPERTIES
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/hidden.map LINKER_LANGUAGE CXX)
endfunction()

# Links the library with what its layers use; everything private.
function(fluxion_link_dependencies)
  target_link_libraries(fluxion PRIVATE fluxion_fmt ${FLUXION_DNNL_LIBRARY} ZLIB::ZLIB Threads::Threads
                                        ${CMAKE_DL_LIBS})
  fluxion_link_quickly(fluxion)
  set_target_properties(fluxion PROPERTIES
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    BUILD_RPATH "$ORIGIN" INSTALL_RPATH "$ORIGIN")
endfunction()

# Programs run with the compiler, so they are built with it.
function(fluxion_needs_compiler target)
  if(TARGET fluxion_llvm)
    add_dependencies(${target} fluxion_llvm)
  endif()
endfunction()
