// The interpreter: operations in order, calls by recursion, results that are nobody else's memory.
#include "codegen/interpret.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"

using namespace fluxion;
using namespace fluxion::test;

namespace fx = fluxion;

TEST_CASE("the interpreter runs the operations of a graph one after the other") {
  const GraphRef graph = program({{{3}, float32}, {{3}, float32}}, [](const ArrayList& x) {
    return ArrayList{x[0] * x[1] + 1, fx::sum(x[0])};
  });
  const HostArrays inputs{{{{3}, float32}, std::vector{1, 2, 3}},
                          {{{3}, float32}, std::vector{4, 5, 6}}};
  const HostArrays results = interpreted(*graph, inputs);
  CHECK(results[0].numbers() == std::vector<double>{5, 11, 19});
  CHECK(results[1].numbers() == std::vector<double>{6});
}

TEST_CASE("the interpreter runs the body of a call") {
  const GraphRef body =
      program({{{2}, float64}}, [](const ArrayList& x) { return ArrayList{x[0] + 10, x[0] * 2}; });
  const GraphRef graph = program({{{2}, float64}}, [&](const ArrayList& x) {
    const ArrayList y = ops::call(body, "body", x, Site::current());
    return ArrayList{y[0] * y[1]};
  });
  const HostArrays inputs{{{{2}, float64}, std::vector{1, 2}}};
  CHECK(interpreted(*graph, inputs)[0].numbers() == std::vector<double>{22, 48});
}

TEST_CASE("an input that is also a result is copied by the interpreter") {
  const GraphRef graph =
      program({{{2}, int32}}, [](const ArrayList& x) { return ArrayList{x[0]}; });
  const HostArrays inputs{{{{2}, int32}, std::vector{7, 8}}};
  const ConstTensor tensor{inputs[0].type, inputs[0].bytes.data()};
  const auto results = codegen::interpret(*graph, {&tensor, 1});
  CHECK(results[0]->data() != tensor.data);
  CHECK(static_cast<const std::int32_t*>(results[0]->data())[1] == 8);
}

TEST_CASE("empty arrays and scalars are interpreted") {
  const GraphRef graph = program({{{0, 3}, float32}, {{}, float32}}, [](const ArrayList& x) {
    return ArrayList{fx::sum(x[0], 0), x[0] * 2, x[1] - 1};
  });
  const HostArrays inputs{HostArray({{0, 3}, float32}), {{{}, float32}, std::vector{5}}};
  const HostArrays results = interpreted(*graph, inputs);
  CHECK(results[0].numbers() == std::vector<double>{0, 0, 0});
  CHECK(results[1].count() == 0);
  CHECK(results[2].numbers() == std::vector<double>{4});
}
