// Batches of small vectors and matrices: which kernels become one, which must not, and that the
// values are the interpreter's.
#include "codegen/schedule.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"

using namespace fluxion;
using namespace fluxion::test;
using codegen::Cut;

namespace fx = fluxion;

namespace {

const Type batch{{300, 6}, float64}, points{{300, 3}, float64}, weights{{300}, float64};

/// The kernels of a program that give one of the lanes' results, after its values were compared
/// with the interpreter's.
std::size_t kernels(const Types& inputs, const ProgramFunction& function) {
  const GraphRef graph = program(inputs, function);
  const HostArrays arrays = random_arrays(inputs, 1);
  CHECK(difference(compiled(graph, arrays), interpreted(*graph, arrays)) == "");
  const codegen::Schedule schedule = codegen::schedule(optimize(graph));
  std::size_t count = 0;
  for (const codegen::Step& step : schedule.steps) {
    const auto& cut = schedule.cuts[static_cast<std::size_t>(step.cut)];
    count += step.kind == Cut::Kind::kernel &&
             schedule.graph->type(cut.group.outputs[0]).shape.size() > 0 &&
             schedule.graph->type(cut.group.outputs[0]).shape[0] == 300;
  }
  return count;
}

/// A point turned about an axis, seen through a lens.
Array seen(const Array& camera, const Array& point) {
  const Array axis = camera[{fx::slice(0, 3)}], from = point - camera[{fx::slice(3, 6)}];
  const Array angle = fx::sqrt(fx::sum(axis * axis)), unit = axis / angle;
  const Array turned = from * fx::cos(angle) + fx::cross(unit, from) * fx::sin(angle) +
                       unit * fx::sum(unit * from) * (1 - fx::cos(angle));
  return turned[{fx::slice(0, 2)}] / (turned[2] + 9);
}

}  // namespace

TEST_CASE("the derivatives of a small function for many examples are one kernel") {
  const Types inputs{batch, points};
  CHECK(kernels(inputs, [](const ArrayList& x) { return ArrayList{fx::vmap(seen)(x[0], x[1])}; }) ==
        1);
  CHECK(kernels(inputs, [](const ArrayList& x) {
          return ArrayList{fx::vmap(fx::jacrev(seen))(x[0], x[1])};
        }) == 1);
  CHECK(kernels(inputs, [](const ArrayList& x) {
          return ArrayList{fx::vmap(fx::jacfwd<1>(seen))(x[0], x[1])};
        }) == 1);
}

TEST_CASE("small matrices are multiplied in their lanes") {
  const Type matrices{{300, 3, 3}, float32}, vectors{{300, 3}, float32};
  CHECK(kernels({matrices, matrices, vectors}, [](const ArrayList& x) {
          const Array product = fx::matmul(x[0], x[1]);
          const Array far = fx::matmul(product + x[0], fx::expand_dims(x[2], 2));
          return ArrayList{fx::squeeze(fx::matmul(product, far), 2)};
        }) == 1);
}

TEST_CASE("what a lane needs of all lanes is computed before") {
  // Values of other lanes: by a shift, by an index, by a sum.
  const auto chain = [](const Array& x) {
    const Array unit = x / fx::sqrt(fx::sum(x * x, 1, true));
    return fx::cross(unit, x) + fx::sum(unit, 1, true);
  };
  CHECK(kernels({points}, [&](const ArrayList& x) {
          return ArrayList{chain(fx::roll(chain(x[0]), 1, 0))};
        }) >= 2);
  CHECK(kernels({points, Type{{300}, int32}}, [&](const ArrayList& x) {
          return ArrayList{chain(fx::take(chain(x[0]), x[1] % 300, 0))};
        }) >= 2);
  CHECK(kernels({points}, [&](const ArrayList& x) {
          const Array y = chain(x[0]);
          return ArrayList{chain(y - fx::mean(y, 0)), y};
        }) >= 2);
}

TEST_CASE("a value that is changed in place keeps its place in the order") {
  CHECK(kernels({batch, points, Type{{7}, int32}}, [](const ArrayList& x) {
          const Array first = fx::vmap(seen)(x[0], x[1]) * 2;
          const Array changed = first.at({x[2] % 300}).add(1);
          const Array camera = fx::concatenate({changed, changed, first}, 1);
          return ArrayList{fx::vmap(seen)(camera + 1, x[1]), first};
        }) >= 2);
}

TEST_CASE("a long program is a few kernels of a bounded size") {
  const std::size_t found = kernels({points}, [](const ArrayList& x) {
    Array y = x[0];
    for (int turn = 0; turn < 400; ++turn)
      y = fx::cross(y, x[0]) / fx::sqrt(fx::sum(y * y, 1, true) + 1) + x[0];
    return ArrayList{y};
  });
  CHECK(found > 1);
  CHECK(found < 60);
}

TEST_CASE("rows that are long, lanes that are few and lone kernels stay as they are") {
  const auto joined = [](const Types& inputs, const ProgramFunction& function) {
    const codegen::Schedule s = codegen::schedule(optimize(program(inputs, function)));
    return std::any_of(s.kernels.begin(), s.kernels.end(), [](const kernel::Kernel& k) {
      return k.name.rfind("lanes", 0) == 0;
    });
  };
  const ProgramFunction jacobian = [](const ArrayList& x) {
    return ArrayList{fx::vmap(fx::jacrev(seen))(x[0], x[1])};
  };
  CHECK(joined({batch, points}, jacobian));
  CHECK_FALSE(joined({Type{{10, 6}, float64}, Type{{10, 3}, float64}}, jacobian));
  CHECK_FALSE(joined({points, points},
                     [](const ArrayList& x) { return ArrayList{fx::sin(x[0]) * x[1] + 1}; }));
  CHECK_FALSE(joined({Type{{300, 64}, float64}}, [](const ArrayList& x) {
    const Array unit = x[0] / fx::sqrt(fx::sum(x[0] * x[0], 1, true));
    return ArrayList{fx::cumsum(fx::flip(unit, 1) - unit, 1)};
  }));
}
