// Every verb and every conversion as machine code: whole vectors, tails and scalars against plain
// C++.
#include "tests/support/compiled_kernel.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/fold.hpp"

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

TEST_CASE("every verb on every type gives what C++ gives") {
  for (DType type : number_types) {
    for (std::int64_t n : {0, 1, 15, 16, 17, 1000}) {
      check_compiled(all_verbs(type, n, false));
    }
    check_compiled(all_verbs(type, 500, true));
  }
}

TEST_CASE("every verb gives the same on a processor without masks, and without optimisation") {
  const codegen::Target target = lesser_target();
  for (DType type : number_types) {
    codegen::CompileOptions options;
    options.level = 0;
    check_compiled(all_verbs(type, 83, false), {}, options);
    options.level = 1;
    options.target = &target;
    check_compiled(all_verbs(type, 83, false), {}, options);
    check_compiled(conversion(type, all_types, 83), {}, options);
  }
}

TEST_CASE("of any two special values the minimum and the maximum are the right ones") {
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
    const std::int64_t count = std::size(values), n = count * count;
    Builder b("extrema");
    auto x = b.buffer(type, Role::input, n), y = b.buffer(type, Role::input, n);
    auto low = b.buffer(type, Role::output, n), high = b.buffer(type, Role::output, n);
    b.parallel({n}, [&](const Index& i) {
      b.store(low, i[0], min(b.load(x, i[0]), b.load(y, i[0])));
      b.store(high, i[0], max(b.load(x, i[0]), b.load(y, i[0])));
    });
    check_compiled(b.finish(), [&](std::size_t buffer, std::size_t k) {
      const auto each = static_cast<std::size_t>(count);
      const double value = values[(buffer == 0 ? k / each : k % each) % each];
      return KernelArithmetic::convert(float64, type, KernelArithmetic::put(value));
    });
  }
}

TEST_CASE("verbs by constants give what C++ gives") {
  for (DType type : number_types) {
    for (double constant : {0.0, 1.0, -1.0, 3.0, 7.0, 64.0, 100.0}) {
      Builder b("constants");
      auto in = b.buffer(type, Role::input, 100);
      std::vector<Verb> verbs{Verb::add, Verb::sub, Verb::mul, Verb::div};
      if (!kernel::is_float(type)) {
        for (Verb v : {Verb::rem,
                       Verb::shift_left,
                       Verb::shift_right_logical,
                       Verb::shift_right_arithmetic}) {
          verbs.push_back(v);
        }
      }
      std::vector<std::int32_t> out;
      for (std::size_t k = 0; k < 2 * verbs.size(); ++k)
        out.push_back(b.buffer(type, Role::output, 100));
      b.parallel({100}, [&](const Index& i) {
        KernelScalar x = b.load(in, i[0]), c = b.constant(type, constant);
        for (std::size_t k = 0; k < verbs.size(); ++k) {
          b.store(out[2 * k], i[0], b.emit(verbs[k], type, x, c));
          b.store(out[2 * k + 1], i[0], b.emit(verbs[k], type, c, x));
        }
      });
      check_compiled(b.finish());
    }
  }
}

TEST_CASE("logic on bool is logic") {
  Builder b("logic");
  auto x = b.buffer(bool_, Role::input, 77), y = b.buffer(bool_, Role::input, 77);
  std::vector<std::int32_t> out;
  for (int k = 0; k < 8; ++k) out.push_back(b.buffer(bool_, Role::output, 77));
  b.parallel({77}, [&](const Index& i) {
    KernelScalar p = b.load(x, i[0]), q = b.load(y, i[0]);
    const KernelScalar results[] = {p & q, p | q, p ^ q, ~p, p == q, p != q, p < q, p <= q};
    for (int k = 0; k < 8; ++k) b.store(out[static_cast<std::size_t>(k)], i[0], results[k]);
  });
  // Any byte but zero is true.
  RandomBits samples(3);
  check_compiled(b.finish(),
                 [&](std::size_t, std::size_t k) { return k % 3 ? k % 2 : k % 5 * 40; });
}

TEST_CASE("every conversion rounds and saturates as C++ and IEEE say") {
  for (DType from : all_types) {
    check_compiled(conversion(from, all_types, 1000));
    check_compiled(conversion(from, all_types, 1));
    check_compiled(conversion(from, all_types, 19));
  }
}

TEST_CASE("all 65,536 values of the 16-bit floats convert exactly") {
  for (DType from : {float16, bfloat16}) {
    check_compiled(conversion(from, all_types, 65536),
                   [](std::size_t, std::size_t k) { return std::uint64_t{k}; });
  }
}

TEST_CASE("halfway between two 16-bit floats the even one is chosen") {
  for (DType narrow : {float16, bfloat16}) {
    const std::uint64_t infinity = narrow == float16 ? 0x7c00 : 0x7f80;
    for (DType wide : {float32, float64}) {
      // Around the middle of every pair of neighbours: just below, there, just above.
      auto fill = [&](std::size_t, std::size_t k) {
        const std::uint64_t below = k / 6, sign = k / 3 % 2;
        auto number = [&](std::uint64_t bits) {
          if (bits == infinity) return std::ldexp(1.0, narrow == float16 ? 16 : 128);
          return static_cast<double>(
              KernelArithmetic::narrow_value(narrow, static_cast<std::uint16_t>(bits)));
        };
        double middle = (number(below) + number(below + 1)) / 2;
        if (sign) middle = -middle;
        std::uint64_t bits =
            KernelArithmetic::convert(float64, wide, KernelArithmetic::put(middle));
        return k % 3 == 0 ? bits : k % 3 == 1 ? bits + 1 : bits - 1;
      };
      check_compiled(conversion(wide, {narrow}, static_cast<std::int64_t>(6 * infinity)), fill);
    }
  }
}

TEST_CASE("integers round once to 16-bit floats") {
  for (DType from : {int32, int64, uint32, uint64}) {
    auto fill = [&](std::size_t, std::size_t k) {
      // A halfway point of bfloat16 and a last bit that decides, at every magnitude.
      const std::size_t width = 8 * KernelArithmetic::bytes(from);
      const std::uint64_t power = 9 + k % (width - 10);
      const std::uint64_t half = (std::uint64_t{0x101} | (k / 64 % 64) << 1) << (power - 8);
      const std::uint64_t value = half + k / 4096 % 3 - 1;
      return (k / 16384 % 2 ? -value : value) & (width == 32 ? 0xffffffffu : ~std::uint64_t{0});
    };
    check_compiled(conversion(from, {float16, bfloat16}, 32768), fill);
  }
}

TEST_CASE("bits keep their pattern between types of one width") {
  Builder b("bitcast");
  auto in = b.buffer(float32, Role::input, 33), wide = b.buffer(int64, Role::input, 33),
       narrow = b.buffer(float16, Role::input, 33);
  auto a = b.buffer(uint32, Role::output, 33), c = b.buffer(float64, Role::output, 33),
       d = b.buffer(int16, Role::output, 33);
  b.parallel({33}, [&](const Index& i) {
    b.store(a, i[0], bitcast(b.load(in, i[0]), uint32));
    b.store(c, i[0], bitcast(b.load(wide, i[0]), float64));
    b.store(d, i[0], bitcast(b.load(narrow, i[0]), int16));
  });
  check_compiled(b.finish());
}

}  // namespace
}  // namespace fluxion::test
