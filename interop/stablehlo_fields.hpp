// The attributes of this library's operations, read back from the text that every operation prints.
#pragma once
#include "trace/op.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fluxion::stablehlo {

/// "[axes={0,1}, op=sum]" taken apart; every operation prints its fields so, and reads them back.
class Fields {
 public:
  explicit Fields(const Op& op);

  /// The text of a field; an InternalError if there is none.
  std::string_view text(std::string_view name) const;
  bool flag(std::string_view name) const { return text(name) == "true"; }
  std::int64_t integer(std::string_view name) const;
  std::vector<std::int64_t> integers(std::string_view name) const {
    return integers_in(text(name));
  }
  /// A list of tuples: one row for each.
  std::vector<std::vector<std::int64_t>> rows(std::string_view name) const;

  /// What stands between the commas of "{...}" or "(...)", one level deep.
  static std::vector<std::string_view> parts(std::string_view);
  static std::vector<std::int64_t> integers_in(std::string_view);

 private:
  std::string all_;
  std::vector<std::pair<std::string_view, std::string_view>> fields_;
};

/// The operation of this name and these attributes; nothing if the text is not one. Error where the
/// text holds a program that is not well-formed.
std::optional<Op> operation_of(std::string_view name, std::string_view attributes);

}  // namespace fluxion::stablehlo
