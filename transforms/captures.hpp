// Programs of one operation take the arrays that any of them captured.
#pragma once
#include "trace/frame.hpp"

namespace fluxion {

/// Arrays that traced programs captured, each once.
class Captures {
 public:
  void add(const Traced&);
  const ArrayList& arrays() const { return arrays_; }
  /// The program with all captures behind its first `head` inputs.
  GraphRef closed(const Traced&, std::size_t head) const;

 private:
  std::size_t position(const Array&) const;
  ArrayList arrays_;
};

/// The types of a user's arguments; none may be empty.
Types checked_types(const detail::Flat& arguments, std::string_view what, const Site&);

}  // namespace fluxion
