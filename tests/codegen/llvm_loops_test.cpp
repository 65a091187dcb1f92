// Loops as machine code: both trees of reductions, serial and while loops, rows, updates, every
// kind of address.
#include "tests/support/compiled_kernel.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/fold.hpp"

#include <functional>

namespace fluxion::test {
namespace {

using kernel::Affine;
using kernel::Builder;
using kernel::Combiner;
using kernel::Index;
using kernel::Role;
using kernel::Tree;
using KernelScalar = kernel::Scalar;
using Elements = std::vector<Builder::Element>;

std::vector<Combiner> combiners_of(DType type) {
  if (kernel::is_float(type)) return {Combiner::add, Combiner::mul, Combiner::min, Combiner::max};
  return {Combiner::add,
          Combiner::mul,
          Combiner::min,
          Combiner::max,
          Combiner::bit_and,
          Combiner::bit_or,
          Combiner::bit_xor};
}

KernelScalar start(Builder& b, Combiner combiner, DType type) {
  return b.constant_bits(type, kernel::identity_bits(combiner, type));
}

/// All combiners of a type over [rows][a][n], reduced over the last two axes.
kernel::Kernel row_reductions(
    DType type, Tree tree, std::int64_t rows, std::int64_t a, std::int64_t n) {
  Builder b("rows");
  auto in = b.buffer(type, Role::input, rows * a * n);
  std::vector<Combiner> combiners = combiners_of(type);
  std::vector<std::int32_t> out;
  for (std::size_t k = 0; k < combiners.size(); ++k)
    out.push_back(b.buffer(type, Role::output, rows));
  b.parallel({rows}, [&](const Index& r) {
    std::vector<KernelScalar> initial;
    for (Combiner c : combiners) initial.push_back(start(b, c, type));
    auto results = b.reduce({a, n}, tree, combiners, initial, [&](const Index& i) {
      KernelScalar x = b.load(in, r[0] * (a * n) + i[0] * n + i[1]);
      return Elements(combiners.size(), {x});
    });
    for (std::size_t k = 0; k < results.size(); ++k) b.store(out[k], r[0], results[k]);
  });
  return b.finish();
}

TEST_CASE("rows are reduced in the order that the tree fixes, on every type") {
  for (DType type : number_types) {
    for (Tree tree : {Tree::lanes, Tree::sequential}) {
      for (std::int64_t n : {1, 3, 16, 17, 64, 100, 300}) {
        auto kernel = row_reductions(type, tree, 3, 1, n);
        check_compiled(kernel, moderate_numbers(kernel));
      }
    }
  }
}

TEST_CASE("bands of two axes are reduced row by row") {
  for (Tree tree : {Tree::lanes, Tree::sequential}) {
    for (std::int64_t n : {1, 5, 15, 16, 17, 31, 63, 64, 65, 128, 200}) {
      for (std::int64_t a : {2, 7}) {
        auto kernel = row_reductions(float32, tree, 2, a, n);
        check_compiled(kernel, moderate_numbers(kernel));
      }
    }
  }
}

TEST_CASE("the tree of lanes is the one that the documentation draws") {
  // Written out once more by hand: 64 accumulators, then halves.
  for (std::int64_t n : {1, 63, 64, 65, 1000, 4099}) {
    Builder b("sum");
    auto in = b.buffer(float32, Role::input, n), out = b.buffer(float32, Role::output, 1);
    b.parallel({}, [&](const Index&) {
      auto sum = b.reduce(
          {n}, Tree::lanes, {Combiner::add}, {b.constant(float32, 0.5)}, [&](const Index& i) {
            return Elements{{b.load(in, i[0])}};
          });
      b.store(out, {}, sum[0]);
    });
    std::vector<float> x(static_cast<std::size_t>(n));
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = std::sin(static_cast<float>(k)) * 3.7f;
    float lanes[64];
    for (float& lane : lanes) lane = -0.0f;
    for (std::size_t k = 0; k < x.size(); ++k) lanes[k % 64] += x[k];
    for (int half = 32; half >= 1; half /= 2) {
      for (int k = 0; k < half; ++k) lanes[k] += lanes[k + half];
    }
    float result = 0;
    void* buffers[] = {x.data(), &result};
    codegen::run(*codegen::compile(b.finish()), buffers);
    CHECK(result == 0.5f + lanes[0]);
  }
}

TEST_CASE("a dot product is one fused operation an element") {
  for (DType type : {float32, float64}) {
    for (Tree tree : {Tree::lanes, Tree::sequential}) {
      for (std::int64_t n : {5, 40, 333}) {
        Builder b("dot");
        auto x = b.buffer(type, Role::input, n), y = b.buffer(type, Role::input, n * 20),
             out = b.buffer(type, Role::output, 20);
        b.parallel({20}, [&](const Index& i) {
          auto sum =
              b.reduce({n}, tree, {Combiner::add}, {b.constant(type, 0)}, [&](const Index& k) {
                return Elements{{b.load(x, k[0]), b.load(y, i[0] * n + k[0])}};
              });
          b.store(out, i[0], sum[0]);
        });
        auto kernel = b.finish();
        check_compiled(kernel, moderate_numbers(kernel));
      }
    }
  }
}

TEST_CASE("columns are reduced with lanes across them") {
  for (Tree tree : {Tree::lanes, Tree::sequential}) {
    for (std::int64_t columns : {1, 15, 16, 64, 70, 130}) {
      for (std::int64_t rows : {1, 3, 9, 100}) {
        Builder b("columns");
        auto in = b.buffer(float32, Role::input, rows * columns),
             out = b.buffer(float32, Role::output, columns);
        b.parallel({columns}, [&](const Index& c) {
          auto sum = b.reduce(
              {rows}, tree, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& r) {
                return Elements{{b.load(in, r[0] * columns + c[0])}};
              });
          b.store(out, c[0], sum[0]);
        });
        auto kernel = b.finish();
        check_compiled(kernel, moderate_numbers(kernel));
      }
    }
  }
}

TEST_CASE("a reduction of a large body takes turns with its accumulators") {
  for (std::int64_t n : {10, 40, 63, 64, 100, 1000}) {
    for (std::int64_t a : {1, 3}) {
      Builder b("turns");
      auto in = b.buffer(float32, Role::input, a * n), out = b.buffer(float32, Role::output, 1);
      b.parallel({}, [&](const Index&) {
        auto sum = b.reduce(
            {a, n}, Tree::lanes, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& i) {
              KernelScalar x = b.load(in, i[0] * n + i[1]);
              for (int k = 0; k < 12; ++k) x = fma(x, x.like(0.5), x.like(k) - x * x);
              return Elements{{x}};
            });
        b.store(out, {}, sum[0]);
      });
      auto kernel = b.finish();
      check_compiled(kernel, moderate_numbers(kernel));
    }
  }
}

TEST_CASE("argument reductions take NaN first, then the smaller index") {
  for (DType type : {float32, float64, int32, uint8}) {
    for (Combiner combiner : {Combiner::arg_min, Combiner::arg_max}) {
      for (Tree tree : {Tree::lanes, Tree::sequential}) {
        for (std::int64_t n : {1, 7, 64, 200}) {
          Builder b("argument");
          auto in = b.buffer(type, Role::input, 5 * n), value = b.buffer(type, Role::output, 5),
               where = b.buffer(int64, Role::output, 5);
          b.parallel({5}, [&](const Index& r) {
            auto best =
                b.reduce({n},
                         tree,
                         {combiner, combiner},
                         {start(b, combiner, type), b.constant_bits(int64, ~std::uint64_t{0} >> 1)},
                         [&](const Index& i) {
                           return Elements{{b.load(in, r[0] * n + i[0])}, {b.value(i[0])}};
                         });
            b.store(value, r[0], best[0]);
            b.store(where, r[0], best[1]);
          });
          RandomBits samples(static_cast<std::uint64_t>(n));
          check_compiled(b.finish(), [&](std::size_t buffer, std::size_t k) -> std::uint64_t {
            if (buffer != 0) return 0;
            if (kernel::is_float(type) && k / static_cast<std::size_t>(n) == 2 &&
                samples.below(9) == 0) {
              return kernel::bits_of(type, __builtin_nan(""));
            }
            return kernel::bits_of(type, static_cast<double>(samples.below(6)));
          });
        }
      }
    }
  }
}

TEST_CASE("a run-time bound stops a loop, the same for all lanes or one for each") {
  for (Tree tree : {Tree::lanes, Tree::sequential}) {
    for (bool per_row : {false, true}) {
      for (std::int64_t n : {6, 40, 150}) {
        Builder b("bounds");
        auto in = b.buffer(float32, Role::input, 40 * n), bound = b.buffer(int32, Role::input, 40),
             out = b.buffer(float32, Role::output, 40),
             product = b.buffer(float32, Role::output, 40);
        b.parallel({40}, [&](const Index& r) {
          KernelScalar trips = convert(b.load(bound, per_row ? r[0] : Affine{3, {}, {}}), int64);
          auto sum = b.reduce(
              {n},
              tree,
              {Combiner::add},
              {b.constant(float32, 0)},
              [&](const Index& i) { return Elements{{b.load(in, r[0] * n + i[0])}}; },
              trips);
          b.store(out, r[0], sum[0]);
          auto p = b.serial(
              {n},
              {b.constant(float32, 1)},
              [&](const Index& i, std::vector<KernelScalar> c) {
                return std::vector<KernelScalar>{c[0] * b.load(in, r[0] * n + i[0]) + 1.0};
              },
              trips);
          b.store(product, r[0], p[0]);
        });
        RandomBits samples(5);
        check_compiled(b.finish(), [&](std::size_t buffer, std::size_t) -> std::uint64_t {
          if (buffer == 1) return samples.below(static_cast<std::uint64_t>(n) + 1);
          return moderate(samples, float32);
        });
      }
    }
  }
}

TEST_CASE("while loops run as long as each lane's own condition holds") {
  // Collatz: the steps until one, and the greatest number on the way.
  for (std::int64_t n : {1, 17, 100}) {
    Builder b("collatz");
    auto in = b.buffer(int32, Role::input, n), steps = b.buffer(int32, Role::output, n),
         greatest = b.buffer(int32, Role::output, n);
    b.parallel({n}, [&](const Index& i) {
      KernelScalar x = b.load(in, i[0]);
      auto c = b.repeat_while(
          {x, x.like(0), x},
          [&](std::vector<KernelScalar> c) { return c[0] > 1; },
          [&](std::vector<KernelScalar> c) {
            KernelScalar odd = (c[0] & c[0].like(1)) == 1;
            KernelScalar next = select(odd, c[0] * 3 + 1, c[0] >> c[0].like(1));
            return std::vector<KernelScalar>{next, c[1] + 1, max(c[2], next)};
          });
      b.store(steps, i[0], c[1]);
      b.store(greatest, i[0], c[2]);
    });
    check_compiled(b.finish(), [](std::size_t, std::size_t k) { return (7 * k + 1) % 500; });
  }
}

TEST_CASE("a while loop with one condition for all is a scalar loop") {
  Builder b("halve");
  auto in = b.buffer(float32, Role::input, 50), limit = b.buffer(int32, Role::input, 1),
       out = b.buffer(float32, Role::output, 50);
  b.parallel({50}, [&](const Index& i) {
    KernelScalar times = b.load(limit, {});
    auto c = b.repeat_while(
        {b.load(in, i[0]), times},
        [&](std::vector<KernelScalar> c) { return c[1] > 0; },
        [&](std::vector<KernelScalar> c) {
          return std::vector<KernelScalar>{c[0] * 0.5, c[1] - 1};
        });
    b.store(out, i[0], c[0]);
  });
  check_compiled(b.finish(), [](std::size_t buffer, std::size_t k) -> std::uint64_t {
    return buffer == 1 ? 5 : kernel::bits_of(float32, static_cast<double>(k));
  });
}

TEST_CASE("phases of a row share scratch rows and scalars") {
  for (std::int64_t n : {1, 3, 9, 16, 100, 30000}) {
    const std::int64_t rows = n > 1000 ? 2 : 20;
    Builder b("normalise");
    auto in = b.buffer(float32, Role::input, rows * n),
         out = b.buffer(float32, Role::output, rows * n), row = b.buffer(float32, Role::scratch, n),
         flags = b.buffer(bool_, Role::scratch, n);
    b.parallel({rows}, [&](const Index& r) {
      auto most = b.reduce(
          {n}, Tree::lanes, {Combiner::max}, {b.constant(float32, -1e30)}, [&](const Index& c) {
            return Elements{{b.load(in, r[0] * n + c[0])}};
          })[0];
      b.parallel({n}, [&](const Index& c) {
        KernelScalar x = b.load(in, r[0] * n + c[0]) - most;
        b.store(row, c[0], x * x + 0.25);
        b.store(flags, c[0], x < -0.5);
      });
      auto sum = b.reduce(
          {n}, Tree::lanes, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& c) {
            return Elements{{b.load(row, c[0])}};
          })[0];
      b.parallel({n}, [&](const Index& c) {
        KernelScalar x = b.load(row, c[0]) / sum;
        b.store(out, r[0] * n + c[0], select(b.load(flags, c[0]), x, -x));
      });
    });
    auto kernel = b.finish();
    check_compiled(kernel, moderate_numbers(kernel));
  }
}

TEST_CASE("phases of a kernel follow each other") {
  Builder b("two phases");
  const std::int64_t n = 1000;
  auto in = b.buffer(float32, Role::input, n), partial = b.buffer(float32, Role::output, 10),
       out = b.buffer(float32, Role::output, n);
  b.parallel({10}, [&](const Index& k) {
    auto sum = b.reduce(
        {n / 10}, Tree::lanes, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& i) {
          return Elements{{b.load(in, k[0] * (n / 10) + i[0])}};
        });
    b.store(partial, k[0], sum[0]);
  });
  b.parallel({n}, [&](const Index& i) {
    auto sum = b.reduce(
        {10}, Tree::sequential, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& k) {
          return Elements{{b.load(partial, k[0])}};
        });
    b.store(out, i[0], b.load(in, i[0]) / sum[0]);
  });
  auto kernel = b.finish();
  check_compiled(kernel, moderate_numbers(kernel));
}

TEST_CASE("every lane has its own row of scratch: inverses of small matrices") {
  const std::int64_t count = 37, n = 3;
  Builder b("inverse");
  auto in = b.buffer(float32, Role::input, count * n * n),
       out = b.buffer(float32, Role::output, count * n * n),
       work = b.buffer(float32, Role::scratch, n * 2 * n);
  b.parallel({count}, [&](const Index& m) {
    for (std::int64_t r = 0; r < n; ++r) {
      for (std::int64_t c = 0; c < n; ++c) {
        b.store(work, {r * 2 * n + c, {}, {}}, b.load(in, m[0] * (n * n) + (r * n + c)));
        b.store(work, {r * 2 * n + n + c, {}, {}}, b.constant(float32, r == c));
      }
    }
    b.serial({n}, {}, [&](const Index& p, std::vector<KernelScalar>) {
      // The row of the greatest pivot comes first: an address that differs from lane to lane.
      auto best =
          b.reduce({n},
                   Tree::sequential,
                   {Combiner::arg_max, Combiner::arg_max},
                   {b.constant(float32, -1), b.constant_bits(int64, ~std::uint64_t{0} >> 1)},
                   [&](const Index& r) {
                     KernelScalar size = abs(b.load(work, r[0] * (2 * n) + p[0]));
                     KernelScalar below = b.value(r[0]) >= b.value(p[0]);
                     return Elements{{select(below, size, size.like(-1))}, {b.value(r[0])}};
                   });
      Affine pivot = b.affine(min(max(best[1], best[1].like(0)), best[1].like(n - 1)));
      b.serial({2 * n}, {}, [&](const Index& c, std::vector<KernelScalar>) {
        KernelScalar upper = b.load(work, p[0] * (2 * n) + c[0]);
        KernelScalar lower = b.load(work, pivot * (2 * n) + c[0]);
        b.store(work, p[0] * (2 * n) + c[0], lower);
        b.store(work, pivot * (2 * n) + c[0], upper);
        return std::vector<KernelScalar>{};
      });
      KernelScalar scale = 1.0 / b.load(work, p[0] * (2 * n) + p[0]);
      b.serial({2 * n}, {}, [&](const Index& c, std::vector<KernelScalar>) {
        b.store(work, p[0] * (2 * n) + c[0], b.load(work, p[0] * (2 * n) + c[0]) * scale);
        return std::vector<KernelScalar>{};
      });
      b.serial({n}, {}, [&](const Index& r, std::vector<KernelScalar>) {
        KernelScalar same = b.value(r[0]) == b.value(p[0]);
        KernelScalar factor = select(same, scale.like(0), b.load(work, r[0] * (2 * n) + p[0]));
        b.serial({2 * n}, {}, [&](const Index& c, std::vector<KernelScalar>) {
          KernelScalar x = b.load(work, r[0] * (2 * n) + c[0]);
          b.store(work, r[0] * (2 * n) + c[0], x - factor * b.load(work, p[0] * (2 * n) + c[0]));
          return std::vector<KernelScalar>{};
        });
        return std::vector<KernelScalar>{};
      });
      return std::vector<KernelScalar>{};
    });
    for (std::int64_t k = 0; k < n * n; ++k) {
      b.store(out, m[0] * (n * n) + k, b.load(work, {k / n * 2 * n + n + k % n, {}, {}}));
    }
  });
  auto kernel = b.finish();
  check_compiled(kernel, moderate_numbers(kernel));
}

/// result[i, j] = sum over k of left[i, k] * right[k, j], or right[j, k].
kernel::Kernel product(
    DType type, std::int64_t rows, std::int64_t columns, std::int64_t n, Tree tree) {
  Builder b("product");
  auto left = b.buffer(type, Role::input, rows * n),
       right = b.buffer(type, Role::input, n * columns),
       out = b.buffer(type, Role::output, rows * columns),
       same = b.buffer(type, Role::output, rows * columns);
  b.parallel({rows, columns}, [&](const Index& i) {
    const KernelScalar half = b.constant(type, 0.5);
    auto sum = b.reduce({n}, tree, {Combiner::add}, {half}, [&](const Index& k) {
      const KernelScalar r =
          b.load(right, tree == Tree::lanes ? i[1] * n + k[0] : k[0] * columns + i[1]);
      return Elements{{b.load(left, i[0] * n + k[0]), r}};
    });
    // Each row and each column has something of its own behind the sum.
    const KernelScalar row = convert(b.value(i[0]), type), column = convert(b.value(i[1]), type);
    b.store(out, i[0] * columns + i[1], sum[0] * row + column);
    b.store(same, i[0] * columns + i[1], b.load(right, i[1]));
  });
  return b.finish();
}

TEST_CASE("rows of a product that share what they read are computed together, bit for bit") {
  const codegen::Target without_masks = lesser_target();
  for (DType type : {float32, float64}) {
    for (Tree tree : {Tree::sequential, Tree::lanes}) {
      for (auto [rows, columns, n] : {std::array{8, 40, 70},
                                      std::array{11, 33, 5},
                                      std::array{3, 7, 130},
                                      std::array{1, 50, 20}}) {
        const auto kernel = product(type, rows, columns, n, tree);
        codegen::CompileOptions lesser;
        lesser.target = &without_masks;
        check_compiled(kernel, moderate_numbers(kernel));
        check_compiled(kernel, moderate_numbers(kernel), lesser);
      }
    }
  }
}

TEST_CASE("a tile is as many rows as there are accumulators for") {
  const auto rows_at_once = [](const kernel::Kernel& kernel, codegen::VectorTarget target) {
    return codegen::map_kernel(kernel, target).mapping.phases[0].tile;
  };
  const codegen::VectorTarget avx512{64, true}, avx2{32, false};
  const auto across = product(float64, 64, 256, 100, Tree::sequential);
  CHECK(rows_at_once(across, avx512) == 4);  // of four vectors each
  CHECK(rows_at_once(across, avx2) == 4);    // of two
  const auto along = product(float64, 64, 256, 100, Tree::lanes);
  CHECK(rows_at_once(along, avx512) == 2);  // of eight
  CHECK(rows_at_once(along, avx2) == 1);    // sixteen fill all registers
}

TEST_CASE("the mapping changes no bit of a reduction") {
  Builder b("sums");
  const std::int64_t rows = 6, n = 90;
  auto in = b.buffer(float32, Role::input, rows * n), out = b.buffer(float32, Role::output, rows);
  b.parallel({rows}, [&](const Index& r) {
    auto sum =
        b.reduce({n}, Tree::lanes, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& i) {
          return Elements{{b.load(in, r[0] * n + i[0])}};
        });
    b.store(out, r[0], sum[0]);
  });
  auto kernel = b.finish();
  auto collapsed = codegen::collapse(kernel);
  codegen::Mapping chosen = codegen::choose_mapping(collapsed, codegen::host_target().vector);
  codegen::Mapping scalar = chosen, turns = chosen, across = chosen;
  scalar.loops[1] = {};
  turns.loops[1] = {chosen.loops[1].variable, 16, true};
  across.loops[1] = {};
  across.loops[0] = {collapsed.loops[0].variables[0], 4, false};
  across.phases[0].order.clear();
  across.phases[0].chunk = rows;
  across.phases[0].iterations = across.phases[0].units = 1;
  for (const codegen::Mapping* mapping : {&chosen, &scalar, &turns, &across}) {
    for (int level : {0, 1, 2}) {
      codegen::CompileOptions options;
      options.mapping = mapping;
      options.level = level;
      check_compiled(kernel, moderate_numbers(kernel), options);
    }
  }
}

}  // namespace
}  // namespace fluxion::test
