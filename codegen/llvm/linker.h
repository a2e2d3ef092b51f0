// codegen/llvm/linker.h: loads object code into the process: LLJIT with JITLink, pages writable or executable, never both.
#pragma once

#include <voxloom/codegen/compiler.h>

#include <memory>
#include <string>

namespace voxloom::codegen {

/// Links an object and looks `symbol` up; the code is unloaded with the object. Throws when the object is not right.
std::unique_ptr<const CompiledKernel> link_object(const std::string& object, const std::string& symbol);

}  // namespace voxloom::codegen
