// What a compiled program tells of itself: its steps as a table, and who owns its memory.
#include "runtime/executable.hpp"
#include "tests/support/catch.hpp"

#include <fluxion/fluxion.hpp>
#include <fmt/format.h>
#include <regex>
#include <sstream>
#include <tuple>

#ifdef FLUXION_LLVM
namespace fx = fluxion;
using fx::Array;

namespace {

/// What a library says of itself differs from machine to machine.
std::string without_libraries(const std::string& table) {
  return std::regex_replace(table, std::regex("by (matmul|sort) .*\n"), "by $1\n");
}

/// The memory of values alone: libraries take more or less besides, as the processor is.
fx::Memory without_scratch(fx::Memory memory) {
  std::erase_if(memory.owners, [&](const fx::MemoryOwner& owner) {
    if (!owner.operation.ends_with(" scratch")) return false;
    memory.temporaries -= owner.bytes;
    memory.peak -= owner.bytes;
    memory.alive -= (owner.bytes + 63) / 64 * 64;
    return true;
  });
  return memory;
}

/// "@2" (or "@@2", as wide as the number) is the line two below `first`; tables here begin with a
/// line break.
std::string with_lines(std::string table, int first) {
  for (int k = 0; k < 10; ++k)
    table =
        std::regex_replace(table, std::regex(fmt::format("@+{}", k)), std::to_string(first + k));
  return table.substr(1);
}

}  // namespace

TEST_CASE("explain shows the kernels and library calls of a program, and their sum") {
  const int at = __LINE__ + 2;  // of the product
  auto layer = [](Array x, Array w, Array b) {
    Array h = fx::matmul(x, w);
    return fx::max(fx::abs(h - b), 1);
  };
  const auto exe = fx::lower(layer,
                             fx::Spec{{256, 128}, fx::float32},
                             fx::Spec{{128, 64}, fx::float32},
                             fx::Spec{{64}, fx::float32})
                       .compile();
  CHECK(without_libraries(fx::explain(exe)) == with_lines(R"(
step    operations      line                 writes       flops   read  written  transc.
leaf    dot_general     explain_test.cpp:@0  f32[256,64]  4.19M   164k    65.5k        0
  by matmul
kernel  sub abs reduce  explain_test.cpp:@1  f32[256]     49.2k  65.8k    1.02k        0
sum                                                       4.24M   230k    66.6k        0
)",
                                                          at));
  CHECK(exe.cost().bytes == 4 * (256 * 128 + 128 * 64 + 256 * 64 + 256 * 64 + 64 + 256));
}

TEST_CASE("explain shows what a loop repeats, indented") {
  const int at = __LINE__ + 3;  // of the product
  auto loop = [](Array x) {
    auto body = [](Array c) {
      Array next = fx::abs(fx::matmul(c, c));
      return std::pair{next, next};
    };
    return fx::scan(body, x, {.length = 5}).first;
  };
  const auto exe = fx::lower(loop, fx::Spec{{64, 64}, fx::float32}).compile();
  CHECK(without_libraries(fx::explain(exe)) == with_lines(R"(
step        operations   line                 writes      flops   read  written  transc.
loop        scan         explain_test.cpp:@3  f32[64,64]  2.64M   262k     180k        0
  5 times:
    leaf    dot_general  explain_test.cpp:@0  f32[64,64]   524k  32.8k    16.4k        0
      by matmul
    kernel  abs          explain_test.cpp:@0  f32[64,64]  4.10k  16.4k    16.4k        0
sum                                                       2.64M   262k     180k        0
)",
                                                          at));
}

TEST_CASE("explain shows every case of a branch, and the condition of a loop") {
  const int at = __LINE__ + 2;  // of the branch
  auto both = [](Array p, Array x) {
    Array y = fx::cond(
        p, [](Array x) { return fx::matmul(x, x); }, [](Array x) { return fx::sort(x, 0); }, x);
    auto more = [](Array y) { return fx::sum(y) < 10; };
    auto square = [](Array y) { return fx::matmul(y, y) + 1; };
    return fx::while_loop(more, square, y);
  };
  const auto exe =
      fx::lower(both, fx::Spec{{}, fx::bool_}, fx::Spec{{64, 64}, fx::float32}).compile();
  CHECK(without_libraries(fx::explain(exe)) == with_lines(R"(
step        operations      line                 writes      flops   read  written  transc.
kernel      select          explain_test.cpp:@0  i32[]           0      1        4        0
branch      cond            explain_test.cpp:@0  f32[64,64]   524k  49.2k    32.8k        0
  case 0:
    leaf    sort            explain_test.cpp:@1  f32[64,64]      0  16.4k    16.4k        0
      by sort
  case 1:
    leaf    dot_general     explain_test.cpp:@1  f32[64,64]   524k  32.8k    16.4k        0
      by matmul
loop        while           explain_test.cpp:@4  f32[64,64]   528k  65.5k    49.2k        0
  while:
    kernel  reduce compare  explain_test.cpp:@2  bool[]      4.10k  16.4k        1        0
  each time:
    leaf    dot_general     explain_test.cpp:@3  f32[64,64]   524k  32.8k    16.4k        0
      by matmul
    kernel  add             explain_test.cpp:@3  f32[64,64]  4.10k  16.4k    16.4k        0
sum                                                          1.05M   115k    81.9k        0
)",
                                                          at));
}

TEST_CASE("explain shows the copy of an array that stays alive while a scatter changes it") {
  const int at = __LINE__ + 2;
  auto set = [](Array x, Array i) {
    Array y = fx::sqrt(x);
    Array changed = y.at({i}).set(1.f);
    return std::pair{changed, y};
  };
  const auto exe =
      fx::lower(set, fx::Spec{{5000}, fx::float32}, fx::Spec{{3}, fx::int32}).compile();
  CHECK(fx::explain(exe) == with_lines(R"(
step    operations                  line                  writes     flops   read  written  transc.
kernel  sqrt                        explain_test.cpp:@@0  f32[5000]  5.00k  20.0k    20.0k        0
copy    add compare select scatter  explain_test.cpp:@@1  f32[5000]      0  20.0k    20.0k        0
kernel  add compare select scatter  explain_test.cpp:@@1  f32[5000]      0     12    20.0k        0
sum                                                                  5.00k  40.0k    60.0k        0
)",
                                       at));
}

TEST_CASE("two equal programs are compiled once, and each is explained with its own lines") {
  const auto before = fx::compiled_programs();
  const int at = __LINE__ + 1;
  auto first = [](Array x) { return fx::sqrt(x) * 0.3125f; };
  auto second = [](Array x) { return fx::sqrt(x) * 0.3125f; };
  const fx::Spec spec{{300}, fx::float32};
  const auto one = fx::lower(first, spec).compile(), two = fx::lower(second, spec).compile();
  CHECK(fx::compiled_programs() == before + 1);
  const std::string table = with_lines(R"(
step    operations  line                  writes    flops   read  written  transc.
kernel  sqrt mul    explain_test.cpp:@@0  f32[300]    600  1.20k    1.20k        0
sum                                                   600  1.20k    1.20k        0
)",
                                       at);
  CHECK(fx::explain(one) == table);
  CHECK(fx::explain(two) ==
        std::regex_replace(table, std::regex(fmt::format(":{}", at)), fmt::format(":{}", at + 1)));
}

TEST_CASE("a table keeps to 120 columns, however long what it tells") {
  auto f = [](Array x, Array y) {
    Array z = x;
    for (int k = 0; k < 4; ++k) z = fx::sqrt(fx::abs(fx::sin(z) * y) - fx::floor(fx::exp(z)));
    return std::tuple{z, fx::cos(z), fx::matmul(z.reshape({1024, 1024}), y.reshape({1024, 1024}))};
  };
  const fx::Spec spec{{2, 1, 2, 1, 2, 131072}, fx::float32};
  const std::string table = fx::explain(fx::lower(f, spec, spec).compile());
  std::istringstream lines(table);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) CHECK(line.size() <= 120);
  CHECK(count > 3);
  CHECK(std::regex_search(table, std::regex("kernel  [a-z ]+ \\+[0-9]+ +explain_test")));
}

TEST_CASE("the owners of the temporaries are those alive at their greatest, the largest first") {
  const int at = __LINE__ + 2;
  auto f = [](Array x) {
    Array a = fx::matmul(x, x);                 // alone
    Array b = fx::matmul(a, fx::transpose(x));  // beside a
    Array c = fx::matmul(a, b);                 // beside a and b: the greatest
    Array d = fx::matmul(c, x[{fx::all, fx::slice(0, 24)}]);
    return fx::matmul(x, d);
  };
  const auto exe = fx::lower(f, fx::Spec{{96, 96}, fx::float32}).compile();
  const fx::Memory memory = without_scratch(exe.memory());
  REQUIRE(memory.owners.size() == 3);
  for (int k = 0; k < 3; ++k) {
    const fx::MemoryOwner& owner = memory.owners[static_cast<std::size_t>(k)];
    CHECK(owner.bytes == 4 * 96 * 96);
    CHECK(owner.operation == "dot_general");
    CHECK(owner.site.line() == static_cast<unsigned>(at + k));
  }
  CHECK(memory.temporaries == 3 * 4 * 96 * 96);
  const std::string file = __FILE__;
  CHECK(memory.text() ==
        fmt::format("arguments 36864 bytes, results 9216 bytes, temporaries 110592 "
                    "bytes (110592 alive), at most 156672 bytes at once\n"
                    "         36864  dot_general  {0}:{1}\n"
                    "         36864  dot_general  {0}:{2}\n"
                    "         36864  dot_general  {0}:{3}\n",
                    file,
                    at,
                    at + 1,
                    at + 2));
  std::ostringstream stream;
  stream << memory;
  CHECK(stream.str() == memory.text());
}

TEST_CASE("a loop's temporaries belong to the operations of its body, and to its carries") {
  const int at = __LINE__ + 4;  // of the first product
  auto f = [](Array x) {
    auto body = [](Array c) {
      Array half = c[{fx::all, fx::slice(0, 32)}];
      Array a = fx::matmul(c, half);
      Array next = fx::matmul(a, fx::transpose(a));
      return std::pair{next, fx::sum(next)};
    };
    return fx::scan(body, x, {.length = 4}).first;
  };
  const auto exe = fx::lower(f, fx::Spec{{64, 64}, fx::float32}).compile();
  const fx::Memory memory = without_scratch(exe.memory());
  REQUIRE(memory.owners.size() == 2);
  CHECK(memory.owners[0].bytes == 4 * 64 * 64);
  CHECK(memory.owners[0].operation == "scan carry 0");
  CHECK(memory.owners[0].site.line() == static_cast<unsigned>(at + 4));
  CHECK(memory.owners[1].bytes == 4 * 64 * 32);
  CHECK(memory.owners[1].operation == "dot_general");
  CHECK(memory.owners[1].site.line() == static_cast<unsigned>(at));
}

TEST_CASE("a program without temporaries has no owners") {
  const auto exe =
      fx::lower([](Array x) { return fx::exp(x); }, fx::Spec{{8}, fx::float32}).compile();
  CHECK(exe.memory().owners.empty());
  CHECK(exe.memory().text() ==
        "arguments 32 bytes, results 32 bytes, temporaries 0 bytes (0 alive), at most 32 bytes at "
        "once\n");
}

TEST_CASE("explain shows the parts of a strip, and what of them is no memory") {
  const int at = __LINE__ + 2;  // of the product
  auto attention = [](Array q, Array k, Array v) {
    Array s = fx::matmul(q, fx::swapaxes(k, 1, 2));
    return fx::matmul(fx::softmax(s), v);
  };
  const fx::Spec t{{8, 256, 32}, fx::float32};
  const auto exe = fx::lower(attention, t, t, t).compile();
  CHECK(without_libraries(fx::explain(exe)) == with_lines(R"(
step        operations                line                  writes          flops  read  written  transc.
strip       transpose dot_general +9  explain_test.cpp:@@1  f32[8,256,32]   80.2M  786k     262k     524k
  256 rows of 8 x 256 at a time:
    leaf    transpose dot_general     explain_test.cpp:@@0  f32[8,256,256]  33.6M  524k        0        0
      by matmul
    kernel  reduce stop_gradient +6   explain_test.cpp:@@1  f32[8,256,256]  13.1M     0        0     524k
    leaf    dot_general               explain_test.cpp:@@1  f32[8,256,32]   33.6M  262k     262k        0
      by matmul
sum                                                                         80.2M  786k     262k     524k
)",
                                                          at));
  // Only what the threads work in; the scores are no array.
  REQUIRE(exe.memory().owners.size() == 1);
  CHECK(exe.memory().owners[0].operation == "dot_general scratch");
}

TEST_CASE("attention's gradient keeps the probabilities and one cotangent, nothing else so large") {
  auto attention = [](Array q, Array k, Array v) {
    return fx::matmul(fx::softmax(fx::matmul(q, fx::swapaxes(k, 1, 2))), v);
  };
  auto gradient = [&](Array q, Array k, Array v, Array ct) {
    auto [y, pull] = fx::vjp(attention, q, k, v);
    return pull(ct);
  };
  const fx::Spec t{{8, 1024, 32}, fx::float32};
  const auto exe = fx::lower(gradient, t, t, t, t).compile();
  const std::size_t scores = std::size_t{4} * 8 * 1024 * 1024;
  CHECK(exe.memory().temporaries >= 2 * scores);
  CHECK(exe.memory().temporaries < 2.5 * scores);
}
#endif
