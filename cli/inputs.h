// cli/inputs.h: images given on the command line, with their names.
#pragma once

#include <voxloom/api/image.h>
#include <voxloom/cli/options.h>
#include <voxloom/ops/build.h>

#include <string>
#include <string_view>
#include <vector>

namespace voxloom::cli {

struct InputName {
  std::string name, path;
};

/// NAME=FILE or FILE; files without a name are called a, b, ... in their order. UserError(usage) when two have one name.
std::vector<InputName> name_inputs(const std::vector<std::string>& arguments);
/// Opens an image (header only) and prints its warnings.
io::Image open_image(const std::string& path, const Options& options);
/// "t", "x,y" or "-1,2" as axes; empty: all.
Axes parse_axes(std::string_view text);
/// FOLDER/NAME with the suffix before .nii, .nii.gz, .hdr or .img.
std::string output_path(const std::string& image, const std::string& folder, const std::string& suffix);
/// Shortest text of a scalar that reads back as the same value: "0.1", "3", "True", "(1+2j)".
std::string scalar_text(const Array& value);

}  // namespace voxloom::cli
