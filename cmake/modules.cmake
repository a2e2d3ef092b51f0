# cmake/modules.cmake: one object library per module folder, and a function that links chosen modules into a target.
set(VOXLOOM_MODULES graph ops runtime codegen io api)

# voxloom_module(<target> <folder> [EXCLUDE <regex>]): an object library of every .cpp below the folder; nothing if there is none.
function(voxloom_module target folder)
  cmake_parse_arguments(ARG "" "EXCLUDE" "" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  if(ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${PROJECT_SOURCE_DIR}/${folder}/${ARG_EXCLUDE}")
  endif()
  if(NOT sources)
    return()
  endif()
  add_library(${target} OBJECT ${sources})
  target_link_libraries(${target} PUBLIC voxloom_flags ${${target}_uses})
endfunction()

foreach(module ${VOXLOOM_MODULES})
  if(module STREQUAL "codegen")
    voxloom_module(voxloom_codegen codegen EXCLUDE "llvm/")
    voxloom_module(voxloom_codegen_llvm codegen/llvm)
    if(TARGET voxloom_codegen_llvm)
      target_link_libraries(voxloom_codegen_llvm PRIVATE voxloom_llvm_headers)
    endif()
  else()
    voxloom_module(voxloom_${module} ${module})
  endif()
endforeach()

# Links the objects of the named modules (those that exist) and the libraries they use.
function(voxloom_link_modules target)
  foreach(module ${ARGN})
    foreach(object voxloom_${module} voxloom_${module}_llvm)
      if(TARGET ${object})
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:${object}>)
        target_link_libraries(${target} PRIVATE ${${object}_uses})
      endif()
    endforeach()
  endforeach()
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:voxloom_flags>)
endfunction()

# The innermost loops of matrix products, once per instruction set (chosen at run time). g++ 12 takes the undefined operand inside its own
# AVX-512 intrinsics for a bug of ours.
set_source_files_properties(${PROJECT_SOURCE_DIR}/ops/gemm/kernel_base.cpp ${PROJECT_SOURCE_DIR}/ops/gemm/gemm.cpp
  PROPERTIES COMPILE_OPTIONS "-O3")
set_source_files_properties(${PROJECT_SOURCE_DIR}/ops/gemm/kernel_avx512.cpp
  PROPERTIES COMPILE_OPTIONS "-O3;$<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-march=x86-64-v4>;$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>")
