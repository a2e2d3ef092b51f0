// cli/session.h: one streamed run of the command: options, progress, cancellation, warnings, profile.
#pragma once

#include <voxloom/api/image.h>
#include <voxloom/cli/options.h>

#include <string>
#include <vector>

namespace voxloom::cli {

/// Runs computations with the options of the command line. Temporaries vanish and RuntimeError(cancelled) is thrown on Ctrl-C.
class Session {
 public:
  /// `header_from`: path of the image whose header outputs get; empty for the first one in the expression.
  Session(const Options& options, std::string header_from, int64_t input_bytes)
      : options_(&options), header_from_(std::move(header_from)), input_bytes_(input_bytes) {}
  void save(const Expr& value, const std::string& path);
  /// A scalar, as text.
  std::string evaluate(const Expr& value);
  std::string explain(const Expr& value, const std::string& path);

 private:
  /// `output` is the file that is written, for messages; empty for a scalar.
  template <class Work> void run(const std::string& output, Work&& work);
  io::SaveOptions save_options() const;
  std::string profile_name() const;
  void report(const Profile& profile) const;
  const Options* options_;
  std::string header_from_;
  int64_t input_bytes_;
};

}  // namespace voxloom::cli
