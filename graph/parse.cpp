// graph/parse.cpp: reads the text form of graphs.
#include <voxloom/graph/parse.h>

#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/graph/literal.h>

#include <cstring>
#include <unordered_map>

namespace voxloom {
namespace {

constexpr size_t max_nodes = 1000000;

class GraphParser {
 public:
  GraphParser(std::string_view text, const OpLookup& lookup, const PayloadReader& read_payload)
      : lexer_(text, "graph text"), lookup_(lookup), read_payload_(read_payload) {}

  Graph whole_text() {
    if (!lexer_.take_word("graph")) lexer_.fail("expected \"graph {\"");
    Graph graph = body(0);
    if (!lexer_.at_end()) lexer_.fail("expected the end of the text");
    return graph;
  }

 private:
  using Scope = std::unordered_map<std::string, Expr>;

  // What stands between the op's name and the type; the type decides what the literal means, so that is read twice.
  struct Line {
    size_t start = 0;
    const OpInfo* op = nullptr;
    std::vector<Expr> inputs;
    std::string name;
    bool has_payload_text = false;
    std::string payload_text;
    size_t literal = 0;
    Attrs attrs;
  };

  Graph body(int depth) {
    if (depth > max_graph_nesting) lexer_.fail("sub-graphs are nested more than 64 levels deep");
    const size_t start = lexer_.position();
    lexer_.expect('{');
    Scope scope;
    std::vector<Expr> inputs;
    while (lexer_.peek() == '%') {
      if (++nodes_ > max_nodes) lexer_.fail("more than 1000000 nodes");
      lexer_.skip_blanks();
      const size_t at = lexer_.position();
      const std::string label = read_label();
      Expr node = definition(scope, depth);
      if (is_input_leaf(*node)) inputs.push_back(node);
      if (!scope.emplace(label, std::move(node)).second) lexer_.fail_at(at, "%" + label + " is defined twice");
    }
    if (!lexer_.take_word("return")) lexer_.fail("expected a node (\"%...\") or \"return\"");
    std::vector<Expr> outputs;
    if (lexer_.peek() == '%') {
      do outputs.push_back(reference(scope));
      while (lexer_.take(','));
    }
    lexer_.expect('}');
    return guarded(start, [&] { return Graph::make(std::move(inputs), std::move(outputs)); });
  }

  std::string read_label() {
    lexer_.expect('%');
    return std::string(lexer_.word());
  }

  Expr reference(const Scope& scope) {
    lexer_.skip_blanks();
    const size_t start = lexer_.position();
    const std::string label = read_label();
    const auto found = scope.find(label);
    if (found == scope.end()) lexer_.fail_at(start, "%" + label + " is not defined above");
    return found->second;
  }

  Expr definition(const Scope& scope, int depth) {
    lexer_.expect('=');
    lexer_.skip_blanks();
    Line line;
    line.start = lexer_.position();
    const std::string_view op_name = lexer_.identifier();
    line.op = lookup_(op_name);
    if (line.op == nullptr) lexer_.fail_at(line.start, "unknown op " + quoted(op_name));
    if (line.op->kind == OpKind::leaf) {
      read_leaf(line);
    } else {
      lexer_.expect('(');
      if (lexer_.peek() != ')') {
        do line.inputs.push_back(reference(scope));
        while (lexer_.take(','));
      }
      lexer_.expect(')');
    }
    if (lexer_.take('{')) read_attrs(line.attrs, depth);
    if (line.op->kind != OpKind::leaf && lexer_.peek() == '"') line.name = lexer_.string();
    lexer_.expect(':');
    lexer_.skip_blanks();
    const size_t type_at = lexer_.position();
    const Type type = parse_type(lexer_);
    return line.op->kind == OpKind::leaf ? make_leaf_of(line, type) : make_node_of(line, type, type_at);
  }

  void read_leaf(Line& line) {
    if (lexer_.peek() == '"') line.name = lexer_.string();
    if (line.op == &constant_op()) {
      line.literal = lexer_.position();
      skip_literal();
    } else if (lexer_.take_word("from")) {
      line.has_payload_text = true;
      line.payload_text = lexer_.string();
    }
  }

  void skip_literal() {
    if (lexer_.take_word("hex")) {
      lexer_.word();
      return;
    }
    int open = 0;
    do {
      if (lexer_.take('[') || lexer_.take('(')) {
        ++open;
      } else if (lexer_.take(']') || lexer_.take(')')) {
        --open;
      } else if (!lexer_.take(',')) {
        lexer_.word();
      }
    } while (open > 0);
  }

  Expr make_leaf_of(Line& line, const Type& type) {
    std::shared_ptr<const Payload> payload;
    if (line.op == &constant_op()) payload = constant_payload(line.literal, type);
    if (line.op == &size_op()) {
      if (!(type == Type{DType::i64, {}, Order::C, {}})) lexer_.fail_at(line.start, "a size is an i64[]");
      payload = guarded(line.start, [&] { return std::make_shared<const SizePayload>(Dim::parse(line.payload_text)); });
    } else if (line.has_payload_text) {
      if (!read_payload_)
        lexer_.fail_at(line.start, std::string("a leaf of kind ") + line.op->name + " cannot be read here: its content is not in the text");
      payload = guarded(line.start, [&] { return read_payload_(*line.op, line.name, line.payload_text, type); });
      if (payload == nullptr) lexer_.fail_at(line.start, "the content of " + quoted(line.name) + " is missing");
    }
    return guarded(line.start, [&] { return make_leaf(*line.op, type, line.name, std::move(payload), {}, std::move(line.attrs)); });
  }

  Expr make_node_of(Line& line, const Type& type, size_t type_at) {
    Expr node = guarded(line.start, [&] { return make_node(*line.op, std::move(line.inputs), std::move(line.attrs)); });
    if (!(node.type() == type)) lexer_.fail_at(type_at, "the type is " + node.type().str() + ", but the text says " + type.str());
    return line.name.empty() ? node : with_name(*node, line.name);
  }

  std::shared_ptr<const Payload> constant_payload(size_t at, const Type& type) {
    Lexer data = lexer_.at_position(at);
    std::vector<int64_t> shape;
    int64_t count = 1;
    for (const Dim& d : type.shape) {
      if (!d.is_constant() || d.constant() < 0) data.fail_at(at, "a constant has sizes that are numbers");
      shape.push_back(d.constant());
      if (__builtin_mul_overflow(count, d.constant(), &count)) data.fail_at(at, "the constant is too large");
    }
    std::vector<std::byte> bytes;
    if (data.take_word("hex")) {
      read_hex(data, bytes);
    } else if (type.shape.empty()) {
      read_element(data, type.dtype, bytes);
    } else {
      data.expect('[');
      while (data.peek() != ']') {
        if (!bytes.empty()) data.expect(',');
        read_element(data, type.dtype, bytes);
      }
    }
    int64_t wanted = 0;
    if (__builtin_mul_overflow(count, static_cast<int64_t>(size_of(type.dtype)), &wanted) || static_cast<size_t>(wanted) != bytes.size()) {
      data.fail_at(at, "the constant holds " + std::to_string(bytes.size() / size_of(type.dtype)) + " elements, its type " + type.str() +
                           " wants " + std::to_string(count));
    }
    return std::make_shared<const ConstantPayload>(type.dtype, std::move(shape), std::move(bytes));
  }

  static void read_element(Lexer& data, DType dtype, std::vector<std::byte>& bytes) {
    const DType part = real_part_of(dtype);
    const auto append = [&] {
      const uint64_t bits = parse_literal(data, part);
      const size_t at = bytes.size();
      bytes.resize(at + size_of(part));
      std::memcpy(bytes.data() + at, &bits, size_of(part));
    };
    if (!is_complex(dtype)) return append();
    data.expect('(');
    append();
    data.expect(',');
    append();
    data.expect(')');
  }

  static void read_hex(Lexer& data, std::vector<std::byte>& bytes) {
    const size_t start = data.position();
    const std::string_view digits = data.word();
    const auto value = [&](char c) {
      if (c >= '0' && c <= '9') return c - '0';
      if (c >= 'a' && c <= 'f') return c - 'a' + 10;
      data.fail_at(start, "expected lower-case hexadecimal digits");
    };
    if (digits.size() % 2 != 0) data.fail_at(start, "expected two hexadecimal digits for each byte");
    bytes.reserve(digits.size() / 2);
    for (size_t k = 0; k < digits.size(); k += 2) bytes.push_back(static_cast<std::byte>(value(digits[k]) * 16 + value(digits[k + 1])));
  }

  void read_attrs(Attrs& attrs, int depth) {
    while (lexer_.peek() != '}') {
      if (!attrs.empty()) lexer_.expect(',');
      lexer_.skip_blanks();
      const size_t start = lexer_.position();
      Attr attr{lexer_.identifier_or_string(), int64_t{0}};
      for (const Attr& earlier : attrs) {
        if (earlier.key == attr.key) lexer_.fail_at(start, "the attribute " + quoted(attr.key) + " is given twice");
      }
      if (attrs.size() >= 64) lexer_.fail("more than 64 attributes");
      lexer_.expect('=');
      attr.value = attr_value(depth);
      attrs.push_back(std::move(attr));
    }
    lexer_.expect('}');
  }

  AttrValue attr_value(int depth) {
    if (lexer_.peek() == '"') return lexer_.string();
    if (lexer_.take('[')) {
      std::vector<int64_t> values;
      while (lexer_.peek() != ']') {
        if (!values.empty()) lexer_.expect(',');
        values.push_back(lexer_.integer());
      }
      lexer_.expect(']');
      return values;
    }
    if (lexer_.take_word("dims")) return dims();
    if (lexer_.take_word("graph")) return std::make_shared<const Graph>(body(depth + 1));
    if (lexer_.take_word("true")) return true;
    if (lexer_.take_word("false")) return false;
    lexer_.skip_blanks();
    const size_t start = lexer_.position();
    const std::string_view word = lexer_.word();
    if (const auto dtype = is_identifier(word) ? dtype_from_name(word) : std::nullopt) return *dtype;
    Lexer again = lexer_.at_position(start);
    if (word.find_first_of(".en") != std::string_view::npos) return std::bit_cast<double>(parse_literal(again, DType::f64));
    return static_cast<int64_t>(parse_literal(again, DType::i64));
  }

  AttrValue dims() {
    std::vector<Dim> values;
    lexer_.expect('[');
    while (lexer_.peek() != ']') {
      if (!values.empty()) lexer_.expect(',');
      values.push_back(parse_dim(lexer_));
    }
    lexer_.expect(']');
    return values;
  }

  // Refusals of rows and of Graph::make get the position in the text. A row may also find attributes that no builder would make,
  // which is the text's fault here and not a bug.
  template <class Make> auto guarded(size_t position, Make make) -> decltype(make()) {
    try {
      return make();
    } catch (const Error& error) { lexer_.fail_at(position, error.what()); }
  }

  Lexer lexer_;
  const OpLookup& lookup_;
  const PayloadReader& read_payload_;
  size_t nodes_ = 0;
};

}  // namespace

Graph parse_graph(std::string_view text, const OpLookup& lookup, const PayloadReader& read_payload) {
  return GraphParser(text, lookup, read_payload).whole_text();
}

}  // namespace voxloom
