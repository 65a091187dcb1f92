// Operations that move elements: known values, refusals, laws.
#include "tests/support/catch.hpp"
#include "tests/support/operation_laws.hpp"
#include "trace/ops.hpp"

#include <cmath>
#include <complex>

using namespace fluxion;
using namespace fluxion::test;
namespace fx = fluxion;

namespace {

const Site site = Site::current();

Type f64(const Shape& shape) { return {shape, float64}; }
Type f32(const Shape& shape) { return {shape, float32}; }

std::vector<double> counted(std::int64_t n) {
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < n; ++i) numbers.push_back(static_cast<double>(i));
  return numbers;
}

using Recorded = std::function<Array(const ArrayList&)>;
/// The function of 0, 1, 2, ... in the given shape.
std::vector<double> of_counted(const Shape& shape, const Recorded& f) {
  const GraphRef graph = program({f32(shape)}, f);
  return run_graph(*graph, {HostArray(f32(shape), counted(element_count(shape)))})[0].numbers();
}
void laws(const Types& types, const Recorded& f) {
  check_laws(program(types, f), random_sampler(types));
}

std::string first_lines(const std::string& text) {
  const std::size_t arrow = text.find("\n  -->"), next = text.find('\n', arrow + 1);
  return text.substr(0, arrow) + (next == text.npos ? "" : text.substr(next));
}

}  // namespace

TEST_CASE("reshape keeps elements in row-major order") {
  CHECK(of_counted({2, 3}, [](auto& x) { return ops::reshape(x[0], {3, 2}, site); }) == counted(6));
  laws({f64({2, 3, 4})}, [](auto& x) { return ops::reshape(x[0], {4, 6}, site); });
  laws({f64({4, 6})}, [](auto& x) { return ops::reshape(x[0], {2, 1, 2, 3, 2}, site); });
  laws({f64({6, 5, 4})}, [](auto& x) { return ops::reshape(x[0], {10, 3, 4, 1}, site); });
  laws({f64({1, 1})}, [](auto& x) { return ops::reshape(x[0], {}, site); });
  laws({f64({})}, [](auto& x) { return ops::reshape(x[0], {1, 1, 1}, site); });
  laws({f64({0, 3})}, [](auto& x) { return ops::reshape(x[0], {7, 0}, site); });
}

TEST_CASE("transpose puts axis permutation[k] at k") {
  const auto swapped =
      of_counted({2, 3}, [](auto& x) { return ops::transpose(x[0], {1, 0}, site); });
  CHECK(swapped == std::vector<double>{0, 3, 1, 4, 2, 5});
  laws({f64({2, 3, 4})}, [](auto& x) { return ops::transpose(x[0], {2, 0, 1}, site); });
  laws({f64({1, 3, 1})}, [](auto& x) { return ops::transpose(x[0], {1, 2, 0}, site); });
  laws({f64({0, 3})}, [](auto& x) { return ops::transpose(x[0], {1, 0}, site); });
}

TEST_CASE("broadcast_in_dim repeats new axes and axes of size one") {
  const auto rows =
      of_counted({3}, [](auto& x) { return ops::broadcast_in_dim(x[0], {2, 3}, {1}, site); });
  CHECK(rows == std::vector<double>{0, 1, 2, 0, 1, 2});
  const auto columns =
      of_counted({2, 1}, [](auto& x) { return ops::broadcast_in_dim(x[0], {2, 3}, {0, 1}, site); });
  CHECK(columns == std::vector<double>{0, 0, 0, 1, 1, 1});
  laws({f64({3, 1})}, [](auto& x) { return ops::broadcast_in_dim(x[0], {2, 3, 4}, {1, 2}, site); });
  laws({f64({3, 2})}, [](auto& x) { return ops::broadcast_in_dim(x[0], {2, 4, 3}, {2, 0}, site); });
  laws({f64({})}, [](auto& x) { return ops::broadcast_in_dim(x[0], {2, 0}, {}, site); });
  laws({f64({1})}, [](auto& x) { return ops::broadcast_in_dim(x[0], {1, 5}, {0}, site); });
}

TEST_CASE("slice takes every step-th element of a box") {
  const auto box =
      of_counted({4, 5}, [](auto& x) { return ops::slice(x[0], {1, 0}, {4, 5}, {2, 3}, site); });
  CHECK(box == std::vector<double>{5, 8, 15, 18});
  laws({f64({5, 6})}, [](auto& x) { return ops::slice(x[0], {1, 2}, {5, 5}, {3, 1}, site); });
  laws({f64({5})}, [](auto& x) { return ops::slice(x[0], {2}, {2}, {1}, site); });
  laws({f64({3, 0})}, [](auto& x) { return ops::slice(x[0], {0, 0}, {2, 0}, {1, 1}, site); });
  laws({f64({})}, [](auto& x) { return ops::slice(x[0], {}, {}, {}, site); });
}

TEST_CASE("the cotangent of a small slice is added in place") {
  laws({f64({40, 3})}, [](auto& x) { return ops::slice(x[0], {7, 1}, {9, 3}, {1, 1}, site); });
}

TEST_CASE("pad puts a value around and between elements and cuts with negative padding") {
  const Types types{f32({2, 3}), f32({})};
  const std::vector<ops::Padding> padding{{1, -1, 1}, {-1, 2, 2}};
  const Recorded padded = [&](auto& x) { return ops::pad(x[0], x[1], padding, site); };
  const HostArray x(types[0], std::vector<double>{-5, 2, -2, 5, 1, -3}),
      nine(types[1], std::vector<double>{9});
  const std::vector<double> wanted{9, 9,  9, 9, 9, 9, 9, 9, 9, 9, 2, 9,
                                   9, -2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
  CHECK(run_graph(*program(types, padded), {x, nine})[0].numbers() == wanted);
  laws({f64({2, 3}), f64({})}, padded);
  laws({f64({4}), f64({})}, [](auto& x) { return ops::pad(x[0], x[1], {{5, 3, 3}}, site); });
  laws({f64({4}), f64({})}, [](auto& x) { return ops::pad(x[0], x[1], {{-2, -2, 1}}, site); });
  laws({f64({0, 2}), f64({})},
       [](auto& x) { return ops::pad(x[0], x[1], {{2, 1, 1}, {0, -1, 0}}, site); });
  laws({f64({}), f64({})}, [](auto& x) { return ops::pad(x[0], x[1], {}, site); });
}

TEST_CASE("concatenate joins arrays along one axis") {
  const Types types{f64({2, 3}), f64({2, 1}), f64({2, 0}), f64({2, 2})};
  laws(types, [](auto& x) { return ops::concatenate(x, 1, site); });
  laws({f64({0}), f64({0})}, [](auto& x) { return ops::concatenate(x, 0, site); });
  laws({f64({3})}, [](auto& x) { return ops::concatenate(x, 0, site); });
  const GraphRef joined =
      program({f32({2, 2}), f32({1, 2})}, [](auto& x) { return ops::concatenate(x, 0, site); });
  const HostArray head(f32({2, 2}), counted(4)), tail(f32({1, 2}), std::vector<double>{8, 9});
  CHECK(run_graph(*joined, {head, tail})[0].numbers() == std::vector<double>{0, 1, 2, 3, 8, 9});
}

TEST_CASE("rev reads axes backwards") {
  const auto reversed = of_counted({2, 3}, [](auto& x) { return ops::rev(x[0], {1}, site); });
  CHECK(reversed == std::vector<double>{2, 1, 0, 5, 4, 3});
  laws({f64({2, 3, 4})}, [](auto& x) { return ops::rev(x[0], {2, 0}, site); });
  laws({f64({0, 1})}, [](auto& x) { return ops::rev(x[0], {0, 1}, site); });
}

TEST_CASE("iota counts along an axis in any number type") {
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
    const GraphRef graph = program({}, [&](auto&) { return ops::iota({{2, 3}, dtype}, 1, site); });
    check_text(*graph);
    check_kernels(*graph, {});
    CHECK(run_graph(*graph, {})[0].numbers() == std::vector<double>{0, 1, 2, 0, 1, 2});
  }
  // 259 has nine digits: bfloat16 keeps eight and rounds to even, 260.
  const GraphRef graph = program({}, [&](auto&) { return ops::iota({{300}, bfloat16}, 0, site); });
  check_kernels(*graph, {});
  CHECK(run_graph(*graph, {})[0].numbers()[259] == 260);
}

TEST_CASE("moves of every dtype copy elements") {
  for (DType dtype :
       {bool_, int8, uint16, int32, uint64, float16, bfloat16, float32, complex64, complex128}) {
    const Type type{{2, 3}, dtype};
    HostArray x(type);
    for (std::size_t i = 0; i + 1 < x.bytes.size(); ++i) {
      x.bytes[i] = static_cast<unsigned char>(dtype == bool_ ? i % 2 : 17 * i + 1);
    }
    const GraphRef graph = program({type}, [](auto& a) {
      return ops::rev(ops::transpose(ops::reshape(a[0], {3, 2}, site), {1, 0}, site), {0}, site);
    });
    const HostArray y = run_graph(*graph, {x})[0];
    const std::size_t size = size_of(dtype);
    const std::size_t from[] = {1, 3, 5, 0, 2, 4};
    for (std::size_t i = 0; i < 6; ++i) {
      CHECK(std::equal(y.bytes.data() + i * size,
                       y.bytes.data() + (i + 1) * size,
                       x.bytes.data() + from[i] * size));
    }
    check_kernels(*graph, {x});
  }
}

TEST_CASE("complex elements are moved whole by evaluated programs") {
  using Complex = std::complex<float>;
  const auto numbers = [](const Array& x) { return x.to_vector<Complex>(); };
  const std::vector<Complex> elements{{0, 10}, {1, 11}, {2, 12}, {3, 13}};
  const Array x = fx::array(elements).reshape({2, 2});
  const Array value(Complex(9, 8));
  const ArrayList both{x, ops::rev(x, {1}, site)};
  CHECK(
      numbers(ops::concatenate(both, 1, site)) ==
      std::vector<Complex>{{0, 10}, {1, 11}, {1, 11}, {0, 10}, {2, 12}, {3, 13}, {3, 13}, {2, 12}});
  CHECK(numbers(ops::pad(x, value, {{0, -1, 0}, {1, 0, 1}}, site)) ==
        std::vector<Complex>{{9, 8}, {0, 10}, {9, 8}, {1, 11}});
  const Array rows = fx::array({1, 7}).reshape({2, 1});
  const auto taken = numbers(
      ops::gather(x, rows, {{1}, {0}, {}, {}, {0}, 1}, {1, 2}, ops::OutOfBounds::fill, site));
  CHECK(std::vector<Complex>(taken.begin(), taken.begin() + 2) ==
        std::vector<Complex>{{2, 12}, {3, 13}});
  for (std::size_t i : {2, 3}) CHECK((std::isnan(taken[i].real()) && std::isnan(taken[i].imag())));
  const Array last = fx::array({1}).reshape({1, 1});
  const Array update = ops::broadcast_in_dim(value, {1, 2}, {}, site);
  const ops::ScatterDimensions to_row{{1}, {0}, {}, {}, {0}, 1};
  CHECK(numbers(ops::scatter(
            ops::Update::set, x, last, update, to_row, ops::OutOfBounds::fill, {}, site)) ==
        std::vector<Complex>{{0, 10}, {1, 11}, {9, 8}, {9, 8}});
}

TEST_CASE("what does not fit is refused with the sizes") {
  CHECK(first_lines(
            refusal({f32({2, 3})}, [](auto& x) { return ops::reshape(x[0], {4, 2}, site); })) ==
        "error[reshape-size]: reshape: 6 elements do not fill the shape [4,2], which holds 8\n"
        "  | operand f32[2,3]");
  CHECK(first_lines(
            refusal({f32({2, 3})}, [](auto& x) { return ops::transpose(x[0], {0, 0}, site); })) ==
        "error[axis]: transpose: permutation names axis 0 twice\n"
        "  | permutation {0,0}");
  CHECK(first_lines(
            refusal({f32({2, 3})}, [](auto& x) { return ops::transpose(x[0], {0}, site); })) ==
        "error[axis]: transpose: the permutation has 1 axes, the operand 2\n"
        "  | operand f32[2,3]\n"
        "  | permutation {0}");
  CHECK(first_lines(refusal({f32({2})},
                            [](auto& x) { return ops::broadcast_in_dim(x[0], {3}, {0}, site); })) ==
        "error[broadcast]: broadcast_in_dim: axis 0 has size 2, which is neither 1 nor 3\n"
        "  | operand f32[2]\n"
        "  | result f32[3]");
  CHECK(first_lines(
            refusal({f32({5})}, [](auto& x) { return ops::slice(x[0], {2}, {6}, {1}, site); })) ==
        "error[slice-bounds]: slice: from 2 to 6 by 1 is no slice of axis 0 of size 5\n"
        "  | operand f32[5]");
  CHECK(first_lines(refusal({f32({5}), f32({})},
                            [](auto& x) { return ops::pad(x[0], x[1], {{-3, -3, 0}}, site); })) ==
        "error[pad]: pad: axis 0 of size 5 cannot be padded by -3 below, -3 above and 0 between\n"
        "  | operand f32[5]");
  CHECK(first_lines(refusal({f32({2, 3}), f32({3, 3})},
                            [](auto& x) { return ops::concatenate(x, 1, site); })) ==
        "error[concatenate]: concatenate: operands 0 and 1 differ in more than the size of axis 1, "
        "[2,3] and [3,3]");
  CHECK(first_lines(
            refusal({f32({2}), f64({2})}, [](auto& x) { return ops::concatenate(x, 0, site); })) ==
        "error[dtype]: concatenate: the operands' dtypes differ, f32 and f64\n"
        "  | lhs f32[2]\n"
        "  | rhs f64[2]\n"
        "  = hint: convert one of them with astype");
  CHECK(first_lines(refusal({f32({2, 3})}, [](auto& x) { return ops::rev(x[0], {2}, site); })) ==
        "error[axis]: rev: axes has axis 2, which an array with 2 axes does not have\n"
        "  | axes {2}");
  CHECK(first_lines(refusal({}, [](auto&) { return ops::iota({{2}, bool_}, 0, site); })) ==
        "error[dtype]: iota: positions are numbers, not bool\n"
        "  | result bool[2]\n"
        "  = hint: use an integer dtype");
}
