// graph/attrs.cpp: equality and hash of attributes.
#include <voxloom/graph/graph.h>
#include <voxloom/graph/hash.h>
#include <voxloom/graph/node.h>

#include <bit>

namespace voxloom {
namespace {

struct AttrHash {
  uint64_t h;
  uint64_t operator()(int64_t v) const { return mix_hash(h, static_cast<uint64_t>(v)); }
  uint64_t operator()(double v) const { return mix_hash(h, std::bit_cast<uint64_t>(v)); }
  uint64_t operator()(bool v) const { return mix_hash(h, v ? 1 : 0); }
  uint64_t operator()(const std::string& v) const { return hash_bytes(h, v); }
  uint64_t operator()(DType v) const { return mix_hash(h, static_cast<uint64_t>(v)); }
  uint64_t operator()(const std::vector<int64_t>& v) const {
    uint64_t r = mix_hash(h, v.size());
    for (const int64_t x : v) r = mix_hash(r, static_cast<uint64_t>(x));
    return r;
  }
  uint64_t operator()(const std::vector<Dim>& v) const {
    uint64_t r = mix_hash(h, v.size());
    for (const Dim& d : v) r = mix_hash(r, d.stable_hash());
    return r;
  }
  uint64_t operator()(const std::shared_ptr<const Graph>& v) const { return mix_hash(h, v->structural_hash()); }
};

}  // namespace

bool equal_attr_values(const AttrValue& a, const AttrValue& b) {
  if (a.index() != b.index()) return false;
  if (const auto* x = std::get_if<double>(&a)) return std::bit_cast<uint64_t>(*x) == std::bit_cast<uint64_t>(std::get<double>(b));
  if (const auto* x = std::get_if<std::shared_ptr<const Graph>>(&a)) {
    const auto& y = std::get<std::shared_ptr<const Graph>>(b);
    return *x == y || structurally_equal(**x, *y);
  }
  return a == b;
}

bool equal_attrs(const Attrs& a, const Attrs& b) {
  if (a.size() != b.size()) return false;
  for (size_t k = 0; k < a.size(); ++k) {
    if (a[k].key != b[k].key || !equal_attr_values(a[k].value, b[k].value)) return false;
  }
  return true;
}

uint64_t hash_of(const Attrs& attrs) {
  uint64_t h = attrs.size();
  for (const Attr& attr : attrs) h = std::visit(AttrHash{mix_hash(hash_bytes(h, attr.key), attr.value.index())}, attr.value);
  return h;
}

}  // namespace voxloom
