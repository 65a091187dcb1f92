// Elementwise operations: known values, kernels against references, errors, text.
#include "tests/support/catch.hpp"
#include "tests/support/run_operation.hpp"
#include "trace/ops/constant.hpp"

#include <cmath>
#include <limits>

using namespace fluxion;
using fluxion::test::HostArray;
using fluxion::test::HostArrays;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const double nan_value = std::nan("");

Type vector_of(DType dtype, std::size_t count) { return {Shape{count}, dtype}; }

HostArray sample(DType dtype, const std::vector<double>& values) {
  return {vector_of(dtype, values.size()), values};
}

std::vector<double> reference_of(std::string_view op, const HostArrays& in) {
  return test::run_reference(test::parse_operation(op), in).at(0).numbers();
}

/// NaN equals NaN, and the sign of zero counts.
bool same(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b && std::signbit(a) == std::signbit(b);
}

void check_same(const std::vector<double>& found, const std::vector<double>& wanted) {
  REQUIRE(found.size() == wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("element " << i << ": " << found[i] << ", wanted " << wanted[i]);
    CHECK(same(found[i], wanted[i]));
  }
}

/// Values at which operations are peculiar, in the range of the dtype.
std::vector<double> peculiar(DType dtype) {
  if (dtype == bool_) return {0, 1, 1, 0};
  if (is_signed_integer(dtype)) {
    const double top = std::ldexp(1.0, static_cast<int>(8 * size_of(dtype)) - 1);
    std::vector<double> values = {0, 1, -1, 2, -2, 3, 5, -7, 8, 31, -33, 64, 100, -128, -top};
    values.push_back(dtype == int64 ? 0x1p62 : top - 1);
    return values;
  }
  if (is_unsigned(dtype)) {
    const double top = std::ldexp(1.0, static_cast<int>(8 * size_of(dtype)));
    std::vector<double> values = {0, 1, 2, 3, 7, 8, 9, 31, 33, 64, 127, 128, 200, 255};
    values.push_back(dtype == uint64 ? 0x1p63 : top - 1);
    return values;
  }
  return {0.0, -0.0, 1,   -1,   0.5,   -0.5,    1.5,      -1.5,      2.5,       -2.5, 3,    -3.7,
          7,   100,  -90, 1e-3, 1e-40, -1e-310, infinity, -infinity, nan_value, 6e4,  1e30, -1e300};
}

const std::vector<DType> real_dtypes = {bool_,
                                        int8,
                                        int16,
                                        int32,
                                        int64,
                                        uint8,
                                        uint16,
                                        uint32,
                                        uint64,
                                        float16,
                                        bfloat16,
                                        float32,
                                        float64};

bool accepts(const Op& op, const Types& in) {
  try {
    op.types(in);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Largest difference in units of the last place of the dtype.
double last_places(DType dtype, double a, double b) {
  if (same(a, b) || a == b) return 0;
  if (!std::isfinite(a) || !std::isfinite(b)) return infinity;
  const int digits = dtype == float64 ? 53 : dtype == float32 ? 24 : dtype == float16 ? 11 : 8;
  const int lowest = dtype == float64   ? -1074
                     : dtype == float16 ? -24
                     : dtype == float32 ? -149
                                        : -133;
  const int exponent = b == 0 ? lowest : std::ilogb(b);
  return std::fabs(a - b) / std::ldexp(1.0, std::max(exponent - digits + 1, lowest));
}

const std::vector<std::string> exact_unary = {"neg",
                                              "abs",
                                              "sign",
                                              "floor",
                                              "ceil",
                                              "round",
                                              "round_even",
                                              "sqrt",
                                              "is_finite",
                                              "not",
                                              "population_count",
                                              "clz"};
const std::vector<std::string> rounded_unary = {"exp",
                                                "log",
                                                "expm1",
                                                "log1p",
                                                "sin",
                                                "cos",
                                                "tan",
                                                "tanh",
                                                "rsqrt",
                                                "logistic",
                                                "erf",
                                                "erfc"};
const std::vector<std::string> exact_binary = {"add",
                                               "sub",
                                               "mul",
                                               "div",
                                               "rem",
                                               "max",
                                               "min",
                                               "and",
                                               "or",
                                               "xor",
                                               "shift_left",
                                               "shift_right_logical",
                                               "shift_right_arithmetic"};
const std::vector<std::string> rounded_binary = {"pow", "atan2"};

/// Every pair of the peculiar values.
HostArrays pairs(DType dtype) {
  std::vector<double> left, right;
  for (double x : peculiar(dtype)) {
    for (double y : peculiar(dtype)) {
      left.push_back(x);
      right.push_back(y);
    }
  }
  return {sample(dtype, left), sample(dtype, right)};
}

/// At most `bar` units of the last place between the kernel and the reference; integers agree
/// exactly.
void compare_kernel(const Op& op, const HostArrays& in, double bar) {
  const HostArray wanted = test::run_reference(op, in).at(0);
  const HostArray found = test::run_kernel(op, in).at(0);
  const std::vector<double> a = found.numbers(), b = wanted.numbers();
  std::vector<std::vector<double>> operands;
  for (const HostArray& x : in) operands.push_back(x.numbers());
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::string at;
    for (const auto& x : operands) at += " " + std::to_string(x[x.size() == 1 ? 0 : i]);
    INFO(op.name() << op.attributes() << " of " << to_string(in[0].type) << " at" << at
                   << ": kernel " << a[i] << ", reference " << b[i]);
    if (is_floating(wanted.type.dtype) && bar > 0)
      CHECK(last_places(wanted.type.dtype, a[i], b[i]) <= bar);
    else
      CHECK(same(a[i], b[i]));
  }
}

std::string message(const Op& op, const Types& in) {
  try {
    op.types(in);
  } catch (const Error& e) {
    const std::string text = e.what();
    const std::size_t arrow = text.find("\n  --> "), end = text.find('\n', arrow + 1);
    return text.substr(0, arrow) + (end == text.npos ? "" : text.substr(end));
  }
  return "no error";
}

}  // namespace

TEST_CASE("signs keep NaN and the zeros; halves round away from zero or to even") {
  const std::vector<double> x = {-0.0, 0.0, nan_value, -3, 2.5, -2.5, 0.5, -0.5, 1.5, infinity};
  const HostArrays in = {sample(float32, x)};
  check_same(reference_of("sign", in), {-0.0, 0, nan_value, -1, 1, -1, 1, -1, 1, 1});
  check_same(reference_of("round", in), {-0.0, 0, nan_value, -3, 3, -3, 1, -1, 2, infinity});
  check_same(reference_of("round_even", in), {-0.0, 0, nan_value, -3, 2, -2, 0, -0.0, 2, infinity});
  check_same(reference_of("floor", in), {-0.0, 0, nan_value, -3, 2, -3, 0, -1, 1, infinity});
  check_same(reference_of("ceil", in), {-0.0, 0, nan_value, -3, 3, -2, 1, -0.0, 2, infinity});
  check_same(reference_of("is_finite", in), {1, 1, 0, 1, 1, 1, 1, 1, 1, 0});
  check_same(reference_of("neg", in),
             {0, -0.0, nan_value, 3, -2.5, 2.5, -0.5, 0.5, -1.5, -infinity});
}

TEST_CASE("bits are counted in the width of the dtype") {
  const HostArrays bytes = {sample(int8, {0, 1, -1, -128, 64})};
  check_same(reference_of("clz", bytes), {8, 7, 0, 0, 1});
  check_same(reference_of("population_count", bytes), {0, 1, 8, 1, 1});
  check_same(reference_of("not", bytes), {-1, -2, 0, 127, -65});
  check_same(reference_of("abs", bytes), {0, 1, 1, -128, 64});
  check_same(reference_of("neg", {sample(uint8, {0, 1, 255})}), {0, 255, 1});
  check_same(reference_of("not", {sample(bool_, {0, 1})}), {1, 0});
}

TEST_CASE("integer division truncates, and its special cases are defined") {
  const HostArrays in = {sample(int32, {7, -7, 7, -7, 5, -0x1p31, 0}),
                         sample(int32, {2, 2, -2, -2, 0, -1, 0})};
  check_same(reference_of("div", in), {3, -3, -3, 3, -1, -0x1p31, -1});
  check_same(reference_of("rem", in), {1, -1, 1, -1, 5, 0, 0});
  check_same(reference_of("div", {sample(uint8, {200, 9}), sample(uint8, {7, 0})}), {28, 255});
}

TEST_CASE("an integer power with a negative exponent is a truncated reciprocal") {
  const HostArrays in = {sample(int32, {3, 0, -2, 1, -1, -1, 2, 0, 7}),
                         sample(int32, {4, 0, 3, -5, -3, -2, -1, -1, 11})};
  check_same(reference_of("pow", in), {81, 1, -8, 1, -1, 1, 0, 0, 1977326743});
}

TEST_CASE("shifts beyond the width give 0 or the sign") {
  const HostArrays in = {sample(int8, {-8, -8, 8, -8, 1}), sample(int8, {1, 8, 100, -1, 7})};
  check_same(reference_of("shift_left", in), {-16, 0, 0, 0, -128});
  check_same(reference_of("shift_right_logical", in), {124, 0, 0, 0, 0});
  check_same(reference_of("shift_right_arithmetic", in), {-4, -1, 0, -1, 0});
}

TEST_CASE("NaN wins in max and min, and -0 is below 0") {
  const HostArrays in = {sample(float64, {nan_value, 1, -0.0, 0.0, 2}),
                         sample(float64, {1, nan_value, 0.0, -0.0, 3})};
  check_same(reference_of("max", in), {nan_value, nan_value, 0.0, 0.0, 3});
  check_same(reference_of("min", in), {nan_value, nan_value, -0.0, -0.0, 2});
}

TEST_CASE("clamp takes bounds of the operand's shape or scalars") {
  const HostArray low({Shape{}, float32}, std::vector<double>{-1}),
      high = sample(float32, {2, 2, 0, 5});
  const HostArrays in = {low, sample(float32, {-3, 1, 9, nan_value}), high};
  check_same(reference_of("clamp", in), {-1, 1, 0, nan_value});
  compare_kernel(test::parse_operation("clamp"), in, 0);
}

TEST_CASE("conversions truncate, saturate and round once") {
  const HostArrays in = {sample(float64, {1.9, -1.9, 3e9, -3e9, nan_value, infinity, 300, -0.5})};
  check_same(reference_of("convert[to=i32]", in),
             {1, -1, 2147483647, -0x1p31, 0, 2147483647, 300, 0});
  check_same(reference_of("convert[to=u8]", in), {1, 0, 255, 0, 0, 255, 255, 0});
  check_same(reference_of("convert[to=bool]", in), {1, 1, 1, 1, 1, 1, 1, 1});
  check_same(reference_of("convert[to=i8]", {sample(int32, {300, -129, 127})}), {44, 127, 127});
  // 1 + 2^-8 + 2^-40 is above the middle between two bfloat16; by way of float32 it would be a tie.
  check_same(
      reference_of("convert[to=bf16]", {sample(float64, {1 + 0x1p-8 + 0x1p-40, 1 + 0x1p-8})}),
      {1 + 0x1p-7, 1});
  HostArray wide(vector_of(int64, 1));
  wide.element<std::int64_t>(0) = (std::int64_t{1} << 62) + (std::int64_t{1} << 54) + 1;
  check_same(reference_of("convert[to=bf16]", {wide}), {0x1p62 + 0x1p55});
}

TEST_CASE("the total order puts -NaN first, -0 before 0 and NaN last") {
  const double negative_nan = std::copysign(nan_value, -1);
  const HostArrays in = {sample(float32, {negative_nan, -0.0, infinity, 0.0, -2}),
                         sample(float32, {-infinity, 0.0, nan_value, -0.0, -1})};
  const Op less = test::parse_operation("compare[direction=lt, total_order=true]");
  check_same(test::run_reference(less, in)[0].numbers(), {1, 1, 1, 0, 1});
  compare_kernel(less, in, 0);
  check_same(reference_of("compare[direction=lt, total_order=false]", in), {0, 0, 0, 0, 1});
}

TEST_CASE("kernels of exact elementwise operations agree with their references") {
  for (DType dtype : real_dtypes) {
    for (const std::string& name : exact_unary) {
      const Op op = test::parse_operation(name);
      if (accepts(op, {vector_of(dtype, 1)}))
        compare_kernel(op, {sample(dtype, peculiar(dtype))}, 0);
    }
    for (const std::string& name : exact_binary) {
      const Op op = test::parse_operation(name);
      if (accepts(op, {vector_of(dtype, 1), vector_of(dtype, 1)}))
        compare_kernel(op, pairs(dtype), 0);
    }
    for (const char* direction : {"eq", "ne", "lt", "le", "gt", "ge"}) {
      for (const char* total : {"true", "false"}) {
        const std::string text =
            std::string("compare[direction=") + direction + ", total_order=" + total + "]";
        compare_kernel(test::parse_operation(text), pairs(dtype), 0);
      }
    }
  }
}

TEST_CASE("kernels of rounded elementwise operations are within their bounds") {
  for (DType dtype : real_dtypes) {
    for (const std::string& name : rounded_unary) {
      const Op op = test::parse_operation(name);
      if (accepts(op, {vector_of(dtype, 1)}))
        compare_kernel(op, {sample(dtype, peculiar(dtype))}, 4);
    }
    for (const std::string& name : rounded_binary) {
      const Op op = test::parse_operation(name);
      if (accepts(op, {vector_of(dtype, 1), vector_of(dtype, 1)}))
        compare_kernel(op, pairs(dtype), 4);
    }
  }
}

TEST_CASE("kernels of conversions agree with their references for every pair of dtypes") {
  for (DType from : real_dtypes) {
    for (DType to : real_dtypes) {
      const Op op = test::parse_operation("convert[to=" + to_string(to) + "]");
      compare_kernel(op, {sample(from, peculiar(from))}, 0);
    }
  }
}

TEST_CASE("kernels of select and bitcast agree with their references") {
  const HostArray condition = sample(bool_, {1, 0, 0, 1});
  for (DType dtype : real_dtypes) {
    const std::vector<double> yes =
        dtype == bool_ ? std::vector<double>{1, 1, 0, 0} : std::vector<double>{1, 2, 3, 4};
    const HostArrays in = {condition, sample(dtype, yes), sample(dtype, {0, 1, 1, 1})};
    const Op op = test::parse_operation("select");
    const std::vector<double> wanted = {yes[0], 1, 1, yes[3]};
    check_same(test::run_reference(op, in)[0].numbers(), wanted);
    check_same(test::run_kernel(op, in)[0].numbers(), wanted);
    const HostArray scalar({Shape{}, bool_}, std::vector<double>{1});
    check_same(test::run_kernel(op, {scalar, in[1], in[2]})[0].numbers(), yes);
  }
  const Op bits = test::parse_operation("bitcast[to=u32]");
  check_same(test::run_reference(bits, {sample(float32, {1, -0.0})})[0].numbers(),
             {0x3f800000, 0x80000000});
  check_same(test::run_kernel(bits, {sample(float32, {1, -0.0})})[0].numbers(),
             {0x3f800000, 0x80000000});
}

TEST_CASE("the test vectors of threefry2x32 with 20 rounds") {
  // Random123, kat_vectors.
  const auto words = [](std::uint32_t v) { return sample(uint32, {static_cast<double>(v)}); };
  const Op op = test::parse_operation("threefry2x32");
  const std::uint32_t vectors[3][6] = {
      {0, 0, 0, 0, 0x6b200159, 0x99ba4efe},
      {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7},
      {0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 0xc4923a9c, 0x483df7a0}};
  for (const auto& v : vectors) {
    const HostArrays in = {words(v[0]), words(v[1]), words(v[2]), words(v[3])};
    for (const HostArrays& out : {test::run_reference(op, in), test::run_kernel(op, in)}) {
      CHECK(out[0].element<std::uint32_t>(0) == v[4]);
      CHECK(out[1].element<std::uint32_t>(0) == v[5]);
    }
  }
}

TEST_CASE("constants print as numbers and read back to the bit") {
  const auto text_of = [](ops::Constant c) { return Op(c).attributes(); };
  CHECK(text_of({float32, 0x3f000000}) == "[dtype=f32, value=0.5]");
  CHECK(text_of({float32, 0x3dcccccd}) == "[dtype=f32, value=0.1]");
  CHECK(text_of({bfloat16, 0x3dcd}) == "[dtype=bf16, value=0.100097656]");
  CHECK(text_of({bool_, 1}) == "[dtype=bool, value=true]");
  CHECK(text_of({int8, 0xff}) == "[dtype=i8, value=-1]");
  CHECK(text_of({uint64, ~std::uint64_t{0}}) == "[dtype=u64, value=18446744073709551615]");
  CHECK(text_of({float64, 0x8000000000000000}) == "[dtype=f64, value=-0]");
  CHECK(text_of({float32, 0x7fc00000}) == "[dtype=f32, value=nan]");
  CHECK(text_of({float32, 0x7fc00001}) == "[dtype=f32, low=2143289345, high=0]");
  CHECK(text_of({complex64, 0x400000003f800000}) == "[dtype=c64, value=(1,2)]");
  const ops::Constant constants[] = {{float32, 0x3dcccccd},
                                     {float16, 0x0001},
                                     {bfloat16, 0xff80},
                                     {float64, 0x0000000000000001},
                                     {float32, 0xffc00000},
                                     {float64, 0x7ff0000000000000},
                                     {int64, 0x8000000000000000},
                                     {bool_, 0},
                                     {complex128, 0x3ff0000000000000, 0x8000000000000000},
                                     {complex64, 0x7fc000003f800000},
                                     {uint8, 200}};
  for (const ops::Constant& c : constants) {
    INFO(Op(c).attributes());
    CHECK(test::parse_operation("constant" + Op(c).attributes()) == Op(c));
  }
}

TEST_CASE("every elementwise operation reads back what it prints") {
  for (const auto& names : {exact_unary, rounded_unary, exact_binary, rounded_binary}) {
    for (const std::string& name : names) {
      const Op op = test::parse_operation(name);
      CHECK(op.name() == name);
      CHECK(op.attributes().empty());
    }
  }
  for (const char* text : {"compare[direction=ge, total_order=true]",
                           "convert[to=bf16]",
                           "bitcast[to=u16]",
                           "name[text=\"layer.1\"]",
                           "argreduce[largest=false, axis=1, index=i64]",
                           "reduce[op=bit_xor, axes={0,2}, in_element_type=false]"}) {
    const Op op = test::parse_operation(text);
    CHECK(std::string(op.name()) + op.attributes() == text);
  }
}

TEST_CASE("elementwise operations say what differs") {
  const Type a{{2, 3}, float32}, b{{3, 2}, float32}, i{{2, 3}, int32}, c{{2, 3}, complex64},
      flag{{2, 3}, bool_};
  const auto op = [](std::string_view text) { return test::parse_operation(text); };
  CHECK(message(op("add"), {a, b}) ==
        "error[broadcast]: add: the operands' shapes differ, [2,3] and [3,2]\n"
        "  | operand 0 is f32[2,3]\n  | operand 1 is f32[3,2]\n"
        "  = hint: elementwise operations take operands of one shape: broadcast one of them");
  CHECK(message(op("mul"), {a, i}) ==
        "error[dtype]: mul: the operands' dtypes differ, f32 and i32\n"
        "  | operand 0 is f32[2,3]\n  | operand 1 is i32[2,3]\n"
        "  = hint: convert one of them with astype");
  CHECK(message(op("exp"), {i}) ==
        "error[dtype]: exp: takes floating-point or complex arrays, not i32\n  | operand i32[2,3]\n"
        "  = hint: convert it first: x.astype(fx::float32)");
  CHECK(message(op("clz"), {a}) ==
        "error[dtype]: clz: takes integer arrays, not f32\n  | operand f32[2,3]");
  CHECK(message(op("and"), {a, a}) ==
        "error[dtype]: and: takes bool or integer arrays, not f32\n  | operand f32[2,3]");
  CHECK(message(op("neg"), {flag}) ==
        "error[dtype]: neg: takes integer, floating-point or complex arrays, not bool\n  | operand "
        "bool[2,3]\n"
        "  = hint: convert it first: x.astype(fx::float32)");
  CHECK(message(op("floor"), {c}) ==
        "error[complex]: floor: computes with real numbers only, not c64\n  | operand "
        "c64[2,3]\n"
        "  = hint: take a part of it: fx::real(x), fx::imag(x) or fx::abs(x)");
  CHECK(message(op("select"), {i, a, a}) ==
        "error[dtype]: select: the condition is i32, not bool\n  | condition i32[2,3]\n"
        "  = hint: compare it with something: x != 0");
  CHECK(message(op("select"), {{{3}, bool_}, a, a}) ==
        "error[broadcast]: select: the condition has shape [3], the choices [2,3]\n"
        "  | condition bool[3]\n  | choices f32[2,3]\n"
        "  = hint: the condition has the choices' shape, or none");
  CHECK(message(op("clamp"), {{{}, float64}, a, a}) ==
        "error[dtype]: clamp: low is f64, the operand f32\n  | low f64[]\n  | operand f32[2,3]\n"
        "  = hint: convert the bound with astype");
  CHECK(message(op("clamp"), {{{}, float32}, a, b}) ==
        "error[broadcast]: clamp: high has shape [3,2], the operand [2,3]\n  | high f32[3,2]\n  | "
        "operand f32[2,3]\n"
        "  = hint: a bound has the operand's shape, or none");
  CHECK(message(op("bitcast[to=f64]"), {a}) ==
        "error[dtype]: bitcast: f32 has 32 bits, f64 has 64\n  | operand f32[2,3]\n"
        "  = hint: choose a dtype of the same width");
  CHECK(message(op("threefry2x32"), {i, i, i, i}) ==
        "error[dtype]: threefry2x32: keys and counters are u32, not i32\n  | operand i32[2,3]\n"
        "  = hint: a random key comes from fx::random::key(seed)");
}
