// reduce_window and window_argreduce: known values (made with JAX 0.10), padding, ties, laws.
#include "tests/support/catch.hpp"
#include "tests/support/operation_laws.hpp"
#include "trace/graph_transforms.hpp"
#include "trace/ops.hpp"

#include <cmath>
#include <limits>

using namespace fluxion;
using namespace fluxion::test;
using ops::Reduction;

namespace {

const Site site = Site::current();
constexpr double infinity = std::numeric_limits<double>::infinity();

Type f64(const Shape& shape) { return {shape, float64}; }
Type f32(const Shape& shape) { return {shape, float32}; }
using Recorded = std::function<Array(const ArrayList&)>;

HostArray pattern(const Shape& shape) {
  std::vector<double> numbers;
  for (int i = 0; i < element_count(shape); ++i) numbers.push_back(i * 7 % 11 - 5);
  return {f32(shape), numbers};
}
std::vector<double> run(const HostArray& x, const Recorded& f) {
  const GraphRef graph = program({x.type}, f);
  check_kernels(*graph, {x});
  return run_graph(*graph, {x})[0].numbers();
}
Recorded reduced(Reduction op, const ops::Window& window) {
  return [=](const ArrayList& x) { return ops::reduce_window(op, x[0], window, site); };
}
Recorded argmax(const ops::Window& window, DType index = int32) {
  return [=](const ArrayList& x) { return ops::window_argreduce(true, x[0], window, index, site); };
}
Recorded argmin(const ops::Window& window, DType index = int32) {
  return
      [=](const ArrayList& x) { return ops::window_argreduce(false, x[0], window, index, site); };
}

/// Windows of every kind over two axes.
const std::vector<ops::Window> windows{
    {{2, 3}, {1, 2}, {1, 1}, {1, 1}, {{1, 0}, {0, 1}}},
    {{2, 2}, {2, 2}, {1, 1}, {1, 1}, {{0, 0}, {0, 0}}},
    {{2, 2}, {1, 1}, {1, 2}, {2, 1}, {{0, 1}, {1, 0}}},
    {{3, 1}, {2, 1}, {2, 1}, {1, 1}, {{1, 1}, {-1, 0}}},
    {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {{2, 0}, {0, 0}}},
};

std::string first_lines(const std::string& text) {
  const std::size_t arrow = text.find("\n  -->"), next = text.find('\n', arrow + 1);
  return text.substr(0, arrow) + (next == text.npos ? "" : text.substr(next));
}

}  // namespace

TEST_CASE("reduce_window gives what JAX gives") {
  const HostArray x = pattern({4, 5});
  CHECK(run(x, reduced(Reduction::sum, windows[0])) ==
        std::vector<double>{-5, 4, -4, 3, -3, 4, -2, 5});
  CHECK(run(x, reduced(Reduction::max, windows[1])) == std::vector<double>{4, 5, 1, 4});
  CHECK(run(x, reduced(Reduction::max, windows[2])) ==
        std::vector<double>{-1, -1, 2, 2, 2,  2,  5,  5,  5, 1, 1,  4,  4, 4,
                            4,  0,  0, 3, -1, -1, -5, -5, 2, 2, -2, -2, 5});
  const ops::Window pairs{{2, 2}, {2, 1}, {1, 1}, {1, 1}, {{0, 0}, {0, 0}}};
  CHECK(run(x, reduced(Reduction::prod, pairs)) ==
        std::vector<double>{120, 0, 0, -60, -15, 120, 0, 0});
}

TEST_CASE("windows in the padding are reductions of nothing") {
  const ops::Window shifted{{1}, {1}, {1}, {1}, {{1, 1}}};
  const HostArray x = pattern({2});
  CHECK(run(x, reduced(Reduction::sum, shifted)) == std::vector<double>{0, -5, 2, 0});
  CHECK(run(x, reduced(Reduction::prod, shifted)) == std::vector<double>{1, -5, 2, 1});
  CHECK(run(x, reduced(Reduction::max, shifted)) ==
        std::vector<double>{-infinity, -5, 2, -infinity});
  CHECK(run(x, reduced(Reduction::min, shifted)) == std::vector<double>{infinity, -5, 2, infinity});
  CHECK(run(x, argmax(shifted)) == std::vector<double>{0, 0, 1, 0});
}

TEST_CASE("reduce_window obeys the laws") {
  for (const ops::Window& window : windows) {
    for (Reduction op : {Reduction::sum, Reduction::prod, Reduction::max, Reduction::min}) {
      const Types types{f64({4, 5})};
      const GraphRef graph = program(types, reduced(op, window));
      check_laws(graph, random_sampler(types));
    }
  }
  const ops::Window one{{2}, {1}, {1}, {1}, {{1, 1}}}, none{{}, {}, {}, {}, {}};
  for (Reduction op : {Reduction::sum, Reduction::prod, Reduction::max}) {
    check_laws(program({f64({0})}, reduced(op, one)), random_sampler({f64({0})}));
    check_laws(program({f64({})}, reduced(op, none)), random_sampler({f64({})}));
  }
}

TEST_CASE("products over windows have derivatives where elements are zero") {
  const ops::Window three{{3}, {1}, {1}, {1}, {{0, 0}}};
  const GraphRef graph = program({f64({4})}, reduced(Reduction::prod, three));
  check_derivatives(graph, {HostArray(f64({4}), std::vector<double>{2, 0, 3, 0})});
}

TEST_CASE("reduce_window takes every dtype that its reduction combines") {
  const std::vector<DType> dtypes{
      bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float16, bfloat16, float32};
  for (DType dtype : dtypes) {
    for (Reduction op : {Reduction::sum,
                         Reduction::prod,
                         Reduction::max,
                         Reduction::min,
                         Reduction::all,
                         Reduction::any,
                         Reduction::bit_and,
                         Reduction::bit_or,
                         Reduction::bit_xor}) {
      const Types types{{{4, 5}, dtype}};
      const bool logical = op == Reduction::all || op == Reduction::any;
      const bool bits =
          op == Reduction::bit_and || op == Reduction::bit_or || op == Reduction::bit_xor;
      if (logical && dtype != bool_) continue;
      if (bits && is_floating(dtype)) continue;
      if (dtype == bool_ && (op == Reduction::sum || op == Reduction::prod)) continue;
      const GraphRef graph = program(types, reduced(op, windows[0]));
      check_text(*graph);
      check_kernels(*graph, random_sampler(types)(1));
      check_batches(graph, random_sampler(types));
    }
  }
}

TEST_CASE("window_argreduce gives flat positions, the first of equals, and never padding") {
  const ops::Window pairs{{2, 2}, {2, 2}, {1, 1}, {1, 1}, {{0, 0}, {0, 0}}};
  const HostArray x(f32({2, 4}), std::vector<double>{1, 3, 2, 2, 3, 0, 2, -1});
  CHECK(run(x, argmax(pairs)) == std::vector<double>{1, 2});
  CHECK(run(x, argmin(pairs)) == std::vector<double>{5, 7});
  const ops::Window line{{3}, {1}, {1}, {1}, {{2, 2}}};
  CHECK(run(HostArray(f32({3}), std::vector<double>{-7, -9, -8}), argmax(line)) ==
        std::vector<double>{0, 0, 0, 2, 2});
  const double nan = std::nan("");
  CHECK(run(HostArray(f32({4}), std::vector<double>{1, nan, 5, nan}), argmax(line)) ==
        std::vector<double>{0, 1, 1, 1, 3, 3});
  CHECK(run(HostArray(f32({3}), std::vector<double>{-infinity, -infinity, -infinity}),
            argmax(line)) == std::vector<double>{0, 0, 0, 1, 2});
  const HostArray least({{2}, int64},
                        std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(),
                                                  std::numeric_limits<std::int64_t>::min()});
  CHECK(run(least, argmax({{1}, {1}, {1}, {1}, {{1, 0}}})) == std::vector<double>{0, 0, 1});
}

TEST_CASE("window_argreduce of a batch counts within each example") {
  for (const ops::Window& window : windows) {
    for (DType dtype :
         {bool_, int8, uint8, int32, int64, uint64, float16, bfloat16, float32, float64}) {
      const Types types{{{4, 5}, dtype}};
      for (const Recorded& f : {argmax(window), argmin(window, uint8)}) {
        const GraphRef graph = program(types, f);
        check_text(*graph);
        check_kernels(*graph, random_sampler(types)(1));
        check_batches(graph, random_sampler(types));
      }
    }
  }
}

TEST_CASE("the tangent of a maximum is that of its first element; empty windows have none") {
  const ops::Window two{{2}, {1}, {1}, {1}, {{2, 0}}};
  const GraphRef graph = program({f64({3})}, reduced(Reduction::max, two));
  const JvpGraph j = jvp_graph(graph, {true});
  const HostArrays both{HostArray(f64({3}), std::vector<double>{4, 4, 1}),
                        HostArray(f64({3}), std::vector<double>{10, 20, 30})};
  CHECK(run_graph(*j.graph, both)[0].numbers() == std::vector<double>{-infinity, 4, 4, 4});
  CHECK(run_graph(*j.graph, both)[1].numbers() == std::vector<double>{0, 10, 10, 20});
}

TEST_CASE("windows that make no sense are refused") {
  CHECK(first_lines(
            refusal({f32({4, 5})}, reduced(Reduction::sum, {{2}, {1}, {1}, {1}, {{0, 0}}}))) ==
        "error[window]: reduce_window: the window does not say everything for each of 2 axes\n"
        "  | size {2}\n"
        "  | stride {1}\n"
        "  | base dilation {1}\n"
        "  | window dilation {1}\n"
        "  | padding for 1 axes");
  CHECK(first_lines(refusal({f32({4})}, reduced(Reduction::sum, {{0}, {1}, {1}, {1}, {{0, 0}}}))) ==
        "error[window]: reduce_window: size 0, stride 1, base dilation 1 and window dilation 1 "
        "along axis 0 must be at least 1\n"
        "  | operand f32[4]");
  CHECK(first_lines(refusal({f32({300})}, argmax({{2}, {1}, {1}, {1}, {{0, 0}}}, uint8))) ==
        "error[dtype]: window_argmax: 300 elements are more than u8 can number\n"
        "  | operand f32[300]\n"
        "  = hint: use int64");
}
