// Sums of many updates to few elements become sums of parts: the same values, the rest left alone.
#include "fluxion/fluxion.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_operation.hpp"
#include "trace/frame.hpp"
#include "trace/ops.hpp"
#include "trace/passes.hpp"

#include <cmath>

using namespace fluxion;
using fluxion::test::HostArray;

namespace {

const Site here = Site::current();

struct Program {
  Type operand, indices, updates;
  ops::ScatterDimensions dimensions;
  ops::Update update = ops::Update::add;
  ops::OutOfBounds mode = ops::OutOfBounds::fill;
  bool unique = false;

  GraphRef graph() const {
    FrameScope scope(Frame::Kind::unbound, "program", here);
    const Array x = scope.input(operand, here), at = scope.input(indices, here),
                by = scope.input(updates, here);
    const Array result = ops::scatter(update, x, at, by, dimensions, mode, {unique, false}, here);
    return scope.close({&result, 1}).graph;
  }
};
/// count updates of the elements of one axis.
Program histogram(std::int64_t count, std::int64_t elements, DType dtype = float32) {
  return {{{elements}, dtype}, {{count, 1}, int32}, {{count}, dtype}, {{}, {0}, {}, {}, {0}, 1}};
}
/// count updates of the rows of a matrix.
Program rows(std::int64_t count, std::int64_t elements, std::int64_t columns) {
  return {{{elements, columns}, float64},
          {{count, 1}, int32},
          {{count, columns}, float64},
          {{1}, {0}, {}, {}, {0}, 1}};
}

const Operation* scatter_of(const Graph& graph) {
  for (const Operation& o : graph.operations())
    if (o.op.name() == "scatter") return &o;
  return nullptr;
}
/// The parts that the pass makes; 1 where it leaves the program alone.
std::int64_t parts(const Program& program) {
  const GraphRef graph = program.graph(), split = split_many_updates(graph);
  if (split.raw() == graph.raw()) return 1;
  verify(*split);
  return split->type(scatter_of(*split)->first_result).shape[0];
}

/// Positions beyond both ends among them, and updates whose sums are exact.
void check_same_values(const Program& program) {
  std::uint32_t state = 7;
  const auto random = [&](std::uint32_t below) {
    state = state * 1664525 + 1013904223;
    return static_cast<double>((state >> 8) % below);
  };
  const auto numbers = [&](const Type& type, auto make) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < element_count(type.shape); ++i) values.push_back(make());
    return HostArray{type, values};
  };
  const auto elements = static_cast<std::uint32_t>(program.operand.shape[0]);
  const bool negative = !is_unsigned(program.operand.dtype);
  const test::HostArrays in = {
      numbers(program.operand, [&] { return random(50); }),
      numbers(program.indices, [&] { return random(elements + 4) - 2; }),
      numbers(program.updates, [&] { return random(64) - (negative ? 32 : 0); })};
  const GraphRef graph = program.graph(), split = split_many_updates(graph);
  REQUIRE(split.raw() != graph.raw());
  CHECK(test::run_graph(*split, in).at(0).numbers() == test::run_graph(*graph, in).at(0).numbers());
}

}  // namespace

TEST_CASE("many updates of few elements are summed in parts") {
  CHECK(parts(histogram(1000000, 10000)) == 4);
  CHECK(parts(histogram(65536, 2000)) == 2);
  CHECK(parts(histogram(100000, 1)) == 4);
  CHECK(parts(rows(40000, 100, 5)) == 4);
  check_same_values(histogram(65536, 1000));
  check_same_values(histogram(65536, 1000, float64));
  check_same_values(histogram(65536, 1000, int32));
  check_same_values(histogram(65536, 1000, uint8));
  check_same_values(rows(40000, 100, 5));
}

TEST_CASE("updates that no number of parts divides are filled up with what changes nothing") {
  check_same_values(histogram(65537, 1000));
  Program clipped = histogram(65539, 1000);
  clipped.mode = ops::OutOfBounds::clip;
  check_same_values(clipped);
}

TEST_CASE("parts keep the sign of a zero that no update changes") {
  const std::int64_t count = 70000;
  const Array at = zeros({count}, int32), by = full({count}, -0.0f);
  const Array into = full({8}, -0.0f);
  const Array sums =
      jit([](Array x, Array at, Array by) { return x.at(at).add(by); })(into, at, by);
  CHECK(sum(signbit(sums).astype(int32)).item<int>() == 8);
}

TEST_CASE("few updates, many elements, other updates, batches and wide rows are left alone") {
  CHECK(parts(histogram(65535, 100)) == 1);
  CHECK(parts(histogram(100000, 5000)) == 1);
  CHECK(parts(rows(100000, 100, 8)) == 1);  // columns are summed side by side
  Program last = histogram(100000, 100);
  last.update = ops::Update::max;
  CHECK(parts(last) == 1);
  Program once = histogram(100000, 100);
  once.unique = true;
  CHECK(parts(once) == 1);
  const Program batched{{{2, 100}, float32},
                        {{2, 50000, 1}, int32},
                        {{2, 50000}, float32},
                        {{}, {1}, {0}, {0}, {1}, 2}};
  CHECK(parts(batched) == 1);
}

TEST_CASE("sums in parts have the same bits on any number of threads, and derivatives") {
  const std::int64_t count = 131072, elements = 300;
  const Array i = remainder(arange(count) * 7919, Array(301)).astype(int32);
  const Array x = sin(arange(count).astype(float32));
  const auto histogram = [&](Array x) { return zeros({elements}).at(i).add(x); };
  const int before = num_threads();
  set_num_threads(1);
  const Array one = jit(histogram)(x);
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    CHECK(array_equal(jit(histogram)(x), one).item<bool>());
  }
  set_num_threads(before);
  const auto loss = [&](Array x) { return sum(square(histogram(x))); };
  const Array found = jit(grad(loss))(x);
  // In a loop that carries the sums, for a batch, and forward.
  const auto three = [&](Array x) {
    const auto step = [&](Array h, Array k) { return std::pair{h.at(i).add(x * k), sum(h)}; };
    return scan(step, zeros({elements}), arange(3).astype(float32)).first;
  };
  CHECK(allclose(jit(three)(x), 3.0f * one, 1e-5, 1e-4).item<bool>());
  const Array batch = jit(vmap(histogram))(stack({x, 2.0f * x}));
  CHECK(allclose(batch, stack({one, 2.0f * one}), 1e-5, 1e-4).item<bool>());
  const auto forward = [&](Array x) { return jvp(histogram, x, 3.0f * x).second; };
  CHECK(allclose(jit(forward)(x), 3.0f * one, 1e-5, 1e-4).item<bool>());
  const Array wanted = where(i < Array(300), 2.0f * take(one, clip(i, 0, 299)), 0.0f);
  CHECK(allclose(found, wanted, 1e-5, 1e-4).item<bool>());
}
