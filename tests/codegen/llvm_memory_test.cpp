// Loops as machine code: both trees of reductions, serial and while loops, rows, updates, every
// kind of address.
#include "tests/support/compiled_kernel.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/fold.hpp"

namespace fluxion::test {
namespace {

using kernel::Affine;
using kernel::Builder;
using kernel::Combiner;
using kernel::Index;
using kernel::Promise;
using kernel::Role;
using KernelScalar = kernel::Scalar;

TEST_CASE("addresses in steps, backwards, repeated and transposed") {
  for (DType type : {bool_, int8, bfloat16, float32, float64}) {
    const std::int64_t n = 35, m = 18;
    Builder b("addresses");
    auto in = b.buffer(type, Role::input, 3 * n * m);
    std::vector<std::int32_t> out;
    for (int k = 0; k < 6; ++k) out.push_back(b.buffer(type, Role::output, n * m));
    auto wide = b.buffer(type, Role::output, 2 * n * m);
    b.parallel({n, m}, [&](const Index& i) {
      const Affine at = i[0] * m + i[1];
      b.store(out[0], at, b.load(in, at * 3));
      b.store(out[1], at, b.load(in, at * -1 + (n * m - 1)));
      b.store(out[2], at, b.load(in, i[1]));
      b.store(out[3], at, b.load(in, i[0]));
      b.store(out[4], at, b.load(in, i[1] * n + i[0]));
      b.store(out[5], at * -1 + (n * m - 1), b.load(in, at + 5));
      b.store(wide, at * 2 + 1, b.load(in, at));
    });
    check_compiled(b.finish(), [&](std::size_t, std::size_t k) {
      return type == bool_ ? k % 2 : type == int8 ? k % 256 : std::uint64_t{k};
    });
  }
}

TEST_CASE("predicates keep loads and stores from touching memory") {
  for (DType type : {bool_, int16, float32, float64}) {
    for (std::int64_t n : {1, 16, 45}) {
      Builder b("window");
      auto in = b.buffer(type, Role::input, n), out = b.buffer(type, Role::output, n * 5),
           some = b.buffer(type, Role::output, n), uniform = b.buffer(type, Role::output, n * 5);
      b.parallel({n, 5}, [&](const Index& i) {
        Affine at = i[0] + i[1] + -2;
        KernelScalar inside = b.in_range(at, 0, n);
        KernelScalar x = b.load(in, at, inside, b.constant(type, 1));
        b.store(out, i[0] * 5 + i[1], x);
        b.store(some, at, x, b.in_range(at, 0, n) & (b.value(i[1]) == 1));
        // One address for all lanes, where some of them may not ask.
        KernelScalar first = b.load(in, {100000, {}, {}}, b.value(i[1]) > 7, b.constant(type, 1));
        b.store(uniform, i[0] * 5 + i[1], first);
      });
      check_compiled(b.finish());
    }
  }
}

TEST_CASE("gathers follow indices of any type, scatters put them back") {
  for (DType index : {int32, int64, uint8}) {
    for (DType type : {bool_, int8, float16, float32, float64}) {
      const std::int64_t n = 50, width = 3;
      Builder b("gather");
      auto table = b.buffer(type, Role::input, 70 * width), where = b.buffer(index, Role::input, n),
           out = b.buffer(type, Role::output, n * width),
           back = b.buffer(type, Role::output, n * width);
      b.parallel({n, width}, [&](const Index& i) {
        KernelScalar at = convert(b.load(where, i[0]), int64);
        b.store(out, i[0] * width + i[1], b.load(table, b.affine(at) * width + i[1]));
      });
      b.parallel({n}, [&](const Index& i) {
        KernelScalar at = convert(b.load(where, i[0]), int64);
        b.store(back, b.affine(at) * width, b.load(table, i[0]), at < static_cast<double>(n));
      });
      check_compiled(b.finish(), [&](std::size_t buffer, std::size_t k) -> std::uint64_t {
        // A permutation of 0..69, so that no two iterations store to one place.
        if (buffer == 1) return k * 33 % 70;
        return type == bool_ ? k % 2 : k % 200;
      });
    }
  }
}

TEST_CASE("tables are read at any index") {
  Builder b("table");
  std::vector<std::uint64_t> words, shorts;
  for (std::uint64_t k = 0; k < 40; ++k) {
    words.push_back(k * 0x9e3779b9u & 0xffffffffu);
    shorts.push_back(k * k);
  }
  auto in = b.buffer(uint8, Role::input, 100), out = b.buffer(uint32, Role::output, 100),
       more = b.buffer(uint16, Role::output, 100);
  auto t = b.table(uint32, words), s = b.table(uint16, shorts);
  b.parallel({100}, [&](const Index& i) {
    KernelScalar at = convert(b.load(in, i[0]), int64);
    b.store(out, i[0], b.lookup(t, at));
    b.store(more, i[0], b.lookup(s, at));
  });
  check_compiled(b.finish(), [](std::size_t, std::size_t k) { return k * 7 % 40; });
}

TEST_CASE("updates that meet are made one after the other, others at once") {
  for (Combiner combiner : {Combiner::add, Combiner::max, Combiner::set}) {
    for (std::int64_t width : {1, 5, 40}) {
      Builder b("scatter");
      const std::int64_t n = 60;
      auto where = b.buffer(int32, Role::input, n),
           values = b.buffer(float32, Role::input, n * width),
           sums = b.buffer(float32, Role::output, 7 * width),
           own = b.buffer(float32, Role::output, n);
      b.parallel({n, width}, [&](const Index& i) {
        Affine row = b.affine(convert(b.load(where, i[0]), int64));
        b.update(sums,
                 row * width + i[1],
                 combiner,
                 b.load(values, i[0] * width + i[1]),
                 Promise::conflicts,
                 b.load(values, i[0] * width) > 0);
      });
      b.parallel({n}, [&](const Index& i) {
        b.update(own, i[0], combiner, b.load(values, i[0]), Promise::unique);
      });
      RandomBits samples(9);
      check_compiled(b.finish(), [&](std::size_t buffer, std::size_t k) -> std::uint64_t {
        return buffer == 0 ? k * k % 7 : moderate(samples, float32);
      });
    }
  }
}

TEST_CASE("loop variables are values") {
  Builder b("iota");
  auto a = b.buffer(int64, Role::output, 200), c = b.buffer(float32, Role::output, 200),
       d = b.buffer(uint32, Role::output, 200), e = b.buffer(int16, Role::output, 200);
  b.parallel({8, 25}, [&](const Index& i) {
    const Affine at = i[0] * 25 + i[1];
    KernelScalar x = b.value(i[0] * 3 + i[1] * -2 + 11);
    b.store(a, at, x * x + b.value(i[1]));
    b.store(c, at, convert(x, float32));
    KernelScalar word = convert(b.value(at), uint32) * b.constant(uint32, 2654435769.0);
    b.store(d, at, word ^ (word >> word.like(16)));
    b.store(e, at, convert(b.value(b.divide(at, 7)) - b.value(b.modulo(at, 7)), int16));
  });
  check_compiled(b.finish());
}

}  // namespace
}  // namespace fluxion::test
