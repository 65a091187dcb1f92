// Strips: a matrix product and what is done with its rows, block by block of rows, so that what one
// step leaves for another stays in the cache of the thread that made it.
#pragma once
#include "codegen/schedule.hpp"

namespace fluxion::codegen {

struct Strip {
  /// Where a buffer of a part lies for the block that begins with row `i` of matrix `b`.
  struct Place {
    bool local = false;     // in the thread's own memory, which holds one block
    std::size_t index = 0;  // of the step's inputs and outputs; or the offset in that memory
    std::int64_t matrix_bytes = 0, row_bytes = 0;  // added for each matrix and row before the block
  };
  struct Part {
    std::int32_t kernel = -1;
    detail::Ref<PreparedLeaf> leaf, last;  // of a product: for a block, for the last of a matrix
    std::size_t scratch = 0;               // of a product: in the thread's memory
    std::int64_t matrix_rows = 1;          // of a product
    // Of a kernel: in a matrix, in a block, in the last block of a matrix.
    std::int64_t matrix_units = 0, units = 0, last_units = 0;
    std::vector<Place> places;  // of inputs and outputs
  };
  std::int64_t matrices = 1, rows = 0;  // of each matrix, which is cut into blocks
  std::int64_t block = 0;               // rows; the last block of a matrix may be smaller
  int threads = 1;
  std::size_t thread_bytes = 0;
  std::vector<Part> parts;
  std::vector<Step> steps;  // that the parts were; values that only they need have no bytes

  std::int64_t blocks_of_matrix() const { return (rows + block - 1) / block; }
};

/// What strips need to know of a step.
struct StepFacts {
  const MatmulSpec* product = nullptr;  // of a library's product
  const Cut* cut = nullptr;             // null: a copy
};

/// Joins steps of a schedule whose memory is not planned yet into strips. `facts` are those of the
/// steps, before and after. In a program that is repeated, products of few rows and the kernels
/// before them are joined, too.
void form_strips(Schedule&, std::vector<StepFacts>& facts, Constants);

}  // namespace fluxion::codegen
