// How a test program is taken apart, and what its checks ask.
#include "interop/stablehlo_test.hpp"

#include "fluxion/tree.hpp"
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"
#include "trace/tensor.hpp"

#include <cmath>
#include <cstring>

namespace fluxion::stablehlo {
namespace {

Array repeated(const Elements& e, const Site& site) {
  const auto count = static_cast<std::size_t>(element_count(e.type.shape)),
             size = size_of(e.type.dtype);
  if (!e.splat) return detail::make_array(e.bytes.data(), e.type.shape, e.type.dtype, site);
  std::vector<unsigned char> bytes(count * size);
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(bytes.data() + i * size, e.bytes.data(), size);
  return detail::make_array(bytes.data(), e.type.shape, e.type.dtype, site);
}

/// The values of a function without arguments: read off where it returns literals, computed where
/// it does not.
ArrayList values(Lowering& lowering, std::string_view name, Location at) {
  const Definition* f = lowering.module().find(name);
  if (!f)
    fail_at("stablehlo-program", lowering.site(), at, "there is no function @" + std::string(name));
  std::vector<const Elements*> literals(static_cast<std::size_t>(f->value_count));
  bool all = true;
  for (const Operation& o : f->body.operations) {
    const Attribute* value = o.name == "stablehlo.constant" ? o.find("value") : nullptr;
    if (value && o.results.size() == 1)
      literals[static_cast<std::size_t>(o.first_result)] = value->elements.get();
    else
      all = all && o.name == "return";
  }
  ArrayList out;
  if (all && !f->body.operations.empty()) {
    for (ValueNumber v : f->body.operations.back().operands)
      if (const Elements* e = literals[static_cast<std::size_t>(v)])
        out.push_back(repeated(*e, lowering.site()));
    return out;
  }
  const Traced& traced = lowering.function(name, at);
  return inline_graph(*traced.graph, traced.captures);
}

bool holds_transform(const Region& region) {
  for (const Operation& o : region.operations) {
    if (o.name == "stablehlo.fft") return true;
    for (const Region& r : o.regions)
      if (holds_transform(r)) return true;
  }
  return false;
}

std::string rule_of(const Operation& o) {
  std::string name = o.name;
  if (const Attribute* target =
          o.name == "stablehlo.custom_call" ? o.find("call_target_name") : nullptr)
    name = target->text;
  return name.starts_with("check.expect_") ? name.substr(13) : std::string();
}

// ---- comparing ----
struct Comparison {
  bool equal;
  double distance;  // in units in the last place, or absolute
};

template <class T>
using Bits = std::conditional_t<sizeof(T) == 2,
                                std::int16_t,
                                std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>>;

/// The position among all numbers of the type, in order.
template <class T> std::int64_t ordinal(T v) {
  Bits<T> bits;
  std::memcpy(&bits, &v, sizeof v);
  return bits < 0 ? static_cast<std::int64_t>(std::numeric_limits<Bits<T>>::min()) - bits : bits;
}

template <class T> double wide(T v) {
  return static_cast<std::conditional_t<sizeof(T) == 8, double, float>>(v);
}

template <class T> Comparison compare_real(std::string_view rule, T a, T b) {
  const double x = wide(a), y = wide(b);
  if (std::isnan(x) || std::isnan(y))
    return {std::isnan(x) && std::isnan(y), std::numeric_limits<double>::quiet_NaN()};
  if (x == y) return {true, 0};
  if (rule == "eq" || std::isinf(x) || std::isinf(y)) return {false, std::abs(x - y)};
  if (rule == "almost_eq") return {std::abs(x - y) <= 1e-3, std::abs(x - y)};
  const std::int64_t i = ordinal(a), j = ordinal(b);
  const std::uint64_t far = i > j ? static_cast<std::uint64_t>(i) - static_cast<std::uint64_t>(j)
                                  : static_cast<std::uint64_t>(j) - static_cast<std::uint64_t>(i);
  return {far <= 3, static_cast<double>(far)};
}

template <class T> Comparison compare(std::string_view rule, T a, T b) {
  if constexpr (std::is_same_v<T, Complex64> || std::is_same_v<T, Complex128>) {
    const Comparison re = compare_real(rule, a.real, b.real),
                     im = compare_real(rule, a.imag, b.imag);
    return {re.equal && im.equal, std::max(re.distance, im.distance)};
  } else if constexpr (std::is_integral_v<T>) {
    return {a == b, std::abs(static_cast<double>(a) - static_cast<double>(b))};
  } else {
    return compare_real(rule, a, b);
  }
}

template <class T> std::string shown(T v) {
  char buffer[80];
  if constexpr (std::is_same_v<T, Complex64> || std::is_same_v<T, Complex128>)
    std::snprintf(buffer,
                  sizeof buffer,
                  "(%.17g, %.17g)",
                  static_cast<double>(v.real),
                  static_cast<double>(v.imag));
  else if constexpr (std::is_integral_v<T>)
    return std::to_string(v);
  else
    std::snprintf(buffer, sizeof buffer, "%.17g", wide(v));
  return buffer;
}

std::string compare_all(std::string_view rule,
                        const Spec& type,
                        const void* got,
                        const void* wanted) {
  return by_dtype(type.dtype, [&](auto tag) -> std::string {
    using T = typename decltype(tag)::type;
    const std::int64_t n = element_count(type.shape);
    const auto *a = static_cast<const T*>(got), *b = static_cast<const T*>(wanted);
    std::int64_t wrong = 0, worst = 0;
    double far = -1;
    for (std::int64_t i = 0; i < n; ++i) {
      const Comparison c = compare<T>(rule, a[i], b[i]);
      if (c.equal) continue;
      const double distance =
          std::isnan(c.distance) ? std::numeric_limits<double>::infinity() : c.distance;
      if (distance > far) far = distance, worst = i;
      ++wrong;
    }
    if (!wrong) return {};
    return std::to_string(wrong) + " of " + std::to_string(n) + " elements of " + to_string(type) +
           " differ (" + std::string(rule) + "); element " + std::to_string(worst) + " is " +
           shown(a[worst]) + ", expected " + shown(b[worst]);
  });
}

/// ||got - wanted|| <= bound ||wanted||, as a Fourier transform's errors go.
std::string compare_norm(const Spec& type, const void* got, const void* wanted) {
  double distance = 0, norm = 0;
  by_dtype(type.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto *a = static_cast<const T*>(got), *b = static_cast<const T*>(wanted);
    const auto add = [&](double x, double y) { distance += (x - y) * (x - y), norm += y * y; };
    for (std::int64_t i = 0; i < element_count(type.shape); ++i) {
      if constexpr (std::is_same_v<T, Complex64> || std::is_same_v<T, Complex128>)
        add(a[i].real, b[i].real), add(a[i].imag, b[i].imag);
      else if constexpr (std::is_integral_v<T>)
        add(static_cast<double>(a[i]), static_cast<double>(b[i]));
      else
        add(wide(a[i]), wide(b[i]));
    }
  });
  const double bound = type.dtype == float64 || type.dtype == complex128 ? 1e-14 : 1e-6;
  if (std::sqrt(distance) <= bound * std::sqrt(norm)) return {};
  return "the relative distance is " + shown(std::sqrt(distance / norm));
}

}  // namespace

TestProgram::TestProgram(std::string_view text, Site site) {
  const SiteScope here(site);
  const std::vector<Module> modules = parse(text, site);
  const Module& module = modules.front();
  const Definition* main = module.find("main");
  if (!main) fail("stablehlo-program", site, "stablehlo: the text has no function @main");
  Lowering lowering(module, site);
  for (const Definition& f : module.functions) transforms_ = transforms_ || holds_transform(f.body);
  Values all = values_of(*main);
  std::vector<Array> expected(static_cast<std::size_t>(main->value_count));
  FrameScope scope(Frame::Kind::unbound, "stablehlo", site);
  ArrayList results;
  for (const Operation& o : main->body.operations) {
    if (o.name == "return") continue;
    for (std::size_t k = 0; k < o.results.size(); ++k)
      all.definitions[static_cast<std::size_t>(o.first_result) + k] = &o;
    const Attribute* callee = o.name == "call" ? o.find("callee") : nullptr;
    const std::string rule = rule_of(o);
    ArrayList recorded;
    if (callee && (callee->text == "inputs" || callee->text == "expected")) {
      ArrayList given;
      {
        const BelowScope outside(scope.frame());
        given = values(lowering, callee->text, o.at);
      }
      if (given.size() != o.results.size())
        fail_at("stablehlo-program",
                site,
                o.at,
                "@" + callee->text + " has " + std::to_string(given.size()) + " results");
      for (std::size_t k = 0; k < given.size(); ++k) {
        if (!(type_of(given[k]) == o.results[k]))
          fail_at(
              "stablehlo-program", site, o.at, "@" + callee->text + " has results of other types");
        if (callee->text == "inputs")
          inputs_.push_back(given[k]), recorded.push_back(scope.input(o.results[k], site));
        else
          expected[static_cast<std::size_t>(o.first_result) + k] = given[k],
                                                              recorded.push_back(given[k]);
      }
    } else if (!rule.empty()) {
      if (rule != "eq" && rule != "close" && rule != "almost_eq")
        fail_at("stablehlo-program", site, o.at, "the check " + rule + " is not known");
      if (o.operands.size() != 2)
        fail_at("stablehlo-program", site, o.at, "a check takes two operands");
      const auto a = static_cast<std::size_t>(o.operands[0]),
                 b = static_cast<std::size_t>(o.operands[1]);
      if (!defined(all.arrays[a]) || !defined(all.arrays[b]) ||
          !(type_of(all.arrays[a]) == type_of(all.arrays[b])))
        fail_at("stablehlo-program", site, o.at, "a check of two types");
      Check check{rule, expected[b], static_cast<int>(results.size()), 0};
      results.push_back(all.arrays[a]);
      if (!defined(check.expected)) {
        check.against = static_cast<int>(results.size());
        results.push_back(all.arrays[b]);
      }
      checks_.push_back(std::move(check));
    } else {
      recorded = lowering.operation(o, all);
    }
    for (std::size_t k = 0; k < recorded.size(); ++k)
      all.arrays[static_cast<std::size_t>(o.first_result) + k] = recorded[k];
  }
  if (checks_.empty()) fail("stablehlo-program", site, "stablehlo: the program checks nothing");
  Traced traced = close_exactly(scope, results);
  captures_ = std::move(traced.captures);
  graph_ = detail::Ref<const detail::Shared>(traced.graph.raw());
}

std::vector<Array> TestProgram::operator()(const std::vector<Array>& inputs) const {
  ArrayList operands = inputs;
  operands.insert(operands.end(), captures_.begin(), captures_.end());
  return inline_graph(static_cast<const Graph&>(*graph_), operands);
}

std::string TestProgram::differences(const std::vector<Array>& results) const {
  const Site site = Site::current();
  detail::eval_flat(results, site);
  for (const Check& c : checks_) {
    const Array& got = results[static_cast<std::size_t>(c.result)];
    const Array& wanted =
        defined(c.expected) ? c.expected : results[static_cast<std::size_t>(c.against)];
    detail::eval_flat({wanted}, site);
    const Spec type = type_of(got);
    const void *a = detail::host_bytes(got, site), *b = detail::host_bytes(wanted, site);
    std::string text =
        transforms_ && c.rule != "eq" ? compare_norm(type, a, b) : compare_all(c.rule, type, a, b);
    if (!text.empty()) return text;
  }
  return {};
}

}  // namespace fluxion::stablehlo
