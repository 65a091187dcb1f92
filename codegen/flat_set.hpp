// A set of few numbers in order: one piece of memory instead of a node for each.
#pragma once
#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <utility>
#include <vector>

namespace fluxion::codegen {

template <class T> class FlatSet {
 public:
  using const_iterator = typename std::vector<T>::const_iterator;
  FlatSet() = default;
  FlatSet(std::initializer_list<T> items) { insert(items.begin(), items.end()); }
  explicit FlatSet(std::vector<T> items) : items_(std::move(items)) { settle(); }
  template <class Iterator> FlatSet(Iterator first, Iterator last) { insert(first, last); }

  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  const_iterator begin() const { return items_.begin(); }
  const_iterator end() const { return items_.end(); }
  bool contains(const T& item) const { return std::binary_search(begin(), end(), item); }

  void insert(const T& item) {
    const auto at = std::lower_bound(items_.begin(), items_.end(), item);
    if (at == items_.end() || *at != item) items_.insert(at, item);
  }
  template <class Iterator> void insert(Iterator first, Iterator last) {
    items_.insert(items_.end(), first, last);
    settle();
  }
  void merge(const FlatSet& other) { insert(other.begin(), other.end()); }
  /// How many were there: none or one.
  std::size_t erase(const T& item) {
    const auto at = std::lower_bound(items_.begin(), items_.end(), item);
    if (at == items_.end() || *at != item) return 0;
    items_.erase(at);
    return 1;
  }

 private:
  void settle() {
    std::sort(items_.begin(), items_.end());
    items_.erase(std::unique(items_.begin(), items_.end()), items_.end());
  }
  std::vector<T> items_;
};

}  // namespace fluxion::codegen
