// A recurrent network large enough for strips and for products after its loop, under transforms of
// transforms: compiled, it is what the interpreter says.
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"

using namespace fluxion;
using namespace fluxion::test;

namespace fx = fluxion;

namespace {

constexpr std::int64_t steps = 6, rows = 32, width = 160;

/// Of a recurrent network whose inputs are multiplied before the loop.
Array loss(const Array& xs, const Array& v) {
  const Array w = v * 0.125f;
  const auto step = [&](Array h, Array z) {
    const Array next = fx::tanh(z + fx::matmul(h, w));
    return std::pair{next, next};
  };
  return fx::mean(fx::square(fx::scan(step, fx::zeros({rows, width}), xs).second));
}
Array gradient(const Array& xs, const Array& v) { return fx::grad<1>(loss)(xs, v); }

void compare(const Types& inputs, const ProgramFunction& function) {
  const GraphRef graph = program(inputs, function);
  const HostArrays arrays = random_arrays(inputs, 2);
  CHECK(difference(compiled(graph, arrays), interpreted(*graph, arrays)) == "");
}

const Type xs{{steps, rows, width}, float32}, w{{width, width}, float32};

}  // namespace

TEST_CASE("the derivative of a recurrent network's gradient, forward and backward") {
  compare({xs, w, w}, [](const ArrayList& a) {
    const auto g = [&](Array v) { return gradient(a[0], v); };
    return ArrayList{fx::jvp(g, a[1], a[2]).second};
  });
  compare({xs, w, w}, [](const ArrayList& a) {
    const auto along = [&](Array v) { return fx::sum(gradient(a[0], v) * a[2]); };
    return ArrayList{fx::grad(along)(a[1])};
  });
}

TEST_CASE("gradients of recurrent networks side by side, and in a loop") {
  compare({{{2, steps, rows, width}, float32}, {{2, width, width}, float32}},
          [](const ArrayList& a) { return ArrayList{fx::vmap(gradient)(a[0], a[1])}; });
  compare({{{2, steps, rows, width}, float32}, w}, [](const ArrayList& a) {
    return ArrayList{fx::vmap([&](Array x) { return gradient(x, a[1]); })(a[0])};
  });
  compare({xs, w}, [](const ArrayList& a) {
    const auto descend = [&](Array v, Array) {
      return std::pair{v - 0.1f * gradient(a[0], v), fx::sum(v)};
    };
    return ArrayList{fx::scan(descend, a[1], fx::zeros({3})).first};
  });
}

TEST_CASE("a recurrent network whose steps are computed again") {
  compare({xs, w}, [](const ArrayList& a) {
    const auto again = [&](Array v) {
      const Array u = v * 0.125f;
      const auto step =
          fx::checkpoint([&](Array h, Array z) { return fx::tanh(z + fx::matmul(h, u)); });
      const auto both = [&](Array h, Array z) {
        const Array next = step(h, z);
        return std::pair{next, next};
      };
      return fx::mean(fx::square(fx::scan(both, fx::zeros({rows, width}), a[0]).second));
    };
    return ArrayList{fx::grad(again)(a[1])};
  });
}

TEST_CASE("large convolutions of 16-bit floats under transforms") {
  const lax::ConvolutionOptions same = {.padding = lax::same};
  for (const DType dtype : {bfloat16, float16}) {
    const Type image{{2, 16, 12, 12}, dtype}, window{{16, 16, 3, 3}, dtype};
    const auto apply = [&](Array x, Array k) { return lax::conv_general_dilated(x, k, same); };
    // Against float32 of the same values: two roundings apart at most.
    const auto near = [&](const Array& got, const Array& wanted) {
      const Array far = fx::max(fx::abs(got.astype(float32) - wanted)),
                  size = fx::max(fx::abs(wanted));
      return (far <= size * (dtype == bfloat16 ? 1.0f / 64 : 1.0f / 512)).item<bool>();
    };
    const auto numbers = [&](const Type& t, float shift) {
      return fx::sin(fx::arange(element_count(t.shape)).astype(float32) * 1.7f + shift)
          .reshape(t.shape)
          .astype(dtype);
    };
    const Array x = numbers(image, 0), k = numbers(window, 1), dx = numbers(image, 2);
    const Array x32 = x.astype(float32), k32 = k.astype(float32), dx32 = dx.astype(float32);
    const auto tangent = [&](Array a, Array b, Array da) {
      return fx::jvp([&](Array y) { return apply(y, b); }, a, da).second;
    };
    CHECK(near(fx::jit(tangent)(x, k, dx), tangent(x32, k32, dx32)));
    const auto one = [&](Array a, Array b) {
      return fx::vmap([&](Array y) { return apply(fx::expand_dims(y, 0), b); })(a);
    };
    CHECK(near(fx::jit(one)(x, k), one(x32, k32)));
    const auto twice = [&](Array a, Array b) {
      const auto step = [&](Array y, Array) { return std::pair{apply(y, b) / 16.0f, fx::sum(y)}; };
      return fx::scan(step, a, fx::arange(2)).first;
    };
    CHECK(near(fx::jit(twice)(x, k).astype(dtype), twice(x32, k32)));
  }
}
