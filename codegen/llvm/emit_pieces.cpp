// Loops in order over rows that are lanes: memory is read and written in pieces of rows, which are
// transposed in registers, so that no lane is gathered by itself.
#include "codegen/llvm/emitter.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>

namespace fluxion::codegen {

using kernel::Access;
using kernel::Instruction;
using kernel::Loop;
using kernel::Verb;
using llvm::Type;
using llvm::Value;

namespace {

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

constexpr int least_piece = 4;

/// How many steps a piece has: never more than lanes, so that pieces of several rows may share a
/// vector.
int piece_steps(int lanes, std::int64_t extent) {
  int steps = lanes;
  while (steps > extent) steps /= 2;
  return steps;
}

}  // namespace

/// Lanes from the first on that are active, where that is known; -1 otherwise.
int PhaseEmitter::known_lanes() const {
  if (!lanes_.mask) return lanes_.width;
  const auto* bits = llvm::dyn_cast<llvm::Constant>(lanes_.mask);
  if (!bits) return -1;
  int first = 0;
  for (int lane = 0; lane < lanes_.width; ++lane) {
    const auto* bit = bits->getAggregateElement(static_cast<unsigned>(lane));
    if (!bit || !llvm::isa<llvm::ConstantInt>(bit)) return -1;
    if (!bit->isOneValue()) continue;
    if (first != lane) return -1;
    ++first;
  }
  return first;
}

bool PhaseEmitter::in_pieces(std::int32_t number) const {
  if (!mapping_.loops[at(number)].pieces || lanes_.variable < 0 || known_lanes() < 1) return false;
  const std::int64_t extent = kernel_.variables[at(kernel_.loops[at(number)].variables[0])].extent;
  return piece_steps(lanes_.width, extent) >= least_piece;
}

/// `rows` holds in vector i the rows i, i + n, i + 2 n, ... one after the other, n elements of each
/// (n: how many vectors). Becomes the columns: vector s has element s of every row. Its own
/// inverse.
void PhaseEmitter::transpose(std::vector<Value*>& rows) const {
  const int width = lanes_.width, count = static_cast<int>(rows.size());
  for (int bit = 1; bit < count; bit *= 2) {
    llvm::SmallVector<int> low, high;
    for (int lane = 0; lane < width; ++lane) {
      low.push_back((lane & bit) == 0 ? lane : width + (lane ^ bit));
      high.push_back((lane & bit) == 0 ? lane ^ bit : width + lane);
    }
    for (int k = 0; k < count; ++k) {
      if (k & bit) continue;
      Value *a = rows[static_cast<std::size_t>(k)], *b = rows[static_cast<std::size_t>(k | bit)];
      rows[static_cast<std::size_t>(k)] = b_.CreateShuffleVector(a, b, low);
      rows[static_cast<std::size_t>(k | bit)] = b_.CreateShuffleVector(a, b, high);
    }
  }
}

/// Where the `steps` elements of a lane's row begin that the next steps visit.
Value* PhaseEmitter::piece_of_row(const RowAccess& row, int lane, int steps) {
  const Access& access = kernel_.accesses[kernel_.instructions[at(row.instruction)].bits];
  const Address where = address(access);
  const std::int64_t first = where.step * lane - (row.reversed ? steps - 1 : 0);
  return pointer(access, b_.CreateAdd(where.base, number(first)));
}

std::vector<Value*> PhaseEmitter::load_pieces(const RowAccess& row, int steps) {
  const Access& access = kernel_.accesses[kernel_.instructions[at(row.instruction)].bits];
  const DType dtype = kernel_.buffers[at(access.buffer)].dtype;
  const auto align = llvm::Align(static_cast<std::uint64_t>(kernel::bytes_of(dtype)));
  Type* const piece =
      llvm::FixedVectorType::get(memory_type_of(dtype), static_cast<unsigned>(steps));
  const int lanes = known_lanes();
  std::vector<Value*> rows;
  for (int k = 0; k < steps; ++k) {
    Value* together = llvm::Constant::getNullValue(wide(memory_type_of(dtype)));
    for (int lane = k; lane < lanes; lane += steps) {
      Value* one = b_.CreateAlignedLoad(piece, piece_of_row(row, lane, steps), align);
      together = with_part(together, one, lane - k);
    }
    rows.push_back(together);
  }
  transpose(rows);
  if (row.reversed) std::reverse(rows.begin(), rows.end());
  return rows;
}

void PhaseEmitter::store_pieces(const RowAccess& row, std::vector<Value*> columns) {
  const Access& access = kernel_.accesses[kernel_.instructions[at(row.instruction)].bits];
  const DType dtype = kernel_.buffers[at(access.buffer)].dtype;
  const auto align = llvm::Align(static_cast<std::uint64_t>(kernel::bytes_of(dtype)));
  const int steps = static_cast<int>(columns.size()), lanes = known_lanes();
  if (row.reversed) std::reverse(columns.begin(), columns.end());
  transpose(columns);
  for (int k = 0; k < steps; ++k)
    for (int lane = k; lane < lanes; lane += steps)
      b_.CreateAlignedStore(part_of(columns[static_cast<std::size_t>(k)], lane - k, steps),
                            piece_of_row(row, lane, steps),
                            align);
}

/// Pieces wait on the stack, a vector for each step, while the steps run.
void PhaseEmitter::serial_in_pieces(std::int32_t number) {
  const Loop& l = kernel_.loops[at(number)];
  const std::int32_t variable = l.variables[0];
  const std::int64_t extent = kernel_.variables[at(variable)].extent;
  const int steps = piece_steps(lanes_.width, extent);
  const std::int64_t whole = extent - extent % steps;
  const std::vector<bool> vary = carry_varies(number);
  const std::vector<RowAccess> rows = row_accesses(kernel_, number, lanes_.variable);
  std::vector<Value*> waiting;
  const auto column_type = [&](std::size_t k) {
    const Instruction& i = kernel_.instructions[at(rows[k].instruction)];
    return wide(memory_type_of(kernel_.buffers[at(kernel_.accesses[i.bits].buffer)].dtype));
  };
  const auto is_load = [&](std::size_t k) {
    return kernel_.instructions[at(rows[k].instruction)].verb == Verb::load;
  };
  for (std::size_t k = 0; k < rows.size(); ++k) waiting.push_back(stack(column_type(k), steps));
  const auto slot = [&](std::size_t k, Value* step) {
    return b_.CreateGEP(column_type(k), waiting[k], step);
  };
  const auto step = [&](std::vector<Value*> state) {
    set_carries(number, state);
    block(l.body);
    return elements(l, vary);
  };
  const auto step_of_piece = [&](Value* s, std::vector<Value*> state) {
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const Instruction& i = kernel_.instructions[at(rows[k].instruction)];
      preset_[at(rows[k].instruction)] = true;
      if (is_load(k))
        results_[at(rows[k].instruction)] = {
            nullptr, 0, from_memory(i.type, b_.CreateLoad(column_type(k), slot(k, s)))};
    }
    state = step(std::move(state));
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const Instruction& i = kernel_.instructions[at(rows[k].instruction)];
      if (is_load(k)) continue;
      const DType type = kernel_.buffers[at(kernel_.accesses[i.bits].buffer)].dtype;
      b_.CreateStore(to_memory(type, vector(i.a)), slot(k, s));
    }
    for (const RowAccess& row : rows) preset_[at(row.instruction)] = false;
    return state;
  };
  const auto piece = [&](Value* first, std::vector<Value*> state) {
    variables_[at(variable)] = first;
    for (std::size_t k = 0; k < rows.size(); ++k) {
      if (!is_load(k)) continue;
      const std::vector<Value*> columns = load_pieces(rows[k], steps);
      for (int s = 0; s < steps; ++s)
        b_.CreateStore(columns[static_cast<std::size_t>(s)], slot(k, this->number(s)));
    }
    state = counted(this->number(0),
                    this->number(steps),
                    this->number(1),
                    std::move(state),
                    true,
                    [&](Value* s, std::vector<Value*> inside) {
                      variables_[at(variable)] = b_.CreateAdd(first, s);
                      return step_of_piece(s, std::move(inside));
                    });
    variables_[at(variable)] = first;
    for (std::size_t k = 0; k < rows.size(); ++k) {
      if (is_load(k)) continue;
      std::vector<Value*> columns;
      for (int s = 0; s < steps; ++s)
        columns.push_back(b_.CreateLoad(column_type(k), slot(k, this->number(s))));
      store_pieces(rows[k], std::move(columns));
    }
    return state;
  };
  std::vector<Value*> state = counted(
      this->number(0), this->number(whole), this->number(steps), initial(l, vary), true, piece);
  if (whole < extent)
    state = counted(this->number(whole),
                    this->number(extent),
                    this->number(1),
                    std::move(state),
                    true,
                    [&](Value* index, std::vector<Value*> inside) {
                      variables_[at(variable)] = index;
                      return step(std::move(inside));
                    });
  set_results(number, state);
}

}  // namespace fluxion::codegen
