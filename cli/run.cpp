// cli/run.cpp: `voxloom run`: a graph in text form over the arrays of an .npz file, so that other programs can check results.
#include <voxloom/cli/commands.h>

#include <voxloom/api/function.h>
#include <voxloom/cli/signals.h>
#include <voxloom/graph/parse.h>
#include <voxloom/io/npy.h>
#include <voxloom/ops/table.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace voxloom::cli {
namespace {

constexpr std::streamsize longest_graph = std::streamsize{256} << 20;

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) io::fail_os(path, "open", errno);
  std::string text;
  char block[1 << 16];
  while (file.read(block, sizeof block) || file.gcount() > 0) {
    text.append(block, static_cast<size_t>(file.gcount()));
    if (static_cast<std::streamsize>(text.size()) > longest_graph)
      fail_user(ErrorCode::limit, io::printable_path(path), "a graph of more than 256 MiB");
  }
  if (file.bad()) io::fail_os(path, "read", errno);
  return text;
}

Array array_of(const io::NpyArray& stored) {
  Dims shape;
  for (const int64_t n : stored.shape) shape.push_back(n);
  Array array = Array::empty(shape, stored.dtype, stored.fortran ? Order::F : Order::C);
  if (!stored.data.empty()) std::memcpy(array.raw(), stored.data.data(), stored.data.size());
  return array;
}

io::NpyArray stored_of(const Array& array) {
  io::NpyArray stored;
  stored.dtype = array.dtype();
  for (const int64_t n : array.shape()) stored.shape.push_back(n);
  stored.fortran = array.rank() > 1 && array.is_f_contiguous() && !array.is_c_contiguous();
  const Array dense = array.copy(stored.fortran ? Order::F : Order::C);
  stored.data.assign(dense.raw(), dense.raw() + dense.bytes());
  return stored;
}

}  // namespace

void run_graph(const Options& options) {
  const Graph graph = parse_graph(read_text(options.subject), find_op);
  const std::vector<io::NamedNpyArray> members = io::read_npz(options.images.at(0));
  std::vector<Array> arguments;
  for (const Expr& input : graph.inputs()) {
    const io::NamedNpyArray* found = nullptr;
    for (const io::NamedNpyArray& member : members) found = member.name == input->name() ? &member : found;
    if (!found)
      fail_user(ErrorCode::usage, io::printable_path(options.images[0]),
                "has no array '" + io::escape_text(input->name()) + "', which the graph takes");
    arguments.push_back(array_of(found->array));
  }
  const CancelScope scope;
  const Function function = compile(graph, {.name = "run", .target = options.target});
  const std::vector<Array> results =
      function.call(arguments, {.cancel = scope.token(), .threads = options.threads, .memory = options.memory});
  std::vector<io::NamedNpyArray> outputs;
  for (size_t k = 0; k < results.size(); ++k) outputs.push_back({"out" + std::to_string(k), stored_of(results[k])});
  io::write_npz(options.output, outputs);
}

}  // namespace voxloom::cli
