// Attributes as text, taken apart at the commas outside braces, parentheses and quotes.
#include "interop/stablehlo_fields.hpp"

#include "trace/error.hpp"
#include "trace/graph.hpp"

#include <charconv>

namespace fluxion::stablehlo {
namespace {

constexpr int deepest = 60;

/// Where the part that begins at `from` ends: at a comma of the same level, or at the end.
std::size_t end_of_part(std::string_view text, std::size_t from) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = from; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == ',' && depth == 0) return i;
    depth += c == '{' || c == '(' || c == '[' ? 1 : c == '}' || c == ')' || c == ']' ? -1 : 0;
  }
  return text.size();
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = end_of_part(text, from);
    out.push_back(trimmed(text.substr(from, end - from)));
    from = end + 1;
  }
  return out;
}

bool nests_too_deep(std::string_view text) {
  int depth = 0;
  for (char c : text) {
    depth += c == '{' || c == '(' || c == '[' ? 1 : c == '}' || c == ')' || c == ']' ? -1 : 0;
    if (depth > deepest) return true;
  }
  return false;
}

}  // namespace

Fields::Fields(const Op& op) : all_(op.attributes()) {
  if (all_.size() < 2) return;
  for (std::string_view field : split(std::string_view(all_).substr(1, all_.size() - 2))) {
    const std::size_t equals = field.find('=');
    fields_.emplace_back(field.substr(0, equals), trimmed(field.substr(equals + 1)));
  }
}

std::string_view Fields::text(std::string_view name) const {
  for (const auto& [field, text] : fields_)
    if (field == name) return text;
  throw InternalError("stablehlo: an operation prints no field " + std::string(name) + ": " + all_);
}

std::int64_t Fields::integer(std::string_view name) const {
  const std::string_view word = text(name);
  std::int64_t v = 0;
  std::from_chars(word.data(), word.data() + word.size(), v);
  return v;
}

std::vector<std::string_view> Fields::parts(std::string_view text) {
  return text.size() < 2 ? std::vector<std::string_view>() : split(text.substr(1, text.size() - 2));
}

std::vector<std::int64_t> Fields::integers_in(std::string_view text) {
  std::vector<std::int64_t> out;
  for (std::string_view part : parts(text)) {
    std::int64_t v = 0;
    std::from_chars(part.data(), part.data() + part.size(), v);
    out.push_back(v);
  }
  return out;
}

std::vector<std::vector<std::int64_t>> Fields::rows(std::string_view name) const {
  std::vector<std::vector<std::int64_t>> out;
  for (std::string_view part : parts(text(name))) out.push_back(integers_in(part));
  return out;
}

std::optional<Op> operation_of(std::string_view name, std::string_view attributes) {
  if (nests_too_deep(attributes)) return {};
  for (const Rules* rules : known_operations()) {
    Op op;
    AttributeParser in(attributes);
    if (rules->parse(name, in, op) && trimmed(in.rest()).empty()) return op;
  }
  return {};
}

}  // namespace fluxion::stablehlo
