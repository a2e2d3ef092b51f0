// examples/09_custom_ops.cpp: lesson 9: ops of your own: an expression in C's notation, and a function over arrays.
// 09_custom_ops.py prints the same.
#include <voxloom/voxloom.h>

#include <cstdio>
#include <string>
#include <vector>

namespace vl = voxloom;

namespace {

/// Twice each element, of a matrix in any layout.
void double_elements(std::span<const vl::StridedView> in, const vl::StridedView& out) {
  const vl::Array x = vl::Array::view(in[0]), y = vl::Array::view(out);
  for (int64_t i = 0; i < x.shape(0); ++i)
    for (int64_t k = 0; k < x.shape(1); ++k) y.set<float>(2 * x.at<float>(i, k), i, k);
}

bool all_are(const vl::Array& a, float value) {
  for (const float v : a.copy().span<float>())
    if (v != value) return false;
  return a.size() == 20;
}

void show(const vl::Function& f, const vl::Array& r) {
  for (const std::string& step : f.toposort()) std::printf("%s\n", step.c_str());
  std::printf("  %d x %d: %g %g ... %g\n", static_cast<int>(r.shape(0)), static_cast<int>(r.shape(1)), r.at<float>(0, 0), r.at<float>(0, 1),
              r.at<float>(r.shape(0) - 1, r.shape(1) - 1));
}

int failures = 0;
void expect(bool condition, const char* what) {
  if (condition) return;
  std::printf("expected: %s\n", what);
  ++failures;
}

}  // namespace

int main() {
  const auto x = vl::fmatrix("x");
  const vl::Array ones = vl::Array::from(std::vector<float>(20, 1), vl::Dims(4, 5));

  // An expression becomes ops of the library: it fuses with what is around it, and its gradient is derived unless you give one.
  const vl::ElemwiseOp twice("double", "2 * x");
  const auto d = vl::function({x}, {twice(x)});
  show(d, d(ones));
  expect(all_are(d(ones)[0], 2), "2 * 1 = 2");
  const auto f = vl::function({x}, {vl::exp(twice(x) - 2)});
  show(f, f(ones));
  expect(f.toposort().size() == 1 && all_are(f(ones)[0], 1), "one kernel, exp(2 * 1 - 2) = 1");
  expect(all_are(vl::function({x}, {vl::grad(vl::sum(vl::sqr(twice(x))), x)})(ones)[0], 8), "the gradient of (2 x)^2 is 8 x");

  // Several inputs, and a gradient of its own: g is the gradient of the cost with respect to the result, out the result.
  const vl::ElemwiseOp soft("soft", "x > 0 ? x : a * expm1(x)", {.inputs = {"x", "a"}, .grad = {"x > 0 ? g : g * (out + a)", "0"}});
  expect(all_are(vl::function({x}, {vl::grad(vl::sum(soft(x, 0.5f)), x)})(ones)[0], 1), "the slope above 0 is 1");

  // A function of yours runs as a step of its own. It gets arrays in any layout; its gradient is an expression.
  const vl::HostOp doubling("doubling", double_elements,
                            {.grad = [](const std::vector<vl::Expr>&, const vl::Expr& g) { return std::vector<vl::Expr>{2 * g}; }});
  const auto h = vl::function({x}, {doubling(x + 1)}, {.name = "with a host function"});
  show(h, h(ones));
  expect(all_are(h(ones)[0], 4), "2 * (1 + 1) = 4");
  expect(all_are(vl::function({x}, {vl::grad(vl::sum(doubling(x)), x)}, {.on_unused_input = vl::OnUnusedInput::ignore})(ones)[0], 2),
         "the gradient of 2 x is 2");

  // What does not parse is refused with the column, on this line.
  try {
    const vl::ElemwiseOp wrong("wrong", "2 ** x");
    expect(false, "a refusal");
  } catch (const vl::UserError& error) {
    const std::string text = error.what();
    std::printf("refused, as it should be: %s\n", text.substr(0, text.find(" [at")).c_str());
  }

  // A saved function only names what runs on your machine, and is not loaded unless you allow it.
  const std::string saved = vl::save_function_bytes(h);
  try {
    vl::load_function_bytes(saved, "h.vlf");
    expect(false, "a refusal");
  } catch (const vl::UserError& error) { std::printf("refused, as it should be: %s\n", error.what()); }
  expect(all_are(vl::load_function_bytes(saved, "h.vlf", {.allow_native_ops = true})(ones)[0], 4), "the same once it is allowed");
  return failures;
}
