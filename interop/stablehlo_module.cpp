// Finding things in a module, and naming places and types as its text does.
#include "interop/stablehlo_module.hpp"

#include "trace/error.hpp"

namespace fluxion::stablehlo {
const Attribute* Attribute::find(std::string_view key) const {
  for (std::size_t k = 0; k < keys.size(); ++k)
    if (keys[k] == key) return &list[k];
  return nullptr;
}
const Attribute* Operation::find(std::string_view key) const {
  for (const auto& [name, value] : attributes)
    if (name == key) return &value;
  return nullptr;
}
const Definition* Module::find(std::string_view wanted) const {
  for (const Definition& f : functions)
    if (f.name == wanted) return &f;
  return nullptr;
}

void fail_at(std::string_view code,
             const Site& site,
             Location at,
             std::string_view sentence,
             std::initializer_list<std::string> details,
             std::string_view hint) {
  fail(code,
       site,
       "stablehlo: line " + std::to_string(at.line) + ", column " + std::to_string(at.column) +
           ": " + std::string(sentence),
       details,
       hint);
}

std::string_view element_word(DType d) {
  static constexpr std::string_view words[] = {"i1",
                                               "i8",
                                               "i16",
                                               "i32",
                                               "i64",
                                               "ui8",
                                               "ui16",
                                               "ui32",
                                               "ui64",
                                               "f16",
                                               "bf16",
                                               "f32",
                                               "f64",
                                               "complex<f32>",
                                               "complex<f64>"};
  return words[static_cast<int>(d)];
}

std::string type_text(const Spec& type) {
  std::string out = "tensor<";
  for (std::int64_t n : type.shape) out += std::to_string(n) + "x";
  return out + std::string(element_word(type.dtype)) + ">";
}

}  // namespace fluxion::stablehlo
