// The fields of an operation's struct as text and back, as a hash, as equality: by reflection,
// bitwise for floats.
#pragma once
#include "fluxion/core.hpp"
#include "fluxion/members.hpp"

#include <bit>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fluxion {

class Graph;
using GraphRef = detail::Ref<const Graph>;
std::uint64_t hash_of(const Graph&);
bool same_program(const Graph&, const Graph&);
std::string region_text(const Graph&);

/// Enums print as words: specialise with the words in the order of the enumerators, from 0.
template <class E> struct EnumWords {
  static constexpr bool given = false;
};

inline std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h ^= v + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2);
  h *= 0xff51afd7ed558ccdu;
  return h ^ (h >> 32);
}

/// Reads what print_attributes writes.
class AttributeParser {
 public:
  explicit AttributeParser(std::string_view text) : text_(text) {}
  virtual ~AttributeParser() = default;
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool take(std::string_view word) {
    skip_space();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  std::string_view word() {
    skip_space();
    std::size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_' ||
            text_[at_] == '-' || text_[at_] == '+' || text_[at_] == '.'))
      ++at_;
    return text_.substr(begin, at_ - begin);
  }
  std::size_t position() const { return at_; }
  std::string_view rest() const { return text_.substr(at_); }
  void advance(std::size_t n) { at_ += n; }
  /// A region in braces; only the graph parser knows how.
  virtual bool region(GraphRef&) { return false; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

namespace detail {
template <class T> std::uint64_t hash_field(const T& v) {
  if constexpr (std::is_same_v<T, GraphRef>)
    return hash_of(*v);
  else if constexpr (std::is_floating_point_v<T>)
    return std::bit_cast<std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>(v);
  else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>)
    return static_cast<std::uint64_t>(v);
  else if constexpr (std::is_pointer_v<T>)
    return reinterpret_cast<std::uint64_t>(v);
  else if constexpr (requires {
                       v.begin();
                       v.size();
                     }) {
    std::uint64_t h = v.size();
    for (const auto& e : v) h = mix(h, detail::hash_field(e));
    return h;
  } else {
    std::uint64_t h = 7;
    detail::visit_members(v, [&](const auto&... m) { ((h = mix(h, detail::hash_field(m))), ...); });
    return h;
  }
}
template <class T> bool equal_field(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, GraphRef>)
    return a.raw() == b.raw() || same_program(*a, *b);
  else if constexpr (std::is_floating_point_v<T>)
    return detail::hash_field(a) == detail::hash_field(b);
  else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_pointer_v<T>)
    return a == b;
  else if constexpr (requires {
                       a.begin();
                       a.size();
                     }) {
    if (a.size() != b.size()) return false;
    auto q = b.begin();
    for (auto p = a.begin(); p != a.end(); ++p, ++q)
      if (!detail::equal_field(*p, *q)) return false;
    return true;
  } else {
    return detail::visit_members(a, [&](const auto&... x) {
      return detail::visit_members(
          b, [&](const auto&... y) { return (detail::equal_field(x, y) && ...); });
    });
  }
}
void print_number(std::string& out, double v);
void print_number(std::string& out, std::int64_t v);
std::string_view dtype_word(DType);
bool dtype_from(std::string_view word, DType& out);

template <class T> void print_field(std::string& out, const T& v) {
  if constexpr (std::is_same_v<T, GraphRef>)
    out += region_text(*v);
  else if constexpr (std::is_same_v<T, bool>)
    out += v ? "true" : "false";
  else if constexpr (std::is_same_v<T, DType>)
    out += detail::dtype_word(v);
  else if constexpr (std::is_enum_v<T>) {
    static_assert(EnumWords<T>::given, "operation: specialise EnumWords for this enum");
    out += EnumWords<T>::words[static_cast<std::size_t>(v)];
  } else if constexpr (std::is_floating_point_v<T>)
    detail::print_number(out, static_cast<double>(v));
  else if constexpr (std::is_arithmetic_v<T>)
    detail::print_number(out, static_cast<std::int64_t>(v));
  else if constexpr (std::is_convertible_v<T, std::string_view>) {
    out += '"';
    out += v;
    out += '"';
  } else if constexpr (requires {
                         v.begin();
                         v.size();
                       }) {
    out += '{';
    bool first = true;
    for (const auto& e : v) {
      if (!first) out += ',';
      first = false;
      detail::print_field(out, e);
    }
    out += '}';
  } else {
    out += '(';
    bool first = true;
    detail::visit_members(v, [&](const auto&... m) {
      ((first ? void() : void(out += ','), first = false, detail::print_field(out, m)), ...);
    });
    out += ')';
  }
}
template <class T> bool parse_field(AttributeParser& in, T& v) {
  if constexpr (std::is_same_v<T, GraphRef>)
    return in.region(v);
  else if constexpr (std::is_same_v<T, bool>) {
    if (in.take("true")) {
      v = true;
      return true;
    }
    v = false;
    return in.take("false");
  } else if constexpr (std::is_same_v<T, DType>)
    return detail::dtype_from(in.word(), v);
  else if constexpr (std::is_enum_v<T>) {
    std::string_view w = in.word();
    for (std::size_t i = 0; i < std::size(EnumWords<T>::words); ++i)
      if (EnumWords<T>::words[i] == w) {
        v = static_cast<T>(i);
        return true;
      }
    return false;
  } else if constexpr (std::is_arithmetic_v<T>) {
    std::string_view w = in.word();
    if (w == "nan") {
      v = static_cast<T>(__builtin_nan(""));
      return true;
    }
    auto [end, error] = std::from_chars(w.data(), w.data() + w.size(), v);
    return error == std::errc() && end == w.data() + w.size();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!in.take("\"")) return false;
    std::size_t end = in.rest().find('"');
    if (end == std::string_view::npos) return false;
    v = std::string(in.rest().substr(0, end));
    in.advance(end + 1);
    return true;
  } else if constexpr (requires {
                         v.begin();
                         v.size();
                       }) {
    if (!in.take("{")) return false;
    using E = std::remove_cvref_t<decltype(*v.begin())>;
    v = T();
    if (in.take("}")) return true;
    do {
      E e{};
      if (!detail::parse_field(in, e)) return false;
      v.push_back(std::move(e));
    } while (in.take(","));
    return in.take("}");
  } else {
    if (!in.take("(")) return false;
    bool fine = true, first = true;
    detail::visit_members(v, [&](auto&... m) {
      ((fine = fine && (first || in.take(",")) && detail::parse_field(in, m), first = false), ...);
    });
    return fine && in.take(")");
  }
}
}  // namespace detail

template <class T> std::uint64_t hash_attributes(std::string_view name, const T& op) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return mix(h, detail::hash_field(op));
}
template <class T> bool equal_attributes(const T& a, const T& b) {
  return detail::equal_field(a, b);
}
template <class T> std::string print_attributes(const T& op) {
  std::string out;
  if constexpr (detail::member_count<T> > 0) {
    detail::visit_members(op, [&](const auto&... m) {
      std::size_t i = 0;
      ((out += i ? ", " : "[",
        out += detail::member_names<T>[i++],
        out += '=',
        detail::print_field(out, m)),
       ...);
    });
    out += ']';
  }
  return out;
}
template <class T> bool parse_attributes(AttributeParser& in, T& op) {
  if constexpr (detail::member_count<T> == 0)
    return true;
  else {
    bool fine = in.take("[");
    detail::visit_members(op, [&](auto&... m) {
      std::size_t i = 0;
      ((fine = fine && (i == 0 || in.take(",")) && in.take(detail::member_names<T>[i]) &&
               in.take("=") && detail::parse_field(in, m),
        ++i),
       ...);
    });
    return fine && in.take("]");
  }
}

}  // namespace fluxion
