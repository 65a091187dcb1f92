// Named axes: which are mapped around what is recorded, and which one a batching walk is about.
#pragma once
#include "trace/graph.hpp"

namespace fluxion::ops {

/// While one lives, this thread records inside a map over `size` examples along the named axis. An
/// empty name says nothing.
class NamedAxis {
 public:
  NamedAxis(std::string_view name, std::int64_t size, const Site&);
  ~NamedAxis();
  NamedAxis(const NamedAxis&) = delete;

 private:
  bool pushed_;
};

/// While one lives, batching on this thread turns what is said along the named axis into operations
/// on the batch.
class BatchedAxis {
 public:
  explicit BatchedAxis(std::string_view name);
  ~BatchedAxis();
  BatchedAxis(const BatchedAxis&) = delete;

 private:
  std::string_view before_;
};
/// The name that the batching walk is about; empty: none.
std::string_view batched_axis();

/// Whether an operation (or a program that it holds) speaks along the named axis.
bool speaks_along(const Op&, std::string_view axis);
bool speaks_along(const Graph&, std::string_view axis);

}  // namespace fluxion::ops
