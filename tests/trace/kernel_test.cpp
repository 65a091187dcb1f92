// How kernels are written: what is shared, hoisted and folded, how indices stay affine, what is
// refused.
#include "tests/support/catch.hpp"
#include "tests/support/kernel_interpreter.hpp"
#include "trace/error.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/fold.hpp"

#include <array>
#include <random>

namespace fluxion::test {
namespace {

using kernel::Affine;
using kernel::Builder;
using kernel::Combiner;
using kernel::Index;
using kernel::Kernel;
using kernel::Role;
using kernel::Tree;
using kernel::Verb;
using KernelScalar = kernel::Scalar;
using Elements = std::vector<Builder::Element>;

Kernel normalise(std::int64_t rows, std::int64_t n) {
  Builder b("normalise");
  auto in = b.buffer(float32, Role::input, rows * n),
       out = b.buffer(float32, Role::output, rows * n), row = b.buffer(float32, Role::scratch, n);
  b.parallel({rows}, [&](const Index& r) {
    b.parallel({n}, [&](const Index& c) {
      KernelScalar x = b.load(in, r[0] * n + c[0]);
      b.store(row, c[0], x * x);
    });
    auto sum =
        b.reduce({n}, Tree::lanes, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& c) {
          return Elements{{b.load(row, c[0])}};
        });
    b.parallel({n},
               [&](const Index& c) { b.store(out, r[0] * n + c[0], b.load(row, c[0]) / sum[0]); });
  });
  return b.finish();
}

TEST_CASE("a kernel prints as a program") {
  CHECK(to_string(normalise(4, 100)) == R"(kernel normalise
  b0: in f32[400]
  b1: out f32[400]
  b2: scratch f32[100]
  parallel v0<4 {
    parallel v1<100 {
      %1 = f32 load b0[100*v0 + v1]
      %2 = f32 mul %1, %1
      store b2[v1] = %2
    }
    loop 2 reduce lanes v2<100 {
      %4 = f32 load b2[v2]
      carry 0: add from 0 by %4
    }
    %5 = f32 result 0 of loop 2
    parallel v3<100 {
      %6 = f32 load b2[v3]
      %7 = f32 div %6, %5
      store b1[100*v0 + v3] = %7
    }
  }
)");
}

TEST_CASE("equal programs are equal kernels, whatever their name") {
  Kernel a = normalise(4, 100), c = normalise(4, 100), d = normalise(4, 101);
  c.name = "another";
  CHECK(a.hash() == c.hash());
  CHECK(same_structure(a, c));
  CHECK(a.hash() != d.hash());
  CHECK(!same_structure(a, d));
}

TEST_CASE("what a loop does not change is computed before it, once") {
  Builder b("hoist");
  auto x = b.buffer(float32, Role::input, 8), y = b.buffer(float32, Role::input, 80),
       out = b.buffer(float32, Role::output, 8);
  b.parallel({8}, [&](const Index& i) {
    auto sum = b.reduce(
        {10}, Tree::sequential, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& k) {
          KernelScalar scale = b.load(x, i[0]) * b.load(x, i[0]);
          KernelScalar same = b.load(x, i[0]) * b.load(x, i[0]);
          CHECK(scale.id() == same.id());
          return Elements{{b.load(y, i[0] * 10 + k[0]), scale}};
        });
    b.store(out, i[0], sum[0]);
  });
  CHECK(to_string(b.finish()) == R"(kernel hoist
  b0: in f32[8]
  b1: in f32[80]
  b2: out f32[8]
  parallel v0<8 {
    %1 = f32 load b0[v0]
    %2 = f32 mul %1, %1
    loop 1 reduce sequential v1<10 {
      %3 = f32 load b1[10*v0 + v1]
      carry 0: add from 0 by %3 * %2
    }
    %4 = f32 result 0 of loop 1
    store b2[v0] = %4
  }
)");
}

TEST_CASE("a load that may be out of bounds stays in the loop that may not run") {
  Builder b("guarded");
  auto x = b.buffer(float32, Role::input, 8), where = b.buffer(int64, Role::input, 8),
       out = b.buffer(float32, Role::output, 8);
  b.parallel({8}, [&](const Index& i) {
    KernelScalar at = b.load(where, i[0]);
    auto result = b.repeat_while(
        {at, b.constant(float32, 0)},
        [&](std::vector<KernelScalar> c) { return c[0] > 0; },
        [&](std::vector<KernelScalar> c) {
          KernelScalar far = b.load(x, b.affine(at)), near = b.load(x, i[0]);
          return std::vector<KernelScalar>{c[0] - 1, far * near};
        });
    b.store(out, i[0], result[1]);
  });
  const std::string text = to_string(b.finish());
  // The load in range leaves the loop, the other does not.
  CHECK(text.find("b0[v0]") < text.find("while {"));
  CHECK(text.find("b0[%") > text.find("while %"));
}

TEST_CASE("nothing is left of loops that never run and results that nobody reads") {
  Builder b("nothing");
  auto x = b.buffer(float32, Role::input, 8), out = b.buffer(float32, Role::output, 8);
  bool called = false;
  b.parallel({0, 5}, [&](const Index&) { called = true; });
  CHECK(!called);
  b.parallel({8}, [&](const Index& i) {
    auto empty = b.reduce(
        {0}, Tree::lanes, {Combiner::add}, {b.constant(float32, 7)}, [&](const Index&) -> Elements {
          FAIL("an empty reduction has no element");
          return {};
        });
    auto unused =
        b.reduce({5},
                 Tree::lanes,
                 {Combiner::add, Combiner::max},
                 {b.constant(float32, 0), b.constant(float32, 0)},
                 [&](const Index&) { return Elements{{b.load(x, i[0])}, {b.load(x, i[0])}}; });
    CHECK(unused.size() == 2);
    sqrt(b.load(x, i[0]));
    b.store(out, i[0], empty[0]);
  });
  CHECK(to_string(b.finish()) == R"(kernel nothing
  b0: in f32[8]
  b1: out f32[8]
  parallel v0<8 {
    store b1[v0] = 7
  }
)");
}

TEST_CASE("axes of size one have no variable") {
  Builder b("ones");
  auto x = b.buffer(float32, Role::input, 6), out = b.buffer(float32, Role::output, 6);
  b.parallel({1, 6, 1}, [&](const Index& i) {
    b.store(out, dot(i, kernel::row_major({1, 6, 1})), b.load(x, i[0] * 6 + i[1] + i[2]));
  });
  Kernel kernel = b.finish();
  CHECK(kernel.variables.size() == 1);
}

TEST_CASE("an index that is linearised and delinearised stays a sum") {
  Builder b("reshape");
  b.parallel({4, 6, 5}, [&](const Index& i) {
    const Affine linear = dot(i, kernel::row_major({4, 6, 5}));
    CHECK(b.divide(linear, 30) == i[0]);
    CHECK(b.modulo(b.divide(linear, 5), 6) == i[1]);
    CHECK(b.modulo(linear, 5) == i[2]);
    // [4, 6, 5] as [24, 5] and as [4, 30].
    CHECK(b.divide(linear, 5) == i[0] * 6 + i[1]);
    CHECK(b.modulo(linear, 30) == i[1] * 5 + i[2]);
    // Reversed, the last of each axis.
    CHECK(b.modulo(i[2] * -1 + 4 + i[0] * 5, 5) == i[2] * -1 + 4);
    CHECK(b.divide(i[2] * -1 + 4 + i[0] * 5, 5) == i[0]);
    CHECK(b.range(linear) == std::pair<std::int64_t, std::int64_t>{0, 119});
    CHECK(b.in_range(linear, 0, 120).id() == b.constant(bool_, 1).id());
    CHECK(b.in_range(linear, 120, 500).id() == b.constant(bool_, 0).id());
    // Through values and back.
    KernelScalar value =
        b.value(i[1]) * b.constant(int64, 5) + b.value(i[2]) - b.constant(int64, 3);
    CHECK(b.affine(value) == i[1] * 5 + i[2] + -3);
  });
}

TEST_CASE("quotients and remainders of any index are those of C++") {
  std::mt19937 random(1);
  auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  for (int round = 0; round < 200; ++round) {
    Builder b("division");
    const std::int64_t n = 1 + below(7), m = 1 + below(9), by = 1 + below(13);
    const std::int64_t s = below(15) - 4, t = below(15) - 4;
    // Enough that no value is negative.
    const std::int64_t c =
        below(20) + std::max<std::int64_t>(0, -s) * n + std::max<std::int64_t>(0, -t) * m;
    auto quotient = b.buffer(int64, Role::output, n * m),
         rest = b.buffer(int64, Role::output, n * m);
    b.parallel({n, m}, [&](const Index& i) {
      const Affine x = i[0] * s + i[1] * t + c;
      b.store(quotient, i[0] * m + i[1], b.value(b.divide(x, by)));
      b.store(rest, i[0] * m + i[1], b.value(b.modulo(x, by)));
    });
    std::vector<std::int64_t> q(static_cast<std::size_t>(n * m)), r(q.size());
    interpret(b.finish(), {q.data(), r.data()});
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < m; ++j) {
        const auto at = static_cast<std::size_t>(i * m + j);
        REQUIRE(q[at] == (i * s + j * t + c) / by);
        REQUIRE(r[at] == (i * s + j * t + c) % by);
      }
    }
  }
}

TEST_CASE("constants are folded in the right type") {
  Builder b("fold");
  b.parallel({}, [&](const Index&) {
    auto f = [&](double x) { return b.constant(float32, x); };
    auto bits = [&](KernelScalar x) { return b.constant_bits(x.type(), 0).id() == x.id(); };
    // 0.1f + 0.2f is not 0.3f rounded from double.
    CHECK((f(0.1) + f(0.2)).id() == f(0.1f + 0.2f).id());
    CHECK((b.constant(int8, 127) + b.constant(int8, 1)).id() == b.constant(int8, -128).id());
    CHECK((b.constant(int32, 5) / b.constant(int32, 0)).id() == b.constant(int32, -1).id());
    CHECK(bits(b.constant(uint8, 200) - b.constant(uint8, 200)));
    CHECK(convert(b.constant(float32, 300), uint8).id() == b.constant(uint8, 255).id());
    CHECK((f(1) < f(2)).id() == b.constant(bool_, 1).id());
    CHECK(fma(f(1.0000001), f(1.0000001), f(-1)).id() ==
          f(std::fma(1.0000001f, 1.0000001f, -1.0f)).id());
    // Adding +0 changes -0, adding -0 changes nothing.
    auto in = b.buffer(float32, Role::input, 1);
    KernelScalar x = b.load(in, {});
    CHECK((x + 0.0).id() != x.id());
    CHECK((x + -0.0).id() == x.id());
    CHECK((x * 1.0).id() == x.id());
    CHECK((x * 0.0).id() != f(0).id());
  });
}

TEST_CASE("a widened integer is compared with a constant in its own type, where that has it") {
  Builder b("narrow");
  auto x = b.buffer(int32, Role::input, 8), out = b.buffer(bool_, Role::output, 32);
  b.parallel({8}, [&](const Index& i) {
    const KernelScalar wide = convert(b.load(x, i[0]), int64);
    b.store(out, i[0] * 4, wide < 10000);
    b.store(out, i[0] * 4 + 1, b.constant(int64, -5) <= wide);
    b.store(out, i[0] * 4 + 2, wide < b.constant_bits(int64, std::uint64_t{1} << 31));
    b.store(out, i[0] * 4 + 3, wide == b.constant_bits(int64, std::uint64_t{1} << 40));
  });
  const Kernel kernel = b.finish();
  const std::string text = to_string(kernel);
  CAPTURE(text);
  CHECK(text.find("less %4, 10000") != std::string::npos);
  CHECK(text.find("less_equal -5, %4") != std::string::npos);
  CHECK(text.find("%4, 1099511627776") == std::string::npos);
  const std::vector<std::int32_t> in = {0, 9999, 10000, -5, -6, 2147483647, -2147483647 - 1, 1};
  std::array<std::uint8_t, 32> got{};
  interpret(kernel, {const_cast<std::int32_t*>(in.data()), got.data()});
  for (std::size_t k = 0; k < 8; ++k) {
    CAPTURE(in[k]);
    CHECK(got[4 * k] == (in[k] < 10000));
    CHECK(got[4 * k + 1] == (-5 <= in[k]));
    CHECK(got[4 * k + 2] == 1);
    CHECK(got[4 * k + 3] == 0);
  }
}

TEST_CASE("lists of terms keep their order and their elements, few and many") {
  Affine::Terms list;
  std::vector<std::int32_t> wanted;
  for (std::int32_t k = 0; k < 9; ++k) {
    list.push_back({k, 2 * k});
    wanted.push_back(k);
    Affine::Terms copy = list, other;
    other.push_back({7, 7});
    other = copy;
    CHECK(other == list);
    const Affine::Terms moved = std::move(other);
    CHECK(moved == list);
    copy.insert(copy.begin() + k / 2, {100, 1});
    CHECK(copy.size() == list.size() + 1);
    CHECK(copy[static_cast<std::size_t>(k / 2)].of == 100);
    CHECK(copy.back().of == k);
    copy.erase(copy.begin() + k / 2);
    CHECK(copy == list);
  }
  list.erase_if([](const Affine::Term& t) { return t.of % 2 == 1; });
  std::vector<std::int32_t> left;
  for (const Affine::Term& t : list) left.push_back(t.of);
  CHECK(left == std::vector<std::int32_t>{0, 2, 4, 6, 8});
  list = Affine::Terms{};
  CHECK(list.empty());
}

TEST_CASE("folding agrees with what the interpreter of the tests computes") {
  std::mt19937_64 random(7);
  const DType types[] = {bool_,
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
  auto sample = [&](DType type) -> std::uint64_t {
    const int width = type == bool_ ? 1 : 8 * kernel::bytes_of(type);
    const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
    if (kernel::is_float(type) && random() % 2) {
      return kernel::bits_of(
          type, std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 40) - 75));
    }
    return (random() % 3 ? random() : random() % 9 - 4) & mask;
  };
  auto nan = [](DType type, std::uint64_t bits) {
    return kernel::is_float(type) && std::isnan(KernelArithmetic::get<double>(
                                         KernelArithmetic::convert(type, float64, bits)));
  };
  for (int round = 0; round < 200000; ++round) {
    const DType from = types[random() % std::size(types)], to = types[random() % std::size(types)];
    const std::uint64_t bits = sample(from);
    const std::uint64_t folded = kernel::convert_bits(from, to, bits);
    const std::uint64_t expected = KernelArithmetic::convert(from, to, bits);
    if (folded != expected && !(nan(to, folded) && nan(to, expected))) {
      CAPTURE(static_cast<int>(from), static_cast<int>(to), bits, folded, expected);
      FAIL("a conversion is folded to another value");
    }
  }
  SUCCEED();
}

TEST_CASE("kernels that break a rule are refused") {
  SECTION("a value outside its loop") {
    Builder b("scope");
    auto x = b.buffer(float32, Role::input, 8), out = b.buffer(float32, Role::output, 8);
    KernelScalar inside;
    b.parallel({8}, [&](const Index& i) { inside = b.load(x, i[0]); });
    CHECK_THROWS_AS(b.parallel({8}, [&](const Index& i) { b.store(out, i[0], inside); }),
                    InternalError);
  }
  SECTION("types that do not belong together") {
    Builder b("types");
    CHECK_THROWS_AS(b.constant(float32, 1) + b.constant(int32, 1), InternalError);
    CHECK_THROWS_AS(sqrt(b.constant(int32, 1)), InternalError);
    CHECK_THROWS_AS(b.constant(float16, 1) + b.constant(float16, 1), InternalError);
    CHECK_THROWS_AS(bitcast(b.constant(int32, 1), float64), InternalError);
  }
  SECTION("an index beyond its buffer") {
    Builder b("bounds");
    auto x = b.buffer(float32, Role::input, 8), out = b.buffer(float32, Role::output, 8);
    b.parallel({8}, [&](const Index& i) { b.store(out, i[0], b.load(x, i[0] + 1)); });
    CHECK_THROWS_AS(b.finish(), InternalError);
  }
  SECTION("an input that is written") {
    Builder b("roles");
    auto x = b.buffer(float32, Role::input, 8);
    b.parallel({8}, [&](const Index& i) { b.store(x, i[0], b.constant(float32, 1)); });
    CHECK_THROWS_AS(b.finish(), InternalError);
  }
  SECTION("a phase that is no parallel loop") {
    Builder b("phase");
    CHECK_THROWS_AS(b.serial({3},
                             {},
                             [](const Index&, std::vector<KernelScalar>) {
                               return std::vector<KernelScalar>{};
                             }),
                    InternalError);
  }
  SECTION("a tampered kernel") {
    Kernel kernel = normalise(2, 3);
    kernel.instructions[kernel.instructions.size() - 2].a = 0x7fffffff;
    CHECK_THROWS_AS(verify(kernel), InternalError);
  }
}

TEST_CASE("facts count operations and bytes of one outer iteration") {
  Kernel kernel = normalise(4, 100);
  CHECK(kernel.facts.flops == 300);     // a square, a sum, a quotient for each of 100
  CHECK(kernel.facts.bytes_in == 400);  // the row once; scratch is no memory
  CHECK(kernel.facts.bytes_out == 400);
}

}  // namespace
}  // namespace fluxion::test
