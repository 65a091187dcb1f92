// Collectives under vmap's axis name: the same as the operation on the whole batch, under every
// other transform too.
#include "tests/support/catch.hpp"

#include <fluxion/fluxion.hpp>

namespace fx = fluxion;
using fx::Array;

namespace {

void same(const Array& a, const Array& b) {
  REQUIRE(a.shape() == b.shape());
  const auto x = a.astype(fx::float64).to_vector<double>(),
             y = b.astype(fx::float64).to_vector<double>();
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == Approx(y[i]).margin(1e-12));
}

const Array x = fx::array({{0.3, -0.7, 1.1, 0.2},
                           {0.5, 0.9, -0.4, 1.5},
                           {-1.2, 0.1, 0.8, -0.6},
                           {0.4, 1.3, 0.7, -0.9}});  // 4 examples of 4

/// f of one example with collectives along "i"; g of the whole batch. Values, jit, gradients
/// through both.
template <class F, class G> void same_on_batches(const F& f, const G& g) {
  const auto mapped = [&](Array b) { return fx::vmap(f, {.axis_name = "i"})(b); };
  same(mapped(x), g(x));
  same(fx::jit(mapped)(x), g(x));
  const auto total = [](const auto& h) {
    return [h](Array b) {
      return fx::sum(fx::sin(h(b)) *
                     fx::cos(fx::arange(h(b).size(), fx::float64)).reshape(h(b).shape()));
    };
  };
  same(fx::grad(total(mapped))(x), fx::grad(total(g))(x));
  same(fx::jvp(mapped, x, fx::sin(x)).second, fx::jvp(g, x, fx::sin(x)).second);
  const auto transposed = [&](Array b) { return fx::vmap(f, {.in_axes = 1, .axis_name = "i"})(b); };
  same(transposed(fx::transpose(x)), g(x));
  // an outer map that has another name, or none
  const Array many = fx::stack({x, x * 0.5 + 0.1});
  same(fx::vmap(mapped, {.axis_name = "outer"})(many), fx::vmap(g)(many));
  same(fx::grad(total(fx::vmap(mapped)))(many), fx::grad(total(fx::vmap(g)))(many));
}

}  // namespace

TEST_CASE("sums, means and extrema over all examples") {
  same_on_batches([](Array e) { return e * fx::psum(e * e, "i"); },
                  [](Array b) { return b * fx::sum(b * b, 0); });
  same_on_batches([](Array e) { return e - fx::pmean(e, "i"); },
                  [](Array b) { return b - fx::mean(b, 0); });
  same_on_batches([](Array e) { return fx::exp(e - fx::pmax(e, "i")); },
                  [](Array b) { return fx::exp(b - fx::max(b, 0)); });
  same_on_batches([](Array e) { return e * fx::pmin(e, "i"); },
                  [](Array b) { return b * fx::min(b, 0); });
}

TEST_CASE("what does not depend on the example counts once for each") {
  const auto f =
      fx::vmap([](Array e) { return e + fx::psum(Array(2.0), "i") + double(fx::axis_size("i")); },
               {.axis_name = "i"});
  same(f(x), x + 12.0);
  same(fx::vmap([](Array e) { return e * 0.0 + fx::axis_index("i"); },
                {.axis_name = "i"})(x[{fx::all, 0}]),
       fx::array({0.0, 1.0, 2.0, 3.0}));
  CHECK(fx::vmap([](Array e) { return fx::pmean(e, "i"); },
                 {.out_axes = fx::unmapped, .axis_name = "i"})(fx::array({1, 2, 6, 7}))
            .item<float>() == 4.f);
}

TEST_CASE("gathered from all, scattered to all") {
  same_on_batches([](Array e) { return fx::sum(fx::all_gather(e, "i") * e, 1); },
                  [](Array b) { return fx::matmul(b, fx::transpose(b)); });
  same_on_batches(
      [](Array e) { return fx::all_gather(e[{fx::slice(0, 2)}], "i", {.tiled = true}) * e[0]; },
      [](Array b) {
        return fx::outer(b[{fx::all, 0}], b[{fx::all, fx::slice(0, 2)}].reshape({8}));
      });
  same_on_batches([](Array e) { return fx::psum_scatter(fx::sin(e), "i"); },
                  [](Array b) { return fx::sum(fx::sin(b), 0); });
  same_on_batches([](Array e) { return fx::psum_scatter(fx::tile(e, {2}), "i", {.tiled = true}); },
                  [](Array b) { return fx::sum(fx::tile(b, {1, 2}), 0).reshape({4, 2}); });
}

TEST_CASE("every example to every other") {
  same_on_batches([](Array e) { return fx::all_to_all(fx::exp(e), "i", 0, 0); },
                  [](Array b) { return fx::transpose(fx::exp(b)); });
  same_on_batches(
      [](Array e) {
        return fx::all_to_all(fx::stack({e, e * 2.0}, 1), "i", 0, 1, true);
      },  // [4, 2] to [1, 8]
      [](Array b) {
        return fx::transpose(fx::stack({b, b * 2.0}, 2), {1, 0, 2}).reshape({4, 1, 8});
      });
}

TEST_CASE("from some to some") {
  same_on_batches(
      [](Array e) { return fx::ppermute(e, "i", {{0, 1}, {1, 2}, {2, 3}, {3, 0}}) * e; },
      [](Array b) { return fx::roll(b, 1, 0) * b; });
  same_on_batches([](Array e) { return fx::ppermute(e, "i", {{3, 0}, {1, 2}}); },
                  [](Array b) { return fx::stack({b[3], b[0] * 0.0, b[1], b[0] * 0.0}); });
}

TEST_CASE("collectives inside loops, branches, calls and trees") {
  same_on_batches(
      [](Array e) {
        return fx::fori_loop(
            0, 3, [](Array, Array c) { return c * 0.5 + fx::pmean(fx::sin(c), "i"); }, e);
      },
      [](Array b) {
        for (int k = 0; k < 3; ++k) b = b * 0.5 + fx::mean(fx::sin(b), 0);
        return b;
      });
  same_on_batches(
      [](Array e) { return fx::jit([](Array e) { return e / fx::psum(fx::abs(e), "i"); })(e); },
      [](Array b) { return b / fx::sum(fx::abs(b), 0); });
  same_on_batches(
      [](Array e) {
        return fx::cond(
            Array(true), [](Array e) { return fx::psum(e, "i"); }, [](Array e) { return e; }, e);
      },
      [](Array b) { return fx::broadcast_to(fx::sum(b, 0), b.shape()); });
  struct Pair {
    Array a, b;
  };
  const auto f = fx::vmap(
      [](Array e) {
        const Pair p = fx::psum(Pair{e, e * e}, "i");
        return p.a - p.b;
      },
      {.axis_name = "i"});
  same(f(x), fx::broadcast_to(fx::sum(x, 0) - fx::sum(x * x, 0), {4, 4}));
}

TEST_CASE("two named axes") {
  const auto f = fx::vmap(
      fx::vmap(
          [](Array e) { return e + fx::psum(e, "rows") * 10.0 + fx::psum(e, "columns") * 100.0; },
          {.axis_name = "columns"}),
      {.axis_name = "rows"});
  same(f(x), x + fx::sum(x, 0) * 10.0 + fx::reshape(fx::sum(x, 1), {4, 1}) * 100.0);
}
