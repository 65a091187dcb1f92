# What every target of this build shares: build type, compiler cache, linker, sanitizers, warnings.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

find_program(FLUXION_CCACHE ccache)
if(FLUXION_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers are cached only with this permission.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
                                  CCACHE_SLOPPINESS=pch_defines,time_macros ${FLUXION_CCACHE})
endif()

# lld links LLVM's archives in seconds. Debian's lld-19 has no unversioned name outside its own
# folder, and GCC knows the linker only by that name: -B adds the folder to its search.
find_program(FLUXION_LLD ld.lld HINTS /usr/lib/llvm-19/bin)
if(FLUXION_LLD)
  cmake_path(GET FLUXION_LLD PARENT_PATH folder)
  add_link_options(-fuse-ld=lld)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_link_options(-B${folder})
  endif()
endif()

set(FLUXION_SANITIZE "" CACHE STRING "Sanitizers to build with: `address,undefined` or `thread`")
if(FLUXION_SANITIZE)
  add_compile_options(-fsanitize=${FLUXION_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${FLUXION_SANITIZE})
  if(FLUXION_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

# The settings of every Fluxion target.
function(fluxion_settings target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra)
endfunction()
