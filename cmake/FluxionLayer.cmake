# A layer is one folder of the library: an object library that the shared library is made of.

# fluxion_layer(trace graph.cpp frame.cpp ...): makes the target fluxion_trace of the folder's files.
function(fluxion_layer name)
  if(NOT ARGN)
    return()
  endif()
  add_library(fluxion_${name} OBJECT ${ARGN})
  fluxion_settings(fluxion_${name})
  set_target_properties(fluxion_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  # What a thread keeps is one load away, also in a shared library: a call of the loader otherwise.
  target_compile_options(fluxion_${name} PRIVATE -ftls-model=initial-exec)
  target_include_directories(fluxion_${name} PRIVATE ${PROJECT_SOURCE_DIR}
                                                     ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(fluxion_${name} PRIVATE fluxion_fmt)
endfunction()

# fluxion_operations(unary binary ...): adds trace/ops/<name>.cpp, one file per operation or family, and the table of their rules that the parser of programs reads
# (each file has a function fluxion::ops::<name>_rules()).
function(fluxion_operations)
  set(declarations "")
  set(calls "")
  foreach(name IN LISTS ARGN)
    target_sources(fluxion_trace PRIVATE ${PROJECT_SOURCE_DIR}/trace/ops/${name}.cpp)
    string(APPEND declarations "std::span<const Rules* const> ${name}_rules();\n")
    string(APPEND calls "    for (const Rules* r : ops::${name}_rules()) all.push_back(r);\n")
  endforeach()
  set(table ${PROJECT_BINARY_DIR}/trace/known_operations.cpp)
  file(CONFIGURE OUTPUT ${table} @ONLY CONTENT "// Made by CMake from the list of operation files.
#include \"trace/graph.hpp\"
namespace fluxion {
namespace ops {
@declarations@}
std::span<const Rules* const> known_operations() {
  static const std::vector<const Rules*> table = [] {
    std::vector<const Rules*> all;
@calls@    return all;
  }();
  return table;
}
}  // namespace fluxion
")
  target_sources(fluxion_trace PRIVATE ${table})
endfunction()

# Puts the objects of the layers into the shared library.
function(fluxion_link_layers)
  foreach(name IN LISTS ARGN)
    if(TARGET fluxion_${name})
      target_sources(fluxion PRIVATE $<TARGET_OBJECTS:fluxion_${name}>)
    endif()
  endforeach()
endfunction()
