// Kernels as CUDA C++: every tree, loop, row and update, compiled for the GPU and
// run by the emulation in every order of threads, against their definition.
#include "tests/support/compiled_kernel.hpp"
#include "tests/support/cuda_check.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/fold.hpp"

#include <memory>

namespace fluxion::test {
namespace {

using kernel::Affine;
using kernel::Builder;
using kernel::Combiner;
using kernel::Index;
using kernel::Promise;
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

TEST_CASE("rows are reduced in the order that the tree fixes: by threads, warps and blocks") {
  Kernels kernels;
  for (DType type : number_types)
    for (std::int64_t n : {20, 100}) {
      auto kernel = row_reductions(type, Tree::lanes, 3, 1, n);
      kernels.add(kernel, moderate_numbers(kernel));
    }
  for (Tree tree : {Tree::lanes, Tree::sequential}) {
    for (std::int64_t n : {1, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 200, 1024, 1025, 2500}) {
      auto kernel = row_reductions(float32, tree, n > 1000 ? 3 : 9, n < 300 ? 2 : 1, n);
      kernels.add(kernel, moderate_numbers(kernel));
    }
  }
  kernels.check();
}

TEST_CASE("argument reductions take NaN first, then the smaller index, in every group") {
  Kernels kernels;
  for (DType type : {float32, float64, int32, uint8}) {
    for (Combiner combiner : {Combiner::arg_min, Combiner::arg_max}) {
      for (std::int64_t n : {7, 64, 200, 1500}) {
        Builder b("argument");
        auto in = b.buffer(type, Role::input, 5 * n), value = b.buffer(type, Role::output, 5),
             where = b.buffer(int64, Role::output, 5);
        b.parallel({5}, [&](const Index& r) {
          auto best =
              b.reduce({n},
                       Tree::lanes,
                       {combiner, combiner},
                       {start(b, combiner, type), b.constant_bits(int64, ~std::uint64_t{0} >> 1)},
                       [&](const Index& i) {
                         return Elements{{b.load(in, r[0] * n + i[0])}, {b.value(i[0])}};
                       });
          b.store(value, r[0], best[0]);
          b.store(where, r[0], best[1]);
        });
        auto samples = std::make_shared<RandomBits>(static_cast<std::uint64_t>(n));
        kernels.add(b.finish(), [=](std::size_t buffer, std::size_t k) -> std::uint64_t {
          if (buffer != 0) return 0;
          const bool third = k / static_cast<std::size_t>(n) == 2;
          if (kernel::is_float(type) && third && samples->below(9) == 0)
            return kernel::bits_of(type, __builtin_nan(""));
          return kernel::bits_of(type, static_cast<double>(samples->below(6)));
        });
      }
    }
  }
  kernels.check();
}

TEST_CASE("products and bounds of run time keep their order in a group") {
  Kernels kernels;
  for (Tree tree : {Tree::lanes, Tree::sequential}) {
    for (std::int64_t n : {6, 40, 150, 1300}) {
      Builder b("bounds");
      auto in = b.buffer(float32, Role::input, 7 * n), bound = b.buffer(int32, Role::input, 7),
           out = b.buffer(float32, Role::output, 7), last = b.buffer(float32, Role::output, 7);
      b.parallel({7}, [&](const Index& r) {
        KernelScalar trips = convert(b.load(bound, r[0]), int64);
        auto sum = b.reduce(
            {n},
            tree,
            {Combiner::add},
            {b.constant(float32, 0.5)},
            [&](const Index& i) {
              KernelScalar x = b.load(in, r[0] * n + i[0]);
              return Elements{{x, x * 0.75}};
            },
            trips);
        b.store(out, r[0], sum[0]);
        auto p = b.serial(
            {n},
            {b.constant(float32, 1)},
            [&](const Index& i, std::vector<KernelScalar> c) {
              return std::vector<KernelScalar>{c[0] * b.load(in, r[0] * n + i[0]) + 1.0};
            },
            trips);
        b.store(last, r[0], p[0]);
      });
      auto samples = std::make_shared<RandomBits>(5);
      kernels.add(b.finish(), [=](std::size_t buffer, std::size_t k) -> std::uint64_t {
        if (buffer == 1) {
          const std::uint64_t odd[] = {0xffffffffu, 0, static_cast<std::uint64_t>(n)};
          return k < 3 ? odd[k] : samples->below(static_cast<std::uint64_t>(n));
        }
        return moderate(*samples, float32);
      });
    }
  }
  kernels.check();
}

TEST_CASE("while loops run as long as each thread's own condition holds") {
  Builder b("collatz");
  const std::int64_t n = 100;
  auto in = b.buffer(int32, Role::input, n), steps = b.buffer(int32, Role::output, n);
  b.parallel({n}, [&](const Index& i) {
    KernelScalar x = b.load(in, i[0]);
    auto c = b.repeat_while(
        {x, x.like(0)},
        [&](std::vector<KernelScalar> c) { return c[0] > 1; },
        [&](std::vector<KernelScalar> c) {
          KernelScalar odd = (c[0] & c[0].like(1)) == 1;
          return std::vector<KernelScalar>{select(odd, c[0] * 3 + 1, c[0] >> c[0].like(1)),
                                           c[1] + 1};
        });
    b.store(steps, i[0], c[1]);
  });
  Kernels kernels;
  kernels.add(b.finish(), [](std::size_t, std::size_t k) { return (7 * k + 1) % 500; });
  kernels.check();
}

kernel::Kernel normalise(std::int64_t rows, std::int64_t n) {
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
    auto sum =
        b.reduce({n}, Tree::lanes, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& c) {
          return Elements{{b.load(row, c[0])}};
        })[0];
    b.parallel({n}, [&](const Index& c) {
      KernelScalar x = b.load(row, c[0] * -1 + (n - 1)) / sum;  // what another thread stored
      b.store(out, r[0] * n + c[0], select(b.load(flags, c[0]), x, -x));
    });
  });
  return b.finish();
}

TEST_CASE("phases of a row share rows in registers, shared or global memory") {
  Kernels kernels;
  for (std::int64_t n : {1, 3, 16, 100, 1000, 3000, 50000}) {
    auto kernel = normalise(n > 2000 ? 3 : 20, n);
    kernels.add(kernel, moderate_numbers(kernel));
  }
  kernels.check();
}

/// The place of occurrence `number` of a word.
std::size_t occurrence(const std::string& text, const std::string& word, std::size_t number) {
  std::size_t place = text.find(word);
  for (; number > 0 && place != std::string::npos; --number) place = text.find(word, place + 1);
  return place;
}

TEST_CASE("the emulation notices a barrier that is missing") {
  if (!EmulatedProgram::available()) {
    WARN("no compiler for the emulation");
    return;
  }
  const kernel::Kernel kernel = normalise(5, 3000);
  const std::string barrier = "__syncthreads();";
  std::vector<codegen::CudaSource> sources;
  for (;;) {
    codegen::CudaSource source =
        codegen::cuda_source(kernel, kernel_name(sources.size()), small_target);
    const std::size_t place = occurrence(source.text, barrier, sources.size());
    if (place == std::string::npos) break;
    source.text.erase(place, barrier.size());
    sources.push_back(std::move(source));
  }
  REQUIRE(sources.size() >= 4);
  const EmulatedProgram program(sources);
  const Fill fill = [](std::size_t, std::size_t k) {
    return kernel::bits_of(float32, static_cast<double>(k * k % 101 + k / 3000) / 50);
  };
  const CudaArrays expected = CudaBatch::arrays(kernel, fill);
  interpret(kernel, CudaBatch::memory(expected));
  std::string unnoticed;
  for (std::size_t k = 0; k < sources.size(); ++k) {
    bool wrong = false;
    for (const ThreadOrder order : orders(true)) {
      const CudaArrays actual = CudaBatch::arrays(kernel, fill);
      const std::string error = program.run(sources[k], CudaBatch::memory(actual), order);
      wrong = wrong || !error.empty() || !first_difference(actual, expected).empty();
    }
    if (!wrong) unnoticed += std::to_string(k) + " ";
  }
  // Three are there for what this kernel does not do: an output in the memory of an input (before
  // the two loops that store), a next row that stores before any reduction (at the end).
  CHECK(unnoticed == "2 6 7 ");
}

TEST_CASE("phases of a kernel follow each other, with what stands between them") {
  Builder b("two phases");
  const std::int64_t n = 1000;
  auto in = b.buffer(float32, Role::input, n), scale = b.buffer(float32, Role::input, 1),
       partial = b.buffer(float32, Role::output, 10), out = b.buffer(float32, Role::output, n);
  KernelScalar factor = b.load(scale, {}) * 3.0;
  b.parallel({10}, [&](const Index& k) {
    auto sum = b.reduce(
        {n / 10}, Tree::lanes, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& i) {
          return Elements{{b.load(in, k[0] * (n / 10) + i[0]) * factor}};
        });
    b.store(partial, k[0], sum[0]);
  });
  b.parallel({n}, [&](const Index& i) {
    auto sum = b.reduce({10}, Tree::sequential, {Combiner::add}, {factor}, [&](const Index& k) {
      return Elements{{b.load(partial, k[0])}};
    });
    b.store(out, i[0], b.load(in, i[0]) / sum[0]);
  });
  Kernels kernels;
  auto kernel = b.finish();
  kernels.add(kernel, moderate_numbers(kernel));
  kernels.check();
}

/// y[index[i] * width + c] = combine(y[...], x[i * width + c]) for indices that repeat.
kernel::Kernel scatter(DType type,
                       Combiner combiner,
                       Promise promise,
                       std::int64_t n,
                       std::int64_t width,
                       std::int64_t targets) {
  Builder b("scatter");
  auto index = b.buffer(int32, Role::input, n), x = b.buffer(type, Role::input, n * width),
       y = b.buffer(type, Role::output, targets * width);
  b.parallel({n, width}, [&](const Index& i) {
    KernelScalar at = convert(b.load(index, i[0]), int64);
    KernelScalar inside = b.in_range(b.affine(at), 0, targets);
    b.update(
        y, b.affine(at) * width + i[1], combiner, b.load(x, i[0] * width + i[1]), promise, inside);
  });
  return b.finish();
}

TEST_CASE(
    "updates that meet give what their order gives, by atomics where the order is no matter") {
  Kernels kernels;
  for (DType type : number_types) {
    std::vector<Combiner> combiners = combiners_of(type);
    combiners.push_back(Combiner::set);
    for (Combiner combiner : combiners) {
      auto kernel = scatter(type, combiner, Promise::conflicts, 60, 5, 9);
      auto samples = std::make_shared<RandomBits>(kernel.hash());
      kernels.add(kernel, [=](std::size_t buffer, std::size_t) -> std::uint64_t {
        return buffer == 0 ? (samples->below(12) - 1) & 0xffffffffu : moderate(*samples, type);
      });
    }
  }
  auto kernel = scatter(float32, Combiner::add, Promise::unique, 9, 5, 9);
  auto samples = std::make_shared<RandomBits>(1);
  kernels.add(kernel, [=](std::size_t buffer, std::size_t k) -> std::uint64_t {
    return buffer == 0 ? k * 4 % 9 : moderate(*samples, float32);
  });
  kernels.check();
}

TEST_CASE("a sum in order is spread over the variables that keep its targets apart") {
  const auto kernel = scatter(float32, Combiner::add, Promise::conflicts, 60, 40, 9);
  const auto mapping = codegen::choose_cuda_mapping(kernel);
  REQUIRE(mapping.phases.size() == 1);
  CHECK(mapping.phases[0].work == codegen::CudaWork::ordered);
  CHECK(mapping.phases[0].units == 40);
  CHECK(mapping.phases[0].inside.size() == 1);
  CHECK(codegen::to_string(mapping, kernel).find("in order") != std::string::npos);
}

TEST_CASE("tables, gathers, strides and predicates are read where they say") {
  Builder b("addresses");
  const std::int64_t n = 37;
  auto in = b.buffer(int16, Role::input, 3 * n), where = b.buffer(int32, Role::input, n),
       out = b.buffer(int16, Role::output, 4 * n);
  const auto table = b.table(int16, {5, 0xfffb, 7, 9, 11});
  b.parallel({n}, [&](const Index& i) {
    KernelScalar at = convert(b.load(where, i[0]), int64);
    KernelScalar inside = b.in_range(b.affine(at), 0, 3 * n);
    KernelScalar gathered = b.load(in, b.affine(at), inside, b.constant(int16, -3));
    b.store(out, i[0], gathered);
    b.store(out, i[0] * -1 + (2 * n - 1), b.load(in, i[0] * 3));
    b.store(out, i[0] + 2 * n, b.lookup(table, b.value(b.modulo(i[0], 5))), inside);
    b.store(out, i[0] + 3 * n, b.load(in, i[0] + 2));
  });
  Kernels kernels;
  auto samples = std::make_shared<RandomBits>(3);
  kernels.add(b.finish(), [=](std::size_t buffer, std::size_t) -> std::uint64_t {
    return buffer == 1 ? (samples->below(5 * n) - n) & 0xffffffffu : (*samples)(int16);
  });
  kernels.check();
}

TEST_CASE("neighbours move in whole words, through tails, in place") {
  for (std::int64_t n : {64, 1000, 1003}) {
    Builder b("scale");
    auto x = b.buffer(float32, Role::input, n), y = b.buffer(uint8, Role::input, n);
    auto out = b.buffer(float32, Role::output, n);
    b.parallel({n}, [&](const Index& i) {
      b.store(out, i[0], b.load(x, i[0]) * convert(b.load(y, i[0]), float32));
    });
    const kernel::Kernel kernel = b.finish();
    CudaBatch batch(small_target);
    batch.add(kernel);
    CHECK(batch.source(0).text.find("fx_pack<float, ") != std::string::npos);
    if (!batch.compile()) return;
    const Fill fill = [](std::size_t buffer, std::size_t k) {
      return buffer == 1 ? k % 256 : kernel::bits_of(float32, static_cast<double>(k) / 7);
    };
    const CudaArrays expected = CudaBatch::arrays(kernel, fill),
                     actual = CudaBatch::arrays(kernel, fill);
    interpret(kernel, CudaBatch::memory(expected));
    // The result lies in the memory of the first operand.
    std::vector<void*> memory = CudaBatch::memory(actual);
    std::memcpy(memory[2], memory[0], static_cast<std::size_t>(n) * 4);
    memory[0] = memory[2];
    CHECK(batch.run(0, memory, ThreadOrder::reverse) == "");
    CHECK(std::memcmp(memory[2], expected[2].at(0), static_cast<std::size_t>(n) * 4) == 0);
  }
}

}  // namespace
}  // namespace fluxion::test
