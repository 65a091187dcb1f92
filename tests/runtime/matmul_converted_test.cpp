// Products of 16-bit floats that are computed in float32, under the transforms.
#include "fluxion/fluxion.hpp"
#include "tests/support/catch.hpp"

namespace fluxion::test {

TEST_CASE("large products of 16-bit floats are differentiated, batched and repeated") {
  constexpr std::int64_t n = 96;  // 884,736 terms
  const Array wide_x = sin(arange(n * n).astype(float32)).reshape({n, n}),
              wide_w = cos(arange(n * n).astype(float32) * 0.7f).reshape({n, n}) / 8.0f;
  for (const DType dtype : {bfloat16, float16}) {
    CAPTURE(dtype == bfloat16);
    const Array x = wide_x.astype(dtype), w = wide_w.astype(dtype);
    const Array exact_x = x.astype(float32), exact_w = w.astype(float32);
    const auto product = [](Array a, Array b) { return matmul(a, b); };
    const auto loss = [&](Array a, Array b) {
      return sum(square(matmul(a, b).astype(float32))) / static_cast<float>(n);
    };
    const double far = dtype == bfloat16 ? 3e-2 : 5e-3;
    const auto near = [&](const Array& got, const Array& wanted) {
      return allclose(got.astype(float32), wanted, far, far * 4).item<bool>();
    };
    const Array wanted = product(exact_x, exact_w);
    CHECK(near(jit(product)(x, w), wanted));
    CHECK(near(jit(product)(transpose(x), w), product(transpose(exact_x), exact_w)));
    const auto [dx, dw] = jit(grad<0, 1>(loss))(x, w);
    const auto [exact_dx, exact_dw] = jit(grad<0, 1>(loss))(exact_x, exact_w);
    CHECK(near(dx, exact_dx));
    CHECK(near(dw, exact_dw));
    const auto forward = [&](Array a) {
      return jvp([&](Array b) { return matmul(b, w); }, a, a).second;
    };
    CHECK(near(jit(forward)(x), wanted));
    const Array many = stack({x, 2.0f * x}).astype(dtype);
    CHECK(near(jit(vmap([&](Array a) { return matmul(a, w); }))(many),
               stack({wanted, 2.0f * wanted})));
    const auto three = [&](Array a) {
      const auto step = [&](Array c, Array) { return std::pair{matmul(c, w), sum(c)}; };
      return scan(step, a, arange(3)).first;
    };
    const Array again = product(product(wanted, exact_w), exact_w);
    CHECK(near(jit(three)(x), again));
  }
}

}  // namespace fluxion::test
