// bench/process.cpp: see process.h.
#include "process.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

extern char** environ;

namespace bench {

Finished run_program(const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  Finished result;
  pid_t pid = 0;
  const auto start = std::chrono::steady_clock::now();
  const int error = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    throw std::runtime_error("cannot start " + arguments.front());
  }
  char buffer[4096];
  for (ssize_t n = ::read(ends[0], buffer, sizeof buffer); n > 0; n = ::read(ends[0], buffer, sizeof buffer)) {
    result.output.append(buffer, static_cast<size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  rusage usage{};
  ::wait4(pid, &status, 0, &usage);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.peak_kib = usage.ru_maxrss;
  return result;
}

nlohmann::json run_child(const std::string& self, const std::vector<std::string>& task) {
  std::vector<std::string> arguments = {self, "--child"};
  arguments.insert(arguments.end(), task.begin(), task.end());
  const Finished done = run_program(arguments);
  if (done.status != 0)
    throw std::runtime_error("the measuring process for '" + task.front() + "' ended with status " + std::to_string(done.status));
  return nlohmann::json::parse(done.output);
}

Finished run_measured(const std::string& self, const std::vector<std::string>& arguments) {
  std::vector<std::string> task = {"spawn"};
  task.insert(task.end(), arguments.begin(), arguments.end());
  const nlohmann::json answer = run_child(self, task);
  return {answer.at("status"), answer.at("seconds"), answer.at("peak_kib"), answer.at("output")};
}

}  // namespace bench
