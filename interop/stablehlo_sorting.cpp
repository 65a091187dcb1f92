// StableHLO's sort with any comparison, and the largest elements.
#include "fluxion/sorting.hpp"
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"
#include "trace/ops/sort.hpp"
#include "trace/tensor.hpp"

#include <algorithm>

namespace fluxion::stablehlo {
namespace {

// ---- comparisons that a sort by keys makes ----
enum class Part { whole, real, imaginary };
/// An argument of the comparison, as it is looked at: which array's, the left or the right one, a
/// part of it; with -0 and NaN made equal to 0 and one NaN.
struct Looked {
  std::size_t array = 0;
  int side = 0;
  Part part = Part::whole;
  bool one_zero = false, one_nan = false;
};
struct Key {
  std::size_t array;
  Part part;
};

class Comparison {
 public:
  Comparison(const Region& region, Values& values, const Step& step)
      : region_(region), values_(values), step_(step) {
    for (const Operation& o : region.operations)
      for (std::size_t k = 0; k < o.results.size(); ++k)
        values_.definitions[static_cast<std::size_t>(o.first_result) + k] = &o;
  }

  /// The keys, one after the other, and whether the greater comes first; nothing if the region
  /// compares in another way.
  bool keys(std::vector<Key>& out, bool& descending) {
    const Operation& last = region_.operations.back();
    if (last.name != "return" || last.operands.size() != 1) return false;
    out_ = &out;
    descending_ = &descending;
    return lexicographic(last.operands[0], 0);
  }

 private:
  const Operation* made_by(ValueNumber v, std::string_view name) const {
    const Operation* o = values_.definitions[static_cast<std::size_t>(v)];
    return o && o->name == name ? o : nullptr;
  }
  static std::string word(const Operation& o, std::string_view attribute, std::size_t place) {
    const Attribute* a = o.find(attribute);
    return a ? a->text : place < o.words.size() ? o.words[place] : std::string();
  }

  std::optional<Looked> looked(ValueNumber v, int depth = 0) const {
    if (depth > 6) return {};
    for (std::size_t k = 0; k < region_.arguments.size(); ++k)
      if (region_.arguments[k] == v) return Looked{k / 2, static_cast<int>(k % 2)};
    for (Part part : {Part::real, Part::imaginary})
      if (const Operation* o = made_by(v, part == Part::real ? "stablehlo.real" : "stablehlo.imag");
          o && o->operands.size() == 1)
        if (std::optional<Looked> x = looked(o->operands[0], depth + 1);
            x && x->part == Part::whole) {
          x->part = part;
          return x;
        }
    const Operation* chosen = made_by(v, "stablehlo.select");
    if (!chosen || chosen->operands.size() != 3) return {};
    const Operation* asked = made_by(chosen->operands[0], "stablehlo.compare");
    const Elements* literal = step_.literal_of(chosen->operands[1]);
    if (!asked || asked->operands.size() != 2 || !literal || !is_floating(literal->type.dtype))
      return {};
    std::optional<Looked> x = looked(chosen->operands[2], depth + 1);
    const std::optional<Looked> tested = looked(asked->operands[0], depth + 1);
    if (!x || !tested || tested->array != x->array || tested->side != x->side ||
        tested->part != x->part)
      return {};
    const std::string direction = word(*asked, "comparison_direction", 0);
    const bool zero = is_identity(Combination::add, *literal);
    if (direction == "EQ" && zero) {  // x == 0 ? 0 : x
      const Elements* with = step_.literal_of(asked->operands[1]);
      if (!with || !is_identity(Combination::add, *with)) return {};
      x->one_zero = true;
      return x;
    }
    if (direction == "NE" && asked->operands[0] == asked->operands[1] &&
        is_nan(*literal)) {  // x != x ? NaN : x
      x->one_nan = true;
      return x;
    }
    return {};
  }
  static bool is_nan(const Elements& e) {
    return by_dtype(e.type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      T v;
      std::memcpy(static_cast<void*>(&v), e.bytes.data(), sizeof v);
      if constexpr (std::is_class_v<T> && sizeof(T) > 2)
        return false;
      else if constexpr (std::is_integral_v<T>)
        return false;
      else
        return std::isnan(static_cast<std::conditional_t<sizeof(T) == 8, double, float>>(v)) &&
               !std::signbit(static_cast<std::conditional_t<sizeof(T) == 8, double, float>>(v));
    });
  }

  /// A comparison of the two sides of one key.
  std::optional<Key> compared(ValueNumber v, std::string_view equal, std::string& direction) const {
    const Operation* o = made_by(v, "stablehlo.compare");
    if (!o || o->operands.size() != 2) return {};
    const std::optional<Looked> a = looked(o->operands[0]), b = looked(o->operands[1]);
    if (!a || !b || a->array != b->array || a->part != b->part || a->side == b->side) return {};
    direction = word(*o, "comparison_direction", 0);
    if (!equal.empty() ? direction != equal : direction != "LT" && direction != "GT") return {};
    if (a->side == 1) direction = direction == "LT" ? "GT" : direction == "GT" ? "LT" : direction;
    const bool plain = a->one_zero && a->one_nan && b->one_zero && b->one_nan;
    if (word(*o, "compare_type", 1) == "TOTALORDER" && !plain && is_floating(key_dtype(a->array)))
      return {};
    if (is_complex(step_.type(a->array).dtype) && a->part == Part::whole) return {};
    return Key{a->array, a->part};
  }
  DType key_dtype(std::size_t array) const {
    const DType d = step_.type(array).dtype;
    return d == complex64 ? float32 : d == complex128 ? float64 : d;
  }

  /// LT_k, or LT_k | (EQ_k & what follows).
  bool lexicographic(ValueNumber v, int depth) {
    if (depth > 32) return false;
    std::string direction;
    if (const std::optional<Key> key = compared(v, {}, direction)) return add(*key, direction);
    const Operation* either = made_by(v, "stablehlo.or");
    if (!either || either->operands.size() != 2) return false;
    for (int turn : {0, 1}) {
      const std::optional<Key> first =
          compared(either->operands[static_cast<std::size_t>(turn)], {}, direction);
      const Operation* both =
          made_by(either->operands[static_cast<std::size_t>(1 - turn)], "stablehlo.and");
      if (!first || !both || both->operands.size() != 2) continue;
      for (int side : {0, 1}) {
        std::string unused;
        const std::optional<Key> same =
            compared(both->operands[static_cast<std::size_t>(side)], "EQ", unused);
        if (!same || same->array != first->array || same->part != first->part) continue;
        return add(*first, direction) &&
               lexicographic(both->operands[static_cast<std::size_t>(1 - side)], depth + 1);
      }
    }
    return false;
  }
  bool add(const Key& key, const std::string& direction) {
    const bool greater = direction == "GT";
    if (!out_->empty() && *descending_ != greater) return false;
    *descending_ = greater;
    out_->push_back(key);
    return true;
  }

  const Region& region_;
  Values& values_;
  const Step& step_;
  std::vector<Key>* out_ = nullptr;
  bool* descending_ = nullptr;
};

/// Keys in front, sorted by the library's own sort; the arrays as they then lie.
ArrayList by_keys(const Step& s, const std::vector<Key>& keys, bool descending, int axis) {
  ArrayList operands;
  for (const Key& key : keys)
    operands.push_back(
        key.part == Part::whole
            ? s.x(key.array)
            : ops::unary(key.part == Part::real ? "real" : "imag", s.x(key.array), s.site()));
  std::vector<std::size_t> at(s.count());
  for (std::size_t k = 0; k < s.count(); ++k) {
    const auto found = std::find_if(keys.begin(), keys.end(), [&](const Key& key) {
      return key.array == k && key.part == Part::whole;
    });
    at[k] = found == keys.end() ? operands.size() : static_cast<std::size_t>(found - keys.begin());
    if (found == keys.end()) operands.push_back(s.x(k));
  }
  const ArrayList sorted =
      ops::sort(operands, axis, static_cast<int>(keys.size()), descending, s.site());
  ArrayList out;
  for (std::size_t k : at) out.push_back(sorted[k]);
  return out;
}

// ---- any other comparison: a bitonic network over whole arrays ----
/// Sorts the last axis of arrays with 2^p elements, of which the first n count; equal elements keep
/// their order.
ArrayList network(const Body& less_than, ArrayList arrays, std::int64_t n, const Site& site) {
  const Shape shape = type_of(arrays[0]).shape;
  const std::int64_t size = shape[shape.size() - 1];
  const std::size_t count = arrays.size();
  const auto logical = [&](std::string_view name, const Array& a, const Array& b) {
    return ops::binary(name, a, b, site);
  };
  const auto negated = [&](const Array& a) { return ops::unary("not", a, site); };
  arrays.push_back(ops::iota(
      {shape, int64}, static_cast<int>(shape.size()) - 1, site));  // where each element was
  const Array place = arrays.back();
  const auto bit = [&](std::int64_t mask) {
    return ops::compare(ops::Direction::ne,
                        logical("and", place, number(place, static_cast<double>(mask), site)),
                        number(place, 0, site),
                        site);
  };
  for (std::int64_t block = 2; block <= size; block *= 2) {
    for (std::int64_t apart = block / 2; apart >= 1; apart /= 2) {
      Shape split(std::span(shape.data(), shape.size() - 1));
      for (std::int64_t part : {size / (2 * apart), std::int64_t{2}, apart}) split.push_back(part);
      ArrayList partners, forward, backward;
      for (const Array& x : arrays)
        partners.push_back(ops::reshape(
            ops::rev(ops::reshape(x, split, site), {static_cast<int>(shape.size())}, site),
            shape,
            site));
      for (std::size_t k = 0; k < count; ++k) {
        for (const Array& x : {arrays[k], partners[k]}) forward.push_back(x);
        for (const Array& x : {partners[k], arrays[k]}) backward.push_back(x);
      }
      const Array mine = arrays[count], theirs = partners[count];
      const Array before = ops::compare(ops::Direction::lt, mine, theirs, site);
      const Array tie = logical("and", negated(less_than.apply(backward)[0]), before);
      const Array compared = logical("or", less_than.apply(forward)[0], tie);
      const Array limit = number(mine, static_cast<double>(n), site);
      const Array beyond = logical("or",
                                   ops::compare(ops::Direction::ge, mine, limit, site),
                                   ops::compare(ops::Direction::ge, theirs, limit, site));
      const Array less = ops::select(beyond, before, compared, site);
      const Array wants_less = block == size
                                   ? negated(bit(apart))
                                   : ops::compare(ops::Direction::eq, bit(apart), bit(block), site);
      const Array keep = ops::compare(ops::Direction::eq, less, wants_less, site);
      for (std::size_t k = 0; k <= count; ++k)
        arrays[k] = ops::select(keep, arrays[k], partners[k], site);
    }
  }
  arrays.pop_back();
  return arrays;
}

ArrayList by_network(const Step& s, std::size_t axis) {
  const Site& site = s.site();
  const Shape shape = s.type(0).shape;
  const std::int64_t n = shape[axis];
  std::int64_t size = 1;
  while (size < n) size *= 2;
  std::vector<int> order;
  for (std::size_t k = 0; k < shape.size(); ++k)
    if (k != axis) order.push_back(static_cast<int>(k));
  order.push_back(static_cast<int>(axis));
  std::vector<ops::Padding> padding(shape.size());
  padding.back().high = size - n;
  ArrayList arrays;
  Types scalars;
  for (std::size_t k = 0; k < s.count(); ++k) {
    arrays.push_back(ops::pad(ops::transpose(s.x(k), order, site),
                              literal_bits(s.type(k).dtype, 0, 0, site),
                              padding,
                              site));
    for (int twice = 0; twice < 2; ++twice) scalars.push_back({Shape(), s.type(k).dtype});
  }
  const Type before[] = {{Shape(), bool_}};
  arrays = network(Body(s, s.region(0), scalars, before), std::move(arrays), n, site);
  std::vector<int> back(shape.size());
  for (std::size_t k = 0; k < order.size(); ++k)
    back[static_cast<std::size_t>(order[k])] = static_cast<int>(k);
  for (Array& x : arrays) {
    const Shape& padded = type_of(x).shape;
    std::vector<std::int64_t> start(padded.size(), 0), stop(padded.begin(), padded.end());
    stop.back() = n;
    x = ops::transpose(
        ops::slice(x, start, stop, std::vector<std::int64_t>(padded.size(), 1), site), back, site);
  }
  return arrays;
}

ArrayList sort(const Step& s) {
  if (s.count() == 0 || s.region(0).operations.empty())
    s.complain("stablehlo.sort takes arrays and a comparison");
  const Shape& shape = s.type(0).shape;
  for (std::size_t k = 0; k < s.count(); ++k)
    if (!(s.type(k).shape == shape)) s.complain("the arrays of stablehlo.sort differ in shape");
  std::int64_t axis = s.integer_or("dimension", -1);
  if (axis < 0) axis += static_cast<std::int64_t>(shape.size());
  if (shape.empty() || axis < 0 || axis >= static_cast<std::int64_t>(shape.size()))
    s.complain("there is no axis to sort along");
  ArrayList same;
  for (std::size_t k = 0; k < s.count(); ++k) same.push_back(s.x(k));
  if (s.region(0).arguments.size() != 2 * s.count())
    s.complain("the comparison of stablehlo.sort takes two arguments for each array");
  if (element_count(shape) == 0) return same;
  std::vector<Key> keys;
  bool descending = false;
  if (Comparison(s.region(0), s.values, s).keys(keys, descending))
    return by_keys(s, keys, descending, static_cast<int>(axis));
  return by_network(s, static_cast<std::size_t>(axis));
}

ArrayList top_k(const Step& s) {
  const lax::TopK best = lax::top_k(Operand(s.x(0), s.site()), s.integer("k"));
  return {best.values, best.indices};
}

Rows rows() {
  static constexpr Row table[] = {
      {"stablehlo.sort", -1, -1, 1, sort},
      {"chlo.top_k", 1, 2, 0, top_k},
  };
  return table;
}

}  // namespace

Rows sorting_rows() { return rows(); }

}  // namespace fluxion::stablehlo
