// User code that shares names with the library, deduction, containers of arrays, and whose line an
// error names.
#include "fluxion/nn.hpp"
#include "tests/support/values.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace fx = fluxion;
using namespace fluxion::test;
using fx::Array;

// A user's own functions with the library's names, called unqualified: theirs must win. They
// multiply by 100.
namespace program {

struct Net {
  Array w;
};
Array apply(const Net& n, Array x) { return n.w * x; }
Array apply(Array x) { return x; }
Array relu(Array x) { return x * 100; }
Array softmax(const Array& x, int) { return x * 100; }
Array mean(Array x) { return x * 100; }
Array clip(Array x, double, double) { return x * 100; }
Array matmul(Array a, Array) { return a * 100; }
Array sum(const std::vector<Array>& v) { return v[0] * 100; }
Array where(Array c, Array x, Array) { return c * 0 + x * 100; }
template <class T> T square(T x) { return x * 100; }
template <class F> Array map(F f, Array x) { return f(x) * 100; }
Array eval(Array x) { return x * 100; }
template <class T> T generic(T x) {  // works for double and for Array, by argument-dependent lookup
  using std::exp;
  using std::tanh;
  return exp(x) + tanh(x);
}

/// Names of the library's internals, which unqualified calls from inside it would find here.
struct Tree {
  Array a;
};
template <class... T> void collect(T&&...) = delete;
template <class... T> void walk(T&&...) = delete;
template <class... T> void pack(T&&...) = delete;
template <class... T> void get(T&&...) = delete;
template <class... T> void move(T&&...) = delete;
template <class... T> void leaves(T&&...) = delete;
template <class... T> void rebuild(T&&...) = delete;
template <class... T> void assign(T&&...) = delete;
template <class... T> void counts(T&&...) = delete;
template <class... T> void skeleton(T&&...) = delete;
template <class... T> void make_tracer(T&&...) = delete;
template <class... T> void same_structure(T&&...) = delete;
template <class... T> void under(T&&...) = delete;
template <class... T> void same_types(T&&...) = delete;
template <class... T> void tree_map(T&&...) = delete;
template <class... T> void jvp(T&&...) = delete;
template <class... T> void visit_members(T&&...) = delete;
template <class... T> void invoke(T&&...) = delete;

}  // namespace program

TEST_CASE("a program's own functions win over the library's of the same name") {
  const Array x(1.0), y(2.0);
  const program::Net n{y};
  using namespace program;
  CHECK(apply(n, x).item<double>() == 2);
  CHECK(apply(x).item<double>() == 1);
  CHECK(program::relu(x).item<double>() == 100);
  CHECK(softmax(x, 0).item<double>() == 100);
  CHECK(clip(x, -1, 1).item<double>() == 100);
  CHECK(sum({x, y}).item<double>() == 100);
  CHECK(map([](Array a) { return a; }, x).item<double>() == 100);
  CHECK(std::abs(generic(x).item<double>() - generic(1.0)) < 1e-12);
}

TEST_CASE("the library does not call what the program happens to have") {
  const program::Tree m{Array(1.0)};
  CHECK(fx::jit([](program::Tree t) { return t.a; })(m).item<double>() == 1);
  CHECK(fx::grad([](program::Tree t) { return t.a * t.a; })(m).a.item<double>() == 2);
  CHECK(fx::vmap([](program::Tree t) { return t; })(program::Tree{fx::ones({2})}).a.shape() ==
        fx::Shape({2}));
  CHECK(fx::tree_paths(m) == std::vector<std::string>{"a"});
  CHECK(fx::tree_map([](Array a) { return a + 1; }, m).a.item<double>() == 2);
  auto [o, pull] = fx::vjp([](program::Tree t) { return t; }, m);
  CHECK(std::get<0>(pull(m)).a.item<double>() == 1);
  auto [o2, lin] = fx::linearize([](program::Tree t) { return t; }, m);
  CHECK(lin(m).a.item<double>() == 1);
  auto opt = fx::nn::adam();
  auto state = opt.init(m);
  CHECK(opt.update(m, state, m).first.a.item<double>() < 0);
  CHECK(fx::jvp([](program::Tree t) { return t; }, m, m).second.a.item<double>() == 1);
}

TEST_CASE("one argument that is a pair is one argument") {
  const Array x(1.0), y(2.0);
  const std::pair<Array, Array> state{x, y};
  static_assert(std::is_same_v<decltype(std::tuple{state}),
                               std::tuple<Array, Array>>);  // deduction opens the pair,
  auto f = [](std::pair<Array, Array> s) { return s.first * s.second; };
  auto [v, t] = fx::jvp(f, state, state);  // so this form says what is meant
  CHECK(v.item<double>() == 2);
  CHECK(t.item<double>() == 4);
  auto [v2, t2] = fx::jvp(f, std::make_tuple(state), std::make_tuple(state));
  CHECK(t2.item<double>() == 4);
  auto [v3, t3] = fx::jvp([](Array a) { return a * a; }, 3.0, 1.0);
  static_assert(std::is_same_v<decltype(v3), Array>);
  CHECK(t3.item<double>() == 6);
}

TEST_CASE("arrays live in containers, are tied, swapped and chosen") {
  const Array x(1.0), y(2.0);
  Array a, b;
  std::tie(a, b) = std::pair{x, y};
  std::tie(a, b) = fx::jit([](Array p, Array q) { return std::tuple{q, p}; })(a, b);
  CHECK(a.item<double>() == 2);
  std::tie(a, std::ignore) = std::tuple{x, y};
  CHECK(a.item<double>() == 1);
  std::swap(a, b);
  CHECK(b.item<double>() == 1);
  const bool flag = true;
  Array c = flag ? a : Array(0.f);
  c = flag ? a + 1 : b;
  c = flag ? c : 0.f;
  std::vector<Array> list{x, y, 3.0};
  std::map<std::string, Array> map{{"a", x}, {"b", 2.f}};
  std::optional<Array> maybe = x;
  maybe = 2.0;
  std::array<Array, 2> two{x, 1};
  std::pair<Array, Array> pair{1.0, x};
  list.push_back(2.0);
  map["c"] = 3;
  map.emplace("d", 1.0);
  Array total = 0.0;
  for (auto& e : list) total += e;
  CHECK(total.item<double>() == 8);
  CHECK(two[1].item<int>() == 1);
  CHECK(pair.first.item<double>() == 1);
  for (auto s : fx::zeros({2, 3}).shape())
    CHECK(s > 0);  // the shape of a temporary does not dangle
  std::sort(list.begin(), list.end(), [](const Array& p, const Array& q) {
    return p.item<double>() < q.item<double>();
  });
  CHECK(list[3].item<double>() == 3);
}

TEST_CASE("operators take numbers of every type on either side") {
  const Array x(1.0), y(2.0);
  CHECK(((x == y) | (x != y)).item<bool>());
  CHECK((1 == x).item<bool>());
  CHECK((x == 1u).item<bool>());
  CHECK_FALSE((2.f < x).item<bool>());
  CHECK_FALSE((x >= std::size_t{3}).item<bool>());
  CHECK((x == true).item<bool>());
  CHECK((!(x > 5)).item<bool>());
  CHECK((1 << fx::array({3})).item<int>() == 8);
  CHECK((2 - x).item<double>() == 1);
  Array a = fx::array({6});
  a += 1;
  a -= 2;
  a *= 3;
  a /= 2;
  a %= 4;
  a <<= 3;
  a >>= 1;
  a |= 1;
  a ^= 3;
  a &= 14;
  CHECK(a.item<int>() == (((((((((6 + 1 - 2) * 3) / 2) % 4) << 3) >> 1) | 1) ^ 3) & 14));
  static_assert(!std::is_convertible_v<Array, bool> && !std::is_convertible_v<Array, float>);
  static_assert(!std::is_constructible_v<Array, std::nullptr_t> &&
                !std::is_constructible_v<Array, const char*> &&
                !std::is_constructible_v<Array, char>);
  static_assert(!std::equality_comparable<Array>);
}

TEST_CASE("explicit conversions ask for the value and convert it as C++ does") {
  CHECK(float(Array(2.5)) == 2.5f);
  CHECK(int(Array(-2.5)) == -2);
  CHECK(bool(Array(0.5f)));
  CHECK(static_cast<double>(Array(3)) == 3);
  CHECK(static_cast<std::uint8_t>(Array(200)) == 200);
  bool entered = false;
  if (Array(1) < 2 && !(Array(1) > 2)) entered = true;
  CHECK(entered);
  int steps = 0;
  for (Array x(1.0); x < 100; x = x * 3) ++steps;
  CHECK(steps == 5);
  CHECK(refusal([] { (void)float(fx::ones({2})); }).find("error[item-size]") == 0);
}

TEST_CASE("arrays are made of memory that fits their shape") {
  const std::vector<float> numbers(12, 1.f);
  CHECK(fx::from_span(std::span<const float>(numbers), {3, 4}).shape() == fx::Shape({3, 4}));
  CHECK(refusal([&] { fx::from_span(std::span<const float>(numbers), {3, 5}); }) ==
        "error[element-count]: from_span: 12 numbers do not fill the shape [3,5], which has 15");
  check_array(fx::array(std::vector<bool>{true, false}), {2}, {1, 0});
  CHECK(fx::array({true, false}).to_vector<bool>() == std::vector<bool>{true, false});
  CHECK(refusal([] { fx::array({{1, 2}, {3}}); }).find("error[ragged]") == 0);
  CHECK(refusal([] { (void)fx::ones({2}).to_vector<double>(); }).find("error[host-dtype]") == 0);
}

TEST_CASE("library functions are values") {
  const Array x(1.0);
  CHECK(fx::grad(fx::tanh)(x).item<double>() == Approx(1 - std::tanh(1) * std::tanh(1)));
  CHECK(fx::grad(fx::sum)(fx::ones({3})).shape() == fx::Shape({3}));
  CHECK(fx::vmap(fx::multiply)(fx::ones({2}), fx::ones({2})).shape() == fx::Shape({2}));
  CHECK(fx::jit(fx::matmul)(fx::ones({2, 3}), fx::ones({3, 2})).shape() == fx::Shape({2, 2}));
  auto [value, tangent] = fx::jvp(fx::sin, x, x);
  CHECK(tangent.item<double>() == Approx(std::cos(1)));
}

TEST_CASE("errors name the line of the operand that is wrong") {
  const Array a = fx::ones({3, 4});
  Array none;
  CHECK(line_of([&] { (void)(none + 1); }) == __LINE__);
  CHECK(line_of([&] { (void)(1 + none); }) == __LINE__);
  CHECK(line_of([&] { (void)-none; }) == __LINE__);
  CHECK(line_of([&] { (void)none[0]; }) == __LINE__);
  CHECK(line_of([&] { (void)none[{0, fx::all}]; }) == __LINE__);
  CHECK(line_of([&] { (void)none.item<float>(); }) == __LINE__);
  CHECK(line_of([&] { (void)none.shape(); }) == __LINE__);
  CHECK(line_of([&] { none += 1; }) == __LINE__);
  CHECK(line_of([&] { (void)fx::sin(none); }) == __LINE__);
  CHECK(line_of([&] { (void)fx::max(fx::sum(none, 1)); }) == __LINE__);
  CHECK(line_of([&] { (void)fx::concatenate({a, none}); }) == __LINE__);
  const std::vector<Array> one{a}, two{a, a};
  auto first = [](Array p, Array) { return p; };
  CHECK(line_of([&] { fx::tree_map(first, one, two); }) == __LINE__);
  // clang-format off
  const unsigned line = __LINE__;
  auto left = [&] {
    return fx::matmul(none,
                      a); };
  auto inside = [&] {
    return fx::matmul(a,
                      fx::sum(a, 7)); };
  auto right = [&] {
    return a + a *
        none; };
  // clang-format on
  CHECK(line_of(left) == line + 2);
  CHECK(line_of(inside) == line + 6);
  CHECK(line_of(right) == line + 9);
}

TEST_CASE("a call of a transform names the line of the call or of the function's body") {
  struct Bad {
    Array w;
    Array operator()(Array p) const { return w + p; }
  };
  const unsigned body = __LINE__ - 2;
  CHECK(line_of([&] { fx::jit(Bad{})(Array(1.0)); }) == body);
  fx::nn::Linear broken;
  CHECK(line_of([&] { (void)broken(fx::ones({2})); }) == __LINE__);
}

TEST_CASE("functions of more arguments than overloads") {
  auto product = [](Array p, Array q, auto... more) { return (p * q * ... * more); };
  const Array one(1.0), y(2.0);
  CHECK(fx::jit(product)(one, one, one, one, one, one, one, one, one, y).item<double>() == 2);
  auto g = fx::grad<0, 9>(product)(one, one, one, one, one, one, one, one, one, y);
  CHECK(std::get<0>(g).item<double>() == 2);
  CHECK(std::get<1>(g).item<double>() == 1);
}
