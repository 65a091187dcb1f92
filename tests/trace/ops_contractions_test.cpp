// dot_general and conv_general_dilated: known values (made with JAX 0.10), refusals, laws, library
// leaves.
#include "tests/support/catch.hpp"
#include "tests/support/operation_laws.hpp"
#include "trace/graph_transforms.hpp"
#include "trace/ops.hpp"

using namespace fluxion;
using namespace fluxion::test;

namespace {

const Site site = Site::current();

Type f64(const Shape& shape) { return {shape, float64}; }
Type f32(const Shape& shape) { return {shape, float32}; }
using Recorded = std::function<Array(const ArrayList&)>;

/// i * factor mod `modulus` - offset, in order.
HostArray pattern(const Shape& shape, int factor = 7, int modulus = 11, int offset = 5) {
  std::vector<double> numbers;
  for (int i = 0; i < element_count(shape); ++i) numbers.push_back(i * factor % modulus - offset);
  return {f32(shape), numbers};
}
std::vector<double> run(const HostArrays& in, const Recorded& f) {
  return run_graph(*program(types_of(in), f), in)[0].numbers();
}
void laws(const Types& types, const Recorded& f) {
  check_laws(program(types, f), random_sampler(types));
}

Recorded dot(std::vector<int> l,
             std::vector<int> r,
             std::vector<int> lb = {},
             std::vector<int> rb = {}) {
  return [=](const ArrayList& x) { return ops::dot_general(x[0], x[1], {l, r, lb, rb}, site); };
}

std::string first_lines(const std::string& text) {
  const std::size_t arrow = text.find("\n  -->"), next = text.find('\n', arrow + 1);
  return text.substr(0, arrow) + (next == text.npos ? "" : text.substr(next));
}

using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;
using Sizes = std::vector<std::int64_t>;
ops::ConvolutionDimensions nchw(int spatial) {
  ops::ConvolutionDimensions d;
  for (int k = 0; k < spatial; ++k) {
    d.lhs_spatial.push_back(k + 2);
    d.rhs_spatial.push_back(k + 2);
    d.out_spatial.push_back(k + 2);
  }
  return d;
}
ops::ConvolutionDimensions nhwc() { return {0, 3, {1, 2}, 3, 2, {0, 1}, 0, 3, {1, 2}}; }
Recorded conv(const ops::ConvolutionWindow& window, const ops::ConvolutionDimensions& d) {
  return [=](const ArrayList& x) { return ops::conv_general_dilated(x[0], x[1], window, d, site); };
}
LeafSpec leaf_of(const Graph& graph, std::size_t k) {
  const Operation& operation = graph.operations().at(k);
  return operation.op.leaf(graph.operand_types(operation), graph.result_types(operation));
}

/// The convolution that a leaf asks for, by its defining formula.
std::vector<double> run_leaf(const ConvolutionSpec& s,
                             const HostArray& a,
                             const HostArray& b,
                             std::size_t results) {
  std::vector<double> out(results, 0);
  const std::vector<double> x = a.numbers(), y = b.numbers();
  Shape domain{s.batch, s.out_channels, s.in_channels / s.groups};
  const std::size_t rank = s.window.size();
  for (std::int64_t n : s.out_size) domain.push_back(n);
  for (std::int64_t n : s.window) domain.push_back(n);
  std::vector<std::int64_t> i(domain.size());
  do {
    const std::int64_t group = i[1] / (s.out_channels / s.groups);
    const std::int64_t channel = group * (s.in_channels / s.groups) + i[2];
    std::int64_t in = i[0] * s.in_strides[0] + channel * s.in_strides[1];
    std::int64_t weight = i[1] * s.weight_strides[0] + i[2] * s.weight_strides[1];
    std::int64_t result = i[0] * s.out_strides[0] + i[1] * s.out_strides[1];
    bool inside = true;
    for (std::size_t k = 0; k < rank; ++k) {
      const std::int64_t y0 = i[3 + k], w = i[3 + rank + k];
      const std::int64_t at = y0 * s.stride[k] + w * s.dilation[k] - s.pad_low[k];
      inside = inside && at >= 0 && at < s.in_size[k];
      in += at * s.in_strides[2 + k];
      weight += w * s.weight_strides[2 + k];
      result += y0 * s.out_strides[2 + k];
    }
    if (!inside) continue;
    using Pass = ConvolutionSpec::Pass;
    const auto at = [](std::int64_t k) { return static_cast<std::size_t>(k); };
    if (s.pass == Pass::forward)
      out[at(result)] += x[at(in)] * y[at(weight)];
    else if (s.pass == Pass::backward_data)
      out[at(in)] += x[at(result)] * y[at(weight)];
    else
      out[at(weight)] += x[at(in)] * y[at(result)];
  } while (next_index(i, domain));
  return out;
}

/// Runs the leaves of every convolution of a program beside the references; the number of leaves of
/// each pass.
std::vector<int> check_conv_leaves(const Graph& graph, const HostArrays& inputs) {
  std::vector<int> passes(3, 0);
  HostArrays values = inputs;
  for (std::size_t k = 0; k < graph.operations().size(); ++k) {
    const Operation& operation = graph.operations()[k];
    HostArrays operands;
    for (ValueId v : operation.operands) operands.push_back(values.at(static_cast<std::size_t>(v)));
    HostArrays results = run_reference(operation.op, operands);
    const LeafSpec leaf = leaf_of(graph, k);
    if (const auto* spec = std::get_if<ConvolutionSpec>(&leaf)) {
      ++passes[static_cast<std::size_t>(spec->pass)];
      const std::vector<double> wanted = results[0].numbers();
      const std::vector<double> found = run_leaf(*spec, operands[0], operands[1], wanted.size());
      for (std::size_t i = 0; i < wanted.size(); ++i)
        CHECK(found[i] == Approx(wanted[i]).margin(1e-9));
      for (std::size_t a = 0; a < spec->window.size(); ++a) {
        const std::int64_t reach = (spec->window[a] - 1) * spec->dilation[a] + 1;
        CHECK(spec->pad_low[a] >= 0);
        CHECK(spec->pad_high[a] >= 0);
        CHECK((spec->in_size[a] + spec->pad_low[a] + spec->pad_high[a] - reach) / spec->stride[a] +
                  1 ==
              spec->out_size[a]);
      }
    }
    for (HostArray& r : results) values.push_back(std::move(r));
  }
  return passes;
}

GraphRef gradients(const GraphRef& graph, const HostArrays& inputs, HostArrays& operands) {
  const LinearizedGraph l = linearize_graph(graph, {true, true});
  const HostArrays forward = run_graph(*l.forward, inputs);
  operands.assign(forward.end() - static_cast<std::ptrdiff_t>(l.residual_count), forward.end());
  std::vector<bool> linear(l.residual_count, false);
  linear.resize(l.residual_count + 2, true);
  operands.push_back(random_array(forward[0].type, 77));
  return transpose_graph(l.linear, linear, {true}).graph;
}

}  // namespace

TEST_CASE("dot_general sums products over contracted axes") {
  const std::vector<double> wanted{9,  -26, 9,   9,   -5,  -9,  -4,  -6,  -8, 18,
                                   28, 7,   -21, -14, -14, 14,  -6,  -12, -4, -3,
                                   -9, 22,  25,  7,   -18, -10, -16, -15, 7,  22};
  CHECK(run({pattern({2, 3, 4}), pattern({2, 5, 4}, 5, 7, 3)}, dot({2}, {2}, {0}, {0})) == wanted);
  laws({f64({3, 4}), f64({4, 2})}, dot({1}, {0}));
  laws({f64({4, 3}), f64({2, 4})}, dot({0}, {1}));
  laws({f64({2, 3, 4}), f64({4, 5, 2})}, dot({2}, {0}, {0}, {2}));
  laws({f64({2, 3, 4, 2}), f64({2, 4, 3})}, dot({2, 1}, {1, 2}, {0}, {0}));
  laws({f64({3, 2}), f64({2, 3})}, dot({0, 1}, {1, 0}));
  laws({f64({3}), f64({2})}, dot({}, {}));
  laws({f64({}), f64({})}, dot({}, {}));
  laws({f64({2, 0}), f64({0, 3})}, dot({1}, {0}));
  laws({f64({0, 2}), f64({2, 3})}, dot({1}, {0}));
  laws({f64({2, 70}), f64({3, 70})}, dot({1}, {1}));
}

TEST_CASE("dot_general takes every number type and sums in a wider one where asked") {
  for (DType dtype : {int8,
                      int16,
                      int32,
                      int64,
                      uint8,
                      uint16,
                      uint32,
                      uint64,
                      float16,
                      bfloat16,
                      float32,
                      float64}) {
    const Types types{{{3, 40}, dtype}, {{40, 2}, dtype}};
    const GraphRef graph = program(types, dot({1}, {0}));
    check_kernels(*graph, random_sampler(types)(1));
    check_batches(graph, random_sampler(types));
  }
  const Types bytes{{{2, 3}, int8}, {{3, 2}, int8}};
  const GraphRef wide = program(
      bytes, [](auto& x) { return ops::dot_general(x[0], x[1], {{1}, {0}, {}, {}}, site, int32); });
  const HostArrays in{HostArray(bytes[0], std::vector<int>(6, 100)),
                      HostArray(bytes[1], std::vector<int>(6, 100))};
  CHECK(run_graph(*wide, in)[0].numbers() == std::vector<double>(4, 30000));
  const GraphRef narrow = program(bytes, dot({1}, {0}));
  CHECK(run_graph(*narrow, in)[0].numbers() == std::vector<double>(4, 30000 - 117 * 256));
  // 256 + 1 + 1 is 258; in bfloat16 256 + 1 rounds back to 256 each time.
  const Types halves{{{1, 3}, bfloat16}, {{3, 1}, bfloat16}};
  const HostArrays ones{HostArray(halves[0], std::vector<double>{256, 1, 1}),
                        HostArray(halves[1], std::vector<double>(3, 1))};
  CHECK(run_graph(*program(halves, dot({1}, {0})), ones)[0].numbers()[0] == 258);
}

TEST_CASE("a dot whose axes collapse asks a library for a matrix product") {
  const GraphRef graph =
      program({f32({2, 3, 4, 5}), f32({2, 3, 6, 5})}, dot({3}, {3}, {0, 1}, {0, 1}));
  const LeafSpec leaf = leaf_of(*graph, 0);
  const auto& spec = std::get<MatmulSpec>(leaf);
  CHECK(spec == MatmulSpec{float32, float32, 6, 4, 6, 5, {20, 5, 1}, {30, 1, 5}, {24, 6, 1}});
  // Batch axes that lie around the rows are no single axis.
  const GraphRef apart =
      program({f32({2, 4, 3, 5}), f32({2, 6, 3, 5})}, dot({3}, {3}, {0, 2}, {0, 2}));
  CHECK(std::holds_alternative<std::monostate>(leaf_of(*apart, 0)));
  const GraphRef integers = program({{{2, 2}, int32}, {{2, 2}, int32}}, dot({1}, {0}));
  CHECK(std::holds_alternative<std::monostate>(leaf_of(*integers, 0)));
}

TEST_CASE("dots that do not fit are refused") {
  CHECK(first_lines(refusal({f32({32, 784}), f32({785, 128})}, dot({1}, {0}))) ==
        "error[dot-sizes]: dot: the contracted sizes differ, 784 and 785\n"
        "  | lhs f32[32,784]   contracts axis 1 (784)\n"
        "  | rhs f32[785,128]  contracts axis 0 (785)\n"
        "  = hint: did the input layer forget its bias column?");
  CHECK(first_lines(refusal({f32({2, 3}), f32({5, 3})}, dot({1}, {1}, {0}, {0}))) ==
        "error[dot-sizes]: dot: the batch sizes differ, 2 and 5\n"
        "  | lhs f32[2,3]  batches axis 0 (2)\n"
        "  | rhs f32[5,3]  batches axis 0 (5)");
  CHECK(first_lines(refusal({{{2}, bool_}, {{2}, bool_}}, dot({0}, {0}))) ==
        "error[dtype]: dot: bool operands have no product\n"
        "  | lhs bool[2]\n"
        "  | rhs bool[2]\n"
        "  = hint: convert them with astype");
}

TEST_CASE("convolutions give what JAX gives") {
  const HostArray x = pattern({1, 2, 5, 4}), w = pattern({4, 2, 3, 2}, 5, 7, 3);
  CHECK(run({x, w}, conv({{1, 1}, {{0, 0}, {0, 0}}, {1, 1}, {1, 1}}, nchw(2))) ==
        std::vector<double>{4,  4,   26,  -29, 26, 4,   4,  -18, 4,   -19, 7,  -22,
                            19, -10, -6,  13,  17, -12, 35, 10,  7,   -10, 31, -16,
                            22, -25, -28, -37, 13, 8,   31, -40, -12, -11, 17, 12});
  CHECK(run({x, w}, conv({{2, 1}, {{1, 2}, {0, 1}}, {1, 2}, {2, 1}}, nchw(2))) ==
        std::vector<double>{4,   -11, 14,  3,  13,  -5, 1,   -3,  -17, -6,  -5, -9,  7, -1,
                            -3,  -17, -6,  -5, -9,  7,  -1,  -10, 19,  23,  1,  -10, 5, -10,
                            -10, 19,  23,  1,  -10, 5,  -10, -3,  -22, -11, 7,  3,   3, -5,
                            -3,  -22, -11, 7,  3,   3,  -5,  4,   14,  -17, 13, -5,  1, 7});
  CHECK(run({x, w}, conv({{1, 1}, {{-1, 1}, {1, 0}}, {1, 1}, {1, 2}}, nchw(2))) ==
        std::vector<double>{-44, 33, 22, 17, -22, -22, 3,   9,   29, 18, -2, -31,
                            0,   14, 40, 2,  9,   -53, -11, 12,  42, 11, 22, -80,
                            1,   16, 26, 16, 19,  -74, 1,   -12, 38, 0,  23, -21});
  const HostArray narrow = pattern({4, 2, 3}, 5, 7, 3);
  CHECK(run({pattern({1, 4, 5}), narrow}, conv({{1}, {{1, 1}}, {1}, {1}, 2, 1}, nchw(1))) ==
        std::vector<double>{-15, 37, -22, 7, 4,  37, -13, 2, 6,   -14,
                            22,  -8, -7,  5, -7, 6,  -19, 6, -13, -9});
  CHECK(run({pattern({4, 2, 5}), narrow}, conv({{1}, {{0, 1}}, {1}, {1}, 1, 2}, nchw(1))) ==
        std::vector<double>{37,  -22, 7,   4, -13, 2,   6, -14, 35,  -8, -7, 12,  0, -19, 6,   -8,
                            -14, 37,  -22, 4, 38,  -13, 2, -5,  -10, 35, -8, -13, 8, 0,   -19, 4});
  CHECK(run({pattern({1, 4, 3, 2}), pattern({2, 2, 2, 3}, 5, 7, 3)},
            conv({{1, 1}, {{0, 0}, {0, 0}}, {1, 1}, {1, 1}}, nhwc())) ==
        std::vector<double>{-4, -10, 5, 9, 7, 5, 2, 19, -6, -7, 14, -28, -3, -18, 16, -34, 10, 5});
}

TEST_CASE("convolutions obey the laws in every layout, with strides, dilations and groups") {
  laws({f64({2, 3, 5}), f64({2, 3, 2})}, conv({{2}, {{1, 2}}, {1}, {2}}, nchw(1)));
  laws({f64({2, 2, 4}), f64({2, 2, 3})}, conv({{1}, {{2, 1}}, {2}, {1}}, nchw(1)));
  laws({f64({1, 2, 6}), f64({1, 2, 2})}, conv({{3}, {{-1, 2}}, {1}, {1}}, nchw(1)));
  laws({f64({2, 4, 4}), f64({6, 2, 2})}, conv({{1}, {{1, 0}}, {1}, {1}, 2, 1}, nchw(1)));
  laws({f64({4, 2, 4}), f64({6, 2, 2})}, conv({{1}, {{1, 0}}, {2}, {1}, 1, 2}, nchw(1)));
  laws({f64({1, 3, 3, 2}), f64({2, 2, 2, 1})},
       conv({{1, 2}, {{1, 1}, {0, 1}}, {1, 1}, {1, 1}}, nhwc()));
  laws({f64({2, 3}), f64({4, 3})}, conv({{}, {}, {}, {}}, nchw(0)));
  laws({f64({0, 2, 3}), f64({2, 2, 2})}, conv({{1}, {{0, 0}}, {1}, {1}}, nchw(1)));
  laws({f64({1, 2, 2}), f64({2, 2, 3})}, conv({{1}, {{0, 0}}, {1}, {1}}, nchw(1)));
}

TEST_CASE("convolutions take integers and 16-bit floats") {
  for (DType dtype : {int8, uint32, int64, float16, bfloat16, float32}) {
    const Types types{{{2, 3, 5}, dtype}, {{2, 3, 2}, dtype}};
    check_kernels(*program(types, conv({{2}, {{1, 2}}, {1}, {2}}, nchw(1))),
                  random_sampler(types)(1));
  }
}

TEST_CASE("a convolution and both its derivatives are what a library computes") {
  struct Case {
    Types types;
    Recorded function;
  };
  const std::vector<Case> cases{
      {{f64({2, 3, 7, 6}), f64({4, 3, 3, 3})},
       conv({{1, 1}, {{1, 1}, {1, 1}}, {1, 1}, {1, 1}}, nchw(2))},
      {{f64({2, 3, 8, 7}), f64({4, 3, 3, 2})},
       conv({{2, 3}, {{1, 1}, {0, 0}}, {1, 1}, {1, 1}}, nchw(2))},
      {{f64({2, 8, 8, 3}), f64({3, 3, 3, 5})},
       conv({{2, 1}, {{0, 1}, {2, 2}}, {1, 1}, {1, 2}}, nhwc())},
      {{f64({2, 4, 9}), f64({4, 1, 3})}, conv({{2}, {{1, 1}}, {1}, {1}, 4, 1}, nchw(1))},
  };
  for (const Case& c : cases) {
    const GraphRef graph = program(c.types, c.function);
    const HostArrays inputs = random_sampler(c.types)(1);
    CHECK(check_conv_leaves(*graph, inputs) == std::vector<int>{1, 0, 0});
    HostArrays operands;
    const GraphRef backward = gradients(graph, inputs, operands);
    CHECK(check_conv_leaves(*backward, operands) == std::vector<int>{0, 1, 1});
  }
}

TEST_CASE("convolutions that do not fit are refused") {
  CHECK(first_lines(refusal({f32({1, 3, 8, 8}), f32({4, 2, 3, 3})},
                            conv({{1, 1}, {{0, 0}, {0, 0}}, {1, 1}, {1, 1}}, nchw(2)))) ==
        "error[conv-features]: conv: lhs has 3 features, rhs takes 2\n"
        "  | lhs f32[1,3,8,8]\n"
        "  | rhs f32[4,2,3,3]");
  CHECK(first_lines(refusal({f32({1, 4, 8}), f32({3, 2, 3})},
                            conv({{1}, {{0, 0}}, {1}, {1}, 2, 1}, nchw(1)))) ==
        "error[conv-groups]: conv: 2 feature groups and 1 batch groups do not divide 3 output "
        "features and a batch of 1\n"
        "  | lhs f32[1,4,8]\n"
        "  | rhs f32[3,2,3]");
  CHECK(first_lines(
            refusal({f32({1, 2, 8}), f32({3, 2, 3})}, conv({{0}, {{0, 0}}, {1}, {1}}, nchw(1)))) ==
        "error[window]: conv: size 3, stride 0, base dilation 1 and window dilation 1 along axis 0 "
        "must be at least 1\n"
        "  | operand f32[8]");
}
