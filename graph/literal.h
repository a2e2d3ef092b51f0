// graph/literal.h: single values as exact text. Internal: the text form of graphs and reports use it.
#pragma once

#include <voxloom/graph/dtype.h>
#include <voxloom/graph/lexer.h>

#include <cstdint>
#include <string>

namespace voxloom {

/// The value with these bits: the shortest decimal that reads back as the same bits, "inf", "-inf", "nan" for the quiet NaN without a
/// payload, "nan_<hex bits>" for others, "true", "false". Real dtypes only.
VOXLOOM_API std::string literal_text(DType dtype, uint64_t bits);
/// Reads what literal_text() writes.
VOXLOOM_API uint64_t parse_literal(Lexer& lexer, DType dtype);

}  // namespace voxloom
