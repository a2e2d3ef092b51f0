// cli/session.cpp: hands the command's wishes to the streaming machinery and shows what it measured.
#include <voxloom/cli/session.h>

#include <voxloom/cli/inputs.h>
#include <voxloom/cli/signals.h>
#include <voxloom/cli/terminal.h>
#include <voxloom/graph/error.h>
#include <voxloom/io/diagnostics.h>

#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace voxloom::cli {
namespace {

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (file) file << text;
  file.close();
  if (!file) io::fail_os(path, "write", errno);
}

/// Where a report goes is looked at before the work, not after it.
void check_report(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) io::fail_os(path, "cannot write the profile", EISDIR);
  const bool there = std::filesystem::exists(path, ignored);
  if (access(there ? path.c_str() : folder.empty() ? "." : folder.c_str(), W_OK) != 0) io::fail_os(path, "cannot write the profile", errno);
}

}  // namespace

io::SaveOptions Session::save_options() const {
  io::SaveOptions save;
  save.memory = options_->memory;
  save.threads = options_->threads;
  save.no_fsync = options_->no_fsync;
  save.no_clobber = options_->no_clobber;
  save.gzip_level = options_->gzip_level;
  save.dtype = options_->dtype;
  save.input_dtype = options_->dtype_of_input;
  save.header_from = header_from_;
  save.target = options_->target;
  save.strict = options_->strict;
  return save;
}

void Session::report(const Profile& profile) const {
  if (options_->profile == "-") {
    const std::string text = profile.text();
    std::fwrite(text.data(), 1, text.size(), stderr);
  } else if (options_->profile.ends_with(".json")) {
    write_file(options_->profile, profile.json());
  } else if (options_->profile.ends_with(".html")) {
    write_file(options_->profile, profile.html());
  } else {
    write_file(options_->profile, profile.text());
  }
}

// The command as it was typed, without options.
std::string Session::profile_name() const {
  std::string name = options_->command;
  if (!options_->expression.empty()) name += " '" + options_->expression + "'";
  for (const std::string& image : options_->images) name += " " + image;
  return io::escape_text(name);
}

template <class Work> void Session::run(const std::string& output, Work&& work) {
  const std::string& name = options_->command;
  const CancelScope scope;
  std::vector<std::string> warnings;
  Profile profile;
  io::SaveOptions save = save_options();
  save.name = profile_name();
  save.cancel = scope.token();
  save.warnings = &warnings;
  if (!options_->profile.empty()) save.profile = &profile;
  if (!options_->profile.empty() && options_->profile != "-") check_report(options_->profile);
  try {
    Progress progress(*options_, input_bytes_);
    save.progress = [&progress](double fraction) { progress(fraction); };
    work(save);
  } catch (const RuntimeError& error) {
    if (error.code() != ErrorCode::cancelled) throw;
    std::error_code ignored;
    fail_runtime(
        ErrorCode::cancelled, name,
        "cancelled; " + (std::filesystem::exists(output, ignored) ? io::printable_path(output) + " is as it was" : "nothing was written"));
  }
  print_warnings(warnings, *options_);
  if (save.profile) report(profile);
}

void Session::save(const Expr& value, const std::string& path) {
  run(path, [&](const io::SaveOptions& save) { io::save(value, path, save); });
}

std::string Session::evaluate(const Expr& value) {
  std::string text;
  run({}, [&](const io::SaveOptions& save) { text = scalar_text(io::evaluate_many({value}, save).at(0)); });
  return text;
}

std::string Session::explain(const Expr& value, const std::string& path) {
  return io::explain_save({{value, path}}, save_options(), {.kernels = options_->kernels});
}

}  // namespace voxloom::cli
