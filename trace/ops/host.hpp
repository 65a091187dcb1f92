// What operations that reach the user's program share: the things that they hold, as numbers in the
// text of a program; examples of a batch one by one; formats.
#pragma once
#include "fluxion/debug.hpp"
#include "trace/op.hpp"

#include <functional>

namespace fluxion::ops {

/// A HostObject as an attribute: a list of one number, which is valid in this process for as long
/// as the object lives.
class HostHandle {
 public:
  HostHandle() = default;
  explicit HostHandle(detail::Ref<const detail::HostObject> object);
  const std::uint64_t* begin() const { return &number_; }
  const std::uint64_t* end() const { return &number_ + size(); }
  std::size_t size() const { return object_ ? 1 : 0; }
  void push_back(std::uint64_t number);
  template <class T> const T& as() const { return static_cast<const T&>(*object_); }

 private:
  detail::Ref<const detail::HostObject> object_;
  std::uint64_t number_ = 0;
};

/// A line of the user's program as an attribute: a list of one number.
class SiteHandle {
 public:
  SiteHandle() = default;
  explicit SiteHandle(const Site&);
  const std::uint64_t* begin() const { return &number_; }
  const std::uint64_t* end() const { return &number_ + 1; }
  std::size_t size() const { return 1; }
  void push_back(std::uint64_t number) { number_ = number; }
  Site site() const;

 private:
  std::uint64_t number_ = 0;
};

/// A batch axis that became a loop: it is the first axis of these operands, and of every result.
struct Lanes {
  std::int64_t size = 0;
  std::vector<std::int64_t> batched = {};
};
/// The outermost first.
using LaneList = std::vector<Lanes>;

/// Visits every example: its operands and results, and its index. `in` and `out` are of batches.
void for_each_lane(
    const LaneList&,
    ConstTensors in,
    Tensors out,
    const std::function<void(ConstTensors, Tensors, const std::vector<std::int64_t>& index)>&);
/// The operands with their batch axes first, and the lanes with one more.
std::pair<ArrayList, LaneList> with_lanes(const LaneList&,
                                          Arrays x,
                                          BatchAxes at,
                                          std::int64_t size);
/// The type with the lanes' axes, or without those that operand k has.
Type with_lane_axes(const LaneList&, Type);
Type without_lane_axes(const LaneList&, std::size_t operand, const Type&);

/// A format with its texts put in, safe to stand in quotation marks in a program's text; how many
/// arrays each remaining hole has (-1: one array, not a tree); and those arrays.
struct FlatFormat {
  std::string text;
  std::vector<std::int64_t> holes;
  ArrayList arrays;
};
FlatFormat flatten(std::string_view format, const std::vector<detail::FormatValue>&);
/// The text with the arrays' elements.
std::string fill(const std::string& text,
                 const std::vector<std::int64_t>& holes,
                 ConstTensors arrays);

/// Scalar true: what happens, happens. In a batched branch or loop, whether this example takes
/// part.
Array always_active();

}  // namespace fluxion::ops

namespace fluxion {
/// An array's elements as text, laid out as NumPy does it.
std::string elements_text(const Type&, const void* data);
}  // namespace fluxion
