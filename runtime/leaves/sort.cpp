// How lines are sorted: by comparison where they are short, by the digits of their keys where they
// are long.
#include "runtime/leaves/leaves.hpp"
#include "runtime/thread_pool.hpp"
#include "trace/tensor.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

namespace fluxion::runtime {
namespace {

using std::int64_t;
using Place = std::uint32_t;  // of an element in its line

constexpr int64_t longest_compared = 1024;
constexpr int digit_bits = 11;
constexpr std::size_t digits = std::size_t{1} << digit_bits;

template <class T>
inline constexpr bool is_half = std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;
template <class T> inline constexpr bool is_number = std::is_arithmetic_v<T> || is_half<T>;
template <class T>
using Unsigned = std::conditional_t<
    sizeof(T) == 1,
    std::uint8_t,
    std::conditional_t<sizeof(T) == 2,
                       std::uint16_t,
                       std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;

/// A number whose unsigned order is the order of the elements: -0 is 0, all NaN are one, and the
/// greatest.
template <class T> Unsigned<T> rank_of(T x) {
  using U = Unsigned<T>;
  constexpr U sign = static_cast<U>(U{1} << (8 * sizeof(T) - 1));
  U bits;
  std::memcpy(&bits, &x, sizeof bits);
  if constexpr (std::is_floating_point_v<T> || is_half<T>) {
    constexpr U infinity = std::is_same_v<T, double>     ? static_cast<U>(0x7ff0000000000000)
                           : std::is_same_v<T, float>    ? static_cast<U>(0x7f800000)
                           : std::is_same_v<T, BFloat16> ? static_cast<U>(0x7f80)
                                                         : static_cast<U>(0x7c00);
    const U magnitude = static_cast<U>(bits & static_cast<U>(~sign));
    if (magnitude > infinity) return static_cast<U>(~U{0});
    if (magnitude == 0) return sign;
    return bits & sign ? static_cast<U>(~bits) : static_cast<U>(bits | sign);
  } else if constexpr (std::is_signed_v<T> && !std::is_same_v<T, bool>) {
    return static_cast<U>(bits ^ sign);
  } else {
    return bits;
  }
}

/// Whether elements of one rank are one pattern, so that their order cannot be seen.
template <class T> constexpr bool ranks_are_patterns() {
  return !(std::is_floating_point_v<T> || is_half<T>);
}
template <class T> T of_rank(Unsigned<T> rank) {
  using U = Unsigned<T>;
  constexpr U sign = static_cast<U>(U{1} << (8 * sizeof(T) - 1));
  if constexpr (std::is_floating_point_v<T> || is_half<T>)
    rank = rank & sign ? static_cast<U>(rank ^ sign) : static_cast<U>(~rank);
  else if constexpr (std::is_signed_v<T> && !std::is_same_v<T, bool>)
    rank = static_cast<U>(rank ^ sign);
  T x;
  std::memcpy(static_cast<void*>(&x), &rank, sizeof x);
  return x;
}

template <class U> struct Ranked {
  U rank;
  Place place;
};
template <class U> U rank_in(const U& item) { return item; }
template <class U> U rank_in(const Ranked<U>& item) { return item.rank; }

/// Sorts items by rank, stably, by their digits from the lowest; `other` has as much room. Digits
/// that all items share cost nothing.
template <class U, class Item> Item* sort_by_digits(Item* items, Item* other, int64_t n) {
  constexpr int passes = (8 * static_cast<int>(sizeof(U)) + digit_bits - 1) / digit_bits;
  std::vector<std::array<Place, digits>> counts(passes);
  for (auto& c : counts) c.fill(0);
  for (int64_t i = 0; i < n; ++i) {
    const U rank = rank_in(items[i]);
    for (int p = 0; p < passes; ++p)
      ++counts[static_cast<std::size_t>(p)][(rank >> (p * digit_bits)) & (digits - 1)];
  }
  for (int p = 0; p < passes; ++p) {
    std::array<Place, digits>& count = counts[static_cast<std::size_t>(p)];
    const auto digit = [&](const Item& item) {
      return static_cast<std::size_t>(rank_in(item) >> (p * digit_bits)) & (digits - 1);
    };
    if (static_cast<int64_t>(count[digit(items[0])]) == n) continue;
    Place sum = 0;
    for (Place& c : count) sum += std::exchange(c, sum);
    for (int64_t i = 0; i < n; ++i) other[count[digit(items[i])]++] = items[i];
    std::swap(items, other);
  }
  return items;
}

struct Line {
  const SortSpec& spec;
  std::vector<const std::byte*> in;
  std::vector<std::byte*> out;
  std::byte* scratch;

  int64_t n() const { return spec.length; }

  template <class T> T element(std::size_t k, int64_t at) const {
    T x;
    std::memcpy(&x, in[k] + at * spec.inner * static_cast<int64_t>(sizeof(T)), sizeof x);
    return x;
  }
  template <class T> void put(std::size_t k, int64_t at, T x) const {
    std::memcpy(out[k] + at * spec.inner * static_cast<int64_t>(sizeof(T)), &x, sizeof x);
  }
  template <class T> Unsigned<T> rank(T x) const {
    const Unsigned<T> rank = rank_of(x);
    return spec.descending ? static_cast<Unsigned<T>>(~rank) : rank;
  }

  /// One operand whose elements are known from their ranks.
  template <class T> bool sort_alone() const {
    using U = Unsigned<T>;
    U* ranks = reinterpret_cast<U*>(scratch);
    for (int64_t i = 0; i < n(); ++i) {
      const T x = element<T>(0, i);
      if constexpr (!ranks_are_patterns<T>()) {
        // The sign of zero and the bits of NaN are not in a rank.
        U bits;
        std::memcpy(&bits, &x, sizeof bits);
        if (rank_of(x) == static_cast<U>(~U{0}) ||
            bits == static_cast<U>(U{1} << (8 * sizeof(T) - 1)))
          return false;
      }
      ranks[i] = rank(x);
    }
    U* sorted = ranks;
    if (n() <= longest_compared)
      std::sort(ranks, ranks + n());
    else
      sorted = sort_by_digits<U>(ranks, ranks + n(), n());
    for (int64_t i = 0; i < n(); ++i)
      put(0, i, of_rank<T>(spec.descending ? static_cast<U>(~sorted[i]) : sorted[i]));
    return true;
  }

  /// Puts the places in `order` into the order of one key; equal ones stay.
  template <class T> void order_by(std::size_t k, Place* order) const {
    using U = Unsigned<T>;
    auto* items = reinterpret_cast<Ranked<U>*>(scratch);
    for (int64_t i = 0; i < n(); ++i) items[i] = {rank(element<T>(k, order[i])), order[i]};
    Ranked<U>* sorted = items;
    if (n() <= longest_compared)
      std::stable_sort(
          items, items + n(), [](const auto& a, const auto& b) { return a.rank < b.rank; });
    else
      sorted = sort_by_digits<U>(items, items + n(), n());
    for (int64_t i = 0; i < n(); ++i) order[i] = sorted[i].place;
  }

  template <class T> void move(std::size_t k, const Place* order) const {
    for (int64_t i = 0; i < n(); ++i) put(k, i, element<T>(k, order[i]));
  }

  void sort(Place* order) const {
    bool done = false;
    if (spec.dtypes.size() == 1) {
      by_dtype(spec.dtypes[0], [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (is_number<T>) done = sort_alone<T>();
      });
    }
    if (done) return;
    for (int64_t i = 0; i < n(); ++i) order[i] = static_cast<Place>(i);
    for (int k = spec.keys; k-- > 0;) {
      by_dtype(spec.dtypes[static_cast<std::size_t>(k)], [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (is_number<T>) order_by<T>(static_cast<std::size_t>(k), order);
      });
    }
    for (std::size_t k = 0; k < spec.dtypes.size(); ++k) {
      by_dtype(spec.dtypes[k], [&](auto tag) { move<typename decltype(tag)::type>(k, order); });
    }
  }
};

class Sort final : public codegen::PreparedLeaf {
 public:
  explicit Sort(const SortSpec& spec) : spec_(spec), threads_(num_threads()) {
    const auto n = static_cast<std::size_t>(spec.length);
    order_bytes_ = rounded_to_line(n * sizeof(Place));
    per_thread_ = order_bytes_ + rounded_to_line(2 * n * sizeof(Ranked<std::uint64_t>));
    const auto lines = spec.outer * spec.inner;
    scratch_bytes_ = per_thread_ * static_cast<std::size_t>(std::min<int64_t>(threads_, lines));
  }

  void run(const void* const* in, void* const* out, void* scratch) const override {
    const int64_t lines = spec_.outer * spec_.inner;
    const int64_t grain = std::max<int64_t>(1, 2048 / spec_.length);
    const auto sort_lines = [&](int64_t begin, int64_t end) {
      std::byte* own = static_cast<std::byte*>(scratch) +
                       static_cast<std::size_t>(lines == 1 ? 0 : participant()) * per_thread_;
      auto* order = reinterpret_cast<Place*>(own);
      Line line{spec_, {}, {}, own + order_bytes_};
      line.in.resize(spec_.dtypes.size());
      line.out.resize(spec_.dtypes.size());
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = i / spec_.inner * spec_.inner * spec_.length + i % spec_.inner;
        for (std::size_t k = 0; k < spec_.dtypes.size(); ++k) {
          const auto bytes = static_cast<int64_t>(size_of(spec_.dtypes[k]));
          line.in[k] = static_cast<const std::byte*>(in[k]) + first * bytes;
          line.out[k] = static_cast<std::byte*>(out[k]) + first * bytes;
        }
        line.sort(order);
      }
    };
    if (lines == 1) return sort_lines(0, 1);
    parallel_for(lines, grain, sort_lines, static_cast<int>(std::min<int64_t>(threads_, lines)));
  }

  std::string description() const override {
    return fmt::format("sort {} lines of {}, {} operands, {} keys",
                       spec_.outer * spec_.inner,
                       spec_.length,
                       spec_.dtypes.size(),
                       spec_.keys);
  }

 private:
  SortSpec spec_;
  int threads_;
  std::size_t order_bytes_ = 0, per_thread_ = 0;
};

}  // namespace

detail::Ref<codegen::PreparedLeaf> prepare_sort(const SortSpec& spec) {
  if (spec.length > std::numeric_limits<Place>::max()) return {};
  return detail::Ref<codegen::PreparedLeaf>(new Sort(spec));
}

}  // namespace fluxion::runtime
