// tests/api/saved_function_test.cpp: functions saved and loaded; damaged files, cut, flipped, grown or forged with a right hash, are a UserError.
#include <voxloom/api/voxloom.h>
#include <voxloom/codegen/compiler.h>
#include <voxloom/graph/print.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <random>

namespace vl = voxloom;
using Catch::Contains;
using vl::Array;

namespace {

constexpr size_t header_bytes = 88, hash_at = 24;

Array vec(std::vector<float> values) { return Array::from(values); }

/// A function with something of everything.
vl::Function everything(const vl::Shared& w, const vl::Shared& n) {
  const auto x = vl::fvector("x", {"k"}), shift = vl::fscalar("shift"), z = vl::zvector("z");
  const auto table = vl::constant(std::vector<double>(50, 0.25), {50});
  const vl::In with_default(shift, {.value = Array::scalar(0.5f), .strict = true, .allow_downcast = false, .name = "by"});
  return vl::function(
      {x, with_default, vl::In(z, {.borrow = true})},
      {{"y", vl::Out(vl::exp(x * w) + shift).value}, {"z", z, {.borrow = true}}, {"t", vl::sum(table)}},
      {.updates = {{w, w - 0.125f * x}, {n, n + 1}}, .mode = vl::Mode("FAST_RUN").excluding({"simplify"}), .name = "saved \"f\""});
}

std::string with_hash(std::string bytes) {
  if (bytes.size() < header_bytes) return bytes;
  const uint64_t length = bytes.size() - header_bytes;
  std::memcpy(bytes.data() + 16, &length, sizeof length);
  bytes.replace(hash_at, 64, vl::codegen::blake3_hex(std::string_view(bytes).substr(header_bytes)));
  return bytes;
}

/// A UserError, or a function: nothing else.
bool survives(const std::string& bytes) {
  try {
    vl::load_function_bytes(bytes);
    return true;
  } catch (const vl::UserError& error) {
    CHECK(error.code() == vl::ErrorCode::bad_input);
    return true;
  } catch (const vl::RuntimeError&) {
    return true;  // an honest wish for more than the machine has
  }
}

}  // namespace

TEST_CASE("a saved function does what the function did, on variables of its own") {
  const auto w = vl::shared(vec({1, 2, 3}), "w", {.strict = true}), n = vl::shared(int64_t{0}, "n");
  const vl::Function f = everything(w, n);
  const std::string bytes = vl::save_function_bytes(f);
  const vl::Function g = vl::load_function_bytes(bytes);
  const Array x = vec({0.5f, -1, 2}), z = Array::from({std::complex<double>(1, 2)});
  for (int step = 0; step < 3; ++step) {
    const vl::Results a = f.call_named({x}, {{"z", z}}), b = g.call_named({x}, {{"z", z}});
    for (const char* name : {"y", "z", "t"}) CHECK(vl::same_bits(a[name], b[name]));
  }
  CHECK(g.name() == "saved \"f\"");
  CHECK(g.input_names() == f.input_names());
  REQUIRE(g.shared().size() == 2);
  CHECK(vl::same_bits(g.shared()[0].get_value(), w.get_value()));
  CHECK(g.shared()[1].get_value().item<int64_t>() == 3);
  CHECK_THROWS_WITH(g.shared()[0].set_value(Array::from({int8_t{1}})), Contains("strict"));
  g.repeat(2, {x, Array::scalar(0.f), z});
  CHECK(n.get_value().item<int64_t>() == 3);
  CHECK_THROWS_AS(g(x, Array::scalar(int8_t{1}), z), vl::UserError);  // a strict input stays strict
  const vl::Function twice = vl::load_function_bytes(vl::save_function_bytes(vl::load_function_bytes(bytes)));
  CHECK(vl::to_text(twice.written()) == vl::to_text(vl::load_function_bytes(bytes).written()));
}

TEST_CASE("files") {
  const auto x = vl::fvector("x");
  const std::string path = "voxloom_saved_test.vlf";
  vl::save_function(vl::function({x}, {x * 2}), path);
  CHECK(vl::load_function(path)(vec({1, 2}))[0].at<float>(1) == 4);
  std::remove(path.c_str());
  CHECK_THROWS_AS(vl::load_function(path), vl::RuntimeError);
  CHECK_THROWS_AS(vl::save_function(vl::function({x}, {x * 2}), "no_such_folder/f"), vl::RuntimeError);
}

TEST_CASE("damage is named") {
  const auto x = vl::fvector("x");
  const std::string bytes = vl::save_function_bytes(vl::function({x}, {x * 2}));
  const auto refused = [](const std::string& damaged, const std::string& part) {
    CHECK_THROWS_WITH(vl::load_function_bytes(damaged, "f.vlf"), Contains("f.vlf: ") && Contains(part));
  };
  refused("", "is no saved function");
  refused("VOXFUNC", "is no saved function");
  refused("PK" + bytes.substr(2), "is no saved function");
  std::string other = bytes;
  other[8] = 9;
  refused(other, "the version is 9, this library reads 1");
  refused(bytes.substr(0, bytes.size() - 1), "the length is not that of the data");
  refused(bytes + "x", "the length is not that of the data");
  other = bytes;
  other.back() = static_cast<char>(other.back() ^ 1);
  refused(other, "its hash is another");
  refused(with_hash(bytes + "x"), "is followed by 1 bytes");
  refused(with_hash(bytes.substr(0, bytes.size() - 1)), "reaches beyond the end");
  other = bytes;
  const size_t op = other.rfind("mul(");
  REQUIRE(op != std::string::npos);
  other.replace(op, 3, "mil");
  refused(with_hash(other), "damaged");
}

TEST_CASE("every cut, and thousands of flips and forgeries with a right hash, end in an answer") {
  const auto w = vl::shared(vec({1, 2, 3}), "w"), n = vl::shared(int64_t{0}, "n");
  const std::string bytes = vl::save_function_bytes(everything(w, n));
  for (size_t size = 0; size < bytes.size(); size += size < header_bytes ? 1 : 7) {
    CHECK_THROWS_AS(vl::load_function_bytes(std::string_view(bytes).substr(0, size)), vl::UserError);
    CHECK(survives(with_hash(bytes.substr(0, size))));
  }
  std::mt19937 rng(12);
  const auto any = [&](size_t below) { return static_cast<size_t>(rng() % static_cast<uint32_t>(below)); };
  for (int round = 0; round < 3000; ++round) {
    std::string forged = bytes;
    for (size_t edits = 1 + any(3); edits > 0; --edits) {
      const size_t at = header_bytes + any(forged.size() - header_bytes);
      switch (any(4)) {
        case 0: forged[at] = static_cast<char>(rng()); break;
        case 1: forged[at] = static_cast<char>(any(2) ? 0xff : 0); break;
        case 2: forged.erase(at, 1 + any(8)); break;
        default: forged.insert(at, forged.substr(header_bytes + any(forged.size() - header_bytes), any(12))); break;
      }
    }
    CHECK(survives(with_hash(forged)));
  }
}

TEST_CASE("a length that promises more than there is allocates nothing") {
  const auto x = vl::fvector("x");
  std::string bytes = vl::save_function_bytes(vl::function({x}, {x * 2}, {.name = "f"}));
  for (size_t at = header_bytes; at + 8 <= bytes.size() && at < header_bytes + 200; ++at) {
    std::string forged = bytes;
    const uint64_t huge = uint64_t{1} << 62;
    std::memcpy(forged.data() + at, &huge, sizeof huge);
    CHECK(survives(with_hash(forged)));
  }
}
