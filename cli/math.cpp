// cli/math.cpp: `voxloom math` and the reductions `mean std min max`: expressions over images, to files or printed.
#include <voxloom/cli/commands.h>

#include <voxloom/cli/expression.h>
#include <voxloom/cli/inputs.h>
#include <voxloom/cli/session.h>
#include <voxloom/cli/terminal.h>
#include <voxloom/graph/error.h>
#include <voxloom/graph/nearest.h>
#include <voxloom/io/diagnostics.h>
#include <voxloom/ops/build.h>

#include <algorithm>
#include <filesystem>

namespace voxloom::cli {
namespace {

/// --header-from takes the name of an image of this command.
std::string header_path(const std::vector<InputName>& inputs, const Options& options) {
  if (options.header_from.empty()) return {};
  std::vector<std::string> names;
  for (const InputName& input : inputs) {
    if (input.name == options.header_from || input.path == options.header_from) return input.path;
    names.push_back(input.name);
  }
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  fail_user(ErrorCode::usage, "",
            "--header-from " + io::printable_path(options.header_from) + ": no image has this name" +
                (known.empty() ? "" : " (images here: " + known + ")"));
}

/// Writes, prints or explains one result.
void deliver(Session& session, const Options& options, const Expr& value, const std::string& output, const std::string& label) {
  if (options.explain) {
    const std::string plan = session.explain(value, output);
    return print(label + (label.empty() ? "" : ":\n") + plan + (plan.ends_with("\n") ? "" : "\n"));
  }
  if (!output.empty()) return session.save(value, output);
  if (value.rank() != 0)
    fail_user(ErrorCode::usage, options.command,
              "the result is an image of type " + value.type().str() + "; say where it goes with -o OUT.nii");
  print(label + (label.empty() ? "" : "\t") + session.evaluate(value) + "\n");
}

}  // namespace

void math(const Options& options) {
  const std::vector<InputName> inputs = name_inputs(options.images);
  const std::string header_from = header_path(inputs, options);
  std::vector<NamedExpr> named;
  int64_t bytes = 0;
  for (const InputName& input : inputs) {
    const io::Image image = open_image(input.path, options);
    bytes += image.header().data_bytes();
    named.push_back({input.name, image.expr()});
  }
  const ParsedExpression parsed = parse_expression(options.expression, named, {.ddof = options.ddof});
  for (size_t k = 0; k < inputs.size(); ++k) {
    if (!parsed.used[k] && inputs[k].path != header_from)
      print_warnings({"the expression does not use " + inputs[k].name + " (" + io::printable_path(inputs[k].path) + ")"}, options);
  }
  Session session(options, header_from, bytes);
  deliver(session, options, parsed.value, options.output, "");
}

void reduction(const Options& options) {
  if (!options.output.empty() && (options.images.size() > 1 || !options.outdir.empty()))
    fail_user(ErrorCode::usage, options.command, "-o names one output for one image; use --outdir for several");
  if (!options.suffix.empty() && options.outdir.empty()) fail_user(ErrorCode::usage, options.command, "--suffix belongs to --outdir");
  if (!options.outdir.empty() && !options.explain) {
    std::error_code failed;
    std::filesystem::create_directories(options.outdir, failed);
    if (failed) io::fail_os(options.outdir, "create the folder", failed.value());
  }
  const Axes axes = parse_axes(options.axis);
  const std::string suffix = options.suffix.empty() ? "_" + options.command : options.suffix;
  if (!options.header_from.empty()) fail_user(ErrorCode::usage, options.command, "--header-from: there is one image per output");
  std::vector<std::string> outputs;
  for (const std::string& path : options.images) {
    const std::string output = options.outdir.empty() ? options.output : output_path(path, options.outdir, suffix);
    if (!output.empty() && std::find(outputs.begin(), outputs.end(), output) != outputs.end())
      fail_user(ErrorCode::usage, options.command, "two images would be written to " + io::printable_path(output));
    outputs.push_back(output);
  }
  for (size_t k = 0; k < outputs.size(); ++k) {
    const std::string& path = options.images[k];
    const io::Image image = open_image(path, options);
    const Expr value = reduce(op(options.command.c_str()), Operand(image.expr(), OriginId{}), axes, {.ddof = options.ddof});
    Session session(options, {}, image.header().data_bytes());
    deliver(session, options, value, outputs[k], outputs.size() > 1 ? io::printable_path(path) : "");
  }
}

}  // namespace voxloom::cli
