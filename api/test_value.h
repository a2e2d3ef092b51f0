// api/test_value.h: test values: small arrays that go through an expression while it is built, so that sizes that do not fit are
// refused on the user's line.
#pragma once

#include <voxloom/graph/node.h>
#include <voxloom/runtime/array.h>

namespace voxloom {

/// Gives a variable a test value (Theano's x.tag.test_value). From then on, operations built on it are computed too, by the interpreter,
/// unless config().compute_test_value is off; sizes or values that they refuse are a UserError with the line that builds them.
///     vl::config().set("compute_test_value", "raise");
///     vl::set_test_value(x, vl::Array::zeros({5, 784}, vl::f32));
/// UserError: the value's dtype or rank is not the variable's, or its sizes are not those that its type says.
VOXLOOM_API void set_test_value(const Expr& variable, const Array& value);
/// The test value of any expression; an undefined Array if it has none. Constants and shared variables have theirs.
VOXLOOM_API Array test_value(const Expr& expression);

/// Nodes made by this thread are not computed while one of these lives: compiling rewrites expressions that have been checked.
class VOXLOOM_API TestValuesOff {
 public:
  TestValuesOff();
  ~TestValuesOff();
  TestValuesOff(const TestValuesOff&) = delete;
  TestValuesOff& operator=(const TestValuesOff&) = delete;
};

}  // namespace voxloom
