// Every elementwise operation and reduction as machine code: the same bits as its kernel's
// definition.
#include "tests/support/compiled_kernel.hpp"
#include "tests/support/run_operation.hpp"

using namespace fluxion;

namespace {

const DType dtypes[] = {bool_,
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

/// The kernel of an operation on operands of one type, if it takes them.
void check(const std::string& text, const Types& in) {
  const Op op = test::parse_operation(text);
  try {
    op.types(in);
  } catch (const Error&) {
    return;
  }
  INFO(text << " of " << to_string(in[0]));
  test::check_compiled(test::plain_kernel(op, in));
}

}  // namespace

TEST_CASE("unary operations compile to what they mean, in vectors and tails") {
  for (const char* name : {"neg",
                           "abs",
                           "sign",
                           "floor",
                           "ceil",
                           "round",
                           "round_even",
                           "exp",
                           "log",
                           "expm1",
                           "log1p",
                           "sin",
                           "cos",
                           "tan",
                           "tanh",
                           "sqrt",
                           "rsqrt",
                           "logistic",
                           "erf",
                           "erfc",
                           "is_finite",
                           "not",
                           "population_count",
                           "clz",
                           "stop_gradient"}) {
    for (DType dtype : dtypes) check(name, {{{37}, dtype}});
  }
}

TEST_CASE("binary operations compile to what they mean, in vectors and tails") {
  for (const char* name : {"add",
                           "sub",
                           "mul",
                           "div",
                           "rem",
                           "pow",
                           "atan2",
                           "max",
                           "min",
                           "and",
                           "or",
                           "xor",
                           "shift_left",
                           "shift_right_logical",
                           "shift_right_arithmetic",
                           "compare[direction=le, total_order=false]",
                           "compare[direction=ne, total_order=false]",
                           "compare[direction=lt, total_order=true]"}) {
    for (DType dtype : dtypes) check(name, {{{203}, dtype}, {{203}, dtype}});
  }
}

TEST_CASE("conversions between all dtypes compile to what they mean") {
  for (DType to : dtypes) {
    for (DType from : dtypes) {
      check("convert[to=" + to_string(to) + "]", {{{203}, from}});
      check("bitcast[to=" + to_string(to) + "]", {{{37}, from}});
    }
  }
}

TEST_CASE("select and clamp compile to what they mean") {
  for (DType dtype : dtypes) {
    const Type x{{5, 7}, dtype}, lone{{}, dtype};
    check("select", {{{5, 7}, bool_}, x, x});
    check("select", {{{}, bool_}, x, x});
    check("clamp", {x, x, x});
    check("clamp", {lone, x, lone});
  }
}

TEST_CASE("reductions compile to what they mean, along rows and down columns") {
  for (const char* op :
       {"sum", "prod", "max", "min", "all", "any", "bit_and", "bit_or", "bit_xor"}) {
    for (const char* axes : {"{0}", "{1}", "{0,1}"}) {
      for (const char* in_element_type : {"false", "true"}) {
        const std::string text = std::string("reduce[op=") + op + ", axes=" + axes +
                                 ", in_element_type=" + in_element_type + "]";
        for (DType dtype : dtypes) {
          check(text, {{{3, 40}, dtype}});
          check(text, {{{35, 3}, dtype}});
        }
        check(text, {{{5, 203}, float32}});
        check(text, {{{0, 3}, float32}});
      }
    }
  }
}

TEST_CASE("argreduce and threefry2x32 compile to what they mean") {
  for (DType dtype : dtypes) {
    for (const char* text : {"argreduce[largest=true, axis=1, index=i32]",
                             "argreduce[largest=false, axis=0, index=i64]"}) {
      check(text, {{{3, 70}, dtype}});
      check(text, {{{35, 20}, dtype}});
    }
  }
  const Type words{{37}, uint32};
  check("threefry2x32", {words, words, words, words});
}
