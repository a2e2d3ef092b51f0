// cli/signals.cpp: the handler calls async-signal-safe functions only.
#include <voxloom/cli/signals.h>

#include <voxloom/io/temporaries.h>

#include <unistd.h>
#include <atomic>
#include <csignal>

namespace voxloom::cli {
namespace {

constexpr int cancelled = 130;
constexpr unsigned seconds_to_answer = 2;

constinit CancelToken token;
constinit std::atomic<bool> polled{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void handle(int signal) {
  if (signal != SIGALRM && polled.load() && !token.cancelled()) {
    token.cancel();
    alarm(seconds_to_answer);
    return;
  }
  io::unlink_temporaries();
  static constexpr char text[] = "voxloom: error: cancelled; no unfinished file is left\n";
  const ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
  static_cast<void>(ignored);
  _exit(cancelled);
}

}  // namespace

void install_signals() {
  struct sigaction action{};
  action.sa_handler = handle;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGALRM}) {
    struct sigaction before{};
    sigaction(signal, nullptr, &before);
    if (signal != SIGHUP || before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);  // nohup stays nohup
  }
  std::signal(SIGXFSZ, SIG_IGN);
}

CancelScope::CancelScope() { polled.store(true); }
CancelScope::~CancelScope() { polled.store(false); }
const CancelToken* CancelScope::token() const { return &cli::token; }

}  // namespace voxloom::cli
