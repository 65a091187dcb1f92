// The vector math as machine code: whole vectors, tails and scalars give the bits of the formulas.
#include "tests/codegen/math_functions.hpp"
#include "tests/support/compiled_kernel.hpp"

#include <atomic>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <mutex>
#include <thread>

namespace {

using namespace fluxion;
using kernel::Builder;
using kernel::Index;
using kernel::Role;

/// out[i] = f(first[i], second[i]); in a serial loop nothing becomes a vector.
kernel::Kernel elementwise(const MathFunction& f, DType type, std::int64_t count, bool serial) {
  Builder b(f.name);
  std::int32_t first = b.buffer(type, Role::input, count),
               second = b.buffer(type, Role::input, count);
  std::int32_t out = b.buffer(type, Role::output, count);
  auto element = [&](const Index& i) {
    b.store(out, i[0], f.kernel(b.load(first, i[0]), b.load(second, i[0])));
  };
  if (serial) {
    b.parallel({}, [&](const Index&) {
      b.serial({count}, {}, [&](const Index& i, std::vector<kernel::Scalar> carries) {
        element(i);
        return carries;
      });
    });
  } else {
    b.parallel({count}, element);
  }
  return b.finish();
}

float on_host(const MathFunction& f, float x, float y) { return f.single(x, y); }
double on_host(const MathFunction& f, double x, double y) { return f.real(x, y); }

/// The number of elements that differ from the host's in any bit; every NaN is the same.
template <class T>
std::size_t differences(const MathFunction& f,
                        DType type,
                        std::size_t count,
                        bool serial,
                        const codegen::CompileOptions& options) {
  RandomBits<T> arguments = samples<T>(f, count);
  std::vector<T> results(count);
  auto compiled =
      codegen::compile(elementwise(f, type, static_cast<std::int64_t>(count), serial), options);
  CHECK(test::undefined_symbols(compiled->object()).empty());
  void* buffers[] = {arguments.first.data(), arguments.second.data(), results.data()};
  codegen::run(*compiled, buffers);
  std::size_t different = 0;
  for (std::size_t k = 0; k < count; ++k) {
    T wanted = on_host(f, arguments.first[k], arguments.second[k]);
    if (std::isnan(wanted) && std::isnan(results[k])) continue;
    if (std::memcmp(&wanted, &results[k], sizeof(T)) == 0) continue;
    if (different++ == 0) {
      UNSCOPED_INFO(f.name << " at " << arguments.first[k] << ", " << arguments.second[k] << ": "
                           << results[k] << ", not " << wanted);
    }
  }
  return different;
}

void check_bits(bool serial, std::size_t count, const codegen::CompileOptions& options = {}) {
  for (const MathFunction& f : math_functions()) {
    INFO(f.name << ", level " << options.level);
    CHECK(differences<float>(f, float32, count, serial, options) == 0);
    CHECK(differences<double>(f, float64, count, serial, options) == 0);
  }
}

}  // namespace

TEST_CASE("vectors and tails of the vector math compute the formulas' bits") {
  check_bits(false, 40'009);
}
TEST_CASE("scalars of the vector math compute the formulas' bits") { check_bits(true, 10'009); }
TEST_CASE("fast and slow compilation give the vector math the same bits") {
  check_bits(false, 1'003, {.level = 0});
  check_bits(false, 1'003, {.level = 2});
}
TEST_CASE("a lesser processor gives the vector math the same bits") {
  const codegen::Target target = test::lesser_target();
  check_bits(false, 10'009, {.target = &target});
}

TEST_CASE("rows of functions that loop may be summed") {
  constexpr std::int64_t rows = 3, columns = 203;
  for (const char* name : {"sin", "tan", "remainder"}) {
    for (DType type : {float32, float64}) {
      const MathFunction& f = math_function(name);
      Builder b(f.name);
      std::int32_t in = b.buffer(type, Role::input, rows * columns);
      std::int32_t out = b.buffer(type, Role::output, rows);
      b.parallel({rows}, [&](const Index& row) {
        auto sum = b.reduce({columns},
                            kernel::Tree::lanes,
                            {kernel::Combiner::add},
                            {b.constant(type, 0)},
                            [&](const Index& column) {
                              auto x = b.load(in, row[0] * columns + column[0]);
                              return std::vector<Builder::Element>{{f.kernel(x * 1e6, x)}};
                            });
        b.store(out, row[0], sum[0]);
      });
      test::check_compiled(b.finish());
    }
  }
}

TEST_CASE("every float32 is within the bar of the vector math", "[nightly]") {
  // All of them take minutes a function.
  const char* nightly = std::getenv("FLUXION_NIGHTLY");
  const std::uint64_t dense = nightly && *nightly == '1' ? 1 : 1009;
  constexpr std::size_t block = 1 << 16;
  for (const MathFunction& f : math_functions()) {
    const std::uint64_t stride = f.costly_reference ? 101 * dense : dense;
    const std::uint64_t all = (std::uint64_t{1} << 32) / stride;
    auto compiled = codegen::compile(elementwise(f, float32, block, false));
    std::atomic<std::uint64_t> next = 0;
    std::mutex mutex;
    Worst worst;
    auto work = [&] {
      std::vector<float> first(block), second(block), results(block);
      void* buffers[] = {first.data(), second.data(), results.data()};
      Worst mine;
      for (std::uint64_t begin; (begin = next.fetch_add(block)) < all;) {
        for (std::size_t k = 0; k < block; ++k) {
          auto bits = static_cast<std::uint32_t>((begin + k) * stride);
          first[k] = std::bit_cast<float>(bits);
          // A function of two arguments sees every first one, with a second from all over.
          second[k] = std::bit_cast<float>(
              static_cast<std::uint32_t>((bits % 2 ? 0x3e000000u : 0u) +
                                         (bits * std::uint64_t{2654435769} >> (bits % 2 ? 8 : 4))));
        }
        codegen::run(*compiled, buffers);
        for (std::size_t k = 0; k < block; ++k) {
          mine.look(units_off(results[k], f.reference(first[k], second[k])), first[k], second[k]);
        }
      }
      std::lock_guard lock(mutex);
      worst.look(mine.units, mine.first, mine.second);
    };
    std::vector<std::thread> threads;
    for (unsigned k = 0; k < std::max(1u, std::thread::hardware_concurrency()); ++k)
      threads.emplace_back([&work] {
        work();
        mpfr_free_cache();  // constants that MPFR keeps for each thread
      });
    for (std::thread& thread : threads) thread.join();
    fmt::print("{:<10} float32, one in {} as machine code: at most {:.4f} ulp, at {:a}\n",
               f.name,
               stride,
               worst.units,
               worst.first);
    std::fflush(stdout);
    INFO(f.name << " at " << worst.first << ", " << worst.second);
    CHECK(worst.units <= f.single_bar);
  }
}
