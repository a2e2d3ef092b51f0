# cmake/public_headers.cmake: the header scheme.
# `#include <voxloom/module/file.h>` means the same in the tree, through add_subdirectory and installed: at configure time one link per
# module is made under build/include/voxloom. Public headers are api/voxloom.h and whatever it reaches; only they are installed.

# Makes the links; leaves right ones alone, since another build tree of the same source may be reading them.
function(voxloom_link_headers)
  file(MAKE_DIRECTORY ${VOXLOOM_HEADER_LINKS}/voxloom)
  foreach(module ${ARGN})
    set(link ${VOXLOOM_HEADER_LINKS}/voxloom/${module})
    if(IS_SYMLINK ${link})
      file(READ_SYMLINK ${link} target)
      if(target STREQUAL ${PROJECT_SOURCE_DIR}/${module})
        continue()
      endif()
    endif()
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${module} ${link} SYMBOLIC)
  endforeach()
  file(CONFIGURE OUTPUT ${VOXLOOM_HEADER_LINKS}/voxloom/voxloom.h
       CONTENT "// voxloom/voxloom.h: the whole public interface.\n#pragma once\n#include <voxloom/api/voxloom.h>\n")
endfunction()

# Sets `result` to the headers that api/voxloom.h reaches through <voxloom/...> includes, as paths below the links.
function(voxloom_public_headers result)
  set(pending api/voxloom.h)
  set(seen "")
  while(pending)
    list(POP_FRONT pending header)
    if(header IN_LIST seen OR NOT EXISTS ${PROJECT_SOURCE_DIR}/${header})
      continue()
    endif()
    list(APPEND seen ${header})
    file(STRINGS ${PROJECT_SOURCE_DIR}/${header} lines REGEX "^#include <voxloom/")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^#include <voxloom/([^>]*)>.*" "\\1" included "${line}")
      list(APPEND pending ${included})
    endforeach()
  endwhile()
  set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${seen})
  list(TRANSFORM seen PREPEND ${VOXLOOM_HEADER_LINKS}/voxloom/)
  list(APPEND seen ${VOXLOOM_HEADER_LINKS}/voxloom/voxloom.h)
  set(${result} ${seen} PARENT_SCOPE)
endfunction()
