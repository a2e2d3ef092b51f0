// cli/fold.h: arithmetic of host numbers, so that `2 * 3` stays as weak as `6`.
#pragma once

#include <voxloom/ops/operand.h>

#include <span>

namespace voxloom::cli {

/// The row over host numbers alone, as a host number again: integers stay integers where Python's do, everything else is float64.
/// UserError at the column when an integer leaves 64 bits.
Operand fold(const OpInfo& row, std::span<const Operand> operands, int column);

}  // namespace voxloom::cli
