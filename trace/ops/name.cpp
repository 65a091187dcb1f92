// name: the operand under a name, by which checkpoint policies know it.
#include "trace/ops/name.hpp"

#include "trace/ops/elementwise.hpp"

#include <cstring>

namespace fluxion::ops {
std::span<const Rules* const> name_rules();

namespace {

struct Name {
  static constexpr auto name = "name";
  static constexpr bool aliases = true;
  std::string text;

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    if (text.find_first_of("\"\n") != text.npos) {
      fail("name",
           Site(),
           "name: a name holds no quotation marks and no line breaks",
           {},
           "use letters, digits and dots");
    }
    return {in[0]};
  }
  /// Tangents are not named: a policy chooses among the values of the forward program.
  ArrayList jvp(Arrays, Arrays, Arrays dx) const { return {dx[0]}; }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t) const {
    return {emit_all(*this, x, rule_site()), {axes[0]}};
  }
  kernel::Scalar at(kernel::Reader& x, const kernel::Index& index) const {
    return x.read(0, index);
  }
  void reference(ConstTensors in, Tensors out) const {
    if (const std::size_t bytes = bytes_of(in[0].type)) std::memcpy(out[0].data, in[0].data, bytes);
  }
};
}  // namespace

std::span<const Rules* const> name_rules() {
  static constexpr const Rules* rules[] = {rules_of<Name>()};
  return rules;
}

const std::string* name_of(const Op& op) {
  const auto* name = op.as<Name>();
  return name ? &name->text : nullptr;
}

Array name(const Array& x, std::string_view text, const Site& site) {
  return emit(Name{std::string(text)}, {x}, site);
}

}  // namespace fluxion::ops
