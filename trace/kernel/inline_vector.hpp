// A list of numbers that is short almost always: the first few lie in the object itself.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>
#include <utility>

namespace fluxion::kernel {

/// As std::vector; positions are invalid after any change of its size.
template <class T, std::size_t inside> class InlineVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  InlineVector() = default;
  InlineVector(std::initializer_list<T> items) { append(items.begin(), items.size()); }
  InlineVector(const InlineVector& other) { append(other.begin(), other.size_); }
  InlineVector(InlineVector&& other) noexcept { take(other); }
  InlineVector& operator=(const InlineVector& other) {
    if (this == &other) return *this;
    size_ = 0;
    append(other.begin(), other.size_);
    return *this;
  }
  InlineVector& operator=(InlineVector&& other) noexcept {
    if (this == &other) return *this;
    delete[] outside_;
    take(other);
    return *this;
  }
  ~InlineVector() { delete[] outside_; }

  T* begin() { return outside_ ? outside_ : inside_; }
  T* end() { return begin() + size_; }
  const T* begin() const { return outside_ ? outside_ : inside_; }
  const T* end() const { return begin() + size_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t k) { return begin()[k]; }
  const T& operator[](std::size_t k) const { return begin()[k]; }
  const T& front() const { return *begin(); }
  const T& back() const { return end()[-1]; }

  void push_back(const T& item) { insert(end(), item); }
  void insert(const T* before, T item) {
    const std::size_t k = static_cast<std::size_t>(before - begin());
    reserve(size_ + 1);
    T* const place = begin() + k;
    std::move_backward(place, end(), end() + 1);
    *place = item;
    ++size_;
  }
  void erase(const T* item) {
    T* const place = begin() + (item - begin());
    std::move(place + 1, end(), place);
    --size_;
  }
  template <class Predicate> void erase_if(Predicate predicate) {
    size_ = static_cast<std::uint32_t>(std::remove_if(begin(), end(), predicate) - begin());
  }
  friend bool operator==(const InlineVector& a, const InlineVector& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  void reserve(std::size_t count) {
    if (count <= capacity_) return;
    const std::size_t more = std::max(count, std::size_t{2} * capacity_);
    T* const moved = new T[more];
    std::copy(begin(), end(), moved);
    delete[] outside_;
    outside_ = moved;
    capacity_ = static_cast<std::uint32_t>(more);
  }
  void append(const T* items, std::size_t count) {
    reserve(size_ + count);
    std::copy(items, items + count, end());
    size_ += static_cast<std::uint32_t>(count);
  }
  void take(InlineVector& other) {
    outside_ = std::exchange(other.outside_, nullptr);
    capacity_ = std::exchange(other.capacity_, static_cast<std::uint32_t>(inside));
    size_ = std::exchange(other.size_, 0u);
    if (!outside_) std::copy(other.inside_, other.inside_ + size_, inside_);
  }

  T* outside_ = nullptr;
  std::uint32_t size_ = 0, capacity_ = inside;
  T inside_[inside];
};

}  // namespace fluxion::kernel
