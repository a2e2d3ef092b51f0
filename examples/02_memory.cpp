// examples/02_memory.cpp: lesson 2: whose memory results and arguments live in. Nothing is copied behind your back.
#include <voxloom/voxloom.h>

#include <array>
#include <cstdio>
#include <vector>

namespace vl = voxloom;

namespace {

int failures = 0;
void check(bool right, const char* what) {
  std::printf("%s %s\n", right ? "yes:" : "NO: ", what);
  failures += right ? 0 : 1;
}

}  // namespace

int main() {
  const auto x = vl::vector("x");
  const vl::Array in = vl::Array::from(std::vector<float>(1000, 1.0f));

  // A borrowed output: the function uses its buffer again at the next call ...
  const auto borrowing = vl::function({x}, {vl::Out(x * 2, {.borrow = true})});
  const std::byte* first = nullptr;
  {
    const vl::Array result = borrowing(in);
    first = result.raw();
  }
  {
    const vl::Array result = borrowing(in);
    check(result.raw() == first, "a borrowed output comes back in the same memory");
    // ... unless somebody still holds it.
    const vl::Array next = borrowing(in);
    check(next.raw() != result.raw(), "a result that is still held is never overwritten");
  }

  // out=: the result goes straight into memory of the caller.
  const auto twice = vl::function({x}, {x * 2});
  std::vector<float> mine(1000);
  std::array<vl::Array, 1> out = {vl::Array::view(mine.data(), {1000})};
  twice.call({in}, {.out = out});
  check(mine[0] == 2.0f && mine[999] == 2.0f, "out= fills the caller's vector");

  // Views: every second element from the end, straight from the caller's memory, as an argument.
  std::vector<float> numbers(10);
  for (size_t k = 0; k < numbers.size(); ++k) numbers[k] = static_cast<float>(k);
  const vl::Array every_second = vl::Array::view(numbers.data(), {10}).slice(0, -1, {}, -2);
  check(every_second.raw() == reinterpret_cast<std::byte*>(&numbers[9]), "a slice is a view, not a copy");
  const vl::Array doubled = twice(every_second);
  check(doubled.size() == 5 && doubled.at<float>(0) == 18.0f && doubled.at<float>(4) == 2.0f, "strided arguments are read in place");

  // The same with strides in bytes: one column of a matrix in C order.
  std::vector<float> matrix = {1, 2, 3, 4, 5, 6};
  const vl::Array column = vl::Array::view(matrix.data() + 1, {2}, vl::f32, {3 * sizeof(float)});
  const vl::Array doubled_column = twice(column);
  check(doubled_column.at<float>(0) == 4.0f && doubled_column.at<float>(1) == 10.0f, "a column of a matrix");
  return failures == 0 ? 0 : 1;
}
