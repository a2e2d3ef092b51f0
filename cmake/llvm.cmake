# cmake/llvm.cmake: LLVM 19.1 through its C API, static archives by default: voxloom_llvm is what to link, voxloom_llvm_headers what to
# compile with; codegen/llvm alone gets the headers.
option(VOXLOOM_LLVM_SHARED "Link libLLVM-19.so instead of the static archives (a development build: faster links, slower start)" OFF)

function(voxloom_find_llvm)
  # llvm-config answers the question that CMake's imported targets answer wrongly here: the targets drag in z3, libxml2 and libedit,
  # which no archive member that we use needs.
  find_package(LLVM 19.1 CONFIG QUIET REQUIRED HINTS /usr/lib/llvm-19 ENV LLVM_ROOT)
  add_library(voxloom_llvm INTERFACE)
  add_library(voxloom_llvm_headers INTERFACE)
  target_include_directories(voxloom_llvm_headers SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
  set(VOXLOOM_LLVM_VERSION ${LLVM_PACKAGE_VERSION} CACHE INTERNAL "LLVM's version")
  if(VOXLOOM_LLVM_SHARED)
    target_link_libraries(voxloom_llvm INTERFACE LLVM)
    message(STATUS "voxloom: LLVM ${LLVM_PACKAGE_VERSION}, shared")
    return()
  endif()
  execute_process(
    COMMAND ${LLVM_TOOLS_BINARY_DIR}/llvm-config --link-static --libfiles core orcjit native passes analysis target
    OUTPUT_VARIABLE archives OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "llvm-config --libfiles failed; without the static archives use -DVOXLOOM_LLVM_SHARED=ON")
  endif()
  separate_arguments(archives UNIX_COMMAND "${archives}")
  add_library(voxloom_llvm_archives INTERFACE)  # without the system libraries that they use
  target_link_libraries(voxloom_llvm_archives INTERFACE ${archives})
  target_link_libraries(voxloom_llvm INTERFACE voxloom_llvm_archives z zstd ${CMAKE_DL_LIBS} m)
  message(STATUS "voxloom: LLVM ${LLVM_PACKAGE_VERSION}, static")
endfunction()

voxloom_find_llvm()
