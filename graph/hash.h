// graph/hash.h: a small hash that is the same in every process; for interning and structural hashes, not for security.
#pragma once

#include <voxloom/graph/type.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace voxloom {

constexpr uint64_t mix_hash(uint64_t h, uint64_t value) {
  h ^= value + 0x9e3779b97f4a7c15ULL + (h << 12) + (h >> 4);
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdULL;
  h ^= h >> 29;
  return h;
}

constexpr uint64_t hash_bytes(uint64_t h, std::string_view bytes) {
  for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return mix_hash(h, bytes.size());
}

inline uint64_t hash_type(uint64_t h, const Type& type) {
  h = mix_hash(h, static_cast<uint64_t>(type.dtype) * 2 + static_cast<uint64_t>(type.order));
  h = mix_hash(h, type.shape.size() * 2 + (type.names.empty() ? 0 : 1));
  for (const Dim& d : type.shape) h = mix_hash(h, d.stable_hash());
  for (const std::string& name : type.names) h = hash_bytes(h, name);
  return h;
}

}  // namespace voxloom
