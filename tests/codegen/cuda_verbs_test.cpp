// Verbs and conversions as CUDA C++, in words of neighbours, tails and loops, against plain C++.
#include "tests/support/compiled_kernel.hpp"
#include "tests/support/cuda_check.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/fold.hpp"

#include <memory>

namespace fluxion::test {
namespace {

using kernel::Affine;
using kernel::Builder;
using kernel::Index;
using kernel::Role;
using kernel::Verb;
using KernelScalar = kernel::Scalar;

std::vector<Verb> verbs_of(DType type) {
  std::vector<Verb> verbs{Verb::add,
                          Verb::sub,
                          Verb::mul,
                          Verb::div,
                          Verb::min,
                          Verb::max,
                          Verb::neg,
                          Verb::abs,
                          Verb::equal,
                          Verb::not_equal,
                          Verb::less,
                          Verb::less_equal,
                          Verb::select};
  if (kernel::is_float(type)) {
    for (Verb v :
         {Verb::fma, Verb::floor, Verb::ceil, Verb::round_even, Verb::truncate, Verb::sqrt}) {
      verbs.push_back(v);
    }
    return verbs;
  }
  for (Verb v : {Verb::rem,
                 Verb::bit_and,
                 Verb::bit_or,
                 Verb::bit_xor,
                 Verb::bit_not,
                 Verb::shift_left,
                 Verb::shift_right_logical,
                 Verb::shift_right_arithmetic,
                 Verb::clz,
                 Verb::popcount}) {
    verbs.push_back(v);
  }
  if (kernel::bytes_of(type) >= 4) verbs.push_back(Verb::mulhi);
  return verbs;
}

KernelScalar apply(
    Builder& b, Verb verb, DType type, KernelScalar x, KernelScalar y, KernelScalar z) {
  if (verb == Verb::select) return select(x < y, y, z);
  const bool comparison = verb == Verb::equal || verb == Verb::not_equal || verb == Verb::less ||
                          verb == Verb::less_equal;
  const int count = kernel::operand_count(verb);
  return b.emit(verb,
                comparison ? bool_ : type,
                x,
                count > 1 ? y : KernelScalar{},
                count > 2 ? z : KernelScalar{});
}

/// All verbs of a type, over `n` elements; in a serial loop, nothing is there to vectorise.
kernel::Kernel all_verbs(DType type, std::int64_t n, bool serial) {
  Builder b("verbs");
  std::int32_t in[3], number = 0;
  for (auto& buffer : in) buffer = b.buffer(type, Role::input, n);
  std::vector<std::int32_t> out;
  for (Verb verb : verbs_of(type)) {
    const bool comparison = verb == Verb::equal || verb == Verb::not_equal || verb == Verb::less ||
                            verb == Verb::less_equal;
    out.push_back(b.buffer(comparison ? bool_ : type, Role::output, n));
  }
  auto body = [&](const Affine& i) {
    KernelScalar x = b.load(in[0], i), y = b.load(in[1], i), z = b.load(in[2], i);
    number = 0;
    for (Verb verb : verbs_of(type)) {
      b.store(out[static_cast<std::size_t>(number++)], i, apply(b, verb, type, x, y, z));
    }
  };
  if (serial) {
    b.parallel({}, [&](const Index&) {
      b.serial({n}, {}, [&](const Index& i, std::vector<KernelScalar>) {
        body(i[0]);
        return std::vector<KernelScalar>{};
      });
    });
  } else {
    b.parallel({n}, [&](const Index& i) { body(i[0]); });
  }
  return b.finish();
}

kernel::Kernel conversion(DType from, const std::vector<DType>& to, std::int64_t n) {
  Builder b("convert");
  auto in = b.buffer(from, Role::input, n);
  std::vector<std::int32_t> out;
  for (DType type : to) out.push_back(b.buffer(type, Role::output, n));
  b.parallel({n}, [&](const Index& i) {
    KernelScalar x = b.load(in, i[0]);
    for (std::size_t k = 0; k < to.size(); ++k) b.store(out[k], i[0], convert(x, to[k]));
  });
  return b.finish();
}

const std::vector<DType> all_types{bool_,
                                   int8,
                                   int16,
                                   int32,
                                   int64,
                                   uint8,
                                   uint16,
                                   uint32,
                                   uint64,
                                   float16,
                                   bfloat16,
                                   float32,
                                   float64};

TEST_CASE("every verb on every type is what C++ gives, in words of neighbours, tails and loops") {
  Kernels kernels;
  for (DType type : number_types) {
    for (std::int64_t n : {1, 31, 1000}) kernels.add(all_verbs(type, n, false));
    kernels.add(all_verbs(type, 50, true));
  }
  kernels.check();
}

TEST_CASE("every conversion rounds and saturates as C++ and IEEE say") {
  Kernels kernels;
  for (DType from : all_types) kernels.add(conversion(from, all_types, 1003));
  kernels.check();
}

TEST_CASE("all values of the 16-bit floats convert exactly, and ties go to the even one") {
  Kernels kernels;
  for (DType narrow : {float16, bfloat16}) {
    kernels.add(conversion(narrow,
                           {bool_,
                            int8,
                            uint8,
                            int32,
                            int64,
                            uint64,
                            float32,
                            float64,
                            narrow == float16 ? bfloat16 : float16},
                           65536),
                [](std::size_t, std::size_t k) { return std::uint64_t{k & 0xffff}; });
    const std::uint64_t infinity = narrow == float16 ? 0x7c00 : 0x7f80;
    for (DType wide : {float32, float64}) {
      kernels.add(conversion(wide, {narrow}, static_cast<std::int64_t>(3 * infinity)),
                  [=](std::size_t buffer, std::size_t k) -> std::uint64_t {
                    if (buffer != 0) return 0;
                    // Around the middle of every pair of neighbours: there, above, below.
                    const auto number = [&](std::uint64_t bits) {
                      if (bits == infinity) return std::ldexp(1.0, narrow == float16 ? 16 : 128);
                      return static_cast<double>(
                          KernelArithmetic::narrow_value(narrow, static_cast<std::uint16_t>(bits)));
                    };
                    const double middle = (number(k / 3) + number(k / 3 + 1)) / 2;
                    const std::uint64_t bits = KernelArithmetic::convert(
                        float64, wide, KernelArithmetic::put(k % 2 ? -middle : middle));
                    return k % 3 == 0 ? bits : k % 3 == 1 ? bits + 1 : bits - 1;
                  });
    }
  }
  for (DType from : {int32, int64, uint32, uint64}) {
    kernels.add(
        conversion(from, {float16, bfloat16}, 32768), [=](std::size_t buffer, std::size_t k) {
          if (buffer != 0) return std::uint64_t{0};
          // A halfway point of bfloat16 and a last bit that decides, at every magnitude.
          const std::size_t width = 8 * KernelArithmetic::bytes(from);
          const std::uint64_t power = 9 + k % (width - 10);
          const std::uint64_t half = (std::uint64_t{0x101} | (k / 64 % 64) << 1) << (power - 8);
          const std::uint64_t value = half + k / 4096 % 3 - 1;
          return (k / 16384 % 2 ? -value : value) & (width == 32 ? 0xffffffffu : ~std::uint64_t{0});
        });
  }
  kernels.check();
}

TEST_CASE("of any two special values the minimum and the maximum are the right ones") {
  Kernels kernels;
  for (DType type : {float32, float64}) {
    const double values[] = {0.0,
                             -0.0,
                             1,
                             -1,
                             1e-300,
                             1e-40,
                             -1e-40,
                             __builtin_inf(),
                             -__builtin_inf(),
                             __builtin_nan(""),
                             -__builtin_nan("")};
    constexpr std::int64_t count = 11, n = count * count;
    Builder b("extrema");
    auto x = b.buffer(type, Role::input, n), y = b.buffer(type, Role::input, n);
    auto low = b.buffer(type, Role::output, n), high = b.buffer(type, Role::output, n);
    b.parallel({n}, [&](const Index& i) {
      b.store(low, i[0], min(b.load(x, i[0]), b.load(y, i[0])));
      b.store(high, i[0], max(b.load(x, i[0]), b.load(y, i[0])));
    });
    kernels.add(b.finish(), [&](std::size_t buffer, std::size_t k) {
      const double value = values[(buffer == 0 ? k / count : k) % count];
      return KernelArithmetic::convert(float64, type, KernelArithmetic::put(value));
    });
  }
  kernels.check();
}

}  // namespace
}  // namespace fluxion::test
