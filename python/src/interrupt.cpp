// python/src/interrupt.cpp: Python's signals reach calls that run without the GIL.
#include "interrupt.h"

#include <pthread.h>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

namespace voxloom::python {
namespace {

constexpr auto polling = std::chrono::milliseconds(20);

unsigned long main_thread = 0;

/// Under the GIL: true if a handler has raised.
bool signal_raised() { return PyErr_CheckSignals() < 0; }

}  // namespace

void install_interrupts() {
  main_thread = nanobind::cast<unsigned long>(nanobind::module_::import_("threading").attr("main_thread")().attr("ident"));
  // The thread that forks is the child's only one, and its main thread.
  pthread_atfork(nullptr, nullptr, [] { main_thread = PyThread_get_thread_ident(); });
}

Unlocked::Unlocked() : thread_(PyThread_get_thread_ident()), token_(poll, this) {
  main_ = thread_ == main_thread;
  if (main_) next_ = std::chrono::steady_clock::now() + polling;
  state_ = PyEval_SaveThread();
}

Unlocked::~Unlocked() { PyEval_RestoreThread(state_); }

bool Unlocked::poll(void* self) {
  auto& call = *static_cast<Unlocked*>(self);
  if (PyThread_get_thread_ident() != call.thread_) return false;
  const auto now = std::chrono::steady_clock::now();
  if (now < call.next_) return false;
  PyEval_RestoreThread(call.state_);
  const bool raised = signal_raised();
  call.state_ = PyEval_SaveThread();
  call.next_ = std::chrono::steady_clock::now() + polling;
  return raised;
}

void run_interruptibly(const std::function<void(const CancelToken* token)>& body) {
  if (PyThread_get_thread_ident() != main_thread) {
    const nanobind::gil_scoped_release unlocked;
    body(nullptr);
    return;
  }
  CancelToken token;
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false, raised = false;
  std::exception_ptr failure;
  std::thread worker([&] {
    try {
      body(&token);
    } catch (...) { failure = std::current_exception(); }
    const std::lock_guard lock(mutex);
    done = true;
    finished.notify_one();
  });
  {
    PyThreadState* state = PyEval_SaveThread();
    std::unique_lock lock(mutex);
    while (!finished.wait_for(lock, polling, [&] { return done; })) {
      if (raised) continue;
      lock.unlock();
      PyEval_RestoreThread(state);
      raised = signal_raised();
      if (raised) token.cancel();
      state = PyEval_SaveThread();
      lock.lock();
    }
    lock.unlock();
    worker.join();
    PyEval_RestoreThread(state);
  }
  if (raised) throw nanobind::python_error();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace voxloom::python
