// ops/verify_grad.cpp: gradients against finite differences.
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/build.h>
#include <voxloom/ops/gradient_walk.h>
#include <voxloom/ops/host_array.h>
#include <voxloom/ops/variables.h>
#include <voxloom/ops/verify_grad.h>

#include <cmath>
#include <random>

namespace voxloom {
namespace {

constexpr const char* function = "verify_grad";

/// One real number inside an array: an element, or a part of a complex one.
class Part {
 public:
  Part(HostArray& array, int64_t at)
      : dtype_(real_part_of(array.dtype)), place_(array.bytes.data() + static_cast<size_t>(at) * size_of(dtype_)) {}
  double get() const {
    if (dtype_ == DType::f64) return read<double>();
    return static_cast<double>(read<float>());
  }
  void set(double value) {
    const auto narrow = static_cast<float>(value);
    if (dtype_ == DType::f64) std::memcpy(place_, &value, sizeof value);
    else std::memcpy(place_, &narrow, sizeof narrow);
  }

 private:
  template <class T> T read() const {
    T value;
    std::memcpy(&value, place_, sizeof value);
    return value;
  }
  DType dtype_;
  std::byte* place_;
};

int64_t parts_of(const HostArray& a) { return a.size() * (is_complex(a.dtype) ? 2 : 1); }

struct Difference {
  double score = 0;  ///< in tolerances
  std::string text;
};

class Check {
 public:
  Check(const std::vector<Expr>& variables, std::vector<HostArray> points, const VerifyGradOptions& options)
      : variables_(variables), points_(std::move(points)), options_(options) {
    for (const HostArray& a : points_) narrow_ = narrow_ || real_part_of(a.dtype) == DType::f32;
  }

  /// Cost and gradients at the points, then the cost beside each of them.
  void run(const Expr& cost) {
    const std::vector<Expr> g = grad(Operand(cost), variables_, {.disconnected_inputs = Disconnected::ignore});
    const Graph costs = Graph::make(variables_, {cost});
    std::vector<HostArray> gradients = evaluate(Graph::make(variables_, g));
    Difference worst;
    for (size_t k = 0; k < points_.size(); ++k) {
      for (int64_t at = 0; at < parts_of(points_[k]); ++at) {
        const Difference d = compare(k, at, Part(gradients[k], at).get(), slope(costs, Part(points_[k], at)));
        if (!(d.score <= worst.score)) worst = d;
      }
    }
    if (!(worst.score <= 1)) fail_user(ErrorCode::usage, function, worst.text, cost->origin());
  }

 private:
  std::vector<HostArray> evaluate(const Graph& graph) const {
    std::vector<StridedView> views;
    for (const HostArray& a : points_) views.push_back(a.view());
    return options_.evaluate ? options_.evaluate(graph, views) : interpret(graph, views);
  }
  double slope(const Graph& costs, Part x) const {
    const double here = x.get(), step = options_.eps.value_or(narrow_ ? 1e-2 : 1e-5) * std::max(1.0, std::abs(here));
    const auto cost_at = [&](double value) {
      x.set(value);
      const double rounded = x.get();
      HostArray cost = evaluate(costs)[0];
      return std::pair(rounded, Part(cost, 0).get());
    };
    const auto [high, above] = cost_at(here + step);
    const auto [low, below] = cost_at(here - step);
    x.set(here);
    return (above - below) / (high - low);
  }
  Difference compare(size_t k, int64_t at, double ours, double theirs) const {
    const double tolerance = narrow_ ? 5e-3 : 1e-6, distance = std::abs(ours - theirs);
    const double relative = distance / std::max(std::abs(ours), std::abs(theirs));
    const double score =
        distance == 0 ? 0 : std::min(distance / options_.abs_tol.value_or(tolerance), relative / options_.rel_tol.value_or(tolerance));
    const bool two = is_complex(points_[k].dtype);
    return {std::isfinite(distance) ? score : std::nan(""), "the gradient of argument " + std::to_string(k) + " at element " +
                                                                std::to_string(two ? at / 2 : at) +
                                                                (two ? (at % 2 == 0 ? " (real part)" : " (imaginary part)") : "") + " is " +
                                                                std::to_string(ours) + ", but differences give " + std::to_string(theirs)};
  }

  const std::vector<Expr>& variables_;
  std::vector<HostArray> points_;
  const VerifyGradOptions& options_;
  bool narrow_ = false;
};

/// sum(weights * f) in float64, real and imaginary parts with weights of their own.
Expr projection(const Expr& f, std::mt19937_64& random) {
  const auto part = [&](const Expr& x) {
    std::vector<double> weights;
    std::vector<int64_t> shape;
    int64_t count = 1;
    for (const Dim& n : x.shape()) {
      shape.push_back(n.constant());
      count *= n.constant();
    }
    for (int64_t k = 0; k < count; ++k) weights.push_back(0.5 + static_cast<double>(random() % 1024) / 1024);
    return sum(cast(x, DType::f64) * constant(weights, shape));
  };
  return is_complex(f.dtype()) ? part(real(f)) + part(imag(f)) : part(f);
}

}  // namespace

void verify_grad(const std::function<Expr(const std::vector<Expr>&)>& fun, const std::vector<HostArray>& points,
                 const VerifyGradOptions& options) {
  std::vector<Expr> variables;
  for (size_t k = 0; k < points.size(); ++k) {
    const HostArray& a = points[k];
    if (!ops::is_differentiable(a.dtype))
      fail_user(ErrorCode::dtype, function,
                "point " + std::to_string(k) + " is " + std::string(name_of(a.dtype)) + ", which has no gradient");
    Type type{a.dtype, {}, a.order, {}};
    for (const int64_t n : a.shape) type.shape.emplace_back(n);
    variables.push_back(make_input("x" + std::to_string(k), std::move(type)));
  }
  const Expr f = fun(variables);
  if (!f || !ops::is_differentiable(f.dtype()))
    fail_user(ErrorCode::dtype, function, f ? "the result is " + std::string(name_of(f.dtype())) + ", which has no gradient" : "no result");
  for (const Dim& n : f.shape())
    if (!n.is_constant()) fail_user(ErrorCode::shape, function, "the result has the size " + n.str() + ", not a known one", f->origin());
  std::mt19937_64 random(options.seed);
  for (int test = 0; test < options.n_tests; ++test) Check(variables, points, options).run(projection(f, random));
}

}  // namespace voxloom
