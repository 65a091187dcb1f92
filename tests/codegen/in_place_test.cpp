// What is changed where it lies: when nothing is copied, when it must be, and that the values are
// the interpreter's whatever happens.
#include "codegen/schedule.hpp"
#include "runtime/executable.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"

using namespace fluxion;
using namespace fluxion::test;
using codegen::Cut;

namespace fx = fluxion;

namespace {

const Type vector{{1000}, float32}, position{{}, int32};

/// The copies of a program, after its values were compared with the interpreter's.
std::size_t copies(const Types& inputs, const ProgramFunction& function) {
  const GraphRef graph = program(inputs, function);
  const HostArrays arrays = random_arrays(inputs, 1);
  INFO(to_string(*graph) << to_string(codegen::schedule(optimize(graph))));
  CHECK(difference(compiled(graph, arrays), interpreted(*graph, arrays)) == "");
  std::size_t count = 0;
  for (const codegen::Step& step : codegen::schedule(optimize(graph)).steps)
    count += step.kind == Cut::Kind::copy;
  return count;
}

Array changed(const Array& x, const Array& at, float to) {
  return fx::lax::dynamic_update_slice(x, fx::full({3}, to, float32), {at});
}

}  // namespace

TEST_CASE("a value that was made for it is changed where it lies") {
  CHECK(copies({vector, position}, [](const ArrayList& x) {
          Array y = fx::tanh(x[0]);
          for (int k = 0; k < 5; ++k) y = changed(y, x[1] + 100 * k, 1.0f * static_cast<float>(k));
          return ArrayList{y};
        }) == 0);
  CHECK(copies({vector}, [](const ArrayList& x) {
          return ArrayList{
              fx::zeros({1000}, float32).at({fx::slice(5, 9)}).add(x[0][{fx::slice(0, 4)}])};
        }) == 0);
}

TEST_CASE("an argument is copied once, and not when it is given away") {
  const ProgramFunction twice = [](const ArrayList& x) {
    return ArrayList{changed(changed(x[0], x[1], 1), x[1] + 500, 2)};
  };
  CHECK(copies({vector, position}, twice) == 1);
  const GraphRef graph = program({vector, position}, twice);
  const detail::Ref<Buffer> given = allocate(4000), at = allocate(4);
  std::fill_n(static_cast<float*>(given->data()), 1000, 7.0f);
  *static_cast<std::int32_t*>(at->data()) = 10;
  for (const bool donated : {false, true}) {
    std::vector<Argument> arguments = {{given->data(), given.raw(), donated},
                                       {at->data(), at.raw(), false}};
    std::vector<detail::Ref<Buffer>> results(1);
    compile(graph)->run(arguments, results);
    CHECK((results[0].raw() == given.raw()) == donated);
    const auto* values = static_cast<const float*>(results[0]->data());
    CHECK(values[9] == 7);
    CHECK(values[10] == 1);
    CHECK(values[512] == 2);
    CHECK(values[513] == 7);
  }
}

TEST_CASE("what reads a value runs before what changes it") {
  CHECK(copies({vector, position}, [](const ArrayList& x) {
          const Array y = fx::tanh(fx::cumsum(x[0]));
          return ArrayList{changed(y, x[1], 3), fx::flip(y, 0) * 2};
        }) == 0);
}

TEST_CASE("a value that is changed and kept is copied") {
  CHECK(copies({vector, position}, [](const ArrayList& x) {
          const Array y = fx::tanh(x[0]);
          return ArrayList{changed(y, x[1], 3), y};
        }) == 1);
  // Two changes of one value: the last one has its memory.
  CHECK(copies({vector, position}, [](const ArrayList& x) {
          const Array y = fx::tanh(x[0]);
          return ArrayList{changed(y, x[1], 3), changed(y, x[1] + 7, 4)};
        }) == 1);
}

TEST_CASE("an update may be made from what it changes") {
  CHECK(copies({vector}, [](const ArrayList& x) {
          const Array y = fx::tanh(x[0]);
          return ArrayList{y.at({fx::slice(0, 999)}).set(y[{fx::slice(1, 1000)}] + 1)};
        }) == 0);
  CHECK(copies({vector, position}, [](const ArrayList& x) {
          Array y = fx::tanh(x[0]);
          for (int k = 0; k < 3; ++k) {
            const Array box = fx::lax::dynamic_slice(y, {x[1] + 2 * k}, {10});
            y = fx::lax::dynamic_update_slice(y, box * 0.5f, {x[1] + 3 * k});
          }
          return ArrayList{y, fx::sum(y)};
        }) == 0);
  // Under another shape it is the same memory.
  copies({vector}, [](const ArrayList& x) {
    const Array y = fx::tanh(x[0]);
    return ArrayList{
        y.at({fx::slice(0, 990)})
            .set(fx::flip(y.reshape({10, 100}), 1).reshape({1000})[{fx::slice(10, 1000)}])};
  });
}

TEST_CASE("the gradient of many small slices copies nothing") {
  CHECK(copies({vector}, [](const ArrayList& x) {
          return ArrayList{fx::grad([](Array v) {
            Array total = fx::sum(v * v);
            for (int k = 0; k < 20; ++k)
              total = total + fx::sum(fx::sin(v[{fx::slice(40 * k, 40 * k + 30)}]));
            return total;
          })(x[0])};
        }) == 0);
}

TEST_CASE("a result may lie where an operand of another result was") {
  // Columns are reduced row by row; `compiled` compares what donated arguments give.
  const Type row{{256}, float32}, rows{{128, 256}, float32};
  const auto momentum = [](const Array& p, const Array& m, const Array& g) {
    const Array next = m * 0.9f + fx::sum(g, 0) * 0.1f;
    return ArrayList{next, p - next};
  };
  CHECK(copies({row, row, rows}, [&](const ArrayList& x) { return momentum(x[0], x[1], x[2]); }) ==
        0);
  CHECK(copies({row, row, rows}, [&](const ArrayList& x) { return momentum(x[1], x[0], x[2]); }) ==
        0);
}
