// Convolutions of 16-bit floats that are computed in float32, with their derivatives.
#include "codegen/schedule.hpp"
#include "fluxion/fluxion.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"

namespace fluxion::test {
namespace {

struct Case {
  Shape image, window;
  lax::ConvolutionOptions options;
};

ProgramFunction convolution(const Case& c) {
  return [c](const ArrayList& x) {
    return ArrayList{lax::conv_general_dilated(x[0], x[1], c.options)};
  };
}
ProgramFunction gradients(const Case& c) {
  return [c](const ArrayList& x) {
    const auto loss = [&](Array a, Array b) {
      const Array y = lax::conv_general_dilated(a, b, c.options);
      return sum(square(y.astype(float32)));
    };
    const auto [dx, dw] = grad<0, 1>(loss)(x[0], x[1]);
    return ArrayList{dx, dw};
  };
}

/// Elements of a result as numbers, by the program compiled for operands of this type whose values
/// are those of the 16-bit type.
std::vector<std::vector<double>> results(const Case& c,
                                         const std::function<ProgramFunction(const Case&)>& f,
                                         DType values,
                                         DType dtype) {
  const Types types = {{c.image, dtype}, {c.window, dtype}};
  const GraphRef graph = program(types, f(c));
  HostArrays arrays = random_arrays(Types{{c.image, values}, {c.window, values}}, 3);
  if (dtype != values) {
    HostArrays wide;
    for (const HostArray& a : arrays) {
      HostArray& w = wide.emplace_back(Type{a.type.shape, float32});
      const std::vector<double> numbers = a.numbers();
      for (std::size_t i = 0; i < numbers.size(); ++i)
        w.element<float>(i) = static_cast<float>(numbers[i]);
    }
    arrays = std::move(wide);
  }
  std::vector<std::vector<double>> all;
  for (const HostArray& a : compiled(graph, arrays)) all.push_back(a.numbers());
  return all;
}

std::size_t leaves(const Case& c, const std::function<ProgramFunction(const Case&)>& f, DType d) {
  const GraphRef graph = program({{c.image, d}, {c.window, d}}, f(c));
  const codegen::Schedule schedule = codegen::schedule(optimize(graph));
  std::size_t count = 0;
  for (const codegen::Step& step : schedule.steps) count += step.leaf ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("large convolutions of 16-bit floats are those of float32, rounded") {
  const lax::ConvolutionOptions same = {.padding = lax::same},
                                grouped = {.padding = lax::same, .feature_groups = 4},
                                strided = {.strides = {2, 1}, .padding = {{2, 0}, {0, 1}}},
                                channels_last = {.padding = lax::same,
                                                 .layout = {"NHWC", "HWIO", "NHWC"}};
  const std::vector<Case> cases = {
      {{4, 16, 14, 13}, {24, 16, 3, 3}, same},
      {{4, 16, 14, 13}, {24, 4, 3, 3}, grouped},
      {{4, 16, 15, 13}, {24, 16, 3, 2}, strided},
      {{4, 14, 13, 16}, {3, 3, 16, 24}, channels_last},
  };
  for (std::size_t k = 0; k < cases.size(); ++k) {
    for (const DType dtype : {bfloat16, float16}) {
      CAPTURE(k, dtype == bfloat16);
      const double far = dtype == bfloat16 ? 1.0 / 128 : 1.0 / 1024;  // two roundings
      CHECK(leaves(cases[k], convolution, dtype) == 1);
      CHECK(leaves(cases[k], gradients, dtype) == leaves(cases[k], gradients, float32));
      for (const auto& f : {convolution, gradients}) {
        const auto got = results(cases[k], f, dtype, dtype),
                   wanted = results(cases[k], f, dtype, float32);
        REQUIRE(got.size() == wanted.size());
        for (std::size_t r = 0; r < got.size(); ++r) {
          double largest = 0, worst = 0;
          for (std::size_t i = 0; i < got[r].size(); ++i) {
            largest = std::max(largest, std::abs(wanted[r][i]));
            worst = std::max(worst, std::abs(got[r][i] - wanted[r][i]));
          }
          CHECK(worst <= far * largest);
        }
      }
    }
  }
}

TEST_CASE("small convolutions of 16-bit floats are kernels") {
  const Case small = {{1, 2, 8, 8}, {2, 2, 3, 3}, {}};
  CHECK(leaves(small, convolution, float16) == 0);
}

}  // namespace fluxion::test
