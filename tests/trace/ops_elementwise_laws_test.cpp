// The laws of elementwise operations and reductions: derivatives, transposes, batches, kernels,
// text.
#include "tests/support/catch.hpp"
#include "tests/support/operation_laws.hpp"
#include "trace/graph_transforms.hpp"
#include "trace/ops.hpp"

#include <cmath>

using namespace fluxion;
using namespace fluxion::test;

namespace {

const Site here = Site::current();

/// Random numbers between two bounds.
Sampler between(const Types& types, double low, double high) {
  const Sampler unit = random_sampler(types);
  return [=](unsigned seed) {
    HostArrays arrays = unit(seed);
    for (HostArray& a : arrays) {
      if (a.type.dtype != float64) continue;
      for (std::size_t i = 0; i < a.count(); ++i) {
        a.element<double>(i) = low + (high - low) * (a.element<double>(i) + 2) / 4;
      }
    }
    return arrays;
  };
}

GraphRef unary_program(const std::string& name, const Type& type) {
  return program({type}, [&](const ArrayList& x) { return ops::unary(name, x[0], here); });
}

GraphRef binary_program(const std::string& name, const Type& type) {
  return program({type, type},
                 [&](const ArrayList& x) { return ops::binary(name, x[0], x[1], here); });
}

const std::vector<Shape> shapes = {{}, {1}, {5}, {2, 3}, {0}, {2, 0}};

}  // namespace

TEST_CASE("unary operations obey the laws, to the third derivative") {
  struct Row {
    const char* name;
    double low, high;
  };
  // Away from jumps and poles, where a difference means nothing.
  const Row rows[] = {
      {"neg", -2, 2},      {"abs", 0.1, 2},     {"abs", -2, -0.1},   {"sign", 0.1, 2},
      {"floor", 0.1, 0.9}, {"ceil", 0.1, 0.9},  {"round", 0.6, 1.4}, {"round_even", 0.6, 1.4},
      {"exp", -2, 2},      {"log", 0.5, 3},     {"expm1", -2, 2},    {"log1p", -0.5, 2},
      {"sin", -3, 3},      {"cos", -3, 3},      {"tan", -1, 1},      {"tanh", -2, 2},
      {"sqrt", 0.5, 3},    {"rsqrt", 0.5, 3},   {"logistic", -3, 3}, {"erf", -2, 2},
      {"erfc", -2, 2},     {"is_finite", -2, 2}};
  for (const Row& row : rows) {
    for (const Shape& shape : shapes) {
      const Type type{shape, float64};
      check_laws(unary_program(row.name, type),
                 between({type}, row.low, row.high),
                 shape.size() == 1 ? 3 : 1);
    }
  }
}

TEST_CASE("binary operations obey the laws, to the third derivative") {
  struct Row {
    const char* name;
    double low, high;
  };
  const Row rows[] = {{"add", -2, 2},
                      {"sub", -2, 2},
                      {"mul", -2, 2},
                      {"div", 0.5, 2},
                      {"pow", 0.5, 2},
                      {"atan2", 0.5, 2},
                      {"max", -2, 2},
                      {"min", -2, 2}};
  for (const Row& row : rows) {
    for (const Shape& shape : shapes) {
      const Type type{shape, float64};
      check_laws(binary_program(row.name, type),
                 between({type, type}, row.low, row.high),
                 shape.size() == 1 ? 3 : 1);
    }
  }
}

TEST_CASE("the remainder's derivative counts the whole quotients") {
  const Type type{{4}, float64};
  const auto samples = [&](unsigned seed) {
    const double shift = 0.01 * seed;
    return HostArrays{{type, std::vector<double>{7.3 + shift, -7.3, 7.3, 0.4}},
                      {type, std::vector<double>{2, 2 + shift, -3, 1.5}}};
  };
  check_laws(binary_program("rem", type), samples, 2);
}

TEST_CASE("select, clamp and compare obey the laws, with scalar operands too") {
  const Shape shape{2, 3};
  const Type x{shape, float64}, flag{shape, bool_}, lone_flag{{}, bool_}, lone{{}, float64};
  const auto select = [](const ArrayList& in) { return ops::select(in[0], in[1], in[2], here); };
  check_laws(program({flag, x, x}, select), random_sampler({flag, x, x}));
  check_laws(program({lone_flag, x, x}, select), random_sampler({lone_flag, x, x}));
  check_laws(program({lone_flag, lone, lone}, select), random_sampler({lone_flag, lone, lone}));
  const auto clamp = [](const ArrayList& in) { return ops::clamp(in[0], in[1], in[2], here); };
  for (const Type& low : {x, lone}) {
    for (const Type& high : {x, lone}) {
      check_laws(program({low, x, high}, clamp), random_sampler({low, x, high}));
    }
  }
  check_laws(program({lone, lone, lone}, clamp), random_sampler({lone, lone, lone}));
  const auto less = [](const ArrayList& in) {
    return ops::compare(ops::Direction::lt, in[0], in[1], here);
  };
  check_laws(program({x, x}, less), random_sampler({x, x}));
}

TEST_CASE("conversions, names and stopped gradients obey the laws") {
  const Type x{{2, 3}, float64}, whole{{2, 3}, int32};
  for (DType to : {float32, float16, int32, bool_, uint8}) {
    const auto convert = [&](const ArrayList& in) { return ops::convert(in[0], to, here); };
    check_laws(program({whole}, convert), random_sampler({whole}));
  }
  const auto there_and_back = [](const ArrayList& in) {
    const Array half = ops::convert(in[0], float32, here);
    return ops::convert(ops::binary("mul", half, half, here), float64, here);
  };
  check_kernels(*program({x}, there_and_back), random_sampler({x})(0));
  check_batches(program({x}, there_and_back), random_sampler({x}));
  const auto bits = [](const ArrayList& in) { return ops::bitcast(in[0], int64, here); };
  check_laws(program({x}, bits), random_sampler({x}));
  const auto named = [](const ArrayList& in) {
    return ops::binary("mul", ops::name(in[0], "hidden", here), in[0], here);
  };
  check_laws(program({x}, named), random_sampler({x}), 3);
  const GraphRef stopped = program({x}, [](const ArrayList& in) {
    return ops::binary("mul", ops::stop_gradient(in[0], here), in[0], here);
  });
  check_kernels(*stopped, random_sampler({x})(0));
  check_batches(stopped, random_sampler({x}));
  // d(x stop(x)) = stop(x) dx; through float32, d(x^2) = 2 x dx.
  const Type one{{1}, float64};
  const HostArrays at = {{one, std::vector<double>{1.5}}, {one, std::vector<double>{2}}};
  const auto tangent = [&](const GraphRef& graph) {
    return run_graph(*jvp_graph(graph, {true}).graph, at).at(1).element<double>(0);
  };
  CHECK(tangent(program({one}, [](const ArrayList& in) {
          return ops::binary("mul", ops::stop_gradient(in[0], here), in[0], here);
        })) == 3);
  CHECK(tangent(program({one}, there_and_back)) == 6);
}

TEST_CASE("integer operations obey the laws of batches and kernels") {
  for (DType dtype : {int8, int32, uint16, int64}) {
    const Type type{{2, 3}, dtype};
    for (const char* name : {"div", "rem", "pow", "and", "shift_right_arithmetic"}) {
      check_laws(binary_program(name, type), random_sampler({type, type}));
    }
    check_laws(unary_program("clz", type), random_sampler({type}));
  }
}

TEST_CASE("reductions obey the laws, to the third derivative") {
  using R = ops::Reduction;
  struct Row {
    Shape shape;
    std::vector<int> axes;
  };
  const Row rows[] = {{{}, {}},
                      {{5}, {0}},
                      {{2, 3}, {0}},
                      {{2, 3}, {1}},
                      {{2, 3}, {0, 1}},
                      {{2, 3}, {}},
                      {{0}, {0}},
                      {{0, 2}, {0}},
                      {{2, 0}, {0}},
                      {{1, 4}, {0}},
                      {{2, 3, 4}, {0, 2}},
                      {{3, 40}, {1}},
                      {{2, 70}, {0, 1}},
                      {{2, 1, 3}, {1}}};
  for (R op : {R::sum, R::prod, R::max, R::min}) {
    for (const Row& row : rows) {
      const Type type{row.shape, float64};
      const bool small = element_count(row.shape) <= 6 && element_count(row.shape) > 0;
      const auto reduce = [&](const ArrayList& x) { return ops::reduce(op, x[0], row.axes, here); };
      const GraphRef graph = program({type}, reduce);
      const bool infinite = (op == R::max || op == R::min) && element_count(row.shape) == 0;
      if (infinite) {  // which has no differences
        check_kernels(*graph, random_sampler({type})(0));
        check_batches(graph, random_sampler({type}));
      } else {
        check_laws(graph, random_sampler({type}), small ? 3 : 1);
      }
    }
  }
}

TEST_CASE("reductions of every dtype agree with their references") {
  using R = ops::Reduction;
  for (DType dtype : {bool_, int8, int32, uint8, uint64, float16, bfloat16, float32}) {
    const Type type{{3, 40}, dtype};
    for (R op :
         {R::sum, R::prod, R::max, R::min, R::all, R::any, R::bit_and, R::bit_or, R::bit_xor}) {
      const bool flags = op == R::all || op == R::any;
      const bool bits = op == R::bit_and || op == R::bit_or || op == R::bit_xor;
      if (flags && dtype != bool_) continue;
      if (bits && is_floating(dtype)) continue;
      if ((op == R::sum || op == R::prod) && dtype == bool_) continue;
      for (const std::vector<int>& axes : {std::vector<int>{0}, {1}, {0, 1}}) {
        const auto reduce = [&](const ArrayList& x) { return ops::reduce(op, x[0], axes, here); };
        check_laws(program({type}, reduce), random_sampler({type}));
      }
    }
  }
}

TEST_CASE("the derivative of a product is right at zeros") {
  const Type type{{4}, float64};
  const auto prod = [](const ArrayList& x) {
    return ops::reduce(ops::Reduction::prod, x[0], {0}, here);
  };
  for (const std::vector<double>& x :
       {std::vector<double>{2, 0, 3, 5}, {0, 0, 3, 5}, {0, 0, 0, 1}}) {
    check_derivatives(program({type}, prod), {{type, x}}, 3);
  }
}

TEST_CASE("derivatives at corners are those of the conventions") {
  const double nan_value = std::nan("");
  // The derivatives of f by each of its scalar operands.
  const auto slopes = [](const GraphRef& graph, const std::vector<double>& x) {
    std::vector<double> out;
    for (std::size_t k = 0; k < x.size(); ++k) {
      HostArrays in;
      std::vector<bool> active(x.size(), false);
      active[k] = true;
      for (double v : x) in.push_back({{{}, float64}, std::vector<double>{v}});
      in.push_back({{{}, float64}, std::vector<double>{1}});
      const JvpGraph j = jvp_graph(graph, active);
      out.push_back(j.nonzero[0] ? run_graph(*j.graph, in).at(1).element<double>(0) : 0);
    }
    return out;
  };
  using Numbers = std::vector<double>;
  const Type one{{}, float64};
  const auto of = [&](const std::string& name) { return binary_program(name, one); };
  CHECK(slopes(unary_program("abs", one), {0}) == Numbers{0});
  CHECK(slopes(unary_program("sign", one), {0}) == Numbers{0});
  CHECK(slopes(of("max"), {2, 2}) == Numbers{0.5, 0.5});
  CHECK(slopes(of("min"), {2, 2}) == Numbers{0.5, 0.5});
  CHECK(slopes(of("max"), {3, 2}) == Numbers{1, 0});
  CHECK(slopes(of("max"), {nan_value, 2}) == Numbers{0, 0});
  CHECK(slopes(of("pow"), {0, 2}) == Numbers{0, 0});
  CHECK(slopes(of("pow"), {0, 1}) == Numbers{1, 0});
  CHECK(slopes(of("pow"), {0, 0}) == Numbers{0, 0});
  CHECK(slopes(of("pow"), {3, 0}) == Numbers{0, std::log(3.0)});
  const Numbers negative = slopes(of("pow"), {-2, 3});
  CHECK(negative[0] == 12);
  CHECK(std::isnan(negative[1]));
  const GraphRef clamp = program(
      {one, one, one}, [](const ArrayList& in) { return ops::clamp(in[0], in[1], in[2], here); });
  CHECK(slopes(clamp, {-1, 0.5, 1}) == Numbers{0, 1, 0});
  CHECK(slopes(clamp, {-1, 1, 1}) == Numbers{0, 0, 0});
  CHECK(slopes(clamp, {-1, 2, 1}) == Numbers{0, 0, 1});
  CHECK(slopes(clamp, {-1, -2, 1}) == Numbers{1, 0, 0});
  const Type three{{3}, float64};
  const GraphRef largest = program({three}, [](const ArrayList& in) {
    return ops::reduce(ops::Reduction::max, in[0], {0}, here);
  });
  const HostArrays tied = {{three, Numbers{3, 1, 3}}, {three, Numbers{1, 10, 3}}};
  CHECK(run_graph(*jvp_graph(largest, {true}).graph, tied).at(1).element<double>(0) == 2);
}

TEST_CASE("derivatives keep their digits far from zero") {
  const Type one{{1}, float64};
  const auto slope = [&](const char* name, double x) {
    const HostArrays in = {{one, std::vector<double>{x}}, {one, std::vector<double>{1}}};
    return run_graph(*jvp_graph(unary_program(name, one), {true}).graph, in)
        .at(1)
        .element<double>(0);
  };
  // logistic'(x) = exp(-x) / (1 + exp(-x))^2, expm1' = exp.
  CHECK(slope("logistic", 50) == Approx(std::exp(-50.0)).epsilon(1e-14));
  CHECK(slope("logistic", -50) == Approx(std::exp(-50.0)).epsilon(1e-14));
  CHECK(slope("expm1", -45) == Approx(std::exp(-45.0)).epsilon(1e-14));
  CHECK(slope("erfc", 5) ==
        Approx(-2 / std::sqrt(std::acos(-1.0)) * std::exp(-25.0)).epsilon(1e-14));
}

TEST_CASE("argreduce and threefry2x32 obey the laws of batches and kernels") {
  for (DType dtype : {bool_, int8, uint16, int64, float16, bfloat16, float32, float64}) {
    for (const Shape& shape : {Shape{5}, Shape{2, 3}, Shape{2, 40}, Shape{0, 3}}) {
      const Type type{shape, dtype};
      for (bool largest : {true, false}) {
        const int axis = static_cast<int>(shape.size()) - 1;
        const auto arg = [&](const ArrayList& x) {
          return ops::argreduce(largest, x[0], axis, axis == 0 ? int32 : int64, here);
        };
        check_laws(program({type}, arg), random_sampler({type}));
      }
    }
  }
  const Type words{{2, 3}, uint32};
  const auto threefry = [](const ArrayList& x) {
    const auto [a, b] = ops::threefry2x32(x[0], x[1], x[2], x[3], here);
    return ops::binary("xor", a, b, here);
  };
  const Types four = {words, words, words, words};
  check_kernels(*program(four, threefry), random_sampler(four)(0));
  const Types one_key = {words, words};
  const auto counted = [](const ArrayList& x) {
    return ops::threefry2x32(x[0], x[0], x[1], x[1], here).second;
  };
  check_batches(program(one_key, counted), random_sampler(one_key));
}
