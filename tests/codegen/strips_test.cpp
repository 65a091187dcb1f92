// Strips: products whose rows are worked on block by block, and what must stay a step of its own.
#include "codegen/strips.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"

using namespace fluxion;
using namespace fluxion::test;
using codegen::Cut;
using codegen::Schedule;
using codegen::Step;

namespace fx = fluxion;

namespace {

struct Found {
  std::vector<std::size_t> strips;  // the parts of each
  std::size_t others = 0;           // steps
  std::size_t arena_bytes = 0;
};

/// The schedule of a program, after its values were compared with the interpreter's.
Found found(const Types& inputs, const ProgramFunction& function) {
  const GraphRef graph = program(inputs, function);
  const HostArrays arrays = random_arrays(inputs, 1);
  CHECK(difference(compiled(graph, arrays), interpreted(*graph, arrays)) == "");
  const Schedule schedule = codegen::schedule(optimize(graph));
  Found result;
  for (const Step& step : schedule.steps) {
    if (step.strip)
      result.strips.push_back(step.strip->parts.size());
    else
      ++result.others;
  }
  result.arena_bytes = schedule.arena_bytes;
  return result;
}

Array attend(const Array& q, const Array& k, const Array& v) {
  const Array s = fx::matmul(q, fx::swapaxes(k, 1, 2)) * 0.25f;
  return fx::matmul(fx::softmax(s, -1), v);
}

/// Scores of pairs where the key comes later are none.
Array attend_causally(const Array& q, const Array& k, const Array& v) {
  const Array s = fx::matmul(q, fx::swapaxes(k, 1, 2)) * 0.25f;
  const std::int64_t n = s.shape()[1];
  const Array row = fx::expand_dims(fx::arange(n), 1), column = fx::expand_dims(fx::arange(n), 0);
  return fx::matmul(fx::softmax(fx::where(column <= row, s, -1e30f), -1), v);
}

Type heads(std::int64_t count, std::int64_t length) { return {{count, length, 16}, float32}; }

}  // namespace

TEST_CASE("attention is one strip, and its scores are no array") {
  const Type t = heads(12, 256);
  const Found f =
      found({t, t, t}, [](const ArrayList& x) { return ArrayList{attend(x[0], x[1], x[2])}; });
  CHECK(f.strips == std::vector<std::size_t>{3});
  CHECK(f.others == 0);
  CHECK(f.arena_bytes < bytes_of(Type{{12, 256, 256}, float32}) / 2);
  const Found causal = found(
      {t, t, t}, [](const ArrayList& x) { return ArrayList{attend_causally(x[0], x[1], x[2])}; });
  CHECK(causal.strips == std::vector<std::size_t>{3});
}

TEST_CASE("the last block of each matrix may be smaller") {
  for (const std::int64_t n : {200, 251, 333}) {
    const Type t = heads(4, n);
    const Found f =
        found({t, t, t}, [](const ArrayList& x) { return ArrayList{attend(x[0], x[1], x[2])}; });
    CHECK(f.strips == std::vector<std::size_t>{3});
  }
}

TEST_CASE("a kernel that no block divides follows the strip") {
  const Type t = heads(4, 251);
  const Found f = found(
      {t, t, t}, [](const ArrayList& x) { return ArrayList{fx::tanh(attend(x[0], x[1], x[2]))}; });
  CHECK(f.strips == std::vector<std::size_t>{3});
  CHECK(f.others == 1);
}

TEST_CASE("heads that lie side by side in the rows of an array") {
  const Type t{{2, 256, 3, 16}, float32};
  const Found f = found({t, t, t}, [](const ArrayList& x) {
    const auto split = [](const Array& a) {
      return fx::reshape(fx::transpose(a, {0, 2, 1, 3}), {6, 256, 16});
    };
    const Array y = attend(split(x[0]), split(x[1]), split(x[2]));
    return ArrayList{fx::transpose(fx::reshape(y, {2, 3, 256, 16}), {0, 2, 1, 3})};
  });
  CHECK(f.strips.size() == 1);
}

TEST_CASE("the gradient of attention is strips and the products over all rows") {
  const Type t = heads(8, 256);
  const Found f = found({t, t, t, t}, [](const ArrayList& x) {
    const auto loss = [&](std::vector<Array> a) {
      return fx::sum(attend(a[0], a[1], a[2]) * x[3]);
    };
    const std::vector<Array> g = fx::grad(loss)(std::vector<Array>{x[0], x[1], x[2]});
    return ArrayList{g[0], g[1], g[2]};
  });
  // The cotangent of the probabilities is a product beside the scores'.
  CHECK(f.strips == std::vector<std::size_t>{4});
  CHECK(f.others == 2);
  // With a loss of its results: forwards and backwards in one.
  const Found value = found({t, t, t}, [](const ArrayList& x) {
    const auto loss = [&](std::vector<Array> a) {
      const Array y = attend(a[0], a[1], a[2]);
      return fx::sum(y * y);
    };
    const std::vector<Array> g = fx::grad(loss)(std::vector<Array>{x[0], x[1], x[2]});
    return ArrayList{g[0], g[1], g[2]};
  });
  CHECK(value.strips == std::vector<std::size_t>{7});
  CHECK(value.others == 2);
}

TEST_CASE("what follows a product row by row is done with its blocks") {
  const Type x{{512, 96}, float32}, w{{96, 512}, float32}, b{{512}, float32};
  const Found f = found({x, w, b}, [](const ArrayList& a) {
    return ArrayList{fx::gelu(fx::matmul(a[0], a[1]) + a[2])};
  });
  CHECK(f.strips == std::vector<std::size_t>{2});
  CHECK(f.others == 0);
  // Values that the program gives too are written.
  const Found both = found({x, w, b}, [](const ArrayList& a) {
    const Array y = fx::matmul(a[0], a[1]);
    return ArrayList{y, fx::tanh(y + a[2])};
  });
  CHECK(both.strips == std::vector<std::size_t>{2});
}

TEST_CASE("rows that are weighed together stay blocks of a strip") {
  const Type x{{512, 96}, float32}, w{{96, 512}, float32}, b{{512}, float32};
  const Found f = found({x, w, b}, [](const ArrayList& a) {
    return ArrayList{fx::sum(fx::relu(fx::matmul(a[0], a[1])) * a[2], 1)};
  });
  CHECK(f.strips == std::vector<std::size_t>{2});
}

TEST_CASE("other rows are not read before they are there") {
  const Type x{{512, 96}, float32}, w{{96, 512}, float32};
  const auto none = [&](const ProgramFunction& function) {
    CHECK(found({x, w}, function).strips.empty());
  };
  none([](const ArrayList& a) { return ArrayList{fx::flip(fx::matmul(a[0], a[1]), 0) * 2}; });
  none([](const ArrayList& a) {
    return ArrayList{fx::tanh(fx::transpose(fx::matmul(a[0], a[1]))) + 1};
  });
  none([](const ArrayList& a) { return ArrayList{fx::max(fx::matmul(a[0], a[1]), 0)}; });
  none([](const ArrayList& a) {
    const Array y = fx::matmul(a[0], a[1]);
    return ArrayList{y.at({fx::Slice{1, 512}}).get() - y.at({fx::Slice{0, 511}}).get()};
  });
  // A product that needs all rows of the one before it.
  none([](const ArrayList& a) {
    const Array y = fx::tanh(fx::matmul(a[0], a[1]));
    return ArrayList{fx::matmul(fx::transpose(y), a[0])};
  });
}

TEST_CASE("steps between those of a strip keep their order") {
  const Type t = heads(3, 256);
  const Found f = found({t, t, t}, [](const ArrayList& x) {
    const Array s = fx::matmul(x[0], fx::swapaxes(x[1], 1, 2)) * 0.25f;
    const Array p = fx::softmax(s, -1);
    // After the probabilities, though in between by the program's order; and before what they meet.
    const Array columns = fx::sum(p, 1);
    const Array v = fx::cumsum(x[2], 1);
    return ArrayList{columns, fx::matmul(p, v)};
  });
  CHECK(f.strips.size() == 1);
}

TEST_CASE("threads do not change the bits of a strip") {
  const Type t = heads(3, 333);
  const GraphRef graph = program(
      {t, t, t}, [](const ArrayList& x) { return ArrayList{attend_causally(x[0], x[1], x[2])}; });
  const HostArrays arrays = random_arrays(Types{t, t, t}, 2);
  const int before = fx::num_threads();
  fx::set_num_threads(4);  // compiled for so many
  const HostArrays parallel = compiled(graph, arrays);
  fx::set_num_threads(1);
  const HostArrays serial = compiled(graph, arrays);
  fx::set_num_threads(before);
  CHECK(difference(serial, parallel) == "");
}
