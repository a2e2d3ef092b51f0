// api/image.h: files of images and arrays as expressions, and files as outputs. Blocks stream from disk to disk; nothing is loaded as a whole unless it must be.
#pragma once

#include <voxloom/api/explain.h>
#include <voxloom/graph/node.h>
#include <voxloom/io/nifti_header.h>
#include <voxloom/runtime/array.h>
#include <voxloom/runtime/cancel.h>
#include <voxloom/runtime/profile.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace voxloom {

/// Base of classes outside this namespace that convert to expressions: the operators of ops/build.h are found for them.
struct ExpressionLike {};

}  // namespace voxloom

namespace voxloom::io {

struct OpenOptions {
  bool strict = false;  ///< warnings about the file become errors
};

/// A lazy image: its header, and its voxels as an expression with axes x y z t u v w (c: colour channels). Nothing but the header has been read.
/// An array in an .npy file is such an expression too, without names of axes, in the order of the file, and without an image's header.
class VOXLOOM_API Image : public ExpressionLike {
 public:
  struct State;
  explicit Image(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  /// Voxels with slope and intercept applied (in float64, rounded once to float32; float64 for storage of 32 bits and more).
  const Expr& expr() const;
  operator const Expr&() const { return expr(); }  // NOLINT: an image is an expression
  /// UserError for an array in an .npy file.
  const NiftiHeader& header() const;
  bool has_header() const;
  const std::string& path() const;
  /// What was wrong with the file but could be put right.
  const std::vector<std::string>& warnings() const;

 private:
  std::shared_ptr<const State> state_;
};

/// Reads and checks the header of a .nii, .nii.gz, .hdr, .img or .npy file.
///     auto img = vl::io::open("bold.nii.gz");
///     vl::io::save(img / 2, "half.nii.gz", {.memory = vl::MiB(64)});
VOXLOOM_API Image open(const std::string& path, const OpenOptions& options = {});

/// An array as an image with axes x y z t ... (axis 0 is x) and a grid; the elements are shared, not copied. `like` gives the other header
/// fields. UserError for more than 7 axes.
VOXLOOM_API Image from_array(const Array& voxels, const Matrix44& affine, const NiftiHeader* like = nullptr);

struct SaveOptions {
  std::string name = {};    ///< what the profile calls the run; empty: "save" and the names of the files
  int64_t memory = 0;       ///< budget in bytes for blocks, states and buffers; 0: config().memory
  int threads = 0;          ///< 0: config().threads
  bool no_fsync = false;    ///< do not wait for the disk
  bool no_clobber = false;  ///< refuse to replace existing files
  int gzip_level = 1;
  /// Of the results; default: the computed dtype, a sum of integers in a file in the narrowest of int16, int32, int64 that holds any result.
  /// A narrower integer dtype rounds to nearest (half to even; NaN gives 0) and saturates at its ends.
  std::optional<DType> dtype = {};
  bool input_dtype = false;      ///< the dtype of the image that gives the header
  bool strict = false;           ///< warnings (of writers, and those found while decoding) are errors; nothing is written then
  std::string header_from = {};  ///< path of the image whose header is taken; empty: the first one in the expression
  const CancelToken* cancel = nullptr;
  std::function<void(double fraction)> progress = {};
  Profile* profile = nullptr;  ///< filled when given
  std::string target = {};
  /// Receives what was odd about the compressed data and what the writers changed; without it they go to the log as warnings.
  std::vector<std::string>* warnings = nullptr;
};

using Outputs = std::vector<std::pair<Expr, std::string>>;

/// Computes and writes one image, or an array where the name ends in .npy. The file appears under its name when it is complete; until then an
/// old one stays. Shared variables have the values of this moment. UserError: the expression has no image axes (of an image), grids differ; RuntimeError: the file cannot be written, or the budget is too small.
VOXLOOM_API void save(const Expr& value, const std::string& path, const SaveOptions& options = {});
/// Several images from one run: every source is read as often as one image would need.
VOXLOOM_API void save_many(const Outputs& outputs, const SaveOptions& options = {});
/// Results in memory (scalars, small arrays) by the same streaming.
VOXLOOM_API std::vector<Array> evaluate_many(const std::vector<Expr>& values, const SaveOptions& options = {});
/// How a run would go: how often each file is read and why, the streamed axis, block size, kernels, predicted peak. Nothing is run.
/// A path may be empty: the value would be computed in memory.
VOXLOOM_API std::string explain_save(const Outputs& outputs, const SaveOptions& options = {}, const ExplainOptions& explain = {});

}  // namespace voxloom::io
