// cli/functions.h: the closed table of functions of the expression language.
#pragma once

#include <voxloom/cli/value.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace voxloom::cli {

/// Whether calls of that name are understood.
bool is_function(std::string_view name);
/// Names for messages and listings: rows of the op table, their aliases, and what is built from several rows.
const std::vector<std::string>& function_names();
/// "std(a, axis=None, keepdims=False, dtype=None, acc_dtype=None, ddof=0)": how a function is called; empty for unknown names.
std::string signature(std::string_view name);
/// What a function that is no row of the op table does; empty for rows.
std::string_view function_doc(std::string_view name);
/// The value of a call; UserError at its column for wrong arguments.
Value call_function(Call& call);
/// A row on operands at a column: host numbers alone give a host number.
Value apply_row(const OpInfo& row, std::span<const Operand> operands, int column);
/// The dtype that a word names ("float32", "f32", and Python's int, float, bool); nothing for other words.
std::optional<DType> dtype_word(std::string_view word);

}  // namespace voxloom::cli
