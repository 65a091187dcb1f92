// Loops in order: pieces of rows that are transposed in registers, lines that the lanes lie along,
// updates that are found out for many steps at once.
#include "tests/support/compiled_kernel.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/fold.hpp"

#include <memory>

namespace fluxion::test {
namespace {

using kernel::Affine;
using kernel::Builder;
using kernel::Combiner;
using kernel::Index;
using kernel::Role;
using KernelScalar = kernel::Scalar;

/// With masked vectors and without.
void check_both(const kernel::Kernel& kernel, const Fill& fill) {
  check_compiled(kernel, fill);
  const codegen::Target target = lesser_target();
  check_compiled(kernel, fill, {.target = &target});
}

/// Running sums and products of every row of [rows][n], and what the last step of each leaves.
kernel::Kernel running_rows(DType type, std::int64_t rows, std::int64_t n, bool reverse) {
  Builder b("running");
  auto in = b.buffer(type, Role::input, rows * n), sums = b.buffer(type, Role::output, rows * n),
       products = b.buffer(type, Role::output, rows * n), last = b.buffer(type, Role::output, rows);
  b.parallel({rows}, [&](const Index& r) {
    auto carries = b.serial({n},
                            {b.constant(type, 0), b.constant(type, 1)},
                            [&](const Index& j, std::vector<KernelScalar> c) {
                              const Affine at = r[0] * n + (reverse ? j[0] * -1 + (n - 1) : j[0]);
                              const KernelScalar x = b.load(in, at);
                              const std::vector<KernelScalar> next{c[0] + x, c[1] * x};
                              b.store(sums, at, next[0]);
                              b.store(products, at, next[1]);
                              return next;
                            });
    b.store(last, r[0], carries[0] + carries[1]);
  });
  return b.finish();
}

TEST_CASE("rows are walked in order in transposed pieces, on every type") {
  for (DType type : number_types) {
    for (std::int64_t n : {4, 16, 21, 70}) {
      for (bool reverse : {false, true}) {
        auto kernel = running_rows(type, 37, n, reverse);
        check_both(kernel, moderate_numbers(kernel));
      }
    }
  }
}

TEST_CASE("any number of rows of any length is walked in order") {
  for (std::int64_t rows : {1, 2, 3, 5, 8, 15, 16, 17, 33}) {
    for (std::int64_t n : {1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 31, 32, 48, 100}) {
      auto kernel = running_rows(float32, rows, n, n % 2 == 1);
      check_both(kernel, moderate_numbers(kernel));
    }
  }
}

TEST_CASE("a store that a later step of its loop reads does not wait for the end of a piece") {
  // Every element adds the result two steps before, which memory has.
  const std::int64_t rows = 20, n = 40;
  Builder b("steps");
  auto in = b.buffer(float32, Role::input, rows * n),
       out = b.buffer(float32, Role::output, rows * n);
  b.parallel({rows}, [&](const Index& r) {
    b.serial({n}, {}, [&](const Index& j, std::vector<KernelScalar>) {
      const Affine at = r[0] * n + j[0];
      const KernelScalar before =
          b.load(out, at - Affine{2, {}, {}}, b.in_range(j[0], 2, n), b.constant(float32, 0));
      b.store(out, at, b.load(in, at) + before);
      return std::vector<KernelScalar>();
    });
  });
  auto kernel = b.finish();
  check_both(kernel, moderate_numbers(kernel));
}

TEST_CASE("a loop in order along rows reads what else there is step by step") {
  // A table by the row's elements, a column, a predicate, and a row walked both ways.
  const std::int64_t rows = 23, n = 37;
  Builder b("mixed");
  auto in = b.buffer(float32, Role::input, rows * n),
       where = b.buffer(int32, Role::input, rows * n), picked = b.buffer(float32, Role::input, 50),
       column = b.buffer(float32, Role::input, n), out = b.buffer(float32, Role::output, rows * n),
       back = b.buffer(float32, Role::output, rows * n);
  b.parallel({rows}, [&](const Index& r) {
    b.serial({n}, {b.constant(float32, 0)}, [&](const Index& j, std::vector<KernelScalar> c) {
      const Affine at = r[0] * n + j[0], mirrored = r[0] * n + (j[0] * -1 + (n - 1));
      const Affine place = b.affine(convert(b.load(where, at), int64));
      const KernelScalar far =
          b.load(in, at + 5, b.in_range(j[0], 0, n - 5), b.constant(float32, 2));
      const KernelScalar next = c[0] * 0.5 + b.load(in, at) * b.load(picked, place) +
                                b.load(in, mirrored) * b.load(column, j[0]) + far;
      b.store(out, at, next);
      b.store(back, mirrored, next * next);
      return std::vector<KernelScalar>{next};
    });
  });
  auto kernel = b.finish();
  RandomBits samples(9);
  check_both(kernel, [&](std::size_t buffer, std::size_t) -> std::uint64_t {
    return buffer == 1 ? samples.below(50) : moderate(samples, float32);
  });
}

TEST_CASE("columns are walked in order along the lines of memory") {
  for (std::int64_t columns : {16, 100, 1024, 1111}) {
    for (std::int64_t rows : {2, 17, 40}) {
      Builder b("down");
      auto in = b.buffer(float32, Role::input, rows * columns),
           out = b.buffer(float32, Role::output, rows * columns);
      b.parallel({columns}, [&](const Index& c) {
        b.serial({rows}, {b.constant(float32, 0)}, [&](const Index& r, auto carries) {
          const Affine at = r[0] * columns + c[0];
          const KernelScalar next = carries[0] + b.load(in, at);
          b.store(out, at, next);
          return std::vector<KernelScalar>{next};
        });
      });
      auto kernel = b.finish();
      check_both(kernel, moderate_numbers(kernel));
    }
  }
}

/// Updates of `places` elements at given places, those outside left out, `n` for each of `a`
/// tables.
kernel::Kernel updates_of(DType type, Combiner combiner, std::int64_t a, std::int64_t n) {
  constexpr std::int64_t places = 20;
  Builder b("updates");
  auto where = b.buffer(int32, Role::input, a * n), by = b.buffer(type, Role::input, a * n),
       out = b.buffer(type, Role::output, a * places);
  b.parallel({a}, [&](const Index& table) {
    b.serial({n}, {}, [&](const Index& j, std::vector<KernelScalar>) {
      const Affine at = table[0] * n + j[0];
      const Affine place = b.affine(convert(b.load(where, at), int64));
      b.update(out,
               table[0] * places + place,
               combiner,
               b.load(by, at),
               kernel::Promise::unique,
               b.in_range(place, 0, places));
      return std::vector<KernelScalar>();
    });
  });
  return b.finish();
}

TEST_CASE("updates are made in order, those outside left out, on every type") {
  for (DType type : number_types) {
    for (Combiner combiner :
         {Combiner::set, Combiner::add, Combiner::mul, Combiner::min, Combiner::max}) {
      for (std::int64_t n : {7, 16, 100, 257, 600}) {
        for (std::uint64_t limit : {20, 22}) {
          RandomBits samples(limit);
          check_both(updates_of(type, combiner, n == 100 ? 3 : 1, n),
                     [&](std::size_t buffer, std::size_t) -> std::uint64_t {
                       return buffer == 0 ? samples.below(limit) : moderate(samples, type);
                     });
        }
      }
    }
  }
}

TEST_CASE("a loop updates several buffers at once, at places of every kind") {
  // One table by the place, one element by all, a line by the step, and what is left out of one.
  for (std::int64_t n : {9, 48, 530}) {
    Builder b("several");
    auto where = b.buffer(int64, Role::input, n), by = b.buffer(float32, Role::input, n),
         table = b.buffer(float32, Role::output, 30), sum = b.buffer(float64, Role::output, 1),
         line = b.buffer(float32, Role::output, 4 * n), any = b.buffer(bool_, Role::output, 30);
    b.parallel({}, [&](const Index&) {
      b.serial({4, n}, {}, [&](const Index& j, std::vector<KernelScalar>) {
        const KernelScalar x = b.load(by, j[1]);
        const Affine place = b.affine(b.load(where, j[1]));
        const auto unique = kernel::Promise::unique;
        b.update(table, place, Combiner::add, x * x, unique, x < 0.5);
        b.update(sum, {}, Combiner::add, convert(x, float64), unique);
        b.update(line, j[0] * n + j[1], Combiner::max, x, unique);
        b.update(any, place, Combiner::bit_or, x < 0.0, unique);
        return std::vector<KernelScalar>();
      });
    });
    RandomBits samples(3);
    check_both(b.finish(), [&](std::size_t buffer, std::size_t) -> std::uint64_t {
      if (buffer == 0) return samples.below(30);
      if (buffer == 5) return samples.below(2);
      return moderate(samples, buffer == 3 ? float64 : float32);
    });
  }
}

TEST_CASE("updates that later steps read are seen by them") {
  // A running sum through memory, and two updates of one buffer in turn.
  const std::int64_t n = 100;
  Builder b("dependent");
  auto in = b.buffer(float32, Role::input, n), out = b.buffer(float32, Role::output, n + 1),
       both = b.buffer(float32, Role::output, 2);
  b.parallel({}, [&](const Index&) {
    b.serial({n}, {}, [&](const Index& j, std::vector<KernelScalar>) {
      const KernelScalar x = b.load(in, j[0]), before = b.load(out, j[0]);
      b.update(out, j[0] + 1, Combiner::add, before * 0.5 + x, kernel::Promise::unique);
      return std::vector<KernelScalar>();
    });
    b.serial({n}, {}, [&](const Index& j, std::vector<KernelScalar>) {
      const KernelScalar x = b.load(in, j[0]);
      b.update(both, {}, Combiner::add, x, kernel::Promise::unique);
      b.update(both, {}, Combiner::mul, x + 1.0, kernel::Promise::unique);
      return std::vector<KernelScalar>();
    });
  });
  auto kernel = b.finish();
  check_both(kernel, moderate_numbers(kernel));
}

}  // namespace
}  // namespace fluxion::test
