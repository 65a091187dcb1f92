// Row groups: what they join, what they must not, and that the values are the interpreter's.
#include "codegen/schedule.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"

using namespace fluxion;
using namespace fluxion::test;
using codegen::Cut;

namespace fx = fluxion;

namespace {

const Type rows{{6, 200}, float32}, gain{{200}, float32}, labels{{6}, int32};

/// The kernels of a program, after its values were compared with the interpreter's.
std::size_t kernels(const Types& inputs, const ProgramFunction& function) {
  const GraphRef graph = program(inputs, function);
  const HostArrays arrays = random_arrays(inputs, 1);
  CHECK(difference(compiled(graph, arrays), interpreted(*graph, arrays)) == "");
  std::size_t count = 0;
  for (const codegen::Step& step : codegen::schedule(optimize(graph)).steps)
    count += step.kind == Cut::Kind::kernel;
  return count;
}

Array layernorm(const Array& x, const Array& scale, const Array& shift) {
  const Array d = x - fx::mean(x, -1, true);
  return d * fx::rsqrt(fx::mean(d * d, -1, true) + 1e-5f) * scale + shift;
}
Array rmsnorm(const Array& x, const Array& scale) {
  return x * fx::rsqrt(fx::mean(x * x, -1, true) + 1e-6f) * scale;
}
Array cross_entropy(const Array& x, const Array& y) {
  const Array picked = fx::take_along_axis(fx::log_softmax(x, -1), fx::expand_dims(y, -1), -1);
  return -fx::mean(picked);
}

}  // namespace

TEST_CASE("softmax and its kin are one kernel over rows") {
  const auto one = [](const Types& inputs, const ProgramFunction& function) {
    CHECK(kernels(inputs, function) == 1);
  };
  one({rows}, [](const ArrayList& x) { return ArrayList{fx::softmax(x[0], -1)}; });
  one({rows}, [](const ArrayList& x) { return ArrayList{fx::log_softmax(x[0], -1)}; });
  one({rows}, [](const ArrayList& x) { return ArrayList{fx::var(x[0], -1)}; });
  one({rows, gain, gain},
      [](const ArrayList& x) { return ArrayList{layernorm(x[0], x[1], x[2])}; });
  one({rows, gain, rows},
      [](const ArrayList& x) { return ArrayList{fx::gelu(rmsnorm(x[0], x[1])) + x[2]}; });
  // Rows of several axes, of matrices, and one row alone.
  one({{{3, 2, 10, 20}, float32}},
      [](const ArrayList& x) { return ArrayList{fx::softmax(x[0], {2, 3})}; });
  one({{{3, 2, 200}, float64}},
      [](const ArrayList& x) { return ArrayList{fx::softmax(x[0], -1)}; });
  one({{{200}, float32}}, [](const ArrayList& x) { return ArrayList{fx::softmax(x[0], -1)}; });
  one({{{4, 131}, bfloat16}},
      [](const ArrayList& x) { return ArrayList{fx::log_softmax(x[0], -1)}; });
  // What a later stage reads and memory wants too.
  one({rows}, [](const ArrayList& x) {
    const Array e = fx::exp(x[0]), s = fx::sum(e, -1, true);
    return ArrayList{e, s, e / s, fx::argmax(e, -1)};
  });
}

TEST_CASE("their gradients go through the rows once") {
  CHECK(kernels({rows, rows}, [](const ArrayList& x) {
          const auto f = [&](const Array& a) { return fx::sum(fx::softmax(a, -1) * x[1]); };
          return ArrayList{fx::grad(f)(x[0])};
        }) == 1);
  // One for the rows; the sums over all rows, of the gains, are kernels of their own.
  CHECK(kernels({rows, gain, gain, rows}, [](const ArrayList& x) {
          const auto f = [&](const Array& a) { return fx::sum(layernorm(a, x[1], x[2]) * x[3]); };
          return ArrayList{fx::grad(f)(x[0])};
        }) == 1);
  CHECK(kernels({rows, gain, rows}, [](const ArrayList& x) {
          const auto f = [&](std::vector<Array> p) {
            return fx::sum(fx::gelu(rmsnorm(p[0], p[1])) * x[2]);
          };
          const std::vector<Array> g = fx::grad(f)(std::vector<Array>{x[0], x[1]});
          return ArrayList{g[0], g[1]};
        }) <= 2);
  CHECK(kernels({rows, labels}, [](const ArrayList& x) {
          const auto f = [&](const Array& a) { return cross_entropy(a, x[1]); };
          const auto [loss, gradient] = fx::value_and_grad(f)(x[0]);
          return ArrayList{loss, gradient};
        }) <= 5);
}

TEST_CASE("attention's rows between two products") {
  const Type q{{2, 6, 16}, float32}, k{{2, 160, 16}, float32};
  CHECK(kernels({q, k, k}, [](const ArrayList& x) {
          const Array s = fx::matmul(x[0], fx::swapaxes(x[1], 1, 2)) * 0.25f;
          return ArrayList{fx::matmul(fx::softmax(s, -1), x[2])};
        }) == 1);
}

TEST_CASE("what belongs to another row is not read before it is there") {
  const Type square{{160, 160}, float32};
  // Columns of what the rows give.
  CHECK(kernels({square}, [](const ArrayList& x) {
          const Array s = fx::softmax(x[0], -1);
          return ArrayList{s + fx::transpose(s)};
        }) == 2);
  CHECK(kernels({square}, [](const ArrayList& x) {
          const Array s = fx::exp(x[0]) / fx::sum(fx::exp(x[0]), -1, true);
          return ArrayList{fx::flip(s, 0) * 2, fx::sum(s, 0)};
        }) >= 2);
  // Row sums along the columns.
  CHECK(kernels({square}, [](const ArrayList& x) { return ArrayList{x[0] - fx::sum(x[0], -1)}; }) ==
        2);
  // Elements of a row may be read in any order.
  CHECK(kernels({rows}, [](const ArrayList& x) {
          const Array e = fx::exp(x[0] - fx::max(x[0], -1, true));
          return ArrayList{fx::flip(e, 1) / fx::sum(e, -1, true)};
        }) == 1);
}

TEST_CASE("short rows and rows of few numbers stay apart") {
  CHECK(kernels({{{40, 10}, float32}},
                [](const ArrayList& x) { return ArrayList{fx::softmax(x[0], -1)}; }) > 1);
  CHECK(kernels({{{1, 300000}, float32}},
                [](const ArrayList& x) { return ArrayList{fx::softmax(x[0], -1)}; }) > 1);
}

TEST_CASE("a row group writes over what its last stage reads, and nothing else") {
  const Array x = fx::random::normal(fx::random::key(3), {6, 200});
  const auto step = fx::jit([](Array a) { return fx::softmax(a, -1); });
  const std::vector<float> expected = step(x).to_vector<float>();
  Array given = x + 0;
  fx::eval(given);
  const Array result = step(std::move(given));
  CHECK(result.to_vector<float>() == expected);
  // The exponentials are an output before the last stage: x is read once more after it.
  const GraphRef graph = program({rows}, [](const ArrayList& a) {
    const Array e = fx::exp(a[0]);
    return ArrayList{e, a[0] / fx::sum(e, -1, true)};
  });
  const codegen::Schedule s = codegen::schedule(optimize(graph));
  REQUIRE(s.cuts.size() == 1);
  CHECK_FALSE(s.cuts[0].group.own_place.at(0));
}

TEST_CASE("columns of far-apart rows are reduced row by row, in the order of each column") {
  for (const auto& [rows, columns] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {40, 300}, {33, 1000}, {17, 1021}, {20, 2048}, {130, 4099}}) {
    const Type matrix{{rows, columns}, float32}, wide{{rows, columns}, float64};
    INFO(rows << " x " << columns);
    kernels({matrix, matrix}, [](const ArrayList& x) {
      return ArrayList{fx::sum(x[0], 0), fx::sum(x[0] * x[1], 0), fx::max(x[1], 0)};
    });
    kernels({matrix, {{columns}, float32}}, [](const ArrayList& x) {
      return ArrayList{fx::sqrt(fx::var(x[0], 0)) * x[1], fx::prod(x[0], 0)};
    });
    kernels({wide, {{columns}, int32}, {{rows, columns}, int64}}, [](const ArrayList& x) {
      return ArrayList{fx::sum(fx::take(x[0], x[1], 1), 0), fx::sum(x[2], 0), fx::any(x[0] > 0, 0)};
    });
  }
  // Several axes on either side, and what a predicate guards.
  kernels({{{3, 20, 7, 200}, float32}}, [](const ArrayList& x) {
    return ArrayList{fx::sum(x[0], {1, 2}),
                     fx::sum(fx::pad(x[0], {{0, 0}, {2, 3}, {0, 0}, {0, 0}}), 1)};
  });
  kernels({{{300, 600}, bfloat16}},
          [](const ArrayList& x) { return ArrayList{fx::mean(x[0], 0), fx::argmin(x[0], 0)}; });
}
