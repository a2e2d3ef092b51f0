// cli/main.cpp: the voxloom command: arguments, the command, one line per error, the exit code.
#include <voxloom/cli/commands.h>
#include <voxloom/cli/signals.h>
#include <voxloom/cli/terminal.h>
#include <voxloom/graph/error.h>

#include <new>
#include <utility>

namespace {

using namespace voxloom;

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
    case ErrorCode::shape:
    case ErrorCode::dtype:
    case ErrorCode::index: return 2;
    case ErrorCode::bad_input: return 3;
    case ErrorCode::file:
    case ErrorCode::device: return 4;
    case ErrorCode::limit: return 5;
    case ErrorCode::cancelled: return 130;
    case ErrorCode::internal: break;
  }
  return 1;
}

void run(const cli::Options& options) {
  using Command = void (*)(const cli::Options&);
  static constexpr std::pair<std::string_view, Command> commands[] = {
      {"info", cli::info},          {"math", cli::math},       {"mean", cli::reduction}, {"std", cli::reduction}, {"min", cli::reduction},
      {"max", cli::reduction},      {"png", cli::png},         {"ops", cli::ops},        {"doctor", cli::doctor}, {"cache", cli::cache},
      {"config", cli::show_config}, {"devices", cli::devices}, {"run", cli::run_graph},
  };
  for (const auto& [name, command] : commands) {
    if (options.command == name) return command(options);
  }
  fail_internal("command " + options.command);
}

// Before the other constructors of the process, LLVM's among them: from here on a signal ends it with 130.
[[gnu::constructor(101)]] void install_signals_first() { cli::install_signals(); }

}  // namespace

int main(int argc, char** argv) {
  try {
    const cli::ParsedArguments parsed = cli::parse_arguments({argv + 1, argv + argc});
    if (parsed.exit_code >= 0) {
      cli::print(parsed.text);
      cli::flush_output();
      return parsed.exit_code;
    }
    cli::install_log(parsed.options);
    cli::configure(parsed.options);
    run(parsed.options);
    cli::flush_output();
    return 0;
  } catch (const cli::Reported& reported) {  // its errors are printed
    return exit_code(reported.code);
  } catch (const InternalError& error) {
    cli::print_report(error.what());
    return exit_code(error.code());
  } catch (const Error& error) {
    cli::print_error(error.what());
    return exit_code(error.code());
  } catch (const std::bad_alloc&) {
    cli::print_error("out of memory");
    return exit_code(ErrorCode::limit);
  } catch (const std::exception& error) {
    cli::print_error(std::string("internal error: ") + error.what() + " (this is a bug of voxloom: please report it with this text)");
    return exit_code(ErrorCode::internal);
  }
}
