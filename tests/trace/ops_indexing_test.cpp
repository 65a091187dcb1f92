// gather and scatter: known values (made with JAX 0.10), out of bounds, duplicates, laws.
#include "tests/support/catch.hpp"
#include "tests/support/operation_laws.hpp"
#include "trace/graph_transforms.hpp"
#include "trace/ops.hpp"

#include <cmath>

using namespace fluxion;
using namespace fluxion::test;
using ops::OutOfBounds;
using ops::Update;

namespace {

const Site site = Site::current();

Type f64(const Shape& shape) { return {shape, float64}; }
Type f32(const Shape& shape) { return {shape, float32}; }
Type i32(const Shape& shape) { return {shape, int32}; }
using Recorded = std::function<Array(const ArrayList&)>;

HostArray pattern(const Shape& shape, int factor = 7, int modulus = 11, int offset = 5) {
  std::vector<double> numbers;
  for (int i = 0; i < element_count(shape); ++i) numbers.push_back(i * factor % modulus - offset);
  return {f32(shape), numbers};
}
HostArray indices(const Shape& shape, const std::vector<int>& values) {
  return {i32(shape), values};
}
std::vector<double> run(const HostArrays& in, const Recorded& f) {
  const GraphRef graph = program(types_of(in), f);
  check_kernels(*graph, in);
  return run_graph(*graph, in)[0].numbers();
}
void laws(const Types& types, const Recorded& f, int order = 2) {
  check_laws(program(types, f), random_sampler(types), order);
}

std::string first_lines(const std::string& text) {
  const std::size_t arrow = text.find("\n  -->"), next = text.find('\n', arrow + 1);
  return text.substr(0, arrow) + (next == text.npos ? "" : text.substr(next));
}

Recorded gather(const ops::GatherDimensions& d,
                const std::vector<std::int64_t>& sizes,
                OutOfBounds mode) {
  return [=](const ArrayList& x) { return ops::gather(x[0], x[1], d, sizes, mode, site); };
}
const ops::GatherDimensions rows{{1}, {0}, {}, {}, {0}, 1};
const ops::GatherDimensions boxes{{1, 2}, {}, {}, {}, {0, 1}, 1};

Recorded scatter(Update update,
                 const ops::ScatterDimensions& d,
                 OutOfBounds mode,
                 bool unique = false) {
  return [=](const ArrayList& x) {
    return ops::scatter(update, x[0], x[1], x[2], d, mode, {unique, false}, site);
  };
}
const ops::ScatterDimensions to_rows{{1}, {0}, {}, {}, {0}, 1};
const ops::ScatterDimensions to_boxes{{1, 2}, {}, {}, {}, {0, 1}, 1};

const std::vector<Update> updates{Update::set, Update::add, Update::mul, Update::min, Update::max};

/// The derivative of the sum of a scatter's result by its operand and its updates.
std::pair<std::vector<double>, std::vector<double>> gradients(const Recorded& f,
                                                              const HostArrays& in) {
  const GraphRef graph = program(types_of(in), f);
  const LinearizedGraph l = linearize_graph(graph, {true, false, true});
  HostArrays operands = run_graph(*l.forward, in);
  operands.erase(operands.begin());
  std::vector<bool> linear(operands.size(), false);
  linear.resize(operands.size() + 2, true);
  operands.emplace_back(in[0].type, std::vector<double>(in[0].count(), 1));
  const HostArrays back = run_graph(*transpose_graph(l.linear, linear, {true}).graph, operands);
  return {back.at(0).numbers(), back.at(1).numbers()};
}

}  // namespace

TEST_CASE("gather takes slices at computed positions, moved inside when they clip") {
  const HostArray x = pattern({4, 5});
  CHECK(run({x, indices({3, 1}, {2, 0, 9})}, gather(rows, {1, 5}, OutOfBounds::clip)) ==
        std::vector<double>{-1, -5, 2, -2, 5, -5, 2, -2, 5, 1, 1, -3, 4, 0, -4});
  CHECK(run({x, indices({3, 2}, {2, 1, -1, 3, 3, 4})}, gather(boxes, {2, 2}, OutOfBounds::clip)) ==
        std::vector<double>{-5, 2, -3, 4, 5, 1, -4, 3, -2, 5, 0, -4});
}

TEST_CASE("gather walks batching axes of the operand and the indices together") {
  const HostArray x = pattern({3, 4});
  CHECK(run({x, indices({3, 2, 1}, {1, 0, 3, 3, 2, 1})},
            gather({{}, {1}, {0}, {0}, {1}, 2}, {1, 1}, OutOfBounds::clip)) ==
        std::vector<double>{2, -5, 0, 0, -1, 3});
}

TEST_CASE("gather fills slices that do not fit, each dtype in its way") {
  const std::vector<double> filled = run({pattern({4, 5}), indices({3, 2}, {2, 1, -1, 3, 3, 4})},
                                         gather(boxes, {2, 2}, OutOfBounds::fill));
  CHECK(std::vector<double>(filled.begin(), filled.begin() + 4) ==
        std::vector<double>{-5, 2, -3, 4});
  for (std::size_t i = 4; i < 12; ++i) CHECK(std::isnan(filled[i]));
  const auto outside = [&](DType dtype) {
    const Type type{{2}, dtype};
    return run({HostArray(type, std::vector<int>{1, 1}), indices({1, 1}, {5})},
               gather({{}, {0}, {}, {}, {0}, 1}, {1}, OutOfBounds::fill))[0];
  };
  CHECK(outside(int8) == -128);
  CHECK(outside(int32) == -2147483648.0);
  CHECK(outside(int64) == -0x1p63);
  CHECK(outside(uint8) == 255);
  CHECK(outside(uint64) == 0x1p64);
  CHECK(outside(bool_) == 1);
  CHECK(std::isnan(outside(bfloat16)));
  CHECK(std::isnan(outside(float16)));
  CHECK(std::isnan(outside(float64)));
}

TEST_CASE("indices of any integer type mean the same, also beyond int64") {
  const HostArray x = pattern({5});
  const ops::GatherDimensions one{{}, {0}, {}, {}, {0}, 1};
  for (DType dtype : {int8, int16, int32, int64, uint8, uint16, uint32, uint64}) {
    const HostArray at({{2, 1}, dtype}, std::vector<int>{3, 100});
    CHECK(run({x, at}, gather(one, {1}, OutOfBounds::clip)) == std::vector<double>{5, 1});
    CHECK(std::isnan(run({x, at}, gather(one, {1}, OutOfBounds::fill))[1]));
  }
  const HostArray huge({{1, 1}, uint64}, std::vector<std::uint64_t>{0xffffffffffffffffu});
  CHECK(run({x, huge}, gather(one, {1}, OutOfBounds::clip)) == std::vector<double>{1});
  CHECK(std::isnan(run({x, huge}, gather(one, {1}, OutOfBounds::fill))[0]));
}

TEST_CASE("gather obeys the laws in every mode") {
  for (OutOfBounds mode : {OutOfBounds::clip, OutOfBounds::fill}) {
    const bool differentiable = mode == OutOfBounds::clip;  // NaN has no difference quotient
    const int order = differentiable ? 2 : 1;
    const auto check = [&](const Types& types, const Recorded& f) {
      const GraphRef graph = program(types, f);
      check_text(*graph);
      check_batches(graph, random_sampler(types));
      if (differentiable) check_laws(graph, random_sampler(types), order);
    };
    check({f64({4, 3}), i32({3, 1})}, gather(rows, {1, 3}, mode));
    check({f64({4, 5}), i32({2, 2})}, gather(boxes, {2, 3}, mode));
    check({f64({4}), i32({2, 3})}, gather({{}, {0}, {}, {}, {0}, 2}, {1}, mode));
    check({f64({2, 4, 3}), i32({5, 2})}, gather({{2}, {1}, {0}, {1}, {1}, 2}, {1, 1, 2}, mode));
    check({f64({4, 3}), i32({1, 2})}, gather({{0, 1}, {}, {}, {}, {0}, 0}, {2, 3}, mode));
    check({f64({4, 3}), i32({0, 1})}, gather(rows, {1, 3}, mode));
  }
}

TEST_CASE("the cotangent of slices that did not fit is dropped") {
  const HostArrays in{HostArray(f64({3}), std::vector<double>{1, 2, 3}),
                      indices({4, 1}, {1, 7, -1, 1})};
  const GraphRef graph =
      program(types_of(in), gather({{}, {0}, {}, {}, {0}, 1}, {1}, OutOfBounds::fill));
  const JvpGraph j = jvp_graph(graph, {true, false});
  HostArrays both = in;
  both.emplace_back(f64({3}), std::vector<double>{10, 20, 30});
  CHECK(run_graph(*j.graph, both)[1].numbers() == std::vector<double>{20, 0, 0, 20});
  const LinearizedGraph l = linearize_graph(graph, {true, false});
  HostArrays operands = run_graph(*l.forward, in);
  operands.erase(operands.begin());
  std::vector<bool> linear(operands.size(), false);
  linear.push_back(true);
  operands.emplace_back(f64({4}), std::vector<double>{1, 2, 4, 8});
  const HostArrays back = run_graph(*transpose_graph(l.linear, linear, {true}).graph, operands);
  CHECK(back[0].numbers() == std::vector<double>{0, 9, 0});
}

TEST_CASE("scatter combines updates with what is there") {
  const HostArray x = pattern({4, 5}), u = pattern({3, 5}, 3, 5, 1),
                  at = indices({3, 1}, {1, 3, 1});
  const auto result = [&](Update update) {
    return run({x, at, u}, scatter(update, to_rows, OutOfBounds::fill));
  };
  CHECK(result(Update::set) ==
        std::vector<double>{-5, 2, -2, 5, 1, -1, 2, 0, 3, 1, -1, -5, 2, -2, 5, -1, 2, 0, 3, 1});
  CHECK(result(Update::add) ==
        std::vector<double>{-5, 2, -2, 5, 1, -5, 8, 0, 2, 5, -1, -5, 2, -2, 5, 0, -1, 4, 3, -3});
  CHECK(result(Update::mul) == std::vector<double>{-5, 2,  -2, 5,  1, -3, 16, 0, -36, 3,
                                                   -1, -5, 2,  -2, 5, -1, -6, 0, 0,   -4});
  CHECK(result(Update::min) ==
        std::vector<double>{-5, 2, -2, 5, 1, -3, 2, 0, -4, 1, -1, -5, 2, -2, 5, -1, -3, 0, 0, -4});
  CHECK(result(Update::max) ==
        std::vector<double>{-5, 2, -2, 5, 1, -1, 4, 0, 3, 3, -1, -5, 2, -2, 5, 1, 2, 4, 3, 1});
}

TEST_CASE("windows that do not fit are dropped whole, or moved inside") {
  std::vector<double> counted;
  for (int i = 1; i <= 12; ++i) counted.push_back(i);
  const HostArrays in{
      pattern({4, 5}), indices({3, 2}, {2, 1, -1, 3, 3, 4}), HostArray(f32({3, 2, 2}), counted)};
  CHECK(run(in, scatter(Update::add, to_boxes, OutOfBounds::fill)) ==
        std::vector<double>{-5, 2, -2, 5, 1, -3, 4, 0, -4, 3, -1, -4, 4, -2, 5, 1, 0, 8, 0, -4});
  CHECK(run(in, scatter(Update::add, to_boxes, OutOfBounds::clip)) ==
        std::vector<double>{-5, 2, -2, 10, 7, -3, 4, 0, 3, 11, -1, -4, 4, 7, 15, 1, 0, 8, 11, 8});
}

TEST_CASE("of several sets of one element the last stays, also where windows overlap") {
  const HostArray x(f32({5}), std::vector<double>(5, 0));
  CHECK(run({x, indices({3, 1}, {1, 1, 4}), HostArray(f32({3}), std::vector<double>{7, 8, 9})},
            scatter(Update::set, {{}, {0}, {}, {}, {0}, 1}, OutOfBounds::fill)) ==
        std::vector<double>{0, 8, 0, 0, 9});
  // Windows of three at 0, 2 and 1: the updates' rows, one after the other.
  CHECK(run({x,
             indices({3, 1}, {0, 2, 1}),
             HostArray(f32({3, 3}), std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9})},
            scatter(Update::set, {{1}, {}, {}, {}, {0}, 1}, OutOfBounds::fill)) ==
        std::vector<double>{1, 7, 8, 9, 6});
  // The same windows with their axis first: the updates' order is row-major, so the last row of
  // windows decides.
  CHECK(run({x,
             indices({3, 1}, {0, 2, 1}),
             HostArray(f32({3, 3}), std::vector<double>{1, 4, 7, 2, 5, 8, 3, 6, 9})},
            scatter(Update::set, {{0}, {}, {}, {}, {0}, 1}, OutOfBounds::fill)) ==
        std::vector<double>{1, 2, 3, 9, 6});
}

TEST_CASE("scatter obeys the laws with duplicates and positions out of bounds") {
  for (Update update : updates) {
    for (OutOfBounds mode : {OutOfBounds::clip, OutOfBounds::fill}) {
      laws({f64({4, 2}), i32({3, 1}), f64({3, 2})}, scatter(update, to_rows, mode));
      laws({f64({4, 3}), i32({2, 2}), f64({2, 2, 2})}, scatter(update, to_boxes, mode));
      laws({f64({3}), i32({2, 2}), f64({2, 2})}, scatter(update, {{}, {0}, {}, {}, {0}, 2}, mode));
      laws({f64({2, 3}), i32({3, 2}), f64({3, 2})},
           scatter(update, {{}, {1}, {0}, {1}, {1}, 2}, mode));
    }
    laws({f64({5}), i32({3, 1}), f64({3, 3})},
         scatter(update, {{0}, {}, {}, {}, {0}, 1}, OutOfBounds::clip));
    laws({f64({3, 2}), i32({0, 1}), f64({0, 2})}, scatter(update, to_rows, OutOfBounds::fill));
    laws({f64({3, 2}), i32({1, 1}), f64({1, 2})}, scatter(update, to_rows, OutOfBounds::fill));
  }
}

TEST_CASE("scatter with unique positions obeys the laws") {
  for (Update update : updates) {
    const Types types{f64({5, 2}), i32({3, 1}), f64({3, 2})};
    const GraphRef graph = program(types, scatter(update, to_rows, OutOfBounds::fill, true));
    const Sampler samples = [&](unsigned seed) {
      HostArrays in = random_sampler(types)(seed);
      for (int k = 0; k < 3; ++k)
        in[1].element<std::int32_t>(static_cast<std::size_t>(k)) =
            (static_cast<int>(seed) + 2 * k) % 5;
      return in;
    };
    check_laws(graph, samples);
  }
}

TEST_CASE("derivatives of scatter go to what is seen in the result") {
  const HostArrays in{HostArray(f64({4}), std::vector<double>{1, 2, 3, 4}),
                      indices({4, 1}, {1, 2, 1, 9}),
                      HostArray(f64({4}), std::vector<double>{5, 3, 2, 7})};
  const ops::ScatterDimensions single{{}, {0}, {}, {}, {0}, 1};
  using Numbers = std::vector<double>;
  const auto derivative = [&](Update update) {
    return gradients(scatter(update, single, OutOfBounds::fill), in);
  };
  CHECK(derivative(Update::set) == std::pair{Numbers{1, 0, 0, 1}, Numbers{0, 1, 1, 0}});
  CHECK(derivative(Update::add) == std::pair{Numbers{1, 1, 1, 1}, Numbers{1, 1, 1, 0}});
  CHECK(derivative(Update::mul) == std::pair{Numbers{1, 10, 3, 1}, Numbers{4, 3, 10, 0}});
  // Element 2 is 3 and meets a 3; the greatest at element 1 is 5, the least is 2 twice.
  CHECK(derivative(Update::max) == std::pair{Numbers{1, 0, 0.5, 1}, Numbers{1, 0.5, 0, 0}});
  CHECK(derivative(Update::min) == std::pair{Numbers{1, 0.5, 0.5, 1}, Numbers{0, 0.5, 0.5, 0}});
}

TEST_CASE("the derivative of a product of updates knows zeros") {
  const ops::ScatterDimensions single{{}, {0}, {}, {}, {0}, 1};
  const auto derivative = [&](const std::vector<double>& u) {
    const HostArrays in{HostArray(f64({1}), std::vector<double>{2}),
                        indices({3, 1}, {0, 0, 0}),
                        HostArray(f64({3}), u)};
    return gradients(scatter(Update::mul, single, OutOfBounds::fill), in).second;
  };
  CHECK(derivative({3, 0, 5}) == std::vector<double>{0, 30, 0});
  CHECK(derivative({0, 0, 5}) == std::vector<double>{0, 0, 0});
  CHECK(derivative({3, 4, 5}) == std::vector<double>{40, 30, 24});
}

TEST_CASE("scatter takes every dtype that its update combines") {
  for (DType dtype : {bool_,
                      int8,
                      int16,
                      int32,
                      int64,
                      uint8,
                      uint16,
                      uint32,
                      uint64,
                      float16,
                      bfloat16,
                      float32}) {
    for (Update update : updates) {
      const bool counts = update == Update::add || update == Update::mul;
      if (dtype == bool_ && counts) continue;
      const Types types{{{4, 2}, dtype}, i32({3, 1}), {{3, 2}, dtype}};
      const GraphRef graph = program(types, scatter(update, to_rows, OutOfBounds::fill));
      check_kernels(*graph, random_sampler(types)(3));
      check_batches(graph, random_sampler(types));
    }
  }
  // Combined in float32 and rounded once: in bfloat16 256 + 1 would be 256 each time.
  const Types halves{{{1}, bfloat16}, i32({2, 1}), {{2}, bfloat16}};
  CHECK(run({HostArray(halves[0], std::vector<double>{256}),
             indices({2, 1}, {0, 0}),
             HostArray(halves[2], std::vector<double>{1, 1})},
            scatter(Update::add, {{}, {0}, {}, {}, {0}, 1}, OutOfBounds::fill)) ==
        std::vector<double>{258});
}

TEST_CASE("indices and shapes that do not go together are refused") {
  CHECK(first_lines(refusal({f32({4, 5}), f32({3, 1})}, gather(rows, {1, 5}, OutOfBounds::clip))) ==
        "error[gather]: gather: indices are integers, not f32\n"
        "  | operand f32[4,5]\n"
        "  | indices f32[3,1]");
  CHECK(first_lines(refusal({f32({4, 5}), i32({3, 1})}, gather(rows, {1, 6}, OutOfBounds::clip))) ==
        "error[gather]: gather: a slice of size 6 along axis 1 of size 5\n"
        "  | operand f32[4,5]\n"
        "  | indices i32[3,1]");
  CHECK(first_lines(refusal({f32({4, 5}), i32({3, 2})}, gather(rows, {1, 5}, OutOfBounds::clip))) ==
        "error[gather]: gather: index vectors have 2 components for 1 axes\n"
        "  | operand f32[4,5]\n"
        "  | indices i32[3,2]");
  CHECK(first_lines(refusal({f32({4, 5}), i32({3, 1}), f32({2, 5})},
                            scatter(Update::add, to_rows, OutOfBounds::fill))) ==
        "error[scatter]: scatter: updates at [2] positions, indices of [3]\n"
        "  | operand f32[4,5]\n"
        "  | indices i32[3,1]\n"
        "  | updates f32[2,5]");
  CHECK(first_lines(refusal({{{4}, bool_}, i32({3, 1}), {{3}, bool_}},
                            scatter(Update::add, {{}, {0}, {}, {}, {0}, 1}, OutOfBounds::fill))) ==
        "error[dtype]: scatter: add does not combine bool\n"
        "  | operand bool[4]\n"
        "  = hint: convert to a wider dtype with astype");
}
