// tests/fuzz/generator.cpp: grows a typed graph node by node; what the ops refuse is drawn again.
#include "generator.h"

#include "rng.h"

#include <voxloom/graph/error.h>
#include <voxloom/ops/build.h>

#include <algorithm>
#include <cstdlib>

namespace voxloom::fuzz {

namespace {

using Shape = std::vector<int64_t>;

const std::vector<DType> dtypes{DType::f32, DType::f32, DType::f32,     DType::f64, DType::f64, DType::i8,
                                DType::i16, DType::i16, DType::i32,     DType::i64, DType::u8,  DType::u16,
                                DType::u32, DType::u64, DType::boolean, DType::c64, DType::c128};
const std::vector<int64_t> sizes{0, 1, 1, 2, 3, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 127, 513, 1025};
constexpr int max_rank = 5;

int64_t product_of(const Shape& shape) {
  int64_t n = 1;
  for (int64_t d : shape) n *= d;
  return n;
}

class Generator {
 public:
  Generator(uint64_t seed, bool images) : rng_(seed), images_(images) { case_.seed = seed; }

  Case run() {
    case_.floatX = rng_.chance(0.2) ? DType::f64 : DType::f32;
    const PolicyScope policy({.floatX = case_.floatX});
    const bool big = rng_.chance(0.01);
    limit_ = big ? 1300000 : rng_.chance(0.05) ? 70000 : 3000;
    base_shape(big);
    inputs();
    const int64_t wanted = big ? rng_.between(1, 4) : rng_.chance(0.15) ? rng_.between(1, 3) : rng_.between(2, rng_.chance(0.1) ? 40 : 14);
    for (int tries = 0; static_cast<int64_t>(case_.nodes.size()) < wanted && tries < 200; ++tries) grow();
    outputs();
    return std::move(case_);
  }

 private:
  // --- inputs ---
  void base_shape(bool big) {
    if (big) {
      base_ = rng_.chance(0.5)   ? Shape{rng_.between(1050000, 1250000)}
              : rng_.chance(0.5) ? Shape{rng_.between(2, 5), rng_.between(66000, 240000)}
                                 : Shape{rng_.between(66000, 240000), rng_.between(2, 5)};
      return;
    }
    const int64_t rank = images_ ? rng_.between(1, 4) : rng_.chance(0.1) ? rng_.between(0, max_rank) : rng_.between(1, 3);
    for (int64_t k = 0; k < rank; ++k) {
      int64_t n = rng_.pick(sizes);
      if (n == 0 && (images_ || rng_.chance(0.7))) n = 4;
      while (product_of(base_) * n > limit_) n /= 2;
      base_.push_back(n);
    }
    static const std::vector<std::string> all{"x", "y", "z", "t", "c"};
    if (rank > 0 && (images_ || rng_.chance(0.2))) names_.assign(all.begin(), all.begin() + rank);
  }

  void inputs() {
    const int64_t n = rng_.between(1, 3);
    for (int64_t i = 0; i < n; ++i) {
      CaseInput in;
      in.dtype = rng_.pick(dtypes);
      const bool image = !names_.empty() && (images_ || rng_.chance(0.8));
      in.order = image ? Order::F : rng_.chance(0.2) ? Order::F : Order::C;
      for (size_t k = 0; k < base_.size(); ++k) input_axis(in, k, image);
      if (!image && rng_.chance(0.15) && !in.shape.empty()) drop_leading(in);
      in.constant = rng_.chance(0.1) && product_of(in.shape) < 5000;
      if (in.constant) in.kinds.assign(in.kinds.size(), AxisKind::constant);
      in.values = rng_.chance(0.2) ? Values::special : static_cast<Values>(rng_.below(3));
      if (rng_.chance(0.08)) in.repeated = static_cast<uint32_t>(rng_.below(32));
      in.seed = rng_.bits();
      case_.inputs.push_back(in);
      all_.push_back(build_input(case_, static_cast<int>(i)));
      bindings_ = bindings_of(case_);
    }
  }
  void input_axis(CaseInput& in, size_t k, bool image) {
    if (image && base_.size() > 1 && rng_.chance(0.15)) return;  // the image lacks the axis
    const bool one = !image && rng_.chance(0.12);
    in.shape.push_back(one ? 1 : base_[k]);
    const bool constant = one || base_[k] == 1 || rng_.chance(0.3);
    in.kinds.push_back(constant ? AxisKind::constant : rng_.chance(0.85) ? AxisKind::shared_symbol : AxisKind::own_symbol);
    if (image) in.names.push_back(names_[k]);
  }
  void drop_leading(CaseInput& in) {
    const auto n = rng_.between(1, static_cast<int64_t>(in.shape.size()));
    in.shape.erase(in.shape.begin(), in.shape.begin() + n);
    in.kinds.erase(in.kinds.begin(), in.kinds.begin() + n);
  }

  // --- nodes ---
  int some() {
    // Recent nodes are likelier, so that graphs are deep.
    const auto n = static_cast<int64_t>(all_.size());
    return static_cast<int>(rng_.chance(0.5) ? rng_.below(n) : n - 1 - rng_.below(std::min<int64_t>(n, 3)));
  }
  const Expr& expr(int k) const { return all_[static_cast<size_t>(k)]; }
  Shape shape_of(const Expr& e) const {
    Shape out;
    for (const Dim& d : e.shape()) out.push_back(d.evaluate(bindings_));
    return out;
  }

  /// Whether the sizes that symbols stand for fit together; if not, the call must be refused.
  bool meets(const Node& node, const Shape& result) const {
    if (node.op().kind != OpKind::elementwise) return true;
    for (const Expr& operand : node.inputs()) {
      const Shape shape = shape_of(operand);
      for (size_t k = 0; k < shape.size(); ++k) {
        if (shape[k] != result[k] && !operand.shape()[k].is_one()) return false;
      }
    }
    return true;
  }

  bool add(CaseNode node) {
    std::vector<Expr> operands;
    for (int k : node.in) operands.push_back(k >= 0 ? expr(k) : Expr());
    try {
      Expr e = build_node(node, operands);
      const Shape shape = shape_of(e);
      if (!meets(*e, shape) && !rng_.chance(0.05)) return false;
      if (product_of(shape) > limit_ || static_cast<int>(shape.size()) > max_rank) return false;
      for (int64_t n : shape) {
        if (n < 0) return false;
      }
      all_.push_back(std::move(e));
      case_.nodes.push_back(std::move(node));
      return true;
    } catch (const UserError&) { return false; }
  }

  void grow() {
    const double u = rng_.unit();
    if (u < 0.50) elementwise();
    else if (u < 0.56) cast_node();
    else if (u < 0.70) reduction(some(), rng_.chance(0.3));
    else if (u < 0.85) view();
    else if (u < 0.91) indexing();
    else if (u < 0.94) join();
    else if (u < 0.965) product();
    else if (u < 0.983) motif();
    else gradient();
  }

  void elementwise() {
    std::vector<const OpInfo*> rows;
    const int64_t arity = rng_.chance(0.4) ? 1 : rng_.chance(0.9) ? 2 : 3;
    for (const OpInfo* row : all_ops()) {
      if (row->kind == OpKind::elementwise && row->min_arity == arity) rows.push_back(row);
    }
    CaseNode node;
    node.op = rng_.pick(rows)->name;
    // Sums, differences and products are what graphs are made of.
    static const std::vector<std::string> usual{"add", "sub", "mul", "div", "minimum", "maximum"};
    if (arity == 2 && rng_.chance(0.4)) node.op = rng_.pick(usual);
    if (node.op == "cast") return cast_node();
    for (int64_t k = 0; k < arity; ++k) node.in.push_back(some());
    if (arity > 1 && rng_.chance(0.25)) host_number(node);
    add(std::move(node));
  }
  void host_number(CaseNode& node) {
    node.in[static_cast<size_t>(rng_.below(static_cast<int64_t>(node.in.size())))] = -1;
    static const std::vector<double> values{0, 1, -1, 2, 0.5, 3, 4, -2, 7, 10, 100, 0.1, 1e-3, 2.5};
    node.scalar = rng_.pick(values);
    node.scalar_is_integer = static_cast<double>(static_cast<int64_t>(node.scalar)) == node.scalar && rng_.chance(0.7);
  }
  void cast_node() {
    CaseNode node{.op = "cast", .in = {some()}};
    node.ints = {static_cast<int64_t>(rng_.pick(dtypes))};
    add(std::move(node));
  }

  bool reduction(int x, bool keepdims) {
    static const std::vector<std::string> rows{"sum",    "sum",    "mean", "mean", "prod", "min", "max",
                                               "argmin", "argmax", "any",  "all",  "var",  "std"};
    CaseNode node{.op = rng_.pick(rows), .in = {x}, .ints = {keepdims ? 1 : 0, 0, -1, -1}};
    if ((node.op == "var" || node.op == "std") && rng_.chance(0.3)) node.ints[1] = 1;
    if ((node.op == "sum" || node.op == "mean" || node.op == "prod") && rng_.chance(0.1))
      node.ints[2] = static_cast<int64_t>(rng_.pick(dtypes));
    if ((node.op == "sum" || node.op == "mean") && rng_.chance(0.1))
      node.ints[3] = static_cast<int64_t>(rng_.chance(0.5) ? DType::f32 : DType::f64);
    const int rank = expr(x).rank();
    if (rank > 0 && rng_.chance(0.75)) {
      for (int k = 0; k < rank; ++k) {
        if (rng_.chance(rank == 1 ? 1.0 : 0.45)) node.ints.push_back(rng_.chance(0.8) ? k : k - rank);
      }
      if (node.ints.size() == 4) node.ints.push_back(rng_.below(rank));
    }
    return add(std::move(node));
  }

  void view() {
    const int x = some();
    switch (rng_.below(6)) {
      case 0: return slice_node(x);
      case 1: return index_node(x);
      case 2: return dimshuffle_node(x);
      case 3: return reshape_node(x);
      case 4: return broadcast_node(x);
      default: {
        CaseNode node{.op = "flip", .in = {x}};
        if (expr(x).rank() > 0) node.ints.push_back(rng_.below(expr(x).rank()));
        add(std::move(node));
      }
    }
  }
  void slice_node(int x) {
    const Shape shape = shape_of(expr(x));
    if (shape.empty()) return;
    const int64_t axis = rng_.below(static_cast<int64_t>(shape.size())), n = shape[static_cast<size_t>(axis)];
    add({.op = "slice", .in = {x}, .ints = slice_ints(axis, n)});
  }
  std::vector<int64_t> slice_ints(int64_t axis, int64_t n) {
    std::vector<int64_t> out{axis};
    const auto part = [&](double p, int64_t value) {
      const bool present = rng_.chance(p);
      out.push_back(present ? 1 : 0);
      out.push_back(present ? value : 0);
    };
    static const std::vector<int64_t> steps{1, 1, 2, 3, -1, -2, 5};
    part(0.6, rng_.between(-n - 1, n + 1));
    part(0.5, rng_.between(-n - 1, n + 1));
    part(0.6, rng_.pick(steps));
    return out;
  }
  void index_node(int x) {
    const Shape shape = shape_of(expr(x));
    if (shape.empty()) return;
    const int64_t axis = rng_.below(static_cast<int64_t>(shape.size())), n = shape[static_cast<size_t>(axis)];
    if (n == 0) return;
    add({.op = "index", .in = {x}, .ints = {axis, rng_.between(-n, n - 1)}});
  }
  void dimshuffle_node(int x) {
    CaseNode node{.op = "dimshuffle", .in = {x}};
    for (int k = 0; k < expr(x).rank(); ++k) {
      if (expr(x).shape()[static_cast<size_t>(k)].is_one() && rng_.chance(0.5)) continue;
      node.ints.insert(node.ints.begin() + rng_.below(static_cast<int64_t>(node.ints.size()) + 1), k);
    }
    if (rng_.chance(0.3)) node.ints.insert(node.ints.begin() + rng_.below(static_cast<int64_t>(node.ints.size()) + 1), -1);
    add(std::move(node));
  }
  void reshape_node(int x) {
    const int64_t n = product_of(shape_of(expr(x)));
    CaseNode node{.op = "reshape", .in = {x}};
    int64_t rest = n;
    if (n > 0) {
      const int64_t rank = rng_.between(1, 3);
      for (int64_t k = 1; k < rank; ++k) {
        std::vector<int64_t> divisors;
        for (int64_t d = 1; d <= std::min<int64_t>(rest, 200); ++d) {
          if (rest % d == 0) divisors.push_back(d);
        }
        node.ints.push_back(rng_.pick(divisors));
        rest /= node.ints.back();
      }
    }
    node.ints.push_back(n > 0 && rng_.chance(0.5) ? -1 : rest);
    add(std::move(node));
  }
  void broadcast_node(int x) {
    Shape shape = shape_of(expr(x));
    CaseNode node{.op = "broadcast_to", .in = {x}};
    for (size_t k = 0; k < shape.size(); ++k)
      node.ints.push_back(expr(x).shape()[k].is_one() && rng_.chance(0.8) ? rng_.pick(sizes) : shape[k]);
    if (rng_.chance(0.5)) node.ints.insert(node.ints.begin(), rng_.between(1, 4));
    add(std::move(node));
  }

  void indexing() {
    const int x = some();
    const Shape shape = shape_of(expr(x));
    if (shape.empty()) return;
    const int64_t axis = rng_.below(static_cast<int64_t>(shape.size())), n = shape[static_cast<size_t>(axis)];
    const int64_t back = rng_.chance(0.3) ? 1 : 0;
    static const std::vector<std::string> changes{"set", "inc", "inc"};
    switch (rng_.below(6)) {
      case 0:
      case 1:
        if (n > 0) add({.op = "take", .in = {x, some()}, .ints = {axis, n, back}});
        return;
      case 2: {
        const bool apart = shape.size() > 2 && rng_.chance(0.5);
        if (shape.size() < 2 || shape[0] == 0 || shape[apart ? 2 : 1] == 0) return;
        add({.op = "pick", .in = {x, some(), some()}, .ints = {shape[0], shape[apart ? 2 : 1], apart ? 1 : 0}});
        return;
      }
      case 3: {
        CaseNode node{.op = rng_.pick(changes) + "_slice", .in = {x, same_shape(x)}, .ints = slice_ints(axis, n)};
        if (rng_.chance(0.3)) host_value(node, 1);
        add(std::move(node));
        return;
      }
      case 4: {
        const int i = some();
        if (n == 0 || product_of(shape) / n * product_of(shape_of(expr(i))) > limit_) return;
        CaseNode node{.op = rng_.pick(changes) + "_at", .in = {x, i, same_shape(x)}, .ints = {axis, n, back}};
        if (rng_.chance(0.3)) host_value(node, 2);
        add(std::move(node));
        return;
      }
      default: add({.op = "positions", .in = {x}, .ints = {axis}});
    }
  }
  /// Another value of that shape if one is found soon, else x itself.
  int same_shape(int x) {
    for (int tries = 0; tries < 5; ++tries) {
      const int y = some();
      if (y != x && expr(y).shape() == expr(x).shape()) return y;
    }
    return x;
  }
  void host_value(CaseNode& node, size_t operand) {
    node.in[operand] = -1;
    node.scalar = static_cast<double>(rng_.between(0, 9));
    node.scalar_is_integer = true;
  }

  void join() {
    const int x = some();
    const int rank = expr(x).rank();
    const bool stacked = rng_.chance(0.4) || rank == 0;
    CaseNode node{.op = stacked ? "stack" : "concatenate", .in = {x}};
    for (int64_t k = rng_.between(1, 3); k > 0; --k) {
      // Another one of the same rank if there is one soon, else the same again.
      int other = x;
      for (int tries = 0; tries < 4 && other == x; ++tries) {
        const int y = some();
        if (expr(y).rank() == rank) other = y;
      }
      node.in.push_back(other);
    }
    node.ints = {rng_.below(stacked ? rank + 1 : rank)};
    add(std::move(node));
  }

  /// x times the transpose of something with as many columns, perhaps of itself.
  void product() {
    const int x = some();
    const auto usable = [&](int k) { return expr(k).rank() >= 1 && expr(k).rank() <= 3; };
    if (!usable(x)) return;
    int y = x;
    for (int tries = 0; tries < 6 && y == x; ++tries) {
      const int z = some();
      if (usable(z) && shape_of(expr(z)).back() == shape_of(expr(x)).back()) y = z;
    }
    if (const int rank = expr(y).rank(); rank >= 2) {
      CaseNode turned{.op = "dimshuffle", .in = {y}};
      for (int k = 0; k < rank; ++k) turned.ints.push_back(k < rank - 2 ? k : 2 * rank - 3 - k);
      if (!add(std::move(turned))) return;
      y = static_cast<int>(all_.size()) - 1;
    }
    add({.op = rng_.chance(0.5) ? "dot" : "matmul", .in = {x, y}});
  }

  /// Reduce, then map over the same axis, perhaps reduce again: what row fusion is about.
  void motif() {
    const int x = some();
    if (expr(x).rank() == 0 || !reduction(x, true)) return;
    const int r = static_cast<int>(all_.size()) - 1;
    static const std::vector<std::string> meet{"sub", "div", "mul", "add", "maximum"};
    if (!add({.op = rng_.pick(meet), .in = {x, r}})) return;
    const int y = static_cast<int>(all_.size()) - 1;
    if (rng_.chance(0.4)) add({.op = rng_.chance(0.5) ? "exp" : "sigmoid", .in = {y}});
    const int z = static_cast<int>(all_.size()) - 1;
    if (!rng_.chance(0.6)) return;
    CaseNode again = case_.nodes[static_cast<size_t>(r) - case_.inputs.size()];  // the same axes
    again.in = {z};
    if (add(std::move(again)) && rng_.chance(0.5)) add({.op = "div", .in = {z, static_cast<int>(all_.size()) - 1}});
  }

  /// The gradient of a value with respect to an input or another value.
  void gradient() {
    const bool input = rng_.chance(0.7);
    add({.op = "grad", .in = {some(), input ? static_cast<int>(rng_.below(static_cast<int64_t>(case_.inputs.size()))) : some()}});
  }

  void outputs() {
    std::vector<bool> used(all_.size(), false);
    for (const CaseNode& n : case_.nodes) {
      for (int k : n.in) {
        if (k >= 0) used[static_cast<size_t>(k)] = true;
      }
    }
    for (size_t k = case_.inputs.size(); k < all_.size(); ++k) {
      if (!used[k] || rng_.chance(0.05)) case_.outputs.push_back(static_cast<int>(k));
    }
    while (case_.outputs.size() > 6) case_.outputs.erase(case_.outputs.begin() + rng_.below(static_cast<int64_t>(case_.outputs.size())));
    if (case_.outputs.empty()) case_.outputs.push_back(0);
  }

  Rng rng_;
  bool images_;
  Case case_;
  std::vector<Expr> all_;
  DimBindings bindings_;
  Shape base_;
  std::vector<std::string> names_;
  int64_t limit_ = 3000;
};

}  // namespace

Case generate(uint64_t seed, bool images) { return Generator(seed, images).run(); }

std::string spoil(Case& c, uint64_t seed) {
  Rng rng(seed ^ 0x9e3779b97f4a7c15u);
  const int x = c.outputs[0];
  const auto append = [&](CaseNode node) {
    c.nodes.push_back(std::move(node));
    c.outputs = {static_cast<int>(c.inputs.size() + c.nodes.size()) - 1};
  };
  switch (rng.below(7)) {
    case 0: append({.op = "sum", .in = {x}, .ints = {0, 0, -1, -1, 11}}); return "an axis that does not exist";
    case 1: append({.op = "dimshuffle", .in = {x}, .ints = {0, 0}}); return "an axis used twice, or one that is not there";
    case 2: append({.op = "index", .in = {x}, .ints = {7, 0}}); return "an index too many";
    case 3: append({.op = "concatenate", .in = {x, x}, .ints = {9}}); return "an axis that does not exist";
    case 4: append({.op = "slice", .in = {x}, .ints = {0, 0, 0, 0, 0, 1, 0}}); return "a step of 0, or no axis";
    case 5: append({.op = "reshape", .in = {x}, .ints = {-1, -1}}); return "two unknown sizes";
    default: {
      CaseInput odd;
      odd.shape = {1237, 1231};
      odd.kinds = {AxisKind::constant, AxisKind::constant};
      CaseInput other = odd;
      other.shape = {1237, 1229};
      for (CaseNode& n : c.nodes) {
        for (int& k : n.in) k += k >= static_cast<int>(c.inputs.size()) ? 2 : 0;
      }
      c.inputs.push_back(odd);
      c.inputs.push_back(other);
      append({.op = "add", .in = {static_cast<int>(c.inputs.size()) - 2, static_cast<int>(c.inputs.size()) - 1}});
      return "shapes that do not meet";
    }
  }
}

}  // namespace voxloom::fuzz
