// tests/errors/errors_test.cpp: what a program sees when something is wrong: the class, the code, and a line with the facts that clash.
#include <voxloom/voxloom.h>

#include <unistd.h>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>

namespace vl = voxloom;
using Catch::Matchers::Contains;
using vl::Array;
using vl::ErrorCode;
using vl::Expr;

namespace {

template <class Class> void refused(ErrorCode code, const std::vector<std::string>& parts, const std::function<void()>& work) {
  bool thrown = false;
  INFO(parts.at(0));
  try {
    work();
  } catch (const Class& error) {
    thrown = true;
    const std::string text = error.what();
    CHECK(error.code() == code);
    CHECK(text.find('\n') == std::string::npos);
    for (const std::string& part : parts) CHECK_THAT(text, Contains(part));
  } catch (const std::exception& error) { FAIL("another class: " << error.what()); }
  CHECK(thrown);
}

constexpr auto user = refused<vl::UserError>;
constexpr auto runtime = refused<vl::RuntimeError>;

/// A folder that goes away with the test, and images in it.
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("voxloom_errors_" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator()(const std::string& name) const { return path / name; }

  std::string image(const std::string& name, std::vector<int64_t> dims, double zoom = 2, size_t cut = 0) const {
    vl::io::NiftiHeader header;
    header.dims = std::move(dims);
    header.pixdim = {1, zoom, 2, 2, 1, 1, 1, 1};
    header.set_storage(vl::i16);
    vl::io::Warnings warnings;
    std::vector<std::byte> bytes = vl::io::serialise_nifti_header(header, name, warnings);
    bytes.resize(bytes.size() + static_cast<size_t>(header.data_bytes()) - cut, std::byte{1});
    std::ofstream(path / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path / name;
  }
};

}  // namespace

TEST_CASE("building an expression names the function, both facts and the line", "[errors]") {
  const auto x = vl::fmatrix("x", {3, 4}), y = vl::fmatrix("y", {3, 5});
  user(ErrorCode::shape, {"add: ", "[3, 4]", "[3, 5]", "errors_test.cpp:"}, [&] { x + y; });
  user(ErrorCode::index, {"sum: ", "axis 2", "rank 2", "errors_test.cpp:"}, [&] { vl::sum(x, 2); });
  user(ErrorCode::index, {"no axis is named t"}, [&] { vl::mean(x, "t"); });
  user(ErrorCode::dtype, {"bit_and: float32"}, [&] { x & x; });
  user(ErrorCode::index, {"position 3 of axis 0, which has size 3"}, [&] { vl::index(x, {3}); });
  user(ErrorCode::usage, {"the step is 0"}, [&] { vl::slice(x, 0, {{}, {}, 0}); });
  user(ErrorCode::usage, {"the expression is empty"}, [] { vl::exp(vl::Expr()); });
}

TEST_CASE("gradients that do not exist", "[errors]") {
  const auto x = vl::fmatrix("x", {3, 4}), y = vl::fvector("y", {4});
  const auto k = vl::imatrix("k", {3, 4});
  const auto cost = vl::sum(x);
  user(ErrorCode::shape, {"grad: the cost, exp", "[3, 4]", "no scalar", "errors_test.cpp:"}, [&] { vl::grad(vl::exp(x), x); });
  user(ErrorCode::dtype, {"grad: the cost, sum", "int64", "errors_test.cpp:"}, [&] { vl::grad(vl::sum(k), k); });
  user(ErrorCode::dtype, {"grad: the cost", "complex64"}, [&] { vl::grad(vl::sum(vl::cmatrix("z")), x); });
  user(ErrorCode::usage, {"grad: the variable y (", "errors_test.cpp:", "not connected", "disconnected_inputs"},
       [&] { vl::grad(cost, {x, y}); });
  user(ErrorCode::usage, {"grad: the variable k (", "int32", "no gradient"}, [&] { vl::grad(cost + vl::sum(k * x), k); });
  user(ErrorCode::usage, {"grad: the variable x (", "not connected"}, [&] { vl::grad(vl::sum(vl::cast(x > 0, vl::f32)), x); });
  user(ErrorCode::usage, {"grad: exp (", "not connected"}, [&] { vl::grad(cost, vl::exp(x)); });
  user(ErrorCode::usage, {"grad: an expression is empty"}, [&] { vl::grad(cost, Expr()); });
  user(ErrorCode::shape, {"Lop: a gradient of type f32[4]", "exp of type f32[3, 4]"}, [&] { vl::Lop(vl::exp(x), x, y); });
  user(ErrorCode::usage, {"Lop: 2 eval_points for 1 expressions"},
       [&] { vl::Lop(std::vector<Expr>{vl::exp(x)}, std::vector<Expr>{x}, std::vector<Expr>{x, x}); });
  user(ErrorCode::usage, {"Rop: 0 eval_points for 1 variables"},
       [&] { vl::Rop(std::vector<Expr>{vl::exp(x)}, std::vector<Expr>{x}, std::vector<Expr>{}); });
  user(ErrorCode::shape, {"grad: a gradient of type f32[4]"}, [&] { vl::grad(cost, x, {.known_grads = {{x, y}}}); });
  user(ErrorCode::shape, {"jacobian", "[3, 4]", "ravel"}, [&] { vl::jacobian(vl::exp(x), x); });
  user(ErrorCode::usage, {"jacobian: the variable y (", "not connected"}, [&] { vl::jacobian(vl::sum(x, 1), y); });
  user(ErrorCode::shape, {"hessian", "[3, 4]", "not one axis"}, [&] { vl::hessian(cost, x); });
  user(ErrorCode::dtype, {"verify_grad: point 0 is int32"},
       [] { vl::verify_grad([](const std::vector<Expr>& v) { return v[0]; }, std::vector<Array>{Array::zeros({2}, vl::i32)}); });
  std::string logged;
  vl::set_log([&](vl::LogLevel, std::string_view text) { logged = text; }, vl::LogLevel::warning);
  const auto zeros = vl::grad(cost, y, {.disconnected_inputs = vl::Disconnected::warn});
  vl::set_log({});
  CHECK_THAT(logged, Contains("grad: the variable y"));
  CHECK(Array(vl::function({y}, {zeros}, {.on_unused_input = vl::OnUnusedInput::ignore})(Array::zeros({4}, vl::f32))).to_string() ==
        Array::zeros({4}, vl::f32).to_string());
}

TEST_CASE("compiling refuses graphs that are not closed", "[errors]") {
  const auto x = vl::fvector("x"), y = vl::fvector("y");
  user(ErrorCode::usage, {"y"}, [&] { vl::function({x}, {x + y}); });
  user(ErrorCode::usage, {"target", "z80"}, [&] { vl::function({x}, {x + 1}, {.target = "z80"}); });
}

TEST_CASE("calls name the argument, what it takes and what it got", "[errors]") {
  const auto x = vl::fmatrix("x", {"n", 4}), y = vl::fvector("y", {"n"});
  const auto f = vl::function({x, y}, {vl::sum(x, 1) + y}, {.name = "rows"});
  const Array good = Array::zeros({2, 4}, vl::f32), vector = Array::zeros({2}, vl::f32);
  user(ErrorCode::dtype, {"rows: ", "x", "float32", "float64"}, [&] { f(Array::zeros({2, 4}, vl::f64), vector); });
  user(ErrorCode::shape, {"rows: ", "x", "4", "5"}, [&] { f(Array::zeros({2, 5}, vl::f32), vector); });
  user(ErrorCode::shape, {"rows: ", "n", "2", "3"}, [&] { f(good, Array::zeros({3}, vl::f32)); });
  user(ErrorCode::shape, {"rows: ", "x", "rank"}, [&] { f(vector, vector); });
  user(ErrorCode::usage, {"rows: takes 2 arguments, but 1"}, [&] { f.call({good}); });
  user(ErrorCode::usage, {"empty Array"}, [&] { f(good, Array()); });
  std::vector<Array> out = {vector.as_read_only()};
  user(ErrorCode::usage, {"out[0] is read-only"}, [&] { f.call({good, vector}, {.out = out}); });
  out = {Array::zeros({5}, vl::f32)};
  user(ErrorCode::shape, {"rows: ", "5", "2"}, [&] { f.call({good, vector}, {.out = out}); });
  runtime(ErrorCode::limit, {"rows: needs", "the limit is 1000 B"},
          [&] { f.call({Array::zeros({100000, 4}, vl::f32), Array::zeros({100000}, vl::f32)}, {.memory = 1000}); });
  vl::CancelToken token;
  token.cancel();
  runtime(ErrorCode::cancelled, {"cancelled"}, [&] { f.call({good, vector}, {.cancel = &token}); });
  CHECK_NOTHROW(f(good, vector));
}

TEST_CASE("functions: inputs, updates, saved functions, values under the guard; usable afterwards", "[errors]") {
  const auto x = vl::fvector("x"), y = vl::fvector("y");
  const Array one = Array::from({1.f, 2.f});
  const auto f = vl::function({x}, {vl::log(x)}, {.mode = "NanGuardMode", .name = "f"});
  user(ErrorCode::dtype,
       {"f: ", "argument 0 (x) is float64", "cast(float32)", "allow_input_downcast", "declare the input as float64", "errors_test.cpp:"},
       [&] { f(Array::zeros({2}, vl::f64)); });
  user(ErrorCode::usage, {"f: takes 1 arguments, but 0 were given", "(x) has no default value"}, [&] { f(); });
  user(ErrorCode::usage, {"f: NanGuardMode: log gives -inf at [1]", "errors_test.cpp:"}, [&] { f(Array::from({1.f, 0.f})); });
  user(ErrorCode::usage, {"f: the input \"y\" is not used", "errors_test.cpp:"}, [&] { vl::function({x, y}, {x + 1}, {.name = "f"}); });
  user(ErrorCode::usage, {"\"x\" is listed twice"}, [&] { vl::function({x, x}, {x + 1}); });
  const auto w = vl::shared(one, "w");
  user(ErrorCode::dtype, {"f: the update of w is f64", "the variable is f32"},
       [&] { vl::function({}, {}, {.updates = {{w, vl::cast(w, vl::f64)}}, .name = "f"}); });
  user(ErrorCode::shape, {"set_value: ", "float32 (1, 1)", "w is f32["}, [&] { w.set_value(Array::zeros({1, 1}, vl::f32)); });
  std::string bytes = vl::save_function_bytes(f);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 8);
  user(ErrorCode::bad_input, {"f.vlf: the content is damaged"}, [&] { vl::load_function_bytes(bytes, "f.vlf"); });
  user(ErrorCode::usage, {"config: no option is called thread (did you mean threads?)"}, [] { vl::config().set("thread", "2"); });
  runtime(ErrorCode::device, {"device: device cuda:0 is not available: this build has no CUDA support"},
          [&] { vl::function({x}, {x}, {.device = "cuda"}); });
  CHECK_NOTHROW(f(one));
}

TEST_CASE("values that have no answer are refused at the call", "[errors]") {
  const auto x = vl::fvector("x"), y = vl::fvector("y");
  const auto largest = vl::function({x}, {vl::max(x)});
  user(ErrorCode::shape, {"max: has no value for an empty axis"}, [&] { largest(Array::zeros({0}, vl::f32)); });
  const auto total = vl::function({x, y}, {x + y});
  user(ErrorCode::shape, {"3", "4"}, [&] { total(Array::zeros({3}, vl::f32), Array::zeros({4}, vl::f32)); });
}

TEST_CASE("image files: what is wrong with which file", "[errors]") {
  const Folder folder;
  const std::string a = folder.image("a.nii", {4, 4, 4, 5}), wide = folder.image("wide.nii", {4, 4, 4, 5}, 3.0);
  const std::string cut = folder.image("cut.nii", {4, 4, 4, 5}, 2.0, 10);
  std::ofstream(folder("text.nii")) << "this is no image\n";
  runtime(ErrorCode::file, {"nothing.nii", "No such file"}, [&] { vl::io::open(folder("nothing.nii")); });
  user(ErrorCode::bad_input, {"text.nii"}, [&] { vl::io::open(folder("text.nii")); });
  user(ErrorCode::bad_input, {"cut.nii"}, [&] { vl::io::open(cut); });
  const auto img = vl::io::open(a), other = vl::io::open(wide);
  user(ErrorCode::shape, {"a.nii", "wide.nii", "do not lie on one grid"}, [&] { vl::io::save(img + other, folder("o.nii")); });
  user(ErrorCode::usage, {"o.txt", "suffix"}, [&] { vl::io::save(img, folder("o.txt")); });
  user(ErrorCode::usage, {"no image axes"}, [&] { vl::io::save(vl::sum(img), folder("o.nii")); });
  runtime(ErrorCode::file, {"no_folder", "No such file"}, [&] { vl::io::save(img, folder("no_folder/o.nii")); });
  runtime(ErrorCode::file, {"wide.nii", "no-clobber"}, [&] { vl::io::save(img, wide, {.no_clobber = true}); });
  runtime(ErrorCode::limit, {"the budget is 1.0 KiB"}, [&] { vl::io::save(img - vl::mean(img, "t"), folder("o.nii"), {.memory = 1024}); });
  vl::CancelToken token;
  token.cancel();
  runtime(ErrorCode::cancelled, {"cancelled"}, [&] { vl::io::save(img / 2, folder("o.nii"), {.cancel = &token}); });
  CHECK_FALSE(std::filesystem::exists(folder("o.nii")));
  CHECK_NOTHROW(vl::io::save(img / 2, folder("o.nii")));
}

TEST_CASE("files that are cut after they were opened are noticed", "[errors]") {
  const Folder folder;
  const auto img = vl::io::open(folder.image("a.nii", {16, 16, 16, 20}));
  std::filesystem::resize_file(folder("a.nii"), 5000);
  CHECK_THROWS_AS(vl::io::save(img / 2, folder("o.nii")), vl::Error);
  CHECK_FALSE(std::filesystem::exists(folder("o.nii")));
}

TEST_CASE("sizes and devices in words", "[errors]") {
  user(ErrorCode::usage, {"3Q"}, [] { vl::parse_size("3Q"); });
  user(ErrorCode::usage, {"tpu", "cpu"}, [] { vl::device_from_name("tpu"); });
  runtime(ErrorCode::device, {"cuda"}, [] { vl::device_from_name("cuda"); });
}
