// tests/fuzz/minimise.cpp: minimise().
#include "minimise.h"

#include <voxloom/graph/error.h>

#include <algorithm>
#include <set>

namespace voxloom::fuzz {

namespace {

/// Removes nodes and inputs that no output needs.
Case without_dead(const Case& c) {
  const size_t inputs = c.inputs.size(), all = inputs + c.nodes.size();
  const std::vector<bool> needed = needed_by_outputs(c);
  std::vector<int> place(all, -1);
  Case out;
  out.seed = c.seed;
  out.floatX = c.floatX;
  int next = 0;
  for (size_t k = 0; k < inputs; ++k) {
    if (!needed[k]) continue;
    place[k] = next++;
    out.inputs.push_back(c.inputs[k]);
  }
  for (size_t k = inputs; k < all; ++k) {
    if (!needed[k]) continue;
    place[k] = next++;
    out.nodes.push_back(c.nodes[k - inputs]);
    for (int& o : out.nodes.back().in) o = o >= 0 ? place[static_cast<size_t>(o)] : o;
  }
  for (int k : c.outputs) out.outputs.push_back(place[static_cast<size_t>(k)]);
  return out;
}

/// Every use of value `from` becomes `to` (an earlier value).
Case redirected(const Case& c, int from, int to) {
  Case out = c;
  const auto change = [&](int& k) { k = k == from ? to : k; };
  for (CaseNode& n : out.nodes) std::for_each(n.in.begin(), n.in.end(), change);
  std::for_each(out.outputs.begin(), out.outputs.end(), change);
  return out;
}

/// A node becomes an input with the node's type at the case's sizes.
bool as_input(const Case& c, int node, Case& out) {
  try {
    const Built built = build([&] {
      Case one = c;
      one.outputs = {node};
      return one;
    }());
    const Type& type = built.graph.outputs()[0].type();
    CaseInput in;
    in.dtype = type.dtype;
    in.names = type.names;
    in.order = type.order;
    for (const Dim& d : type.shape) {
      in.shape.push_back(d.evaluate(built.bindings));
      in.kinds.push_back(AxisKind::constant);
    }
    in.seed = c.seed + static_cast<uint64_t>(node);
    // The new input comes after the others, so node numbers move by one.
    const auto inputs = static_cast<int>(c.inputs.size());
    out = c;
    const auto change = [&](int& k) { k = k == node ? inputs : k >= inputs ? k + 1 : k; };
    for (CaseNode& n : out.nodes) std::for_each(n.in.begin(), n.in.end(), change);
    std::for_each(out.outputs.begin(), out.outputs.end(), change);
    out.inputs.push_back(in);
    return true;
  } catch (const Error&) { return false; }
}

class Minimiser {
 public:
  Minimiser(Case c, const std::function<bool(const Case&)>& fails, int most_tries)
      : best_(std::move(c)), fails_(fails), left_(most_tries) {}

  Case run() {
    accept(without_dead(best_));
    bool progress = true;
    while (progress && left_ > 0) {
      progress = outputs();
      progress = nodes() || progress;
      progress = sizes() || progress;
      progress = inputs() || progress;
    }
    return best_;
  }

 private:
  bool accept(const Case& candidate) {
    if (left_-- <= 0 || !fails_(candidate)) return false;
    best_ = candidate;
    return true;
  }

  bool outputs() {
    if (best_.outputs.size() < 2) return false;
    for (int k : best_.outputs) {
      Case c = best_;
      c.outputs = {k};
      if (accept(without_dead(c))) return true;
    }
    for (size_t k = 0; k < best_.outputs.size(); ++k) {
      Case c = best_;
      c.outputs.erase(c.outputs.begin() + static_cast<std::ptrdiff_t>(k));
      if (accept(without_dead(c))) return true;
    }
    return false;
  }

  bool nodes() {
    bool any = false;
    for (size_t k = best_.nodes.size(); k-- > 0;) {
      if (k >= best_.nodes.size()) continue;
      any = one_node(static_cast<int>(best_.inputs.size() + k)) || any;
    }
    return any;
  }
  bool one_node(int at) {
    const std::vector<int> operands = best_.nodes[static_cast<size_t>(at) - best_.inputs.size()].in;
    for (int o : operands) {
      if (o >= 0 && accept(without_dead(redirected(best_, at, o)))) return true;
    }
    Case c;
    return as_input(best_, at, c) && accept(without_dead(c));
  }

  bool sizes() {
    bool any = false;
    std::set<int64_t, std::greater<>> present;
    for (const CaseInput& in : best_.inputs) present.insert(in.shape.begin(), in.shape.end());
    for (int64_t n : present) {
      for (int64_t smaller : {int64_t{1}, int64_t{2}, int64_t{3}, n / 4, n / 2, n - 1}) {
        if (smaller < 1 || smaller >= n) continue;
        Case c = best_;
        for (CaseInput& in : c.inputs) std::replace(in.shape.begin(), in.shape.end(), n, smaller);
        for (CaseNode& node : c.nodes) {
          if (node.op == "reshape" || node.op == "broadcast_to") std::replace(node.ints.begin(), node.ints.end(), n, smaller);
        }
        if (!accept(c)) continue;
        any = true;
        break;
      }
    }
    return any;
  }

  bool inputs() {
    bool any = false;
    for (size_t k = 0; k < best_.inputs.size(); ++k) {
      const auto change = [&](const std::function<void(CaseInput&)>& f) {
        Case c = best_;
        f(c.inputs[k]);
        any = accept(c) || any;
      };
      const CaseInput& in = best_.inputs[k];
      if (in.values != Values::small) change([](CaseInput& i) { i.values = Values::small; });
      if (in.repeated != 0) change([](CaseInput& i) { i.repeated = 0; });
      if (in.order != Order::C && in.names.empty()) change([](CaseInput& i) { i.order = Order::C; });
      if (in.constant) change([](CaseInput& i) { i.constant = false; });
      for (size_t axis = 0; axis < in.kinds.size(); ++axis) {
        if (best_.inputs[k].kinds[axis] != AxisKind::constant) change([&](CaseInput& i) { i.kinds[axis] = AxisKind::constant; });
      }
    }
    return any;
  }

  Case best_;
  const std::function<bool(const Case&)>& fails_;
  int left_;
};

}  // namespace

Case minimise(Case c, const std::function<bool(const Case&)>& fails, int most_tries) {
  return Minimiser(std::move(c), fails, most_tries).run();
}

}  // namespace voxloom::fuzz
