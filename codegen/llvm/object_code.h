// codegen/llvm/object_code.h: from a kernel to the bytes of an ELF object, and to text.
#pragma once

#include <voxloom/codegen/compiler.h>

#include <string>

namespace voxloom::codegen {

/// Version of everything between kernel text and object bytes; part of the cache key. Raise it with every change of the emitted code.
inline constexpr int codegen_version = 5;

/// "19.1.7".
std::string llvm_version();

/// The ELF object with one function `symbol`.
std::string object_code(const Kernel& kernel, const Target& target, const std::string& symbol);

}  // namespace voxloom::codegen
