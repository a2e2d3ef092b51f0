// bench/process.h: programs started and measured; parts of the benchmark that need a fresh process.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace bench {

struct Finished {
  int status = -1;     ///< exit status, or 128 + signal
  double seconds = 0;  ///< from just before the start to the end
  long peak_kib = 0;   ///< VmHWM as wait4 tells it: not below what the starting process itself had
  std::string output;  ///< of standard output
};
Finished run_program(const std::vector<std::string>& arguments);
/// Through a small process of this program, so that `peak_kib` is the command's own.
Finished run_measured(const std::string& self, const std::vector<std::string>& arguments);
/// A task of child_main in a fresh process; its JSON answer. Throws std::runtime_error when it fails.
nlohmann::json run_child(const std::string& self, const std::vector<std::string>& task);
/// What `voxloom_bench --child TASK ...` does.
int child_main(const std::vector<std::string>& task);

}  // namespace bench
