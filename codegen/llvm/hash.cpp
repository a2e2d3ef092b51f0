// codegen/llvm/hash.cpp: BLAKE3, from LLVM's C library.
#include <llvm-c/blake3.h>
#include <voxloom/codegen/compiler.h>

namespace voxloom::codegen {

std::string blake3_hex(std::string_view bytes) {
  llvm_blake3_hasher hasher;
  llvm_blake3_hasher_init(&hasher);
  llvm_blake3_hasher_update(&hasher, bytes.data(), bytes.size());
  uint8_t digest[LLVM_BLAKE3_OUT_LEN];
  llvm_blake3_hasher_finalize(&hasher, digest, sizeof digest);
  std::string text;
  for (uint8_t b : digest) {
    text += "0123456789abcdef"[b >> 4];
    text += "0123456789abcdef"[b & 15];
  }
  return text;
}

}  // namespace voxloom::codegen
