// api/saved_function.cpp: the format of saved functions.
//
//   magic "VOXFUNC\n", version u32, flags u32 (0), bytes of the payload u64, BLAKE3 of the payload as 64 hexadecimal digits, payload
//   payload: name, mode, passes, inputs, outputs, shared variables, updates, the graph in its text form
// Numbers are little-endian, texts and lists start with their length. The hash is against rot, not against malice: everything is checked again.
#include <voxloom/api/saved_function.h>

#include <voxloom/api/byte_stream.h>
#include <voxloom/api/function_impl.h>
#include <voxloom/codegen/compiler.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/parse.h>
#include <voxloom/graph/print.h>
#include <voxloom/graph/substitute.h>
#include <voxloom/io/atomic_file.h>
#include <voxloom/io/diagnostics.h>
#include <voxloom/ops/host_op.h>
#include <voxloom/ops/table.h>

#include <algorithm>

namespace voxloom {
namespace {

using detail::ByteReader;
using detail::ByteWriter;

constexpr std::string_view magic = "VOXFUNC\n";
constexpr uint32_t version = 1;
constexpr size_t header_bytes = 8 + 4 + 4 + 8 + 64;
constexpr uint32_t most_items = 1000000;
constexpr size_t longest_graph = size_t{1} << 30;

enum InputFlag : uint8_t { is_mutable = 1, is_borrowed = 2, is_strict = 4, downcasts = 8, never_downcasts = 16, has_value = 32 };

// ---- writing ----

void write_texts(ByteWriter& out, const std::vector<std::string>& texts) {
  out.number(static_cast<uint32_t>(texts.size()));
  for (const std::string& text : texts) out.text(text);
}

void write_options(ByteWriter& out, const FunctionOptions& options) {
  out.text(options.name);
  out.text(options.mode->name);
  write_texts(out, options.mode->excluded);
  out.number(static_cast<uint8_t>((options.mode->nan_guard.nan ? 1 : 0) | (options.mode->nan_guard.inf ? 2 : 0) |
                                  (options.mode->nan_guard.raise ? 4 : 0)));
  out.number(options.mode->nan_guard.big);
  out.number(static_cast<uint8_t>((options.optimise ? 1 : 0) | (options.fuse ? 2 : 0) | (options.allow_input_downcast ? 4 : 0)));
  write_texts(out, options.optimizer_excluding);
  for (const std::optional<bool>& choice : {options.profile, options.allow_gc, options.strict_borrow}) {
    out.number(static_cast<uint8_t>(choice ? (*choice ? 2 : 1) : 0));
  }
}

void write_input(ByteWriter& out, const InOptions& in) {
  uint8_t flags = 0;
  if (in.mutable_) flags |= is_mutable;
  if (in.borrow) flags |= is_borrowed;
  if (in.strict) flags |= is_strict;
  if (in.allow_downcast) flags |= *in.allow_downcast ? downcasts : never_downcasts;
  if (in.value.defined()) flags |= has_value;
  out.text(in.name);
  out.number(flags);
  if (in.value.defined()) out.array(in.value);
}

/// The graph with a plain input in the place of each shared variable: their values stand beside it.
Graph without_shared(const Graph& graph) {
  std::vector<Expr> inputs(graph.inputs().begin(), graph.inputs().end());
  std::vector<Replacement> replacements;
  for (Expr& input : inputs) {
    if (is_input_leaf(*input)) continue;
    Expr plain = make_input(input->name(), input.type(), input->origin());
    replacements.emplace_back(input, plain);
    input = plain;
  }
  return Graph::make(inputs, substitute(graph.outputs(), replacements, "save_function"));
}

std::string payload_of(const Function::Impl& f, const std::vector<Shared>& shared) {
  ByteWriter out;
  write_options(out, f.options);
  out.number(static_cast<uint32_t>(f.ins.size()));
  for (const InOptions& in : f.ins) write_input(out, in);
  out.number(static_cast<uint32_t>(f.outs.size()));
  for (size_t k = 0; k < f.outs.size(); ++k) {
    out.text(f.names ? (*f.names)[k] : "");
    out.number(static_cast<uint8_t>(f.outs[k].borrow ? 1 : 0));
    out.number(static_cast<int32_t>(f.passed[k]));
  }
  out.number(static_cast<uint32_t>(f.shared.size()));
  out.number(static_cast<uint32_t>(shared.size()));
  std::vector<std::shared_ptr<const SharedValue>> holders;
  for (const Shared& s : shared) holders.push_back(s.value());
  std::vector<Array> values(shared.size());
  SharedValue::snapshot(holders, values.data());
  for (size_t k = 0; k < shared.size(); ++k) {
    out.text(shared[k].name());
    out.number(static_cast<uint8_t>(shared[k].value()->strict() ? 1 : 0));
    out.array(values[k]);
  }
  out.number(static_cast<uint32_t>(f.updated.size()));
  for (const auto& updated : f.updated) {
    const auto found = std::find_if(shared.begin(), shared.end(), [&](const Shared& s) { return s.value() == updated; });
    out.number(static_cast<uint32_t>(found - shared.begin()));
  }
  out.text(to_text(without_shared(f.written)));
  return std::move(out.bytes);
}

// ---- reading ----

std::vector<std::string> read_texts(ByteReader& in, std::string_view field) {
  std::vector<std::string> texts;
  const uint32_t count = in.count(field, 1000);
  for (uint32_t k = 0; k < count; ++k) texts.push_back(in.text(field));
  return texts;
}

uint8_t read_flags(ByteReader& in, std::string_view field, uint8_t known) {
  const auto flags = in.number<uint8_t>(field);
  if ((flags & ~known) != 0) in.fail(field, "are " + std::to_string(flags) + ", which holds unknown ones");
  return flags;
}

void read_options(ByteReader& in, FunctionOptions& options) {
  options.name = in.text("the name of the function");
  options.mode = Mode(in.text("the mode"));
  options.mode->excluded = read_texts(in, "the passes that the mode excludes");
  for (const std::string& pass : options.mode->excluded) check_pass_name(pass, "load_function");
  const uint8_t guard = read_flags(in, "the flags of the NaN guard", 7);
  options.mode->nan_guard = {
      .nan = (guard & 1) != 0, .inf = (guard & 2) != 0, .big = in.number<double>("the NaN guard"), .raise = (guard & 4) != 0};
  const uint8_t flags = read_flags(in, "the flags of the function", 7);
  options.optimise = (flags & 1) != 0;
  options.fuse = (flags & 2) != 0;
  options.allow_input_downcast = (flags & 4) != 0;
  options.optimizer_excluding = read_texts(in, "the excluded passes");
  for (std::optional<bool>* choice : {&options.profile, &options.allow_gc, &options.strict_borrow}) {
    const auto value = in.number<uint8_t>("an option of the function");
    if (value > 2) in.fail("an option of the function", "is " + std::to_string(value) + " (allowed: 0, 1, 2)");
    if (value > 0) *choice = value == 2;
  }
  options.on_unused_input = OnUnusedInput::ignore;
}

InOptions read_input(ByteReader& in) {
  InOptions options;
  options.name = in.text("the name of an input");
  const uint8_t flags = read_flags(in, "the flags of an input", 63);
  options.mutable_ = (flags & is_mutable) != 0;
  options.borrow = (flags & is_borrowed) != 0;
  options.strict = (flags & is_strict) != 0;
  if ((flags & (downcasts | never_downcasts)) != 0) options.allow_downcast = (flags & downcasts) != 0;
  if ((flags & has_value) != 0) options.value = in.array("the default value of an input");
  return options;
}

struct SavedOutput {
  std::string name;
  bool borrow = false;
  int32_t passed = -1;
};
struct SavedShared {
  std::string name;
  bool strict = false;
  Array value;
};

struct Saved {
  FunctionOptions options;
  std::vector<InOptions> inputs;
  std::vector<SavedOutput> outputs;
  uint32_t read = 0;  // shared variables that are arguments of the graph; the others are only updated
  std::vector<SavedShared> shared;
  std::vector<uint32_t> updates;
  std::string graph;
};

Saved read_payload(ByteReader& in) {
  Saved saved;
  read_options(in, saved.options);
  const uint32_t inputs = in.count("the number of inputs", most_items);
  for (uint32_t k = 0; k < inputs; ++k) saved.inputs.push_back(read_input(in));
  const uint32_t outputs = in.count("the number of outputs", most_items);
  for (uint32_t k = 0; k < outputs; ++k) {
    SavedOutput out{in.text("the name of an output"), in.flag("the borrow flag of an output"),
                    in.number<int32_t>("the input of an output")};
    if (out.passed < -1 || out.passed >= static_cast<int64_t>(inputs)) in.fail("the input of an output", "does not exist");
    saved.outputs.push_back(std::move(out));
  }
  saved.read = in.count("the number of shared variables that are read", most_items);
  const uint32_t shared = in.count("the number of shared variables", most_items);
  if (saved.read > shared) in.fail("the number of shared variables", "is less than that of those that are read");
  for (uint32_t k = 0; k < shared; ++k) {
    saved.shared.push_back({in.text("the name of a shared variable"), in.flag("the strict flag of a shared variable"),
                            in.array("the value of a shared variable")});
  }
  const uint32_t updates = in.count("the number of updates", shared);
  for (uint32_t k = 0; k < updates; ++k) {
    const auto variable = in.number<uint32_t>("an update");
    if (variable >= shared) in.fail("an update", "is of a shared variable that does not exist");
    saved.updates.push_back(variable);
  }
  saved.graph = in.text("the graph", longest_graph);
  if (in.left() != 0) in.fail("the end", "is followed by " + std::to_string(in.left()) + " bytes");
  return saved;
}

Shared make_shared_variable(const SavedShared& saved, Type type) {
  auto held = std::make_shared<SharedValue>(saved.value, saved.strict);
  return Shared(make_leaf(shared_op(), std::move(type), saved.name, held), held);
}

void check_shared(ByteReader& in, const SavedShared& saved, const Type& type) {
  if (saved.value.dtype() == type.dtype && saved.value.rank() == type.rank()) return;
  in.fail("the value of the shared variable " + saved.name, "is not of the graph's type " + type.str());
}

/// Rows of the table, and where it is allowed those of functions that this program has made.
OpLookup rows_for(const std::string& source, const LoadOptions& options) {
  return [&source, &options](std::string_view name) {
    const OpInfo* row = find_op(name);
    if (row != nullptr) return row;
    row = options.native_ops ? options.native_ops(name) : ops::find_host_row(name);
    if (row != nullptr && !options.allow_native_ops)
      fail_user(ErrorCode::bad_input, source,
                "the saved function runs " + std::string(name) + ", a host function of this program; allow_native_ops lets it");
    return row;
  };
}

Function build(ByteReader& in, Saved& saved, const OpLookup& rows) {
  const Graph graph = parse_graph(saved.graph, rows);
  const size_t own = saved.inputs.size();
  if (graph.inputs().size() != own + saved.read) in.fail("the number of inputs", "is not the graph's");
  std::vector<Replacement> replacements;
  std::vector<Shared> shared;
  for (size_t k = 0; k < saved.shared.size(); ++k) {
    const bool is_read = k < saved.read;
    Type type{.dtype = saved.shared[k].value.dtype()};
    if (is_read) type = graph.inputs()[own + k].type();
    else
      for (int axis = 0; axis < saved.shared[k].value.rank(); ++axis) type.shape.push_back(Dim::fresh());
    check_shared(in, saved.shared[k], type);
    shared.push_back(make_shared_variable(saved.shared[k], type));
    if (is_read) replacements.emplace_back(graph.inputs()[own + k], shared.back().expr());
  }
  std::vector<In> inputs;
  for (size_t k = 0; k < own; ++k) inputs.emplace_back(graph.inputs()[k], saved.inputs[k]);
  const std::vector<Expr> values = substitute(graph.outputs(), replacements, "load_function");
  std::vector<Out> outputs;
  size_t at = 0;
  for (const SavedOutput& out : saved.outputs) {
    if (out.passed < 0 && at >= values.size()) in.fail("the number of outputs", "is more than the graph's");
    const Expr value = out.passed >= 0 ? graph.inputs()[static_cast<size_t>(out.passed)] : values[at++];
    outputs.emplace_back(out.name, value, OutOptions{.borrow = out.borrow});
  }
  if (values.size() - at != saved.updates.size()) in.fail("the number of updates", "is not the graph's");
  for (const uint32_t variable : saved.updates) saved.options.updates.emplace_back(shared[variable], values[at++]);
  return function(std::move(inputs), std::move(outputs), saved.options);
}

}  // namespace

std::string save_function_bytes(const Function& function) {
  const std::string payload = payload_of(FunctionAccess::impl(function), function.shared());
  ByteWriter out;
  out.bytes = magic;
  out.number(version);
  out.number(uint32_t{0});
  out.number(static_cast<uint64_t>(payload.size()));
  out.bytes += codegen::blake3_hex(payload);
  out.bytes += payload;
  return std::move(out.bytes);
}

void save_function(const Function& function, const std::string& path) {
  const std::string bytes = save_function_bytes(function);
  io::AtomicFile file(path, {});
  file.write_at(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), 0);
  file.commit();
}

Function load_function_bytes(std::string_view bytes, const std::string& source, const LoadOptions& options) {
  ByteReader header(bytes, source);
  if (bytes.size() < header_bytes || header.raw(magic.size(), "the magic") != magic) header.fail("this", "is no saved function");
  const auto found = header.number<uint32_t>("the version");
  if (found != version) header.fail("the version", "is " + std::to_string(found) + ", this library reads " + std::to_string(version));
  if (header.number<uint32_t>("the flags") != 0) header.fail("the flags", "are not known");
  if (header.number<uint64_t>("the length") != bytes.size() - header_bytes) header.fail("the length", "is not that of the data");
  const std::string_view hash = header.raw(64, "the hash");
  const std::string_view payload = bytes.substr(header_bytes);
  if (codegen::blake3_hex(payload) != hash) header.fail("the content", "is damaged: its hash is another");
  ByteReader in(payload, source);
  try {
    Saved saved = read_payload(in);
    return build(in, saved, rows_for(source, options));
  } catch (const RuntimeError&) {
    throw;  // the machine, not the bytes
  } catch (const Error& error) {
    const std::string text = error.what();
    if (error.code() == ErrorCode::bad_input) throw;
    fail_user(ErrorCode::bad_input, source, "the saved function is damaged: " + text);
  }
}

Function load_function(const std::string& path, const LoadOptions& options) {
  const io::File file = io::File::open_read(path);
  std::string bytes(static_cast<size_t>(file.size()), '\0');
  file.read_at(reinterpret_cast<std::byte*>(bytes.data()), bytes.size(), 0);
  return load_function_bytes(bytes, io::printable_path(path), options);
}

}  // namespace voxloom
