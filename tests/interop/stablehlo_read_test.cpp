// StableHLO's text: what each form means, and what is said of text that has no meaning.
#include "fluxion/fluxion.hpp"
#include "fluxion/stablehlo.hpp"
#include "tests/support/catch.hpp"

#include <cmath>

using namespace fluxion;

namespace {

/// A module whose function @main has this body, on two vectors of three numbers.
std::string on_vectors(const std::string& body) {
  return "module @m attributes {mhlo.num_partitions = 1 : i32} {\n"
         "  func.func public @main(%x: tensor<3xf32>, %y: tensor<3xf32> {mhlo.layout_mode = "
         "\"default\"}) -> tensor<3xf32> {\n" +
         body + "  }\n}\n";
}

std::vector<float> result_of(const std::string& text) {
  return stablehlo::read(text)({array({1.f, 2.f, 3.f}), array({10.f, 20.f, 30.f})})[0]
      .to_vector<float>();
}

std::string message(const std::string& text) {
  try {
    stablehlo::read(text);
  } catch (const Error& e) {
    std::string what = e.what();
    const std::size_t arrow = what.find("\n  --> "), end = what.find('\n', arrow + 1);
    return what.substr(0, arrow) + (end == what.npos ? "" : what.substr(end));
  }
  return "no error";
}

}  // namespace

TEST_CASE("the short form of an operation names operands, then one type") {
  CHECK(result_of(on_vectors(
            "    %0 = stablehlo.add %x, %y : tensor<3xf32>\n    return %0 : tensor<3xf32>\n")) ==
        std::vector<float>{11, 22, 33});
}

TEST_CASE("the generic form of an operation says the same") {
  CHECK(result_of(on_vectors("    %0 = \"stablehlo.add\"(%x, %y) : (tensor<3xf32>, tensor<3xf32>) "
                             "-> tensor<3xf32>\n    return %0 : tensor<3xf32>\n")) ==
        std::vector<float>{11, 22, 33});
  CHECK(result_of(on_vectors(
            "    %0 = \"stablehlo.reverse\"(%x) <{dimensions = array<i64: 0>}> : (tensor<3xf32>) "
            "-> tensor<3xf32>\n    return %0 : tensor<3xf32>\n")) == std::vector<float>{3, 2, 1});
  CHECK(result_of(
            on_vectors("    %0 = \"stablehlo.reverse\"(%x) {dimensions = dense<0> : tensor<1xi64>} "
                       ": (tensor<3xf32>) -> tensor<3xf32>\n    return %0 : tensor<3xf32>\n")) ==
        std::vector<float>{3, 2, 1});
}

TEST_CASE("comments, locations and blank lines say nothing") {
  CHECK(result_of("// a program\n#loc = loc(\"f.py\":1:2)\n" +
                  on_vectors("\n    %0 = stablehlo.negate %x : tensor<3xf32> loc(\"neg\"(#loc)) // "
                             "negative\n    return %0 : tensor<3xf32>\n")) ==
        std::vector<float>{-1, -2, -3});
}

TEST_CASE("a literal array is a list, one number for all, or the bytes of the elements") {
  const auto plus = [](const std::string& literal) {
    return result_of(on_vectors("    %c = stablehlo.constant dense<" + literal +
                                "> : tensor<3xf32>\n    %0 = stablehlo.add %x, %c : "
                                "tensor<3xf32>\n    return %0 : tensor<3xf32>\n"));
  };
  CHECK(plus("[1.0, 2.000000e+00, -3.5E1]") == std::vector<float>{2, 4, -32});
  CHECK(plus("5.0") == std::vector<float>{6, 7, 8});
  CHECK(plus("\"0x0000803F00000040000040C0\"") == std::vector<float>{2, 4, 0});
  CHECK(std::isinf(plus("0x7F800000")[0]));
  CHECK(std::isnan(plus("[0x7FC00000, 0.0, 0.0]")[0]));
}

TEST_CASE("a slice has start, end and step of each axis in one list") {
  const std::string text =
      "func.func @main(%x: tensor<4x6xi32>) -> tensor<2x2xi32> {\n  %0 = stablehlo.slice %x [1:3, "
      "0:6:3] : (tensor<4x6xi32>) -> tensor<2x2xi32>\n  return %0 : tensor<2x2xi32>\n}\n";
  CHECK(stablehlo::read(text)({arange(24).reshape({4, 6})})[0].to_vector<std::int32_t>() ==
        std::vector<std::int32_t>{6, 9, 12, 15});
}

TEST_CASE("a reduction names its operation, or holds a region") {
  const auto sum = [](const std::string& form) {
    return stablehlo::read(
               "func.func @main(%x: tensor<2x3xf32>) -> tensor<2xf32> {\n  %i = stablehlo.constant "
               "dense<0.0> : tensor<f32>\n" +
               form +
               "  return %0 : tensor<2xf32>\n}\n")({array({{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}})})[0]
        .to_vector<float>();
  };
  CHECK(sum("  %0 = stablehlo.reduce(%x init: %i) applies stablehlo.add across dimensions = [1] : "
            "(tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>\n") == std::vector<float>{6, 15});
  CHECK(sum("  %0 = stablehlo.reduce(%x init: %i) across dimensions = [1] : (tensor<2x3xf32>, "
            "tensor<f32>) -> tensor<2xf32>\n   reducer(%a: tensor<f32>, %b: tensor<f32>) {\n    %s "
            "= stablehlo.add %a, %b : "
            "tensor<f32>\n    stablehlo.return %s : tensor<f32>\n  }\n") ==
        std::vector<float>{6, 15});
  // 2 a b + a + b is associative with the unit 0; nothing here knows it by name
  CHECK(sum("  %0 = \"stablehlo.reduce\"(%x, %i) <{dimensions = array<i64: 1>}> ({\n  ^bb0(%a: "
            "tensor<f32>, %b: tensor<f32>):\n    %c = stablehlo.constant dense<2.0> : "
            "tensor<f32>\n    %p = stablehlo.multiply %a, %b : "
            "tensor<f32>\n    %q = stablehlo.multiply %p, %c : tensor<f32>\n    %r = stablehlo.add "
            "%q, %a : tensor<f32>\n    %s = stablehlo.add %r, %b : tensor<f32>\n    "
            "stablehlo.return %s : tensor<f32>\n  }) : "
            "(tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>\n") == std::vector<float>{52, 643});
}

TEST_CASE("functions call each other, in any order in the text") {
  CHECK(result_of("module {\n  func.func @main(%x: tensor<3xf32>, %y: tensor<3xf32>) -> "
                  "tensor<3xf32> {\n    %0:2 = call @both(%x, %y) : (tensor<3xf32>, tensor<3xf32>) "
                  "-> (tensor<3xf32>, tensor<3xf32>)\n    return %0#1 : "
                  "tensor<3xf32>\n  }\n  func.func private @both(%a: tensor<3xf32>, %b: "
                  "tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {\n    %c = stablehlo.constant "
                  "dense<[1.0, 0.0, 1.0]> : tensor<3xf32>\n    %s = "
                  "stablehlo.multiply %b, %c : tensor<3xf32>\n    return %a, %s : tensor<3xf32>, "
                  "tensor<3xf32>\n  }\n}\n") == std::vector<float>{10, 0, 30});
}

TEST_CASE("a loop carries values through regions that may read others") {
  CHECK(result_of(on_vectors(
            "    %n = stablehlo.constant dense<3> : tensor<i32>\n    %one = stablehlo.constant "
            "dense<1> : tensor<i32>\n    %z = stablehlo.constant dense<0> : tensor<i32>\n"
            "    %0:2 = stablehlo.while(%i = %z, %s = %x) : tensor<i32>, tensor<3xf32>\n     cond "
            "{\n      %c = stablehlo.compare LT, %i, %n, SIGNED : (tensor<i32>, tensor<i32>) -> "
            "tensor<i1>\n      "
            "stablehlo.return %c : tensor<i1>\n    } do {\n      %j = stablehlo.add %i, %one : "
            "tensor<i32>\n      %t = stablehlo.add %s, %y : tensor<3xf32>\n      stablehlo.return "
            "%j, %t : tensor<i32>, "
            "tensor<3xf32>\n    }\n    return %0#1 : tensor<3xf32>\n")) ==
        std::vector<float>{31, 62, 93});
}

TEST_CASE(
    "a branch is chosen by a truth value or an index, the last one where the index is outside") {
  const auto chosen = [](int index) {
    return result_of(on_vectors(
        "    %i = stablehlo.constant dense<" + std::to_string(index) +
        "> : tensor<i32>\n    %0 = \"stablehlo.case\"(%i) ({\n      stablehlo.return %x : "
        "tensor<3xf32>\n    }, {\n      %n = stablehlo.negate %y : tensor<3xf32>\n      "
        "stablehlo.return %n : tensor<3xf32>\n    }) : (tensor<i32>) -> tensor<3xf32>\n    return "
        "%0 : tensor<3xf32>\n"));
  };
  CHECK(chosen(0) == std::vector<float>{1, 2, 3});
  for (int index : {1, 2, -1}) CHECK(chosen(index) == std::vector<float>{-10, -20, -30});
  CHECK(result_of(
            on_vectors("    %t = stablehlo.constant dense<true> : tensor<i1>\n    %0 = "
                       "\"stablehlo.if\"(%t) ({\n      stablehlo.return %y : tensor<3xf32>\n    }, "
                       "{\n      stablehlo.return %x : tensor<3xf32>\n    "
                       "}) : (tensor<i1>) -> tensor<3xf32>\n    return %0 : tensor<3xf32>\n")) ==
        std::vector<float>{10, 20, 30});
}

TEST_CASE("a scatter with a region of its own combines one update after the other") {
  // 2 a + b at index 1, twice: order matters
  const std::string text =
      "func.func @main(%x: tensor<3xf32>, %i: tensor<2x1xi32>, %u: tensor<2xf32>) -> tensor<3xf32> "
      "{\n  %0 = \"stablehlo.scatter\"(%x, %i, %u) <{scatter_dimension_numbers = "
      "#stablehlo.scatter<inserted_window_dims = "
      "[0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>}> ({\n  ^bb0(%a: "
      "tensor<f32>, %b: tensor<f32>):\n    %t = stablehlo.add %a, %a : tensor<f32>\n    %s = "
      "stablehlo.add %t, %b : tensor<f32>\n    "
      "stablehlo.return %s : tensor<f32>\n  }) : (tensor<3xf32>, tensor<2x1xi32>, tensor<2xf32>) "
      "-> tensor<3xf32>\n  return %0 : tensor<3xf32>\n}\n";
  CHECK(stablehlo::read(text)({array({1.f, 2.f, 3.f}), array({{1}, {1}}), array({10.f, 100.f})})[0]
            .to_vector<float>() == std::vector<float>{1, 128, 3});
}

TEST_CASE("a composite operation is what it is composed of") {
  CHECK(result_of("module {\n  func.func @main(%x: tensor<3xf32>, %y: tensor<3xf32>) -> "
                  "tensor<3xf32> {\n    %0 = stablehlo.composite \"my.difference\" %y, %x "
                  "{composite_attributes = {n = 1 : i64}, decomposition = @d} : "
                  "(tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>\n    return %0 : "
                  "tensor<3xf32>\n  }\n  func.func private @d(%a: tensor<3xf32>, %b: "
                  "tensor<3xf32>) -> tensor<3xf32> {\n    %0 = stablehlo.subtract %a, %b : "
                  "tensor<3xf32>\n    return %0 : tensor<3xf32>\n  }\n}\n") ==
        std::vector<float>{9, 18, 27});
}

TEST_CASE("a program that was read can be jitted, differentiated and batched") {
  const stablehlo::Program program = stablehlo::read(
      on_vectors("    %0 = stablehlo.multiply %x, %y : tensor<3xf32>\n    %1 = stablehlo.multiply "
                 "%0, %x : tensor<3xf32>\n    return %1 : tensor<3xf32>\n"));
  const Array x = array({1.f, 2.f, 3.f}), y = array({10.f, 20.f, 30.f});
  CHECK(jit(program)(std::vector<Array>{x, y})[0].to_vector<float>() ==
        std::vector<float>{10, 80, 270});
  const auto total = [&](Array a) { return fluxion::sum(program({a, y})[0]); };
  CHECK(grad(total)(x).to_vector<float>() == std::vector<float>{20, 80, 180});
  const auto batched = vmap([&](Array a, Array b) { return program({a, b})[0]; });
  CHECK(batched(stack({x, x}), stack({y, x})).to_vector<float>() ==
        std::vector<float>{10, 80, 270, 1, 8, 27});
}

TEST_CASE("an error of the text shows the place") {
  CHECK(message(on_vectors(
            "    %0 = stablehlo.add %x %y : tensor<3xf32>\n    return %0 : tensor<3xf32>\n")) ==
        "error[stablehlo-syntax]: stablehlo: line 3, column 27: expected ':', not '%y'\n  |     %0 "
        "= stablehlo.add %x %y : tensor<3xf32>\n  |                           ^");
  CHECK(message("module {\n") ==
        "error[stablehlo-syntax]: stablehlo: line 2, column 1: expected a function, not the end of "
        "the text\n  | \n  | ^");
  CHECK(message(on_vectors("    return %z : tensor<3xf32>\n")) ==
        "error[stablehlo-syntax]: stablehlo: line 3, column 12: %z is not defined before it is "
        "used\n  |     return %z : tensor<3xf32>\n  |            ^");
  CHECK(message(on_vectors("    %c = stablehlo.constant dense<[1.0, [2.0]]> : tensor<3xf32>\n    "
                           "return %c : tensor<3xf32>\n")) ==
        "error[stablehlo-syntax]: stablehlo: line 3, column 41: a list that is deeper than the "
        "others\n  |     %c = stablehlo.constant dense<[1.0, [2.0]]> : tensor<3xf32>\n  |          "
        "                               ^");
  CHECK(message(on_vectors("    %c = stablehlo.constant dense<\"0x0000\"> : tensor<3xf32>\n    "
                           "return %c : tensor<3xf32>\n")) ==
        "error[stablehlo-syntax]: stablehlo: line 3, column 35: 2 bytes for tensor<3xf32>, which "
        "has 12\n  |     %c = stablehlo.constant dense<\"0x0000\"> : tensor<3xf32>\n  |            "
        "                       ^");
}

TEST_CASE("an error of the meaning names the operation and its place") {
  CHECK(message(on_vectors(
            "    %0 = stablehlo.frobnicate %x : tensor<3xf32>\n    return %0 : tensor<3xf32>\n")) ==
        "error[stablehlo-program]: stablehlo: line 3, column 10: the operation "
        "stablehlo.frobnicate is not known");
  CHECK(
      message(on_vectors("    %0 = stablehlo.slice %x [0:4] : (tensor<3xf32>) -> tensor<4xf32>\n   "
                         " return %x : tensor<3xf32>\n"))
          .starts_with(
              "error[stablehlo-program]: stablehlo: line 3, column 10: stablehlo.slice: slice: "));
  CHECK(message(on_vectors("    %0 = stablehlo.reverse %x, dims = [0] : tensor<2xf32>\n    return "
                           "%x : tensor<3xf32>\n")) ==
        "error[stablehlo-program]: stablehlo: line 3, column 10: the type of operand 0 of "
        "stablehlo.reverse is not what the text says\n  | it is    tensor<3xf32>\n  | the text "
        "tensor<2xf32>");
  CHECK(message(on_vectors("    %0 = call @main(%x, %y) : (tensor<3xf32>, tensor<3xf32>) -> "
                           "tensor<3xf32>\n    return %0 : tensor<3xf32>\n")) ==
        "error[stablehlo-program]: stablehlo: line 3, column 10: @main calls itself");
  // Regions of one number each: two results, one of another type, none.
  const auto with_region = [](const std::string& before, const std::string& results) {
    return message(
        on_vectors("    %i = stablehlo.constant dense<0.0> : tensor<f32>\n    %0 = " + before +
                   "    stablehlo.return " + results + "\n  return %x : tensor<3xf32>\n"));
  };
  CHECK(with_region("\"stablehlo.reduce\"(%x, %i) <{dimensions = array<i64: 0>}> ({\n  ^bb0(%a: "
                    "tensor<f32>, %b: tensor<f32>):\n",
                    "%a, %b : tensor<f32>, tensor<f32>\n  }) : (tensor<3xf32>, tensor<f32>) -> "
                    "tensor<f32>") ==
        "error[stablehlo-program]: stablehlo: line 4, column 10: the region of stablehlo.reduce "
        "gives other results than are asked of it\n  | it gives  (tensor<f32>, tensor<f32>)\n  | "
        "asked for (tensor<f32>)");
  CHECK(with_region("\"stablehlo.map\"(%x) <{dimensions = array<i64: 0>}> ({\n  ^bb0(%a: "
                    "tensor<f32>):\n    %c = stablehlo.convert %a : (tensor<f32>) -> tensor<i32>\n",
                    "%c : tensor<i32>\n  }) : (tensor<3xf32>) -> tensor<3xf32>") ==
        "error[stablehlo-program]: stablehlo: line 4, column 10: the region of stablehlo.map gives "
        "other results than are asked of it\n  | it gives  (tensor<i32>)\n  | asked for "
        "(tensor<f32>)");
  CHECK(
      with_region("\"stablehlo.sort\"(%x) <{dimension = 0 : i64}> ({\n  ^bb0(%a: tensor<f32>, "
                  "%b: tensor<f32>):\n",
                  "\n  }) : (tensor<3xf32>) -> tensor<3xf32>") ==
      "error[stablehlo-program]: stablehlo: line 4, column 10: the region of stablehlo.sort gives "
      "other results than are asked of it\n  | it gives  ()\n  | asked for (tensor<i1>)");
  CHECK(message("func.func @f() {\n  return\n}\n") ==
        "error[stablehlo-program]: stablehlo: the text has no function @main");
}

TEST_CASE("text that nests without end is refused before the stack is") {
  const std::string deep(100000, '[');
  CHECK(message(on_vectors("    %c = stablehlo.constant dense<" + deep + "> : tensor<3xf32>\n"))
            .find("lists nest deeper than an array has axes") != std::string::npos);
  CHECK(message(on_vectors("    %0 = \"stablehlo.x\"() {a = " + deep + "} : () -> ()\n"))
            .find("this nests too deep") != std::string::npos);
  std::string regions;
  for (int k = 0; k < 10000; ++k) regions += "\"stablehlo.case\"(%x) ({\n";
  CHECK(message(on_vectors(regions)).find("regions nest too deep") != std::string::npos);
}

TEST_CASE("a program refuses arguments of other types") {
  const stablehlo::Program program = stablehlo::read(on_vectors("    return %x : tensor<3xf32>\n"));
  CHECK(program.inputs().size() == 2);
  CHECK(program.outputs()[0] == Spec{{3}, float32});
  CHECK_THROWS_WITH(program({zeros({3})}), Catch::Contains("the program takes 2 arguments, not 1"));
  CHECK_THROWS_WITH(program({zeros({3}), zeros({4})}), Catch::Contains("the argument is   f32[4]"));
}
