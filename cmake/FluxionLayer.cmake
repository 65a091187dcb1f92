# A layer is one folder of the library: an object library that the shared library is made of.

# fluxion_layer(trace graph.cpp frame.cpp ...): makes the target fluxion_trace of the folder's files.
function(fluxion_layer name)
  if(NOT ARGN)
    return()
  endif()
  add_library(fluxion_${name} OBJECT ${ARGN})
  fluxion_settings(fluxion_${name})
  target_include_directories(fluxion_${name} PRIVATE ${PROJECT_SOURCE_DIR}
                                                     ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(fluxion_${name} PRIVATE fmt::fmt-header-only)
endfunction()

# fluxion_operations(unary binary ...): adds trace/ops/<name>.cpp, one file per operation or family.
function(fluxion_operations)
  foreach(name IN LISTS ARGN)
    target_sources(fluxion_trace PRIVATE ${PROJECT_SOURCE_DIR}/trace/ops/${name}.cpp)
  endforeach()
endfunction()

# Puts the objects of the layers into the shared library.
function(fluxion_link_layers)
  foreach(name IN LISTS ARGN)
    if(TARGET fluxion_${name})
      target_sources(fluxion PRIVATE $<TARGET_OBJECTS:fluxion_${name}>)
    endif()
  endforeach()
endfunction()
