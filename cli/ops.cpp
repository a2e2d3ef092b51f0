// cli/ops.cpp: `voxloom ops`: the operations of the expression language.
#include <voxloom/cli/commands.h>

#include <voxloom/cli/expression.h>
#include <voxloom/cli/functions.h>
#include <voxloom/cli/terminal.h>
#include <voxloom/graph/nearest.h>
#include <voxloom/io/diagnostics.h>
#include <voxloom/ops/docs.h>
#include <voxloom/ops/table.h>

#include <fmt/format.h>

namespace voxloom::cli {
namespace {

std::string joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

std::string all_text() {
  std::string text;
  std::string_view family;
  for (const OpInfo* row : all_ops()) {
    if (family != row->family) text += fmt::format("{}{}\n", family.empty() ? "" : "\n", row->family);
    family = row->family;
    text += fmt::format("  {:16} {}\n", row->name, row->doc);
  }
  text += "\nother names and functions of several operations\n ";
  for (const std::string& name : function_names()) {
    if (!find_op(name)) text += " " + name;
  }
  return text + "\n";
}

/// What a user may type for a function: exp, np.exp, numpy.exp, and ** and the other operators.
std::string name_of_subject(std::string_view subject) {
  for (const std::string_view prefix : {"np.", "numpy."}) {
    if (subject.starts_with(prefix)) subject.remove_prefix(prefix.size());
  }
  const OpInfo* row = operator_row(subject);
  return std::string(row ? row->name : subject);
}

std::string row_text(const OpInfo& row, const std::string& called) {
  const std::string usage = signature(called);
  std::string text = fmt::format("{}  ({})\n", usage.empty() ? row.name : usage, row.family);
  const std::string_view doc = function_doc(called);
  text += fmt::format("  {}\n", doc.empty() ? row.doc : doc);
  if (*row.domain) text += fmt::format("  {}\n", row.domain);
  const auto names = aliases_of(row);
  if (!names.empty()) text += "  also called: " + joined(names) + "\n";
  std::string algebra;
  const auto add = [&](bool flag, std::string_view word) { algebra += flag ? (algebra.empty() ? "" : ", ") + std::string(word) : ""; };
  add(row.flags.commutative, "commutative");
  add(row.flags.associative, "associative");
  add(row.flags.idempotent, "idempotent");
  add(*row.identity != 0, std::string("neutral ") + row.identity);
  add(*row.absorbing != 0, std::string("absorbing ") + row.absorbing);
  if (!algebra.empty()) text += "  " + algebra + "\n";
  return text;
}

}  // namespace

void ops(const Options& options) {
  if (options.markdown) return print(ops_markdown());
  if (options.subject.empty()) return print(all_text());
  const std::string name = name_of_subject(options.subject);
  if (const OpInfo* row = find_function(name); row && row->kind != OpKind::leaf) return print(row_text(*row, name));
  if (is_function(name)) return print(fmt::format("{}  (built from several operations)\n  {}\n", signature(name), function_doc(name)));
  fail_user(ErrorCode::usage, "ops",
            "unknown operation '" + io::escape_text(options.subject) + "'" + did_you_mean(options.subject, function_names()));
}

}  // namespace voxloom::cli
