// How a matrix product is brought into the library's terms and cut into slabs.
#include "runtime/leaves/gemm.hpp"
#include "runtime/leaves/leaves.hpp"
#include "runtime/leaves/onednn.hpp"
#include "runtime/thread_pool.hpp"
#include "trace/error.hpp"
#include "trace/tensor.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fluxion::runtime {
namespace {

using codegen::KeptOperand;
using codegen::Rows;
using std::int64_t;

constexpr double most_slabs = 32;  // of one product
constexpr int64_t most_turned_columns = 64;
constexpr int64_t most_kept_rows = 512;  // of more the library's own layout costs little
// Elements that are worth a layout, and whose copy is worth its memory.
constexpr int64_t least_kept = 1024, most_kept = int64_t{1} << 24;

// Smaller slabs read the right operand where it lies.
constexpr int64_t least_shared_rows = 48, least_shared_columns = 96;
// Float32 products above are worth the library's first call: it is a tenth faster there.
constexpr int64_t most_single_work = int64_t{1} << 22;
// Float64 products below are computed where they are used, fused with what follows.
constexpr int64_t least_double_work = int64_t{1} << 18, least_few_double_work = 1024;

int64_t bytes_of(DType dtype) { return static_cast<int64_t>(size_of(dtype)); }
int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// A matrix per batch: sizes and strides in the order batch, row, column.
struct Operand {
  DType dtype;
  std::array<int64_t, 3> size, stride;

  /// Whether the library takes it as it is: one of rows and columns dense, the other without
  /// overlap.
  bool usable() const {
    return (stride[2] == 1 && stride[1] >= size[2]) || (stride[1] == 1 && stride[2] >= size[1]);
  }
  /// Axes of one element get the strides of a dense matrix: any are right, few are usable.
  void settle() {
    if (size[2] == 1) stride[2] = stride[1] == 1 ? size[1] : 1;
    if (size[1] == 1) stride[1] = stride[2] == 1 ? size[2] : 1;
    if (size[0] == 1) stride[0] = 0;
  }
  void transpose() {
    std::swap(size[1], size[2]);
    std::swap(stride[1], stride[2]);
  }
  /// Of `batch` matrices of `rows` by `columns`; a repeated matrix is one of a batch of 1.
  onednn::Layout layout(int64_t batch, int64_t rows, int64_t columns) const {
    if (batch == 1) {
      return {dtype, std::array{rows, columns}, std::array{stride[1], stride[2]}};
    }
    const int64_t matrices = stride[0] == 0 ? 1 : batch;
    const int64_t between = stride[0] == 0 ? stride[1] * rows * stride[2] * columns : stride[0];
    return {dtype, std::array{matrices, rows, columns}, std::array{between, stride[1], stride[2]}};
  }
};

/// An operand that the library does not take, or takes slowly, is copied into scratch before, in
/// rows of `row_stride` elements.
template <class T> void pack(const T* from, T* to, const Operand& o, int64_t row_stride) {
  const int64_t matrices = o.stride[0] == 0 ? 1 : o.size[0];
  parallel_for(matrices * o.size[1], divide_up(4096, o.size[2]), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* source = from + row / o.size[1] * o.stride[0] + row % o.size[1] * o.stride[1];
      T* target = to + row * row_stride;
      if (o.stride[2] == 1) {
        std::copy_n(source, o.size[2], target);
        continue;
      }
      for (int64_t j = 0; j < o.size[2]; ++j) target[j] = source[j * o.stride[2]];
    }
  });
}

gemm::Product own_product(const Operand& a, const Operand& b, const Operand& c) {
  return {c.size[1],
          c.size[2],
          a.size[2],
          a.stride[1],
          a.stride[2],
          b.stride[1],
          b.stride[2],
          c.stride[1]};
}

/// Lays an operand out for many products, as the library or our own kernel likes best.
class Packing final : public codegen::PreparedLeaf {
 public:
  explicit Packing(onednn::Primitive reorder) : reorder_(std::move(reorder)) {}
  Packing(const gemm::Kernel& kernel, const gemm::Product& product)
      : kernel_(&kernel), product_(product) {}

  void run(const void* const* in, void* const* out, void*) const override {
    if (kernel_) return kernel_->pack(product_, in[0], out[0], 0, 1, 1);
    reorder_.run(std::array{const_cast<void*>(in[0]), out[0]}, nullptr);
  }
  std::string description() const override { return "layout of a product's operand"; }

 private:
  onednn::Primitive reorder_;
  const gemm::Kernel* kernel_ = nullptr;
  gemm::Product product_;
};

class Matmul final : public codegen::PreparedLeaf {
 public:
  /// False when the library refuses.
  bool prepare(const MatmulSpec& spec, codegen::Share share) {
    if (!arrange(spec)) return false;
    if (!own_) {
      if (is_slow()) turn();
      pack_a_ = make_usable(a_);
      pack_b_ = make_usable(b_);
    }
    per_unit_ = c_.size;
    if (share == codegen::Share::threads) cut();
    if (!own_) spread_rows();
    if (own_) share_packed();
    return compile();
  }

  /// With one operand laid out before. False also where that gains nothing.
  bool prepare_kept(const MatmulSpec& spec, int operand, Rows rows, KeptOperand& kept) {
    if (!arrange(spec) || operand != (swapped_ ? 0 : 1)) return false;
    if (c_.size[0] != 1 || b_.size[0] != 1 || c_.size[1] > most_kept_rows) return false;
    const int64_t elements = b_.size[1] * b_.size[2];
    if (elements < least_kept || elements > most_kept) return false;
    per_unit_ = c_.size;
    cut_rows();
    // Of any size: the library's own layouts are fast with wide vectors only.
    if (spec.dtype == spec.result) own_ = gemm::kernel(spec.dtype);
    if (own_) {
      if (has_few_rows()) return false;  // they read b once
      packed_ = true;
      const gemm::Product product = own_product(a_, b_, c_);
      kept.bytes = own_->packed_bytes(product);
      kept.layout = detail::Ref<codegen::PreparedLeaf>(new Packing(*own_, product));
      return compile();
    }
    if (rows == Rows::any || !onednn::has_wide_vectors()) return false;
    pack_a_ = make_usable(a_);
    const onednn::Layout given = b_.layout(1, b_.size[1], b_.size[2]);
    kept_ = onednn::Layout::any(b_.dtype, std::array{b_.size[1], b_.size[2]});
    if (!compile() || kept_ == given) return false;
    onednn::Primitive reorder = onednn::reorder(given, kept_);
    if (!reorder || reorder.scratch_bytes() > 0) return false;
    kept.bytes = kept_.bytes();
    kept.layout = detail::Ref<codegen::PreparedLeaf>(new Packing(std::move(reorder)));
    return true;
  }

  /// The product in the terms of the library or of our own kernels. False when there is nothing to
  /// compute, or no such way.
  bool arrange(const MatmulSpec& spec) {
    const int64_t b = spec.batch, m = spec.m, n = spec.n, k = spec.k;
    if (b <= 0 || m <= 0 || n <= 0 || k <= 0) return false;
    const auto strides = [](const int64_t(&s)[3]) { return std::array{s[0], s[1], s[2]}; };
    a_ = {spec.dtype, {b, m, k}, strides(spec.a_strides)};
    b_ = {spec.dtype, {b, k, n}, strides(spec.b_strides)};
    c_ = {spec.result, {b, m, n}, strides(spec.c_strides)};
    for (Operand* o : {&a_, &b_, &c_}) o->settle();
    if (c_.stride[2] != 1 && c_.stride[1] == 1) swap_operands();
    if (c_.stride[2] != 1 || !c_.usable()) return false;
    fold_batch_into_rows();
    if (spec.dtype == spec.result) own_ = gemm::kernel(spec.dtype);
    const int64_t work = c_.size[1] * c_.size[2] * k;
    if (spec.dtype == float32 && work > most_single_work && !has_few_rows()) own_ = nullptr;
    if (!own_) return spec.dtype == float32 || spec.dtype == bfloat16;
    if (spec.dtype != float64) return true;
    return work >= (has_few_rows() ? least_few_double_work : least_double_work);
  }

  void run(const void* const* in, void* const* out, void* scratch) const override {
    auto* place = static_cast<std::byte*>(scratch);
    const void* a = in[swapped_ ? 1 : 0];
    const void* b = in[swapped_ ? 0 : 1];
    if (pack_a_) a = packed(a, *pack_a_, a_, place);
    if (pack_b_) b = packed(b, *pack_b_, b_, place);
    if (shared_) b = packed_by_all(b, place);
    if (units() == 1) return run_unit(0, a, b, out[0], place);
    parallel_for(
        units(),
        1,
        [&](int64_t begin, int64_t end) {
          std::byte* own = place + static_cast<std::size_t>(participant()) * scratch_per_thread_;
          for (int64_t unit = begin; unit < end; ++unit) run_unit(unit, a, b, out[0], own);
        },
        threads_);
  }

  std::string description() const override {
    return fmt::format(
        "matmul {}x{}x{}x{} {} {}, {} slabs{}",
        c_.size[0],
        c_.size[1],
        c_.size[2],
        a_.size[2],
        to_string(a_.dtype),
        own_ ? std::string(own_->name)
             : fmt::format("oneDNN {} {}", onednn::version(), primitives_[0].implementation()),
        units(),
        kept_ || packed_     ? ", laid out before"
        : turned_            ? ", turned round"
        : pack_a_ || pack_b_ ? ", packed"
                             : "");
  }

 private:
  // c = a b  <=>  c' = b' a'
  void swap_operands() {
    swapped_ = !swapped_;
    std::swap(a_, b_);
    for (Operand* o : {&a_, &b_, &c_}) o->transpose();
  }
  /// Sums over the rows of a for few columns: the library does them at half the speed of their
  /// transpose where they are large (8 products of 2048 x 64 x 2048: 63 and 39 ms).
  bool is_slow() const {
    return onednn::has_wide_vectors() && a_.dtype == float32 && c_.dtype == float32 &&
           a_.stride[1] == 1 && a_.stride[2] > 1 && b_.stride[2] == 1 && c_.size[2] >= 16 &&
           c_.size[2] <= most_turned_columns && c_.size[1] >= 4 * c_.size[2] &&
           a_.size[2] >= 4 * c_.size[2];
  }
  /// The transpose is computed in scratch memory, slab by slab, and turned round into its place.
  void turn() {
    turned_ = c_;
    swap_operands();
  }
  /// From a slab of the transpose to the rows of the result that it holds.
  void turn_back(const float* slab, float* c, const std::array<int64_t, 3>& size) const {
    for (int64_t matrix = 0; matrix < size[0]; ++matrix)
      for (int64_t j = 0; j < size[2]; ++j) {
        float* const row = c + matrix * turned_->stride[0] + j * turned_->stride[1];
        const float* const column = slab + matrix * size[1] * size[2] + j;
        for (int64_t i = 0; i < size[1]; ++i) row[i] = column[i * size[2]];
      }
  }
  /// A batch that shares b is one taller matrix.
  void fold_batch_into_rows() {
    const int64_t batch = c_.size[0], m = c_.size[1];
    if (batch == 1 || b_.stride[0] != 0) return;
    if (m == 1)
      for (Operand* o : {&a_, &c_}) o->stride[1] = o->stride[0];
    if (a_.stride[0] != m * a_.stride[1] || c_.stride[0] != m * c_.stride[1]) return;
    for (Operand* o : {&a_, &c_}) {
      o->size[1] *= batch;
      o->size[0] = 1;
      o->stride[0] = 0;
    }
    b_.size[0] = 1;
  }
  /// What the operand was, if it has to be packed; the operand is its packed form then.
  std::optional<Operand> make_usable(Operand& o) {
    if (o.usable()) return {};
    const Operand before = o;
    o.stride = {o.stride[0] == 0 ? 0 : o.size[1] * o.size[2], o.size[2], 1};
    scratch_bytes_ += packed_bytes(o);
    return before;
  }
  static std::size_t packed_bytes(const Operand& o) {
    const int64_t matrices = o.stride[0] == 0 ? 1 : o.size[0];
    return rounded_to_line(
        static_cast<std::size_t>(matrices * o.size[1] * o.stride[1] * bytes_of(o.dtype)));
  }
  static const void* packed(const void* from,
                            const Operand& o,
                            const Operand& as,
                            std::byte*& place) {
    std::byte* const to = place;
    place += packed_bytes(as);
    if (o.dtype == float32) {
      pack(static_cast<const float*>(from), reinterpret_cast<float*>(to), o, as.stride[1]);
    } else {
      pack(static_cast<const std::uint16_t*>(from),
           reinterpret_cast<std::uint16_t*>(to),
           o,
           as.stride[1]);
    }
    return to;
  }
  /// Without wide vectors the library reads b where it lies unless slabs are large in both
  /// directions, and rows that begin a multiple of 2 KB apart push each other out of the cache:
  /// half its speed. Where there are enough rows of a to pay for it, b is copied with some space
  /// between its rows.
  void spread_rows() {
    const auto rows = static_cast<double>(per_unit_[1]),
               columns = static_cast<double>(per_unit_[2]);
    const bool copied_by_library = 1 / rows + 1 / columns < 0.0038;  // its own threshold
    const bool collide = b_.stride[2] == 1 && b_.size[1] >= 32 && b_.stride[1] % 512 == 0;
    if (a_.dtype != float32 || copied_by_library || c_.size[1] < 64 || !collide ||
        onednn::has_wide_vectors())
      return;
    if (pack_b_) scratch_bytes_ -= packed_bytes(b_);
    if (!pack_b_) pack_b_ = b_;
    const int64_t row = b_.size[2] + 16;
    b_.stride = {b_.stride[0] == 0 ? 0 : b_.size[1] * row, row, 1};
    scratch_bytes_ += packed_bytes(b_);
  }

  /// Slabs of many rows would each lay out all of b: it is done once for all of them.
  void share_packed() {
    shared_ = c_.size[0] == 1 && per_unit_[1] < c_.size[1] && per_unit_[1] >= least_shared_rows &&
              c_.size[2] >= least_shared_columns;
    if (shared_) scratch_bytes_ += own_->packed_bytes(own_product(a_, b_, c_));
  }
  const void* packed_by_all(const void* b, void* to) const {
    const gemm::Product product = own_product(a_, b_, c_);
    const int64_t parts = 2 * threads_;
    const auto pack = [&](int64_t begin, int64_t end) {
      own_->pack(product, b, to, begin, end, parts);
    };
    parallel_for(parts, 1, pack, threads_);
    return to;
  }

  /// Slabs of rows: what is laid out already is not read faster for more of them at a time.
  void cut_rows() {
    threads_ = num_threads();
    const double flops = 2.0 * static_cast<double>(c_.size[1]) * static_cast<double>(c_.size[2]) *
                         static_cast<double>(a_.size[2]);
    const double worth = a_.dtype == float32 ? serial_flops : 2 * serial_flops;
    const int64_t most = divide_up(c_.size[1], 16);
    if (flops < 2 * worth || most < 2) return;
    const int64_t slabs =
        std::clamp(static_cast<int64_t>(std::min(flops / worth, most_slabs)), int64_t{1}, most);
    per_unit_[1] = divide_up(divide_up(c_.size[1], slabs), 16) * 16;
  }

  /// Decides on slabs: whole matrices if there are many, else rows or columns of each. The library
  /// sums in an order that follows the sizes it is given, so slabs follow from the shape alone and
  /// threads only claim them: the bits are the same on any number of threads.
  void cut() {
    const int64_t batch = c_.size[0], m = c_.size[1], n = c_.size[2], k = a_.size[2];
    threads_ = num_threads();
    const double flops = 2.0 * static_cast<double>(batch) * static_cast<double>(m) *
                         static_cast<double>(n) * static_cast<double>(k);
    const double worth = a_.dtype == float32 ? serial_flops : 2 * serial_flops;
    if (flops < 2 * worth) return;
    // The bits of our own kernels are the same for any slabs: as many as the threads need.
    const double most_wanted = own_ ? (threads_ == 1 ? 1.0 : 3.0 * threads_) : most_slabs;
    const auto wanted = static_cast<int64_t>(std::min(flops / worth, most_wanted));
    if (wanted < 2) return;
    per_unit_[0] = divide_up(batch, wanted);
    if (batch >= wanted) return;
    const int64_t most = divide_up(wanted, batch);
    const int64_t least = std::min(most, divide_up(2, batch));
    // Slabs of 128 run at full speed while the library's copy of the other operand stays in the
    // cache, else of 512; smaller ones are slower: only two may be smaller.
    const int64_t other = k * std::min(m, n) * bytes_of(a_.dtype);
    const int64_t full = own_ ? 256 : other > (int64_t{2} << 20) ? 512 : 128;
    const auto slab = [&](int64_t size, int64_t unit) {
      const int64_t slabs = std::clamp(size / full, least, most);
      return std::min(size, divide_up(divide_up(size, slabs), unit) * unit);
    };
    if (m >= n || n < 128)
      per_unit_[1] = slab(m, 16);
    else
      per_unit_[2] = slab(n, 64);
  }
  int64_t count(int axis) const {
    return divide_up(c_.size[static_cast<std::size_t>(axis)],
                     per_unit_[static_cast<std::size_t>(axis)]);
  }
  int64_t units() const { return units_; }

  /// One primitive for whole slabs, and one for each axis where the last is smaller (only one axis
  /// is ever cut, besides the batch, whose slabs hold one matrix then).
  bool compile() {
    units_ = count(0) * count(1) * count(2);
    if (own_) return true;
    for (int axis = 0; axis < 3; ++axis) {
      const auto at = static_cast<std::size_t>(axis);
      std::array<int64_t, 3> size = per_unit_;
      const int64_t rest = c_.size[at] % per_unit_[at];
      if (axis == 0) primitives_[0] = compile(size);
      if (axis == 0 && kept_ && primitives_[0]) kept_ = primitives_[0].layouts()[1];
      if (axis == 0 && !primitives_[0]) {
        if (per_unit_[0] == 1) return false;
        // No fast batched form: one matrix at a time.
        per_unit_[0] = 1;
        return compile();
      }
      if (rest == 0) continue;
      size[at] = rest;
      primitives_[at + 1] = compile(size);
      if (!primitives_[at + 1]) return false;
    }
    for (const auto& primitive : primitives_) {
      if (!primitive) continue;
      scratch_per_thread_ =
          std::max(scratch_per_thread_, rounded_to_line(primitive.scratch_bytes()));
    }
    if (turned_) scratch_per_thread_ += slab_bytes();
    scratch_bytes_ += scratch_per_thread_ * (units_ == 1 ? 1 : static_cast<std::size_t>(threads_));
    return true;
  }
  onednn::Primitive compile(const std::array<int64_t, 3>& size) const {
    const int64_t k = a_.size[2];
    Operand c = c_;
    if (turned_) c.stride = {size[1] * size[2], size[2], 1};
    return onednn::matmul(a_.layout(size[0], size[1], k),
                          kept_ ? kept_ : b_.layout(size[0], k, size[2]),
                          c.layout(size[0], size[1], size[2]));
  }

  std::size_t slab_bytes() const {
    return rounded_to_line(
        static_cast<std::size_t>(per_unit_[0] * per_unit_[1] * per_unit_[2] * bytes_of(float32)));
  }

  void run_unit(int64_t unit, const void* a, const void* b, void* c, void* scratch) const {
    const std::array<int64_t, 3> at = {unit / (count(1) * count(2)) * per_unit_[0],
                                       unit / count(2) % count(1) * per_unit_[1],
                                       unit % count(2) * per_unit_[2]};
    std::size_t which = 0;
    std::array<int64_t, 3> size = per_unit_;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      if (at[axis] + per_unit_[axis] <= c_.size[axis]) continue;
      size[axis] = c_.size[axis] - at[axis];
      which = axis + 1;
    }
    const auto moved = [&](const void* data, const Operand& o, int64_t row, int64_t column) {
      const int64_t elements = at[0] * o.stride[0] + row * o.stride[1] + column * o.stride[2];
      return const_cast<std::byte*>(static_cast<const std::byte*>(data)) +
             elements * bytes_of(o.dtype);
    };
    std::array<void*, 3> arguments = {
        moved(a, a_, at[1], 0), moved(b, b_, 0, at[2]), moved(c, c_, at[1], at[2])};
    if (own_) return multiply(size, arguments);
    if (!turned_) return primitives_[which].run(arguments, scratch);
    auto* const slab = static_cast<float*>(scratch);
    auto* const place = static_cast<float*>(std::exchange(arguments[2], slab));
    primitives_[which].run(arguments, static_cast<std::byte*>(scratch) + slab_bytes());
    turn_back(slab, place, size);
  }

  /// Of the whole, not of a slab: the sums are in another order.
  bool has_few_rows() const { return c_.size[1] <= gemm::most_few_rows; }
  /// A slab of `size` by our own kernel.
  void multiply(const std::array<int64_t, 3>& size, const std::array<void*, 3>& arguments) const {
    gemm::Product product = own_product(a_, b_, c_);
    product.m = size[1];
    product.n = size[2];
    for (int64_t matrix = 0; matrix < size[0]; ++matrix) {
      const auto of = [&](std::size_t k, const Operand& o) {
        return static_cast<std::byte*>(arguments[k]) + matrix * o.stride[0] * bytes_of(o.dtype);
      };
      if (has_few_rows()) {
        own_->multiply_few(product, of(0, a_), of(1, b_), of(2, c_));
      } else {
        own_->multiply(product, of(0, a_), of(1, b_), packed_ || shared_, of(2, c_));
      }
    }
  }

  Operand a_, b_, c_;                  // as the library sees them
  const gemm::Kernel* own_ = nullptr;  // null: the library's
  bool packed_ = false;                // b comes laid out by our own kernel
  bool shared_ = false;                // it is laid out once for all slabs
  onednn::Layout kept_;                // of b, if it comes laid out by the library
  std::optional<Operand> turned_;      // the result, if its transpose is computed
  bool swapped_ = false;
  std::optional<Operand> pack_a_, pack_b_;  // as the program has them, if they are packed
  std::array<int64_t, 3> per_unit_ = {};    // matrices, rows and columns of one slab
  int64_t units_ = 1;
  int threads_ = 1;
  std::array<onednn::Primitive, 4> primitives_;  // whole slabs; the last one along each axis
  std::size_t scratch_per_thread_ = 0;
};

}  // namespace

detail::Ref<codegen::PreparedLeaf> prepare_matmul(const MatmulSpec& spec, codegen::Share share) {
  detail::Ref<Matmul> leaf(new Matmul);
  if (!leaf->prepare(spec, share)) return {};
  return detail::Ref<codegen::PreparedLeaf>(leaf.raw());
}

KeptOperand prepare_kept_matmul(const MatmulSpec& spec, int operand, Rows rows) {
  detail::Ref<Matmul> leaf(new Matmul);
  KeptOperand kept;
  if (!leaf->prepare_kept(spec, operand, rows, kept)) return {};
  kept.product = detail::Ref<codegen::PreparedLeaf>(leaf.raw());
  return kept;
}

}  // namespace fluxion::runtime
