// Products that a loop adds to a carry become one product after it, where its rows are there
// anyway; nothing else does.
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"
#include "trace/ops/control_flow.hpp"

using namespace fluxion;
using namespace fluxion::test;

namespace fx = fluxion;

namespace {

/// Of the carries of the program's loops, how many the passes leave; and products after them.
struct Left {
  int carries = 0;
  std::size_t products = 0;
};

/// After the values of the pass alone and of the compiled program were compared.
Left left(const Types& inputs, const ProgramFunction& function) {
  const GraphRef graph = program(inputs, function);
  const HostArrays arrays = random_arrays(inputs, 1);
  const HostArrays expected = interpreted(*graph, arrays);
  const GraphRef after = sum_products_after_loops(graph);
  verify(*after);
  CHECK(difference(interpreted(*after, arrays), expected) == "");
  CHECK(difference(compiled(graph, arrays), expected) == "");
  Left found;
  const GraphRef passed = optimize(graph);
  for (const Operation& o : passed->operations()) {
    if (const auto* scan = o.op.as<ops::Scan>()) found.carries += scan->carries;
    found.products += o.op.name() == "dot_general";
  }
  return found;
}

const Types two_rows = {{{7, 5, 40}, float32}, {{7, 5, 32}, float32}, {{40, 32}, float32}};

/// c + f(x, y) for all rows.
template <class F> ProgramFunction adds(F f) {
  return [f](const ArrayList& a) {
    const auto step = [&](Array c, std::pair<Array, Array> rows) {
      return std::pair{f(c, rows.first, rows.second), fx::sum(rows.first)};
    };
    auto [c, ys] = fx::scan(step, a[2], std::pair{a[0], a[1]});
    return ArrayList{c, ys};
  };
}

}  // namespace

TEST_CASE("products of rows are added after the loop") {
  const Left f =
      left(two_rows,
           adds([](Array c, Array x, Array y) { return c + fx::matmul(fx::transpose(x), y); }));
  CHECK(f.carries == 0);
  CHECK(f.products == 1);
}

TEST_CASE("several products, transposed and reshaped, on either side of the sum") {
  const Left f = left(two_rows, adds([](Array c, Array x, Array y) {
                        const Array p = fx::transpose(fx::matmul(fx::transpose(y), x));
                        const Array q = fx::tensordot(x.reshape({5, 40}), y, 0).reshape({25, 1280});
                        return fx::matmul(fx::transpose(x), y) + (c + p) + q[0].reshape({40, 32});
                      }));
  // An element of an array of products is none of them.
  CHECK(f.carries == 1);
  const Left both = left(two_rows, adds([](Array c, Array x, Array y) {
                           const Array p = fx::transpose(fx::matmul(fx::transpose(y), x));
                           return fx::matmul(fx::transpose(x), y) + (c + p);
                         }));
  CHECK(both.carries == 0);
  CHECK(both.products == 2);
}

TEST_CASE(
    "integers are the same to the last bit, in either direction, batched and from a first value") {
  for (const bool reverse : {false, true}) {
    const Left f = left(
        {{{9, 6, 5, 24}, int32}, {{9, 6, 5, 16}, int32}, {{6, 24, 16}, int32}},
        [&](const ArrayList& a) {
          const auto step = [](Array c, std::pair<Array, Array> r) {
            const Array x = fx::swapaxes(r.first, 1, 2);
            return std::pair{c + fx::matmul(x, r.second), Array(0)};
          };
          return ArrayList{fx::scan(step, a[2], std::pair{a[0], a[1]}, {.reverse = reverse}).first};
        });
    CHECK(f.carries == 0);
  }
}

TEST_CASE("the gradient of a recurrent network's weights is one product") {
  const Types types = {{{12, 8, 48}, float32}, {{48, 48}, float32}, {{48, 48}, float32}};
  const auto loss = [](Array xs, Array v, Array u) {
    const Array w = v * 0.125f;
    const auto step = [&](Array h, Array z) {
      const Array next = fx::tanh(z + fx::matmul(h, w));
      return std::pair{next, next};
    };
    const Array zs = fx::matmul(xs, u) * 0.125f;
    return fx::mean(fx::square(fx::scan(step, fx::zeros({8, 48}), zs).second));
  };
  const Left f = left(types, [&](const ArrayList& a) {
    const auto [w, u] = fx::grad<1, 2>(loss)(a[0], a[1], a[2]);
    return ArrayList{w, u};
  });
  CHECK(f.carries == 2);   // the state, forward, and its cotangent
  CHECK(f.products == 3);  // with the inputs, and both gradients
}

TEST_CASE("a carry that the steps read, scale or give away stays one") {
  const auto stays = [](const ProgramFunction& function) {
    const Left f = left(two_rows, function);
    CHECK(f.carries == 1);
  };
  stays(adds([](Array c, Array x, Array y) { return c * 0.5f + fx::matmul(fx::transpose(x), y); }));
  stays(adds(
      [](Array c, Array x, Array y) { return c + fx::matmul(fx::transpose(x), y) * fx::mean(c); }));
  stays(adds([](Array c, Array x, Array y) {
    return c + fx::matmul(fx::transpose(x), fx::sin(y));  // no row that is there anyway
  }));
  stays([](const ArrayList& a) {
    const auto step = [](Array c, std::pair<Array, Array> r) {
      const Array next = c + fx::matmul(fx::transpose(r.first), r.second);
      return std::pair{next, fx::mean(next)};
    };
    auto [c, ys] = fx::scan(step, a[2], std::pair{a[0], a[1]});
    return ArrayList{c, ys};
  });
  // Small sums stay where they are.
  CHECK(left({{{7, 5, 4}, float32}, {{7, 5, 3}, float32}, {{4, 3}, float32}},
             adds([](Array c, Array x, Array y) { return c + fx::matmul(fx::transpose(x), y); }))
            .carries == 1);
}

TEST_CASE("rows that the loop writes count as well") {
  const Left f = left(two_rows, [](const ArrayList& a) {
    const auto step = [](Array c, std::pair<Array, Array> r) {
      const Array x = fx::sin(r.first);
      return std::pair{c + fx::matmul(fx::transpose(x), r.second), x};
    };
    auto [c, xs] = fx::scan(step, a[2], std::pair{a[0], a[1]});
    return ArrayList{c, xs};
  });
  CHECK(f.carries == 0);
}
