// Numbers and dtypes as words of printed programs.
#include "trace/attributes.hpp"

namespace fluxion::detail {

void print_number(std::string& out, double v) {
  if (v != v) {
    out += "nan";
    return;
  }
  char text[32];
  auto [end, error] =
      std::to_chars(text, text + sizeof text, v);  // the shortest text that reads back exactly
  out.append(text, end);
}
void print_number(std::string& out, std::int64_t v) {
  char text[24];
  auto [end, error] = std::to_chars(text, text + sizeof text, v);
  out.append(text, end);
}

namespace {
constexpr std::string_view words[] = {"bool",
                                      "i8",
                                      "i16",
                                      "i32",
                                      "i64",
                                      "u8",
                                      "u16",
                                      "u32",
                                      "u64",
                                      "f16",
                                      "bf16",
                                      "f32",
                                      "f64",
                                      "c64",
                                      "c128"};
}
std::string_view dtype_word(DType d) { return words[static_cast<std::size_t>(d)]; }
bool dtype_from(std::string_view word, DType& out) {
  for (std::size_t i = 0; i < std::size(words); ++i) {
    if (words[i] != word) continue;
    out = static_cast<DType>(i);
    return true;
  }
  return false;
}

}  // namespace fluxion::detail
