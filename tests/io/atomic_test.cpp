// tests/io/atomic_test.cpp: outputs are the old or the new whole file: full disks, kills, failures, links, and what is left behind.
#include "corpus.h"

#include <voxloom/io/atomic_file.h>
#include <voxloom/io/temporaries.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <csignal>

using namespace io_test;

namespace {

/// Runs fn in a forked child; its return value is the exit status.
template <class Fn> pid_t start_child(Fn&& fn) {
  const pid_t pid = fork();
  if (pid == 0) {
    int status = 99;
    try {
      status = fn();
    } catch (...) {}
    _exit(status);
  }
  return pid;
}
int status_of(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

SinkOptions quick() {
  SinkOptions options;
  options.no_fsync = true;
  return options;
}

Bytes constant_image(std::byte value) { return Bytes(100 * 100 * 100 * 2, value); }
const NiftiHeader& constant_header() {
  static const NiftiHeader header = make_header({100, 100, 100}, i16);
  return header;
}

}  // namespace

TEST_CASE("a sink that is not committed leaves nothing, the old file stays") {
  const TempDir dir;
  for (const char* name : {"a.nii", "a.nii.gz", "b.hdr"}) {
    save(dir / name, make_header({4, 3, 2}, i16), sample_voxels(), quick());
    const auto before = dir.names();
    {
      Warnings warnings;
      auto sink = create_sink(dir / name, make_header({4, 3, 2}, f64), quick(), warnings);
      CHECK(dir.names().size() > before.size());
    }
    CHECK(dir.names() == before);
    CHECK(load(dir / name) == sample_voxels());
  }
}

TEST_CASE("commit with voxels missing is refused") {
  const TempDir dir;
  Warnings warnings;
  auto sink = create_sink(dir / "a.nii", make_header({4, 3, 2}, i16), quick(), warnings);
  sink->write({{0, 0, 0}, {4, 3, 1}}, sample_voxels().data());
  CHECK_THROWS_AS(sink->commit(), InternalError);
  sink.reset();
  CHECK(dir.names().empty());
}

TEST_CASE("rows 63-66: a full disk is an error of the file, the old file is intact, no temporary is left") {
  const TempDir dir;
  for (const char* name : {"a.nii", "a.nii.gz"}) {
    save(dir / name, make_header({4, 3, 2}, i16), sample_voxels(), quick());
    const Bytes old = read_file(dir / name);
    const auto names = dir.names();
    const int status = status_of(start_child([&] {
      rlimit limit{100'000, 100'000};
      setrlimit(RLIMIT_FSIZE, &limit);  // SIGXFSZ keeps its default: it would kill
      const Outcome outcome = outcome_of([&] { save(dir / name, constant_header(), random_bytes(2'000'000, 1), quick()); });
      return outcome.failed && outcome.code == ErrorCode::file && contains(outcome.text, "File too large") ? 7 : 1;
    }));
    CHECK(status == 7);
    CHECK(read_file(dir / name) == old);
    CHECK(dir.names() == names);
  }
}

TEST_CASE("targets that are no regular files are refused before anything is written") {
  const TempDir dir;
  fs::create_symlink("/dev/full", dir / "full.nii");
  fs::create_directory(dir / "folder.nii");
  for (const std::string& path : {dir / "full.nii", dir / "folder.nii"}) {
    const Outcome outcome = outcome_of([&] { save(path, constant_header(), constant_image(std::byte{1}), quick()); });
    CHECK(outcome.code == ErrorCode::file);
    CHECK(contains(outcome.text, "not a regular file"));
  }
  const Outcome missing = outcome_of([&] { save(dir / "no/such/a.nii", constant_header(), constant_image(std::byte{1}), quick()); });
  CHECK(missing.code == ErrorCode::file);
  CHECK(contains(missing.text, "No such file or directory"));
  const Outcome suffix = outcome_of([&] { save(dir / "a.mgz", constant_header(), constant_image(std::byte{1}), quick()); });
  CHECK(suffix.code == ErrorCode::usage);
  CHECK(contains(suffix.text, "suffix = .mgz (allowed .nii .nii.gz"));
  CHECK(dir.names().size() == 2);
}

TEST_CASE("no-clobber refuses an existing file, also one that appears meanwhile") {
  const TempDir dir;
  SinkOptions options = quick();
  options.no_clobber = true;
  save(dir / "a.nii", make_header({4, 3, 2}, i16), sample_voxels(), options);
  const Bytes old = read_file(dir / "a.nii");
  const Outcome outcome = outcome_of([&] { save(dir / "a.nii", constant_header(), constant_image(std::byte{1}), options); });
  CHECK(outcome.code == ErrorCode::file);
  CHECK(contains(outcome.text, "File exists"));
  Warnings warnings;
  auto sink = create_sink(dir / "b.nii", make_header({4, 3, 2}, i16), options, warnings);
  sink->write(Box::whole({4, 3, 2}), sample_voxels().data());
  write_file(dir / "b.nii", old);
  CHECK_THROWS_AS(sink->commit(), RuntimeError);
  sink.reset();
  CHECK(read_file(dir / "a.nii") == old);
  CHECK(read_file(dir / "b.nii") == old);
  CHECK(dir.names() == std::vector<std::string>{"a.nii", "b.nii"});
}

TEST_CASE("row 67: killed writers leave the old or the new whole file, and the next writer sweeps their temporaries") {
  const TempDir dir;
  for (const char* name : {"a.nii", "a.nii.gz"}) {
    save(dir / name, constant_header(), constant_image(std::byte{0}), quick());
    std::mt19937 random(4);
    int swept = 0;
    for (int kill_number = 0; kill_number < 15 || (swept == 0 && kill_number < 100); ++kill_number) {  // more on a busy machine
      const pid_t pid = start_child([&] {
        for (int value = 1;; value = value % 250 + 1) {
          Warnings warnings;
          auto sink = create_sink(dir / name, constant_header(), quick(), warnings);
          const Bytes slab(100 * 100 * 10 * 2, static_cast<std::byte>(value));
          for (int64_t z = 0; z < 100; z += 10) sink->write({{0, 0, z}, {100, 100, 10}}, slab.data());
          sink->commit();
        }
        return 0;
      });
      usleep(static_cast<useconds_t>(1000 + random() % 20'000));
      kill(pid, SIGKILL);
      CHECK(status_of(pid) == -SIGKILL);
      swept += dir.names().size() > 1;
      const Bytes voxels = load(dir / name);
      REQUIRE(std::all_of(voxels.begin(), voxels.end(), [&](std::byte b) { return b == voxels[0]; }));
    }
    CHECK(swept > 0);
    save(dir / name, constant_header(), constant_image(std::byte{9}), quick());
    CHECK(dir.names() == std::vector<std::string>{name});
    fs::remove(dir / name);
  }
}

TEST_CASE("temporaries of living writers are not swept") {
  const TempDir dir;
  Warnings warnings;
  auto first = create_sink(dir / "a.nii", make_header({4, 3, 2}, i16), quick(), warnings);
  save(dir / "a.nii", make_header({4, 3, 2}, i16), sample_voxels(), quick());
  first->write(Box::whole({4, 3, 2}), sample_voxels().data());
  CHECK_NOTHROW(first->commit());
}

TEST_CASE("a signal handler can remove the temporaries; a forked child does not own them") {
  const TempDir dir;
  const int status = status_of(start_child([&] {
    Warnings warnings;
    auto sink = create_sink(dir / "a.nii", make_header({4, 3, 2}, i16), quick(), warnings);
    const int child = status_of(start_child([&] {
      unlink_temporaries();
      return dir.names().size() == 1 ? 7 : 1;
    }));
    if (child != 7) return 2;
    std::signal(SIGTERM, [](int) {
      unlink_temporaries();
      _exit(43);
    });
    raise(SIGTERM);
    return 3;
  }));
  CHECK(status == 43);
  CHECK(dir.names().empty());
}

TEST_CASE("rows 71-72: an output may be its own input, a link to it, or hard-linked to it") {
  const TempDir dir;
  const auto negate_in_place = [&](const std::string& in, const std::string& out) {
    Warnings warnings;
    auto source = open_source(in, {}, warnings);
    auto sink = create_sink(out, make_header({4, 3, 2}, i16), quick(), warnings);
    for (int64_t z = 0; z < 2; ++z) {
      Bytes slab(24);
      source->read({{0, 0, z}, {4, 3, 1}}, slab.data());
      for (std::byte& b : slab) b = ~b;
      sink->write({{0, 0, z}, {4, 3, 1}}, slab.data());
    }
    sink->commit();
  };
  Bytes negated = sample_voxels();
  for (std::byte& b : negated) b = ~b;

  save(dir / "a.nii", make_header({4, 3, 2}, i16), sample_voxels(), quick());
  negate_in_place(dir / "a.nii", dir / "a.nii");
  CHECK(load(dir / "a.nii") == negated);

  save(dir / "b.nii", make_header({4, 3, 2}, i16), sample_voxels(), quick());
  fs::create_hard_link(dir / "b.nii", dir / "c.nii");
  negate_in_place(dir / "b.nii", dir / "c.nii");
  CHECK(load(dir / "b.nii") == sample_voxels());
  CHECK(load(dir / "c.nii") == negated);

  fs::create_directory(dir / "sub");
  fs::create_symlink("sub/target.nii", dir / "link.nii");
  negate_in_place(dir / "b.nii", dir / "link.nii");
  CHECK(fs::is_symlink(dir / "link.nii"));
  CHECK(load(dir / "sub/target.nii") == negated);
  negate_in_place(dir / "link.nii", dir / "link.nii");
  CHECK(fs::is_symlink(dir / "link.nii"));
  CHECK(load(dir / "link.nii") == sample_voxels());
}

TEST_CASE("rows 73-74: readers see one version while writers replace the file") {
  const TempDir dir;
  save(dir / "a.nii", constant_header(), constant_image(std::byte{1}), quick());
  const pid_t writer = start_child([&] {
    for (int i = 2; i < 60; ++i) save(dir / "a.nii", constant_header(), constant_image(static_cast<std::byte>(i)), quick());
    return 7;
  });
  for (int i = 0; i < 60; ++i) {
    const Bytes voxels = load(dir / "a.nii");
    REQUIRE(std::all_of(voxels.begin(), voxels.end(), [&](std::byte b) { return b == voxels[0]; }));
  }
  CHECK(status_of(writer) == 7);
}

TEST_CASE("permissions follow the umask") {
  const TempDir dir;
  const mode_t old = umask(027);
  save(dir / "a.nii", make_header({4, 3, 2}, i16), sample_voxels(), quick());
  umask(old);
  struct stat status{};
  REQUIRE(stat((dir / "a.nii").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
}

TEST_CASE("errors of the compressing threads reach the writer") {
  const TempDir dir;
  const int status = status_of(start_child([&] {
    SinkOptions options = quick();
    options.threads = 3;
    options.gzip_level = 0;
    rlimit limit{3'000'000, 3'000'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    const Outcome outcome =
        outcome_of([&] { save(dir / "a.nii.gz", make_header({100, 100, 1000}, u8), random_bytes(10'000'000, 1), options); });
    return outcome.failed && outcome.code == ErrorCode::file ? 7 : 1;
  }));
  CHECK(status == 7);
  CHECK(dir.names().empty());
}
