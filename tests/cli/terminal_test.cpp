// tests/cli/terminal_test.cpp: the progress line, suggestions, names of inputs and outputs.
#include <voxloom/cli/inputs.h>
#include <voxloom/cli/options.h>
#include <voxloom/cli/terminal.h>
#include <voxloom/graph/error.h>
#include <voxloom/graph/nearest.h>

#include <catch2/catch.hpp>

using namespace voxloom;
using namespace voxloom::cli;

TEST_CASE("the progress line shows share, rate and time left, and keeps to the width", "[cli]") {
  const std::string line = progress_line(0.25, 10, int64_t{400} << 20, 100);
  CHECK(line == "[##########                              ]  25 %  10.0 MiB/s  0:30 left");
  CHECK(progress_line(0.5, 5000, 0, 100)
            .ends_with("] "
                       " 50 %  1:23:20 left"));
  CHECK(progress_line(0, 2, 100, 100).find("left") == std::string::npos);
  for (int width = 0; width < 120; ++width) CHECK(static_cast<int>(progress_line(0.999, 3, int64_t{1} << 40, width).size()) <= width);
  CHECK(progress_line(7, 1, 0, 60).find("100 %") != std::string::npos);
}

TEST_CASE("suggestions are close names only", "[cli]") {
  const std::vector<std::string> names = {"mean", "median", "max", "a"};
  CHECK(nearest("meen", names) == "mean");
  CHECK(nearest("maen", names) == "mean");
  CHECK(nearest("meadian", names) == "median");
  CHECK(nearest("b", names).empty());
  CHECK(nearest("entirely", names).empty());
  CHECK(nearest(std::string(100000, 'm'), names).empty());
}

TEST_CASE("inputs get the names a, b, ... unless they bring one", "[cli]") {
  const auto inputs = name_inputs({"x.nii", "m=mask.nii", "dir/y=1.nii", "./k=2.nii"});
  REQUIRE(inputs.size() == 4);
  CHECK((inputs[0].name == "a" && inputs[1].name == "m" && inputs[2].name == "b" && inputs[3].name == "c"));
  CHECK((inputs[1].path == "mask.nii" && inputs[2].path == "dir/y=1.nii" && inputs[3].path == "./k=2.nii"));
  CHECK_THROWS_AS(name_inputs({"x.nii", "a=y.nii"}), UserError);
  CHECK_THROWS_AS(name_inputs({"a="}), UserError);
  CHECK_THROWS_AS(name_inputs(std::vector<std::string>(27, "x.nii")), UserError);
}

TEST_CASE("output names keep the extension of the input", "[cli]") {
  CHECK(output_path("in/bold.nii.gz", "out", "_mean") == "out/bold_mean.nii.gz");
  CHECK(output_path("bold.img", "out", "_s") == "out/bold_s.img");
  CHECK(output_path("bold.v1", "out", "_s") == "out/bold.v1_s.nii");
}

TEST_CASE("scalars read back as they are", "[cli]") {
  CHECK(scalar_text(Array::scalar(0.1f)) == "0.1");
  CHECK(scalar_text(Array::scalar(0.1)) == "0.1");
  CHECK(scalar_text(Array::scalar(int16_t{-7})) == "-7");
  CHECK(scalar_text(Array::scalar(true)) == "True");
  CHECK(scalar_text(Array::scalar(~uint64_t{0})) == "18446744073709551615");
  CHECK(scalar_text(Array::scalar(std::complex<float>(1, -2))) == "(1-2j)");
}

TEST_CASE("arguments: the expression may stand anywhere and start with a dash", "[cli]") {
  const auto expression = [](std::vector<std::string> arguments) { return parse_arguments(std::move(arguments)).options.expression; };
  CHECK(expression({"math", "-a/2", "x.nii", "-o", "y.nii"}) == "-a/2");
  CHECK(expression({"math", "-o", "y.nii", "-a", "x.nii"}) == "-a");
  CHECK(expression({"--memory", "64M", "math", "--threads=2", "-a", "x.nii"}) == "-a");
  CHECK(expression({"math", "--profile", "a + 1", "x.nii"}) == "a + 1");
  CHECK(expression({"explain", "math", "-o", "y.nii", "-(a)", "x.nii"}) == "-(a)");
  const Options options =
      parse_arguments({"math", "a", "x.nii", "b=y.nii", "-o", "z.nii", "--memory", "64M", "--profile=p.json", "--dtype", "input"}).options;
  CHECK(options.images == std::vector<std::string>{"x.nii", "b=y.nii"});
  CHECK(options.output == "z.nii");
  CHECK(options.memory == int64_t{64} << 20);
  CHECK(options.profile == "p.json");
  CHECK(options.dtype_of_input);
  CHECK(parse_arguments({"math", "a", "--profile"}).options.profile == "-");
  CHECK(parse_arguments({}).exit_code == 2);
  CHECK(parse_arguments({"math", "--help"}).exit_code == 0);
  CHECK_THROWS_AS(parse_arguments({"math", "a", "--threads", "0"}), UserError);
  CHECK_THROWS_AS(parse_arguments({"cache", "burn"}), UserError);
  CHECK_THROWS_AS(parse_arguments({"png", "a.nii"}), UserError);
}
