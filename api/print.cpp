// api/print.cpp: debugprint and pprint.
#include <voxloom/api/print.h>

#include <voxloom/api/function_impl.h>
#include <voxloom/api/print_marks.h>
#include <voxloom/graph/constant.h>
#include <voxloom/graph/op_info.h>
#include <voxloom/graph/print.h>

#include <array>
#include <unordered_map>

namespace voxloom {
namespace {

constexpr size_t longest_formula = size_t{1} << 16;

/// "A", "B", ..., "Z", "BA", ...
std::string letters(size_t number) {
  std::string text;
  do {
    text.insert(text.begin(), static_cast<char>('A' + number % 26));
    number /= 26;
  } while (number > 0);
  return text;
}

std::string attrs_text(const Node& node) {
  if (node.attrs().empty()) return {};
  std::string text = "{";
  for (const Attr& attr : node.attrs()) text += (text.size() > 1 ? ", " : "") + attr.key + "=" + attr_text(attr.value);
  return text + "}";
}

class TreePrinter {
 public:
  TreePrinter(const DebugPrintOptions& options, const detail::Marks* marks) : options_(options), marks_(marks) {}

  std::string text;

  // An explicit stack: expressions are deeper than it may be.
  void print(const Expr& root, const std::string& note) {
    std::vector<Item> stack = {{root.get(), 0, note}};
    while (!stack.empty()) {
      const Item item = stack.back();
      stack.pop_back();
      if (!line(item) || (options_.depth >= 0 && item.level + 1 >= options_.depth)) continue;
      for (size_t k = item.node->inputs().size(); k-- > 0;) stack.push_back({item.node->input(k).get(), item.level + 1, {}});
    }
  }

 private:
  struct Item {
    const Node* node;
    int level;
    std::string note;
  };

  /// False if the operands have been printed before, or there are none.
  bool line(const Item& item) {
    const auto [known, is_new] = ids_.try_emplace(item.node, ids_.size());
    for (int k = 0; k < std::min(item.level, 60); ++k) text += k + 1 < item.level ? " |" : " |";
    if (item.level > 60) text += "(" + std::to_string(item.level) + ")";
    text += detail::node_label(*item.node) + attrs_text(*item.node) + " [" + letters(known->second) + "]";
    if (options_.print_type) text += " <" + item.node->type().str() + ">";
    if (marks_) text += marks_->of(item.node);
    if (!item.note.empty()) text += " " + item.note;
    if (options_.print_origin && item.node->origin().value != 0) text += " at " + origin_text(item.node->origin());
    const bool more = !item.node->inputs().empty();
    text += !is_new && more ? " ...\n" : "\n";
    return is_new && more;
  }

  const DebugPrintOptions& options_;
  const detail::Marks* marks_;
  std::unordered_map<const Node*, size_t> ids_;
};

struct Infix {
  std::string_view op, symbol;
  int precedence;  // higher binds tighter
  bool unary = false;
};
constexpr std::array infixes = {Infix{"logical_or", "|", 1},    Infix{"bit_or", "|", 1},
                                Infix{"bit_xor", "^", 2},       Infix{"logical_and", "&", 3},
                                Infix{"bit_and", "&", 3},       Infix{"eq", "==", 4},
                                Infix{"ne", "!=", 4},           Infix{"lt", "<", 5},
                                Infix{"le", "<=", 5},           Infix{"gt", ">", 5},
                                Infix{"ge", ">=", 5},           Infix{"shl", "<<", 6},
                                Infix{"shr", ">>", 6},          Infix{"add", "+", 7},
                                Infix{"sub", "-", 7},           Infix{"mul", "*", 8},
                                Infix{"div", "/", 8},           Infix{"floordiv", "//", 8},
                                Infix{"mod", "%", 8},           Infix{"neg", "-", 9, true},
                                Infix{"bit_not", "~", 9, true}, Infix{"logical_not", "~", 9, true},
                                Infix{"pow", "**", 10}};

const Infix* infix_of(const Node& node) {
  for (const Infix& infix : infixes) {
    if (infix.op == node.op().name) return &infix;
  }
  return nullptr;
}

class FormulaPrinter {
 public:
  std::string text;

  // At most 64 levels deep.
  void print(const Node& node, int above, int level) {
    if (level > 64 || text.size() > longest_formula) {
      text += "...";
      return;
    }
    if (node.op().kind == OpKind::leaf) {
      text += detail::node_label(node);
      return;
    }
    // Casts, aligned axes and broadcasts are put in by the builders: the formula is what the user wrote.
    if (const std::string_view op = node.op().name; op == "dimshuffle" || op == "broadcast_to") return print(*node.input(0), above, level);
    const Infix* infix = infix_of(node);
    if (infix && node.inputs().size() == (infix->unary ? 1u : 2u)) return print_infix(*infix, node, above, level);
    text += std::string(node.op().name) + "(";
    for (size_t k = 0; k < node.inputs().size(); ++k) {
      if (k > 0) text += ", ";
      print(*node.input(k), 0, level + 1);
    }
    for (const Attr& attr : node.attrs()) text += ", " + attr.key + "=" + attr_text(attr.value);
    text += ")";
  }

 private:
  void print_infix(const Infix& infix, const Node& node, int above, int level) {
    const bool parenthesise = infix.precedence < above;
    if (parenthesise) text += "(";
    if (infix.unary) {
      text += infix.symbol;
      print(*node.input(0), infix.precedence, level + 1);
    } else {
      const bool right_first = infix.op == "pow";
      print(*node.input(0), infix.precedence + (right_first ? 1 : 0), level + 1);
      text += " " + std::string(infix.symbol) + " ";
      print(*node.input(1), infix.precedence + (right_first ? 0 : 1), level + 1);
    }
    if (parenthesise) text += ")";
  }
};

}  // namespace

std::string debugprint(const Expr& expression, const DebugPrintOptions& options) {
  if (!expression) fail_user(ErrorCode::usage, "debugprint", "the expression is empty");
  TreePrinter printer(options, nullptr);
  printer.print(expression, {});
  return printer.text;
}

std::string debugprint(const Function& function, const DebugPrintOptions& options) {
  const detail::Marks marks(FunctionAccess::impl(function));
  TreePrinter printer(options, &marks);
  for (size_t k = 0; k < function.graph().outputs().size(); ++k) printer.print(function.graph().outputs()[k], marks.of_output(k));
  return printer.text;
}

std::string pprint(const Expr& expression) {
  if (!expression) fail_user(ErrorCode::usage, "pprint", "the expression is empty");
  FormulaPrinter printer;
  printer.print(*expression, 0, 0);
  return printer.text;
}

}  // namespace voxloom
