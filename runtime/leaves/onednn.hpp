// oneDNN without its headers and versions: layouts, and primitives that run on the calling thread.
#pragma once
#include "fluxion/core.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fluxion::runtime::onednn {

/// How one array lies in memory: dtype, sizes and either strides or whatever the library chose.
class Layout {
 public:
  Layout() = default;
  /// Null (operator bool) if the library has no such dtype or strides.
  Layout(DType dtype,
         std::span<const std::int64_t> dims,
         std::span<const std::int64_t> strides_in_elements);
  /// Left to the library: only for asking for a primitive.
  static Layout any(DType dtype, std::span<const std::int64_t> dims);
  /// Bytes that it needs, padding included.
  std::size_t bytes() const;
  explicit operator bool() const { return static_cast<bool>(description_); }
  friend bool operator==(const Layout& a, const Layout& b);

  class Description;

 private:
  friend class Access;
  detail::Ref<detail::Shared> description_;  // a Description
};

/// A compiled primitive on arrays of fixed layouts, the results last. run() never opens an OpenMP
/// region and may be called by several threads at once.
class Primitive {
 public:
  /// `arguments` as `layouts()`; `scratch` has scratch_bytes() bytes.
  void run(std::span<void* const> arguments, void* scratch) const;
  const std::vector<Layout>& layouts() const { return layouts_; }
  std::size_t scratch_bytes() const { return scratch_bytes_; }
  /// The library's name of the implementation.
  const std::string& implementation() const { return implementation_; }
  explicit operator bool() const { return static_cast<bool>(compiled_); }

  class Compiled;

 private:
  friend class Access;
  std::vector<Layout> layouts_;
  std::size_t scratch_bytes_ = 0;
  std::string implementation_;
  detail::Ref<detail::Shared> compiled_;  // a Compiled
};

/// c = a b, on two or three axes (batch first; a size of 1 there repeats). Null if the library has
/// only its slow reference for this.
Primitive matmul(const Layout& a, const Layout& b, const Layout& c);

struct ConvolutionWindow {
  std::vector<std::int64_t> stride, dilation, pad_low, pad_high;
};
/// Arguments of the three: (in, weights, out), (out cotangent, weights, in cotangent),
/// (in, out cotangent, weights cotangent). Layouts are of [batch, channel, space...] and
/// [(group,) out, in, space...].
Primitive convolution(const Layout& in,
                      const Layout& weights,
                      const Layout& out,
                      const ConvolutionWindow& window);
Primitive convolution_backward_data(const Layout& in,
                                    const Layout& weights,
                                    const Layout& out,
                                    const ConvolutionWindow& window);
Primitive convolution_backward_weights(const Layout& in,
                                       const Layout& weights,
                                       const Layout& out,
                                       const ConvolutionWindow& window);

/// A copy into another layout or dtype.
Primitive reorder(const Layout& from, const Layout& to);

/// "2.6.3".
std::string version();
/// Whether its kernels have vectors of 512 bits here: without them others of its layouts are fast.
bool has_wide_vectors();

}  // namespace fluxion::runtime::onednn
