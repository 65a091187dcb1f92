// Which kernels take two vectors at a time: those whose instructions wait for each other.
#include "codegen/kernel_mapping.hpp"
#include "tests/support/catch.hpp"
#include "trace/kernel/builder.hpp"

namespace fluxion::test {
namespace {

using kernel::Builder;
using kernel::Index;
using kernel::Kernel;
using kernel::Role;
using kernel::Scalar;

constexpr codegen::VectorTarget avx2{32, false};

/// One value of f for each of `count` elements.
template <class F> Kernel elementwise(std::int64_t count, F f) {
  Builder b("elementwise");
  const auto in = b.buffer(float32, Role::input, count),
             out = b.buffer(float32, Role::output, count);
  b.parallel({count}, [&](const Index& i) { b.store(out, i[0], f(b, b.load(in, i[0]))); });
  return b.finish();
}
/// So many multiplications and additions, each of what the one before gave.
Scalar chain(Scalar x, int steps) {
  Scalar y = x;
  for (int k = 0; k < steps; ++k) y = y * x + x;
  return y;
}
codegen::LoopMapping mapped(const Kernel& kernel) {
  return codegen::map_kernel(kernel, avx2).mapping.loops[0];
}

}  // namespace

TEST_CASE("a long chain is computed for two vectors at a time") {
  const codegen::LoopMapping two =
      mapped(elementwise(4096, [](Builder&, Scalar x) { return chain(x, 20); }));
  CHECK(two.in_flight == 2);
  CHECK(two.width == 16);
}

TEST_CASE("short chains, and many side by side, are computed for one") {
  CHECK(mapped(elementwise(4096, [](Builder&, Scalar x) { return chain(x, 5); })).in_flight == 1);
  const auto side_by_side = [](Builder&, Scalar x) {
    Scalar sum = chain(x + x, 4);
    Scalar y = x;
    for (int k = 0; k < 24; ++k) {
      y = y + x;
      sum = sum + chain(y * x, 4);
    }
    return sum;
  };
  const codegen::LoopMapping one = mapped(elementwise(4096, side_by_side));
  CHECK(one.in_flight == 1);
  CHECK(one.width == 8);
}

TEST_CASE("few elements that two vectors do not divide are not computed for two") {
  const auto long_chain = [](Builder&, Scalar x) { return chain(x, 20); };
  CHECK(mapped(elementwise(104, long_chain)).in_flight == 1);
  CHECK(mapped(elementwise(4100, long_chain)).in_flight == 2);
}

TEST_CASE("a body with a loop is left to what hides the latency of that") {
  Builder b("rows");
  const auto in = b.buffer(float32, Role::input, 64 * 8), out = b.buffer(float32, Role::output, 64);
  b.parallel({64}, [&](const Index& i) {
    const auto sum = b.reduce({8},
                              kernel::Tree::sequential,
                              {kernel::Combiner::add},
                              {b.constant(float32, 0)},
                              [&](const Index& k) {
                                return std::vector<Builder::Element>{{b.load(in, i[0] * 8 + k[0])}};
                              });
    b.store(out, i[0], chain(sum[0], 30));
  });
  CHECK(mapped(b.finish()).in_flight == 1);
}

}  // namespace fluxion::test
