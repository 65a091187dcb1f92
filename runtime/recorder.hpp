// What fx::profile knows while it records: slices of threads' time, and what each is about.
#pragma once
#include "codegen/schedule.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fluxion::runtime {

/// What a slice says; shared by all slices of one step.
struct Slice {
  std::string name, category;
  std::string operations, writes, implementation;
  Site site;
  codegen::Work work;
  DType dtype = float32;  // computed in
};
using SliceRef = std::shared_ptr<const Slice>;

/// One slice of one thread's time, in nanoseconds of the steady clock. `first` to `last` are the
/// units of a part of a step; -1: the whole.
struct SliceEvent {
  SliceRef slice;
  std::int64_t begin = 0, end = 0;
  std::int64_t first = -1, last = -1;
};
struct ThreadEvents {
  std::int64_t thread = 0;  // the system's number
  std::string name;
  std::vector<SliceEvent> events;  // by their ends
};
struct Recording {
  std::int64_t begin = 0;  // nanoseconds of the steady clock
  std::vector<ThreadEvents> threads;
  std::size_t left_out = 0;  // slices beyond the most that were wanted
};

extern std::atomic<std::uint64_t> recording_number;  // 0: none
/// One relaxed load: asked once for each run of a program.
inline bool recording() noexcept { return recording_number.load(std::memory_order_relaxed) != 0; }

/// One recording at a time, by one caller: from start to stop all threads' slices are kept.
void start_recording(std::size_t most_events);
Recording stop_recording();

/// A slice of this thread's time, from construction to destruction. Nothing without a slice, or
/// when nobody records.
class Recorded {
 public:
  explicit Recorded(SliceRef, std::int64_t first = -1, std::int64_t last = -1) noexcept;
  /// A phase on the way to a program.
  explicit Recorded(const char* phase);
  ~Recorded();
  Recorded(const Recorded&) = delete;
  Recorded& operator=(const Recorded&) = delete;

  /// The innermost slice of this thread, or null.
  static SliceRef current();
  static bool inside() noexcept;

 private:
  SliceEvent event_;
  std::uint64_t number_ = 0;
  const Recorded* outer_ = nullptr;
};

}  // namespace fluxion::runtime
