# What every target of this build shares: build type, compiler cache, linker, warnings.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

find_program(FLUXION_CCACHE ccache)
if(FLUXION_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${FLUXION_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${FLUXION_CCACHE})
endif()

find_program(FLUXION_LLD NAMES ld.lld-19 ld.lld)
if(FLUXION_LLD AND NOT FLUXION_LINKER_FLAGS)
  cmake_path(GET FLUXION_LLD FILENAME linker)
  # GCC 12 knows -fuse-ld=lld only, which is the unversioned name; clang finds the versioned one.
  if(linker STREQUAL "ld.lld" OR CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    add_link_options(-fuse-ld=lld)
  else()
    cmake_path(GET FLUXION_LLD PARENT_PATH linker_folder)
    if(EXISTS ${linker_folder}/ld.lld)
      add_link_options(-fuse-ld=lld)
    endif()
  endif()
endif()

# The settings of every Fluxion target: C++20, warnings, the folders of the tree.
function(fluxion_settings target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()
