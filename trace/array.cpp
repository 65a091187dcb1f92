// What an Array tells about itself, and how a value gets from memory to the host and back.
#include "trace/frame.hpp"
#include "trace/lazy.hpp"
#include "trace/ops.hpp"

#include <algorithm>

namespace fluxion {
namespace {

using detail::Access;
using detail::Node;

const Node& node_of(const Array& a, const Site& site) {
  const Node* n = Access::node(a);
  if (!n)
    fail("empty-array",
         site,
         "this Array is empty: it was default-constructed or moved from",
         {},
         "give it a value first, for example fx::zeros(shape)");
  return *n;
}

std::uint64_t bits_of(double v, DType d) {
  switch (d) {
    case float16:
      return Float16(static_cast<float>(v)).bits;
    case bfloat16:
      return BFloat16(static_cast<float>(v)).bits;
    case float32:
    case complex64:
      return std::bit_cast<std::uint32_t>(static_cast<float>(v));
    default:
      return std::bit_cast<std::uint64_t>(v);
  }
}

Array literal_of(const Scalar& v, DType d, const Site& site) {
  if (d == complex64)
    return literal_bits(d, bits_of(v.real, d) | bits_of(v.imag, d) << 32, 0, site);
  if (d == complex128) return literal_bits(d, bits_of(v.real, d), bits_of(v.imag, d), site);
  if (is_floating(d)) return literal_bits(d, bits_of(v.real, d), 0, site);
  const bool from_integer = is_integer(v.dtype) || v.dtype == bool_;
  if (d == bool_) return literal_bits(d, from_integer ? v.integer != 0 : v.real != 0, 0, site);
  const auto whole =
      static_cast<std::uint64_t>(from_integer ? v.integer : static_cast<std::int64_t>(v.real));
  const std::size_t width = size_of(d) * 8;
  return literal_bits(d, width == 64 ? whole : whole & ((std::uint64_t{1} << width) - 1), 0, site);
}

/// The node that holds the value: evaluates, or asks the bound frame that knows it.
Array valued(const Array& a, const Site& site) {
  Array at = a;
  while (const Frame* f = frame_of(at)) {
    if (f->kind == Frame::Kind::unbound)
      fail("value-in-trace",
           site,
           "a value was asked for inside " + std::string(f->what) +
               ", where arrays have only shape and dtype",
           {"the array is " + to_string(type_of(at)) + ", recorded at " +
            Access::node(at)->site.file_name() + ":" +
            std::to_string(Access::node(at)->site.line())},
           "use fx::where or fx::cond to choose by value, or return the array and look at it "
           "outside");
    if (!f->live)
      fail("leaked-value",
           site,
           "an array was recorded inside " + std::string(f->what) + ", which has finished",
           {"recorded at " + std::string(Access::node(at)->site.file_name()) + ":" +
            std::to_string(Access::node(at)->site.line())},
           "return the value from the traced function instead of storing it in a variable outside");
    at = const_cast<Frame*>(f)->lower(Access::node(at)->value);
  }
  if (Access::node(at)->state.load(std::memory_order_acquire) != Node::State::ready)
    evaluate({&at, 1}, site);
  return at;
}

}  // namespace

const Shape& Array::shape(Site s) const& { return node_of(*this, s).type.shape; }
int Array::ndim(Site s) const { return static_cast<int>(shape(s).size()); }
std::int64_t Array::size(Site s) const { return element_count(shape(s)); }
DType Array::dtype(Site s) const { return node_of(*this, s).type.dtype; }

const void* Array::host(DType wanted, Site given) const {
  const Site site = current_site(given);
  const Node& n = node_of(*this, site);
  if (n.type.dtype != wanted)
    fail("host-dtype",
         site,
         "the array holds " + to_string(n.type.dtype) + ", the program reads " + to_string(wanted),
         {"array " + to_string(n.type)},
         "read it as its own type, or convert it first: x.astype(fx::...)");
  return Access::node(valued(*this, site))
      ->data();  // the node is kept by this array, or by the frame that knows it
}

void Array::read(void* out, std::size_t n, DType wanted, bool scalar, Site given) const {
  const Site site = current_site(given);
  if (scalar && element_count(node_of(*this, site).type.shape) != 1)
    fail("item-size",
         site,
         "item() wants an array of one element, this one has shape " +
             to_string(node_of(*this, site).type.shape),
         {},
         "index it first, or use to_vector()");
  const void* from = host(wanted, site);
  if (n) std::memcpy(out, from, n * size_of(wanted));
}

Array zeros_of(const Type& type) {
  const Array zero = literal_bits(type.dtype, 0, 0, rule_site());
  return type.shape.empty() ? zero : ops::broadcast_in_dim(zero, type.shape, {}, rule_site());
}
Array ones_of(const Type& type) {
  const Array one = literal_of(Scalar(1.0), type.dtype, rule_site());
  return type.shape.empty() ? one : ops::broadcast_in_dim(one, type.shape, {}, rule_site());
}

Array literal(double value, DType dtype, const Site& site) {
  return literal_of(Scalar(value), dtype, site);
}

namespace detail {

Array make_scalar(Scalar v, Site site) { return literal_of(v, v.dtype, site); }
Array make_scalar_as(Scalar v, DType dtype, Site site) { return literal_of(v, dtype, site); }

Array make_array(const void* data, Shape shape, DType dtype, Site site) {
  Spec type{std::move(shape), dtype};
  Ref<Buffer> buffer = allocate(bytes_of(type));
  if (bytes_of(type)) std::memcpy(buffer->data(), data, bytes_of(type));
  return ready_array(type, std::move(buffer), current_site(site));
}

namespace {
class BorrowedBuffer final : public Buffer {
 public:
  BorrowedBuffer(const void* data, std::size_t bytes, Ref<Shared> owner)
      : Buffer(const_cast<void*>(data), bytes, true), owner_(std::move(owner)) {}

 private:
  Ref<Shared> owner_;
};
}  // namespace

Array make_borrowed(const void* data, Shape shape, DType dtype, Ref<Shared> owner, Site site) {
  Spec type{std::move(shape), dtype};
  if (reinterpret_cast<std::uintptr_t>(data) % size_of(dtype))
    fail("alignment",
         site,
         "borrow: the memory is not aligned to its element type, " + to_string(dtype),
         {},
         "copy it instead: fx::from_span");
  const std::size_t bytes = bytes_of(type);
  return ready_array(
      type, Ref<Buffer>(new BorrowedBuffer(data, bytes, std::move(owner))), current_site(site));
}

void fail_ragged(Site site) {
  fail("ragged",
       site,
       "array: the rows of the nested list differ in length",
       {},
       "every row needs the same number of elements");
}
void fail_structure(std::string_view who, Site site) {
  fail("structure",
       site,
       std::string(who) +
           ": the trees differ in structure (sizes of containers, keys, or which optionals are "
           "set)");
}

const void* host_bytes(const Array& a, Site site) {
  node_of(a, site);
  return Access::node(valued(a, site))->data();
}

void eval_flat(const Flat& arrays, Site site) {
  ArrayList pending;
  for (const Array& a : arrays) {
    if (!defined(a)) continue;
    Array at = a;
    while (const Frame* f = frame_of(at)) {
      if (f->kind == Frame::Kind::unbound) break;
      at = const_cast<Frame*>(f)->lower(Access::node(at)->value);
    }
    if (frame_of(at)) {
      (void)valued(at, site);
    }  // says why it has no value
    if (Access::node(at)->state.load(std::memory_order_acquire) != Node::State::ready)
      pending.push_back(std::move(at));
  }
  if (!pending.empty()) evaluate(pending, site);
}

}  // namespace detail
}  // namespace fluxion
