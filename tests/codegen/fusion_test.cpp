// Which operations become one kernel, and that whatever the cut, the values are the interpreter's.
#include "codegen/fuse.hpp"
#include "codegen/schedule.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"

using namespace fluxion;
using namespace fluxion::test;
using codegen::Cut;

namespace fx = fluxion;

namespace {

const Type matrix{{96, 40}, float32}, row{{40}, float32}, column{{96}, float32},
    scalar{{}, float32};

codegen::Schedule scheduled(const Types& inputs, const ProgramFunction& function) {
  return codegen::schedule(optimize(program(inputs, function)));
}

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

}  // namespace

TEST_CASE("an elementwise chain is one kernel over one variable") {
  const ProgramFunction chain = [](const ArrayList& x) {
    return ArrayList{fx::tanh(x[0] * 2 + x[1]) / (1 + fx::exp(x[1]))};
  };
  CHECK(kernels({matrix, matrix}, chain) == 1);
  const codegen::Schedule s = scheduled({matrix, matrix}, chain);
  CHECK(s.cuts[0].group.flat);
  REQUIRE(s.kernels.size() == 1);
  CHECK(s.kernels[0].variables.size() == 1);
}

TEST_CASE("a broadcast row, column or scalar is read where it is used") {
  CHECK(kernels({matrix, row}, [](const ArrayList& x) { return ArrayList{x[0] + x[1]}; }) == 1);
  CHECK(kernels({matrix, column}, [](const ArrayList& x) {
          return ArrayList{x[0] * fx::reshape(x[1], {96, 1})};
        }) == 1);
  CHECK(kernels({matrix, scalar}, [](const ArrayList& x) { return ArrayList{x[0] - x[1] * 3}; }) ==
        1);
}

TEST_CASE("moved elements are read at their old place by whoever wants them") {
  CHECK(kernels({matrix}, [](const ArrayList& x) { return ArrayList{fx::transpose(x[0]) + 1}; }) ==
        1);
  CHECK(kernels({matrix}, [](const ArrayList& x) { return ArrayList{fx::flip(x[0], 1) * x[0]}; }) ==
        1);
  CHECK(kernels({matrix}, [](const ArrayList& x) {
          return ArrayList{x[0][{fx::slice(0, 95), fx::all}] - x[0][{fx::slice(1, 96), fx::all}]};
        }) == 1);
  CHECK(kernels({matrix}, [](const ArrayList& x) {
          return ArrayList{fx::pad(x[0] * 2, {{1, 2}, {0, 3}})};
        }) == 1);
}

TEST_CASE(
    "a reduction reads its operand through the fused expression, and its consumers follow it") {
  CHECK(kernels({matrix},
                [](const ArrayList& x) { return ArrayList{fx::sum(fx::exp(x[0]), 1)}; }) == 1);
  CHECK(kernels({matrix}, [](const ArrayList& x) {
          return ArrayList{fx::sqrt(fx::sum(x[0] * x[0], 0)) + 1};
        }) == 1);
  CHECK(kernels({matrix, column}, [](const ArrayList& x) {
          return ArrayList{fx::reshape(fx::max(x[0] + 1, 1), {96, 1}) * fx::reshape(x[1], {96, 1})};
        }) == 1);
}

TEST_CASE("values over the same elements share one kernel with several outputs") {
  const ProgramFunction adam = [](const ArrayList& x) {
    const Array m = 0.9f * x[2] + 0.1f * x[1], v = 0.99f * x[3] + 0.01f * x[1] * x[1];
    return ArrayList{x[0] - x[4] * m / (fx::sqrt(fx::abs(v)) + 1e-8f), m, v};
  };
  CHECK(kernels({matrix, matrix, matrix, matrix, scalar}, adam) == 1);
  CHECK(kernels({matrix},
                [](const ArrayList& x) { return ArrayList{fx::sin(x[0]), fx::cos(x[0])}; }) == 1);
  CHECK(kernels({matrix}, [](const ArrayList& x) {
          return ArrayList{fx::sum(x[0], 1), fx::max(x[0], 1)};
        }) == 1);
}

TEST_CASE("an expensive value is computed once for each of its elements") {
  const double elements = 96 * 40;
  const auto transcendentals = [](const Types& inputs, const ProgramFunction& function) {
    return work_of(scheduled(inputs, function)).transcendentals;
  };
  // Read by a sum over rows and again by the quotient.
  CHECK(transcendentals({matrix}, [](const ArrayList& x) {
          return ArrayList{fx::softmax(x[0], 1)};
        }) == elements);
  // Read by two sums over different axes.
  CHECK(transcendentals({matrix}, [](const ArrayList& x) {
          const Array e = fx::exp(x[0]);
          return ArrayList{fx::sum(e, 0), fx::sum(e, 1)};
        }) == elements);
  // Repeated along rows: computed for the row only.
  CHECK(transcendentals({matrix, {{1000}, float32}}, [](const ArrayList& x) {
          return ArrayList{fx::broadcast_to(fx::exp(x[1]), {500, 1000}), x[0]};
        }) == 1000);
  // Joined with others: not computed for the others' elements.
  CHECK(transcendentals({matrix, matrix}, [](const ArrayList& x) {
          return ArrayList{fx::concatenate({fx::exp(x[0]), x[1], x[1]}, 0)};
        }) == elements);
}

TEST_CASE("a cheap value is computed again where that moves less memory") {
  CHECK(kernels({matrix}, [](const ArrayList& x) {
          const Array shifted = x[0] - 1;
          return ArrayList{fx::sum(shifted, 0), fx::sum(fx::abs(shifted), 1)};
        }) == 2);
}

TEST_CASE("arrays are joined part by part: nothing is read or computed for another part") {
  CHECK(kernels({matrix, matrix}, [](const ArrayList& x) {
          return ArrayList{fx::concatenate({x[0] * 2, x[1], fx::exp(x[0])}, 1) + 1};
        }) == 1);
  CHECK(kernels({matrix, {{3, 40}, float32}}, [](const ArrayList& x) {
          const Array joined = fx::concatenate({x[0], fx::sin(x[1]), x[0]}, 0);
          return ArrayList{joined, joined * 3};
        }) == 1);
  const codegen::Schedule s = scheduled({matrix, matrix}, [](const ArrayList& x) {
    return ArrayList{fx::concatenate({x[0], x[1]}, 1)};
  });
  REQUIRE(s.kernels.size() == 1);
  for (const kernel::Access& access : s.kernels[0].accesses) CHECK(access.predicate < 0);
  // A join inside a reduction, and a join of joins.
  kernels({matrix, matrix}, [](const ArrayList& x) {
    const Array joined = fx::concatenate({fx::exp(x[0]), x[1], x[0]}, 1);
    return ArrayList{fx::sum(joined, 1), fx::concatenate({joined, joined * 2}, 0)};
  });
}

TEST_CASE("a reshape alone copies nothing") {
  const codegen::Schedule s = scheduled({matrix}, [](const ArrayList& x) {
    return ArrayList{fx::reshape(x[0], {40, 96}), fx::reshape(x[0] * 2, {3840})};
  });
  CHECK(s.steps.size() == 1);
  CHECK(s.results[0].from == codegen::Result::From::argument);
}

TEST_CASE("softmax is four kernels, layer normalisation three") {
  CHECK(kernels({matrix}, [](const ArrayList& x) { return ArrayList{fx::softmax(x[0], 1)}; }) <= 4);
  CHECK(kernels({matrix, row, row}, [](const ArrayList& x) {
          const Array d = x[0] - fx::mean(x[0], -1, true);
          return ArrayList{d * fx::rsqrt(fx::mean(d * d, -1, true) + 1e-5f) * x[1] + x[2]};
        }) <= 3);
}

TEST_CASE("a program whose kernels cannot follow each other in a circle is cut") {
  // y reads e and the sum of e; e cannot be computed beside y, because the sum comes between.
  CHECK(kernels({{{300, 300}, float32}}, [](const ArrayList& x) {
          const Array e = fx::exp(x[0]), s = fx::sum(e);
          return ArrayList{e / s, e * 2};
        }) >= 2);
}

TEST_CASE("complex arrays are moved as pairs") {
  const Type z{{5, 6}, complex64}, zz{{5, 6}, complex128};
  CHECK(kernels({z}, [](const ArrayList& x) { return ArrayList{fx::transpose(x[0])}; }) == 1);
  CHECK(kernels({zz, zz}, [](const ArrayList& x) {
          return ArrayList{fx::flip(fx::concatenate({x[0], x[1]}, 1), 0)};
        }) >= 1);
  CHECK(kernels({z, {{5, 6}, bool_}}, [](const ArrayList& x) {
          return ArrayList{fx::where(x[1], x[0], fx::flip(x[0], 1)), fx::reshape(x[0], {30})};
        }) == 1);
}

TEST_CASE("arrays without elements and scalars are programs like others") {
  kernels({{{0, 4}, float32}}, [](const ArrayList& x) {
    return ArrayList{x[0] * 2, fx::sum(x[0], 0), fx::sum(x[0], 1), fx::transpose(x[0])};
  });
  kernels({scalar}, [](const ArrayList& x) { return ArrayList{fx::exp(x[0]) + 1, fx::sum(x[0])}; });
  kernels({{{1, 1, 1}, float32}},
          [](const ArrayList& x) { return ArrayList{x[0] + 1, fx::sum(x[0], 1)}; });
  kernels({}, [](const ArrayList&) { return ArrayList{fx::ones({3}), fx::arange(5)}; });
}

TEST_CASE("gathers and scatters fuse with what they read") {
  const Type indices{{20}, int32}, updates{{20, 40}, float32};
  CHECK(kernels({matrix, indices}, [](const ArrayList& x) {
          return ArrayList{fx::take(x[0] + 1, x[1], 0) * 2};
        }) <= 2);
  kernels({matrix, indices, updates}, [](const ArrayList& x) {
    return ArrayList{x[0].at(x[1]).add(x[2] * 2) + 1, x[0].at(x[1]).set(x[2])};
  });
}

TEST_CASE("one training step of a small network has the interpreter's values") {
  const Types inputs{{{8, 20}, float32},
                     {{20, 16}, float32},
                     {{16}, float32},
                     {{16, 5}, float32},
                     {{5}, float32},
                     {{8}, int32}};
  const std::size_t count = kernels(inputs, [](const ArrayList& x) {
    const auto loss = [&](std::vector<Array> p) {
      const Array h = fx::maximum(fx::matmul(x[0], p[0]) + p[1], 0.f);
      const Array logits = fx::matmul(h, p[2]) + p[3];
      return -fx::mean(fx::sum(fx::log_softmax(logits, -1) * fx::one_hot(x[5], 5), -1));
    };
    const std::vector<Array> p(x.begin() + 1, x.begin() + 5);
    const auto [value, gradient] = fx::value_and_grad(loss)(p);
    ArrayList out{value};
    for (std::size_t i = 0; i < p.size(); ++i) out.push_back(p[i] - 0.1f * gradient[i]);
    return out;
  });
  CHECK(count <= 14);
}

TEST_CASE("transposes around a matrix product are taken into the library call") {
  const Type a{{24, 40}, float32}, b{{40, 32}, float32};
  const auto steps = [](const Types& inputs, const ProgramFunction& function) {
    const GraphRef graph = program(inputs, function);
    const HostArrays arrays = random_arrays(inputs, 1);
    CHECK(difference(compiled(graph, arrays), interpreted(*graph, arrays)) == "");
    return codegen::schedule(optimize(graph)).steps.size();
  };
  CHECK(steps({a, b}, [](const ArrayList& x) { return ArrayList{fx::matmul(x[0], x[1])}; }) == 1);
  CHECK(steps({b, a}, [](const ArrayList& x) {
          return ArrayList{fx::matmul(fx::transpose(x[0]), fx::transpose(x[1]))};
        }) == 1);
  CHECK(steps({a, b}, [](const ArrayList& x) {
          return ArrayList{fx::transpose(fx::matmul(x[0], x[1]))};
        }) == 1);
  // The transposed operand is also a result: it is made, and the call reads the original.
  CHECK(steps({a, b}, [](const ArrayList& x) {
          const Array t = fx::transpose(x[0]);
          return ArrayList{fx::matmul(fx::transpose(x[1]), t), t};
        }) == 2);
  // The product is read twice: by the transpose and by another operation.
  CHECK(steps({a, b}, [](const ArrayList& x) {
          const Array y = fx::matmul(x[0], x[1]);
          return ArrayList{fx::transpose(y), fx::sum(y, 0)};
        }) == 3);
  CHECK(steps({{{6, 5, 24}, float32}, {{6, 5, 24}, float32}}, [](const ArrayList& x) {
          return ArrayList{fx::matmul(x[0], fx::swapaxes(x[1], 1, 2))};
        }) == 1);
  // A flipped operand has no strides that a library knows.
  CHECK(steps({a, b}, [](const ArrayList& x) {
          return ArrayList{fx::matmul(fx::flip(x[0], 1), x[1])};
        }) == 2);
}

TEST_CASE("strides of a product's axes are found through a view, if they have any there") {
  const Shape shape{4, 6, 5};  // a view of a [5, 4, 6] array: last axis first
  const std::vector<std::int64_t> view{6, 1, 24};
  std::int64_t rows_and_columns[] = {5, 1};  // the first two axes as one, and the last
  const std::int64_t extents[] = {24, 5};
  REQUIRE(codegen::through_view(rows_and_columns, extents, shape, view));
  CHECK(rows_and_columns[0] == 1);
  CHECK(rows_and_columns[1] == 24);
  std::int64_t last_two[] = {30, 1};  // the last two axes as one: they are apart in memory
  const std::int64_t other_extents[] = {4, 30};
  CHECK_FALSE(codegen::through_view(last_two, other_extents, shape, view));
  CHECK(last_two[0] == 30);
}
