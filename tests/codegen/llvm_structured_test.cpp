// Moves, contractions, windows and indexing as machine code: the same bits as their kernels'
// definition.
#include "tests/support/compiled_kernel.hpp"
#include "tests/support/operation_laws.hpp"
#include "trace/ops.hpp"

using namespace fluxion;
using namespace fluxion::test;

namespace {

const Site site = Site::current();
using Recorded = std::function<Array(const ArrayList&)>;

/// Every kernel of the program, on samples of its buffers; buffer `indices` holds small positions.
void check(const Types& types, const Recorded& f, std::size_t indices = 99) {
  const GraphRef graph = program(types, f);
  for (const Operation& operation : graph->operations()) {
    const kernel::Kernel kernel = plain_kernel(operation.op, graph->operand_types(operation));
    std::mt19937_64 random(7);
    test::RandomBits samples(kernel.hash());
    const Fill fill = [&](std::size_t buffer, std::size_t) {
      const DType dtype = kernel.buffers[buffer].dtype;
      if (buffer != indices) return samples(dtype);
      const std::uint64_t all = ~std::uint64_t{0} >> (64 - 8 * size_of(dtype));
      return (random() % 12 - 2) & all;
    };
    INFO(to_string(*graph));
    check_compiled(kernel, fill);
  }
}

const DType dtypes[] = {bool_, int8, uint16, int32, int64, float16, bfloat16, float32, float64};

ops::ConvolutionDimensions nchw() { return {0, 1, {2, 3}, 0, 1, {2, 3}, 0, 1, {2, 3}}; }
ops::ConvolutionDimensions nhwc() { return {0, 3, {1, 2}, 3, 2, {0, 1}, 0, 3, {1, 2}}; }

}  // namespace

TEST_CASE("moves compile to what they mean, in vectors and tails") {
  for (DType dtype : dtypes) {
    const auto of = [&](const Shape& shape) { return Type{shape, dtype}; };
    check({of({6, 35})}, [](auto& x) { return ops::reshape(x[0], {10, 21}, site); });
    check({of({5, 7, 19})}, [](auto& x) { return ops::transpose(x[0], {2, 0, 1}, site); });
    check({of({33, 1})},
          [](auto& x) { return ops::broadcast_in_dim(x[0], {2, 33, 20}, {1, 2}, site); });
    check({of({9, 50})}, [](auto& x) { return ops::slice(x[0], {1, 3}, {8, 48}, {2, 3}, site); });
    check({of({4, 20}), of({})},
          [](auto& x) { return ops::pad(x[0], x[1], {{1, -1, 1}, {-2, 3, 2}}, site); });
    check({of({3, 20}), of({3, 0}), of({3, 17})},
          [](auto& x) { return ops::concatenate(x, 1, site); });
    check({of({3, 40})}, [](auto& x) { return ops::rev(x[0], {0, 1}, site); });
    if (dtype != bool_) check({}, [&](auto&) { return ops::iota({{3, 40}, dtype}, 1, site); });
  }
}

TEST_CASE("dots compile to what they mean") {
  for (DType dtype : dtypes) {
    if (dtype == bool_) continue;
    const auto of = [&](const Shape& shape) { return Type{shape, dtype}; };
    const auto dot = [](const ops::DotDimensions& d) {
      return [=](const ArrayList& x) { return ops::dot_general(x[0], x[1], d, site); };
    };
    check({of({7, 40}), of({40, 19})}, dot({{1}, {0}, {}, {}}));
    check({of({5, 67}), of({9, 67})}, dot({{1}, {1}, {}, {}}));
    check({of({40, 3}), of({5, 40})}, dot({{0}, {1}, {}, {}}));
    check({of({3, 17, 2}), of({2, 3, 17})}, dot({{1}, {2}, {0, 2}, {1, 0}}));
    check({of({20}), of({20})}, dot({{}, {}, {0}, {0}}));
  }
}

TEST_CASE("convolutions compile to what they mean") {
  for (DType dtype : {int32, bfloat16, float32, float64}) {
    const auto of = [&](const Shape& shape) { return Type{shape, dtype}; };
    const auto conv = [](const ops::ConvolutionWindow& w, const ops::ConvolutionDimensions& d) {
      return [=](const ArrayList& x) { return ops::conv_general_dilated(x[0], x[1], w, d, site); };
    };
    check({of({2, 4, 9, 21}), of({6, 4, 3, 3})},
          conv({{1, 1}, {{1, 1}, {1, 1}}, {1, 1}, {1, 1}}, nchw()));
    check({of({2, 4, 9, 8}), of({6, 2, 3, 2})},
          conv({{2, 3}, {{1, 0}, {-1, 2}}, {2, 1}, {1, 2}, 2, 1}, nchw()));
    check({of({4, 2, 9, 8}), of({6, 2, 3, 2})},
          conv({{1, 1}, {{0, 0}, {0, 0}}, {1, 3}, {1, 1}, 1, 2}, nchw()));
    check({of({2, 9, 8, 3}), of({3, 3, 3, 18})},
          conv({{1, 1}, {{1, 1}, {1, 1}}, {1, 1}, {1, 1}}, nhwc()));
  }
}

TEST_CASE("windows compile to what they mean") {
  const ops::Window windows[] = {{{2, 3}, {1, 2}, {1, 1}, {1, 1}, {{1, 0}, {0, 1}}},
                                 {{2, 2}, {2, 2}, {1, 1}, {1, 1}, {{0, 0}, {0, 0}}},
                                 {{3, 2}, {2, 1}, {2, 3}, {1, 2}, {{1, 1}, {-1, 4}}}};
  for (DType dtype : dtypes) {
    for (const ops::Window& window : windows) {
      const Types types{{{9, 41}, dtype}};
      for (ops::Reduction op :
           {ops::Reduction::sum, ops::Reduction::prod, ops::Reduction::max, ops::Reduction::min}) {
        if (dtype == bool_ && (op == ops::Reduction::sum || op == ops::Reduction::prod)) continue;
        check(types, [&](auto& x) { return ops::reduce_window(op, x[0], window, site); });
      }
      for (bool largest : {true, false}) {
        check(types,
              [&](auto& x) { return ops::window_argreduce(largest, x[0], window, int32, site); });
      }
    }
  }
}

TEST_CASE("gather and scatter compile to what they mean, in and out of bounds") {
  using ops::OutOfBounds;
  using ops::Update;
  for (OutOfBounds mode : {OutOfBounds::clip, OutOfBounds::fill}) {
    for (DType index : {int8, int32, int64, uint32, uint64}) {
      const Types rows{{{9, 37}, float32}, {{6, 1}, index}},
          boxes{{{9, 8}, float32}, {{6, 2}, index}};
      check(
          rows,
          [&](auto& x) {
            return ops::gather(x[0], x[1], {{1}, {0}, {}, {}, {0}, 1}, {1, 37}, mode, site);
          },
          1);
      check(
          boxes,
          [&](auto& x) {
            return ops::gather(x[0], x[1], {{1, 2}, {}, {}, {}, {0, 1}, 1}, {2, 5}, mode, site);
          },
          1);
      check(
          {{{9, 8}, int16}, {{9, 6, 1}, index}},
          [&](auto& x) {
            return ops::gather(x[0], x[1], {{}, {1}, {0}, {0}, {1}, 2}, {1, 1}, mode, site);
          },
          1);
    }
    for (Update update : {Update::set, Update::add, Update::mul, Update::min, Update::max}) {
      for (DType dtype : {int8, int64, float32, float64}) {
        const auto scatter = [&](const ops::ScatterDimensions& d, bool unique) {
          return [=](const ArrayList& x) {
            return ops::scatter(update, x[0], x[1], x[2], d, mode, {unique, false}, site);
          };
        };
        check({{{9, 37}, dtype}, {{6, 1}, int32}, {{6, 37}, dtype}},
              scatter({{1}, {0}, {}, {}, {0}, 1}, false),
              1);
        check({{{9}, dtype}, {{40, 1}, int32}, {{40}, dtype}},
              scatter({{}, {0}, {}, {}, {0}, 1}, false),
              1);
        check({{{9, 8}, dtype}, {{6, 2}, int32}, {{6, 2, 3}, dtype}},
              scatter({{1, 2}, {}, {}, {}, {0, 1}, 1}, false),
              1);
        check({{{9, 37}, dtype}, {{1, 1}, int32}, {{1, 37}, dtype}},
              scatter({{1}, {0}, {}, {}, {0}, 1}, true),
              1);
      }
    }
  }
}
