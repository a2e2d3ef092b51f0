// codegen/llvm/start.h: LLVM's start-up, each part once and only when it is needed.
#pragma once

namespace voxloom::codegen {

/// The X86 target, enough to link objects.
void start_target();
/// The assembly printer too, to generate code.
void start_code_generation();

}  // namespace voxloom::codegen
