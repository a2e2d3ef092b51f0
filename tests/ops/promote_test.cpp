// tests/ops/promote_test.cpp: the promotion table against NumPy's, and what the float policy changes.
#include <voxloom/ops/policy.h>

#include <catch2/catch.hpp>

#include <string>

using namespace voxloom;

namespace {

constexpr DType dtypes[] = {DType::boolean, DType::i8,  DType::i16, DType::i32, DType::i64, DType::u8,  DType::u16,
                            DType::u32,     DType::u64, DType::f32, DType::f64, DType::c64, DType::c128};
/// NumPy's type codes in the order of `dtypes`, and numpy.result_type(row, column).
constexpr const char* codes = "?bhilBHILfdFD";
constexpr const char* numpy_table[] = {"?bhilBHILfdFD", "bbhilhildfdFD", "hhhilhildfdFD", "iiiiliildddDD", "lllllllldddDD",
                                       "BhhilBHILfdFD", "HiiilHHILfdFD", "IllllIIILddDD", "LddddLLLLddDD", "fffddffddfdFD",
                                       "dddddddddddDD", "FFFDDFFDDFDFD", "DDDDDDDDDDDDD"};
constexpr Policy numpy{DType::f64, CastPolicy::numpy, WarnFloat64::ignore};
constexpr Policy floatX{};
constexpr Policy floatX64{DType::f64, CastPolicy::floatX, WarnFloat64::ignore};

DType of_code(char code) { return dtypes[std::string(codes).find(code)]; }

}  // namespace

TEST_CASE("NumPy's promotion table") {
  for (size_t i = 0; i < std::size(dtypes); ++i)
    for (size_t k = 0; k < std::size(dtypes); ++k) {
      INFO(name_of(dtypes[i]) << " with " << name_of(dtypes[k]));
      CHECK(promote(dtypes[i], dtypes[k], numpy) == of_code(numpy_table[i][k]));
      CHECK(promote(dtypes[i], dtypes[k], floatX64) == of_code(numpy_table[i][k]));
    }
}

TEST_CASE("under floatX = float32 nothing brings in a float64") {
  for (size_t i = 0; i < std::size(dtypes); ++i)
    for (size_t k = 0; k < std::size(dtypes); ++k) {
      const DType a = dtypes[i], b = dtypes[k], result = promote(a, b, floatX), numpys = of_code(numpy_table[i][k]);
      INFO(name_of(a) << " with " << name_of(b));
      const bool wide = real_part_of(a) == DType::f64 || real_part_of(b) == DType::f64;
      if (wide || real_part_of(numpys) != DType::f64) CHECK(result == numpys);
      else CHECK(result == (is_complex(numpys) ? DType::c64 : DType::f32));
      CHECK(result == promote(b, a, floatX));
    }
  CHECK(promote(DType::i32, DType::f32, floatX) == DType::f32);
  CHECK(promote(DType::i64, DType::u64, floatX) == DType::f32);
}

TEST_CASE("floats of integers") {
  CHECK(float_of(DType::i32, floatX) == DType::f32);
  CHECK(float_of(DType::i32, floatX64) == DType::f64);
  CHECK(float_of(DType::i16, numpy) == DType::f32);
  CHECK(float_of(DType::i64, numpy) == DType::f64);
  CHECK(float_of(DType::c64, floatX) == DType::c64);
  CHECK(voxel_float(DType::i16, floatX) == DType::f32);
  CHECK(voxel_float(DType::i32, floatX) == DType::f64);
  CHECK(voxel_float(DType::boolean, floatX) == DType::boolean);
}

TEST_CASE("the policy in force is the innermost scope's") {
  CHECK(current_policy().floatX == DType::f32);
  {
    const PolicyScope outer(floatX64);
    CHECK(current_policy().floatX == DType::f64);
    {
      const PolicyScope inner(numpy);
      CHECK(current_policy().cast_policy == CastPolicy::numpy);
    }
    CHECK(current_policy().cast_policy == CastPolicy::floatX);
  }
  CHECK(current_policy().floatX == DType::f32);
}
