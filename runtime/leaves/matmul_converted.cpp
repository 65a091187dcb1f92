// Products of 16-bit floats where no library has them: in float32, between conversions.
#include "codegen/vectors/lane_functions.hpp"
#include "runtime/leaves/leaves.hpp"
#include "runtime/thread_pool.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace fluxion::runtime {
namespace {

using codegen::LaneFunction;
using std::int64_t;

// Smaller products convert where they compute.
constexpr int64_t least_work = int64_t{1} << 19;

/// Matrices as the program has them, and dense in float32: whole lines, which are rows, or columns
/// if these are dense.
struct Matrices {
  int64_t count, lines, length;    // a repeated matrix counts once
  int64_t matrix_step, line_step;  // as the program has them
  int64_t dense[3];                // strides in float32

  Matrices(int64_t batch, int64_t rows, int64_t columns, const int64_t (&strides)[3])
      : count(strides[0] == 0 ? 1 : batch), matrix_step(strides[0]) {
    const bool by_rows = strides[2] == 1;
    lines = by_rows ? rows : columns;
    length = by_rows ? columns : rows;
    line_step = strides[by_rows ? 1 : 2];
    dense[0] = strides[0] == 0 ? 0 : rows * columns;
    dense[1] = by_rows ? columns : 1;
    dense[2] = by_rows ? 1 : rows;
  }
  static bool has_lines(const int64_t (&strides)[3]) { return strides[1] == 1 || strides[2] == 1; }
  std::size_t bytes() const {
    return rounded_to_line(static_cast<std::size_t>(count * lines * length) * 4);
  }
  /// Calls f(number of an element in the program's array, in the dense one) for every line.
  template <class F> void each_line(const F& f) const {
    const int64_t grain = std::max<int64_t>(1, 4096 / length);
    parallel_for(count * lines, grain, [&](int64_t begin, int64_t end) {
      for (int64_t line = begin; line < end; ++line)
        f(line / lines * matrix_step + line % lines * line_step, line * length);
    });
  }
};

class ConvertedMatmul final : public codegen::PreparedLeaf {
 public:
  explicit ConvertedMatmul(const MatmulSpec& s)
      : a_(s.batch, s.m, s.k, s.a_strides),
        b_(s.batch, s.k, s.n, s.b_strides),
        c_(s.batch, s.m, s.n, s.c_strides),
        widen_(codegen::lane_function(kernel::Verb::convert, float32, s.dtype)),
        narrow_(s.result == float32
                    ? nullptr
                    : codegen::lane_function(kernel::Verb::convert, s.result, float32)),
        dtype_(s.dtype) {}

  bool prepare(const MatmulSpec& given, codegen::Share share) {
    if (!widen_ || (given.result != float32 && !narrow_)) return false;
    MatmulSpec s = given;
    s.dtype = s.result = float32;
    std::copy_n(a_.dense, 3, s.a_strides);
    std::copy_n(b_.dense, 3, s.b_strides);
    if (narrow_) std::copy_n(c_.dense, 3, s.c_strides);
    product_ = prepare_matmul(s, share);
    if (!product_) return false;
    scratch_bytes_ =
        a_.bytes() + b_.bytes() + (narrow_ ? c_.bytes() : 0) + product_->scratch_bytes();
    return true;
  }

  void run(const void* const* in, void* const* out, void* scratch) const override {
    std::byte* place = static_cast<std::byte*>(scratch);
    const auto next = [&](std::size_t bytes) { return std::exchange(place, place + bytes); };
    const auto widened = [&](const Matrices& m, const void* from) {
      float* const to = reinterpret_cast<float*>(next(m.bytes()));
      const auto* const narrow = static_cast<const std::uint16_t*>(from);
      m.each_line([&](int64_t element, int64_t dense) {
        widen_(to + dense, narrow + element, nullptr, nullptr, m.length);
      });
      return to;
    };
    const void* const operands[] = {widened(a_, in[0]), widened(b_, in[1])};
    void* const results[] = {narrow_ ? next(c_.bytes()) : out[0]};
    product_->run(operands, results, place);
    if (!narrow_) return;
    const float* const from = static_cast<const float*>(results[0]);
    auto* const to = static_cast<std::uint16_t*>(out[0]);
    c_.each_line([&](int64_t element, int64_t dense) {
      narrow_(to + element, from + dense, nullptr, nullptr, c_.length);
    });
  }

  std::string description() const override {
    return fmt::format(
        "{} as {}", dtype_ == float16 ? "float16" : "bfloat16", product_->description());
  }

 private:
  Matrices a_, b_, c_;
  LaneFunction widen_, narrow_;  // the latter null: the result is float32
  DType dtype_;
  detail::Ref<codegen::PreparedLeaf> product_;
};

}  // namespace

detail::Ref<codegen::PreparedLeaf> prepare_converted_matmul(const MatmulSpec& s,
                                                            codegen::Share share) {
  const bool narrow = s.dtype == float16 || s.dtype == bfloat16;
  const bool fits = s.result == s.dtype || s.result == float32;
  // Blocks of a strip would convert the same matrix again and again.
  if (!narrow || !fits || share != codegen::Share::threads ||
      s.batch * s.m * s.n * s.k < least_work || std::min(s.m, s.n) < 8)
    return {};
  if (!Matrices::has_lines(s.a_strides) || !Matrices::has_lines(s.b_strides) ||
      !Matrices::has_lines(s.c_strides))
    return {};
  detail::Ref<ConvertedMatmul> leaf(new ConvertedMatmul(s));
  if (!leaf->prepare(s, share)) return {};
  return detail::Ref<codegen::PreparedLeaf>(leaf.raw());
}

}  // namespace fluxion::runtime
