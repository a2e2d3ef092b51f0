// api/print_marks.h: where the nodes of a compiled function are computed and live, for debugprint and to_dot. Internal to api/.
#pragma once

#include <voxloom/api/function_impl.h>

#include <string>
#include <unordered_map>
#include <vector>

namespace voxloom::detail {

/// Name of a leaf, value of a small constant, or the op.
std::string node_label(const Node& node);

class Marks {
 public:
  explicit Marks(const Function::Impl& function);

  /// Index of the kernel that computes the node; -1 if none does.
  int kernel_of(const Node* node) const;
  const std::vector<std::string>& kernels() const { return kernels_; }
  /// ", kernel 0, temporary" and the like.
  std::string of(const Node* node) const;
  /// "output 0", with what becomes of it.
  std::string of_output(size_t program_output) const;

 private:
  const Function::Impl& function_;
  std::unordered_map<const Node*, int> kernel_;
  std::vector<std::string> kernels_;
  std::unordered_map<const Node*, std::string> place_;
};

}  // namespace voxloom::detail
