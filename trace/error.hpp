// How the library refuses a user's program: one function for users' errors, one class for its own.
#pragma once
#include "fluxion/core.hpp"

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fluxion {

/// A broken promise of the library itself; asks for a report. No test expects it.
class InternalError : public std::logic_error {
 public:
  explicit InternalError(const std::string& what);
};

/// Throws Error: `code` is a section of docs/errors.md, `sentence` says what is wrong with the
/// values that differ, `details` are lines shown after "  | ", `hint` is the remedy (may be empty).
/// The site is that of the outermost SiteScope, if there is one.
[[noreturn]] void fail(std::string_view code,
                       const Site& site,
                       std::string_view sentence,
                       std::initializer_list<std::string> details = {},
                       std::string_view hint = {});

/// "f32[2,3]".
std::string to_string(const Spec&);
std::string to_string(const Shape&);
std::string to_string(DType);  // "f32"

/// The line that this thread's work belongs to: that of the outermost SiteScope, else the one
/// given.
Site current_site(const Site& otherwise) noexcept;

}  // namespace fluxion
