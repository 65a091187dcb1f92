// Reflection and trees: members of plain structs counted and named, arrays taken out and put back,
// static members kept.
#include "fluxion/nn.hpp"
#include "tests/support/values.hpp"

#include <functional>
#include <map>
#include <memory>

namespace fx = fluxion;
using namespace fluxion::test;
using fx::Array;
using fx::detail::member_count;
using Names = std::vector<std::string>;

namespace {

enum class Kind { square, cube };
Array plain(const Array& x) { return x; }
struct Leaf {
  Array w, b;
};
struct Empty {};
struct Tag {};
struct One {
  Array a;
};
struct Arrays {
  std::array<Array, 2> pair;
  Array after;
  std::array<Leaf, 3> leaves;
  std::array<std::array<Array, 2>, 2> grid;
  int n = 3;
};
struct CArrays {
  Array w[2];
  Leaf l[2];
  float f[3];
  Array z;
};
struct Containers {
  std::vector<Leaf> v;
  std::map<std::string, Array> m;
  std::optional<Array> o;
  std::optional<Leaf> none;
  std::tuple<Array, Leaf, int> t;
  std::pair<Array, std::string> p;
  std::map<int, Leaf> by_number;
};
struct Statics {
  Array w;
  Kind kind = Kind::cube;
  int i = 1;
  bool flag = true;
  double d = 2.5;
  std::string s = "s";
  const char* c = "c";
  std::string_view sv = "sv";
  Array (*fn)(const Array&) = plain;
  fx::nn::Activation act = fx::tanh;
  std::vector<bool> bits{true, false};
  std::vector<int> ints{1, 2};
  std::array<float, 2> fs{1, 2};
  fx::DType dtype = fx::float64;
  fx::Shape shape{2, 3};
  std::optional<int> maybe = 3;
  Empty empty;
  Tag tag;
  std::tuple<> nothing;
  Array b;
};
struct Wide {
  Array a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19,
      a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31;
};
struct Mixin {};
struct WithMixin : Mixin {
  Array w;
  int k = 2;
};
struct Rec {
  Array value;
  std::vector<Rec> children;
};
struct HoldsFunction {
  Array w;
  std::function<Array(Array)> f;
};
template <class T> struct Moments {
  Array count;
  T mean, square;
};
template <class F> struct Layer {
  Array w;
  F f;
};
struct Konst {
  const int n = 4;
  Array a;
};
struct Single {
  Leaf only;
};
struct OnlyOptional {
  std::optional<Array> o;
};

template <class T> T fresh(const T& t) {
  return fx::tree_map([](Array) { return Array(7.0); }, t);
}
const Array x(1.0), y(2.0);

}  // namespace

TEST_CASE("members are counted, whatever they are") {
  CHECK(member_count<Empty> == 0);
  CHECK(member_count<One> == 1);
  CHECK(member_count<Leaf> == 2);
  CHECK(member_count<Arrays> == 5);
  CHECK(member_count<CArrays> == 4);
  CHECK(member_count<Containers> == 7);
  CHECK(member_count<Statics> == 20);
  CHECK(member_count<Wide> == 32);
  CHECK(member_count<WithMixin> == 2);
  CHECK(member_count<Rec> == 2);
  CHECK(member_count<Moments<Leaf>> == 3);
  CHECK(member_count<Konst> == 2);
  CHECK(member_count<Single> == 1);
}

TEST_CASE("arrays of arrays are trees") {
  const Arrays arrays{{x, y}, x, {Leaf{x, y}, Leaf{x, y}, Leaf{x, y}}, {{{x, y}, {x, y}}}};
  CHECK(fx::tree_leaves(arrays).size() == 13);
  CHECK(fx::tree_paths(arrays) == Names{"pair.0",
                                        "pair.1",
                                        "after",
                                        "leaves.0.w",
                                        "leaves.0.b",
                                        "leaves.1.w",
                                        "leaves.1.b",
                                        "leaves.2.w",
                                        "leaves.2.b",
                                        "grid.0.0",
                                        "grid.0.1",
                                        "grid.1.0",
                                        "grid.1.1"});
  const Arrays changed = fresh(arrays);
  CHECK(changed.grid[1][1].item<double>() == 7);
  CHECK(changed.n == 3);
  CHECK(arrays.grid[1][1].item<double>() == 2);
  const CArrays c{{x, y}, {{x, y}, {x, y}}, {1, 2, 3}, y};
  CHECK(fx::tree_paths(c) == Names{"w.0", "w.1", "l.0.w", "l.0.b", "l.1.w", "l.1.b", "z"});
  CHECK(fresh(c).l[1].b.item<double>() == 7);
  CHECK(fresh(c).f[2] == 3);
}

TEST_CASE("standard containers are trees") {
  const Containers c{{{x, y}, {x, y}},
                     {{"scale", x}, {"bias", y}},
                     x,
                     {},
                     {x, {x, y}, 5},
                     {x, "label"},
                     {{3, {x, y}}}};
  CHECK(fx::tree_paths(c) == Names{"v.0.w",
                                   "v.0.b",
                                   "v.1.w",
                                   "v.1.b",
                                   "m.bias",
                                   "m.scale",
                                   "o",
                                   "t.0",
                                   "t.1.w",
                                   "t.1.b",
                                   "p.0",
                                   "by_number.3.w",
                                   "by_number.3.b"});
  const Containers changed = fresh(c);
  CHECK(changed.m.at("scale").item<double>() == 7);
  CHECK(changed.o->item<double>() == 7);
  CHECK_FALSE(changed.none.has_value());
  CHECK(std::get<2>(changed.t) == 5);
  CHECK(changed.p.second == "label");
  CHECK(fx::tree_paths(OnlyOptional{}).empty());
  CHECK(fx::tree_paths(OnlyOptional{x}) == Names{"o"});
  CHECK(fx::tree_paths(std::tuple{x, Leaf{x, y}, 3}) == Names{"0", "1.w", "1.b"});
  CHECK(fx::tree_paths(x) == Names{""});
  CHECK(fx::tree_leaves(3).empty());
}

TEST_CASE("static members are handed through") {
  Statics s;
  s.w = x;
  s.b = y;
  s.i = 42;
  s.s = "changed";
  s.bits = {false, true, true};
  CHECK(fx::tree_paths(s) == Names{"w", "b"});
  const Statics t = fresh(s);
  CHECK(t.i == 42);
  CHECK(t.s == "changed");
  CHECK(t.fn == plain);
  CHECK(t.act == s.act);
  CHECK(t.bits == s.bits);
  CHECK(t.dtype == fx::float64);
  CHECK(t.shape == fx::Shape({2, 3}));
  CHECK(t.b.item<double>() == 7);
  const Statics g = fx::grad([](Statics v) { return v.w * v.b; })(s);
  CHECK(g.i == 42);
  CHECK(g.w.item<double>() == 2);
}

TEST_CASE("wide, recursive, derived, generic and constant members") {
  const Wide w = fresh(Wide{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x,
                            x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x});
  CHECK(fx::tree_leaves(w).size() == 32);
  CHECK(fx::tree_paths(w).back() == "a31");
  CHECK(w.a31.item<double>() == 7);
  CHECK(fx::tree_paths(WithMixin{{}, x}) == Names{"w"});
  CHECK(fx::tree_paths(Rec{x, {{y, {}}, {y, {{x, {}}}}}}) ==
        Names{"value", "children.0.value", "children.1.value", "children.1.children.0.value"});
  CHECK(fresh(Rec{x, {{y, {}}}}).children[0].value.item<double>() == 7);
  CHECK(fx::tree_paths(Moments<Leaf>{x, {x, y}, {x, y}}) ==
        Names{"count", "mean.w", "mean.b", "square.w", "square.b"});
  CHECK(fx::tree_paths(Konst{4, x}) == Names{"a"});
  CHECK(fresh(Konst{4, x}).a.item<double>() == 7);
  const HoldsFunction f{x, [](Array a) { return a; }};
  CHECK(fresh(f).f(y).item<double>() == 2);
}

TEST_CASE("local, nested, anonymous and Greek members have their names") {
  struct Local {
    Array scale;
    std::vector<Leaf> layers;
    int n = 2;
  };
  struct Nested {
    Local inner;
    std::array<Local, 2> more;
  };
  CHECK(fx::tree_paths(Local{x, {{x, y}}}) == Names{"scale", "layers.0.w", "layers.0.b"});
  CHECK(fx::tree_paths(Nested{{x, {}}, {Local{x, {}}, Local{x, {}}}}) ==
        Names{"inner.scale", "more.0.scale", "more.1.scale"});
  auto in_generic_lambda = [&](auto v) {
    struct Inner {
      decltype(v) deepest;
    };
    return fx::tree_paths(Inner{v});
  };
  CHECK(in_generic_lambda(x) == Names{"deepest"});
  CHECK(in_generic_lambda(Leaf{x, y}) == Names{"deepest.w", "deepest.b"});
  struct {
    Array unnamed_member;
    int k = 1;
  } anonymous{x};
  CHECK(fx::tree_paths(anonymous) == Names{"unnamed_member"});
  auto closure = [](Array a) { return a; };
  CHECK(fx::tree_paths(Layer<decltype(closure)>{x, closure}) == Names{"w"});
  struct Greek {
    Array θ, λ_2;
  };
  CHECK(fx::tree_paths(Greek{x, y}) == Names{"θ", "λ_2"});
}

TEST_CASE("static members are part of a jitted function's signature") {
  Statics s;
  s.w = x;
  s.b = y;
  int traced = 0;
  auto j = fx::jit([&](Statics m, Array v) {
    ++traced;
    return m.w * v;
  });
  j(s, x);
  j(s, y);
  CHECK(traced == 1);
  Statics t = s;
  t.kind = Kind::square;
  j(t, x);
  CHECK(traced == 2);
  j(s, x);
  j(t, y);
  CHECK(traced == 2);
  t = s;
  t.act = fx::sin;
  j(t, x);
  CHECK(traced == 3);
  t.act = fx::tanh;
  j(t, x);
  CHECK(traced == 3);
  t = s;
  t.act = [](Array a) { return a * 2; };
  j(t, x);
  j(t, x);
  CHECK(traced == 4);
  t = s;
  t.ints = {9};
  j(t, x);
  CHECK(traced == 5);
  t = s;
  t.c = "d";
  j(t, x);
  CHECK(traced == 6);
  t.fn = nullptr;
  j(t, x);
  CHECK(traced == 7);
}

TEST_CASE("sizes, keys and presence are part of the signature") {
  int traced = 0;
  auto k =
      fx::jit([&](std::vector<Leaf> v, std::optional<Array> o, std::map<std::string, Array> m) {
        ++traced;
        return v.size() + m.size() + o.has_value() > 2 ? x : y;
      });
  const std::vector<Leaf> v1(1, Leaf{x, y}), v2(2, Leaf{x, y});
  const std::map<std::string, Array> m1{{"a", x}}, m2{{"b", x}};
  k(v1, x, m1);
  k(v1, y, m1);
  CHECK(traced == 1);
  k(v2, x, m1);
  CHECK(traced == 2);
  k(v1, std::optional<Array>(), m1);
  CHECK(traced == 3);
  k(v1, x, m2);
  CHECK(traced == 4);
  k(v1, std::nullopt, m2);
  CHECK(traced == 5);
}

TEST_CASE("the parameter's type decides what is traced") {
  int traced = 0;
  auto p = fx::jit([&](Array a, Array rate, int n) {
    ++traced;
    return a * rate * n;
  });
  p(x, 0.1, 3);
  p(x, 0.2, 3);
  CHECK(traced == 1);
  p(x, 0.1, 4);
  CHECK(traced == 2);
  p(x, 0.1f, 4);
  CHECK(traced == 3);
  traced = 0;
  auto jg = fx::jit(fx::grad([&](Array a, Array rate) {
    ++traced;
    return a * rate;
  }));
  jg(x, 0.1);
  jg(x, 0.2);
  jg(3.0, 0.2);
  CHECK(traced == 1);
}

TEST_CASE("results have static parts, several types, or nothing") {
  auto r = fx::jit([](Array a) { return std::tuple{a, std::string("note"), Leaf{a, a}, 3}; })(x);
  static_assert(std::is_same_v<decltype(r), std::tuple<Array, std::string, Leaf, int>>);
  CHECK(std::get<1>(r) == "note");
  CHECK(std::get<3>(r) == 3);
  auto nullary = fx::jit([] { return fx::ones({3}); });
  CHECK(nullary().shape() == fx::Shape({3}));
  auto [ga, gb] = fx::grad<0, -1>([](std::map<std::string, Array> m, int k, std::vector<Array> v) {
    return m.at("a") * v.at(0) * k;
  })(std::map<std::string, Array>{{"a", x}}, 3, std::vector<Array>{y});
  static_assert(std::is_same_v<decltype(ga), std::map<std::string, Array>> &&
                std::is_same_v<decltype(gb), std::vector<Array>>);
  CHECK(ga.at("a").item<double>() == 6);
  CHECK(gb.at(0).item<double>() == 3);
}

TEST_CASE("anything invocable is transformed") {
  struct Functor {
    Array w;
    Array operator()(const Array& a) const { return w * a; }
  };
  const Functor functor{x};
  CHECK(fx::jit(functor)(y).item<double>() == 2);
  auto only = fx::jit([p = std::make_unique<int>(3)](Array a) { return a * *p; });
  CHECK(only(x).item<double>() == 3);
  Array (*pointer)(const Array&) = plain;
  CHECK(fx::grad(pointer)(x).item<double>() == 1);
  CHECK(fx::grad(plain)(x).item<double>() == 1);
  CHECK(fx::grad(&Leaf::w)(Leaf{x, y}).w.item<double>() == 1);
  const std::function<Array(Array)> erased = fx::jit(fx::grad(plain));
  CHECK(erased(x).item<double>() == 1);
  CHECK(fx::tree_map(
            [](Array a, Array b, Array c) { return a + b + c; }, Leaf{x, y}, Leaf{x, y}, Leaf{x, y})
            .b.item<double>() == 6);
}

TEST_CASE("an rvalue argument gives its arrays away, but not to a call that is refused") {
  auto refuse = fx::jit([](Leaf l, Array a) {
    (void)a[9];
    return l;
  });
  Leaf mine{Array(1.0), Array(2.0)};
  CHECK(refusal([&] { refuse(std::move(mine), fx::ones({2})); }).find("error[index]") == 0);
  CHECK(mine.w.item<double>() == 1);
  auto step = fx::jit([](Leaf l) { return l; });
  const Leaf before = mine;
  mine = step(std::move(mine));
  CHECK(mine.b.item<double>() == 2);
  CHECK(before.b.item<double>() == 2);
  Leaf gone = before;
  const Leaf kept = step(std::move(gone));
  CHECK(kept.w.item<double>() == 1);
  CHECK(refusal([&] { (void)gone.w.shape(); }).find("error[empty-array]") == 0);
}
