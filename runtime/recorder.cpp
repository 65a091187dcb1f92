// Each thread keeps its slices behind its own lock; the one who stops collects them.
#include "runtime/recorder.hpp"

#include <chrono>
#include <mutex>
#include <new>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fluxion::runtime {

std::atomic<std::uint64_t> recording_number{0};

namespace {

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct Track {
  std::mutex lock;
  std::int64_t thread;
  std::string name;
  std::vector<SliceEvent> events;
};

struct Recorder {
  std::mutex lock;  // of tracks
  std::vector<std::unique_ptr<Track>> tracks;
  std::atomic<std::size_t> events{0}, most{0};
  std::int64_t begin = 0;
};
Recorder& recorder() {
  static auto* made = new Recorder;  // never destroyed: threads may end after every static
  return *made;
}

thread_local Track* own_track = nullptr;  // lives as long as the process
thread_local const Recorded* innermost = nullptr;

Track& track() {
  if (own_track) return *own_track;
  auto made = std::make_unique<Track>();
  made->thread = syscall(SYS_gettid);
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  made->name = made->thread == getpid() ? "main" : name;
  own_track = made.get();
  const std::lock_guard guard(recorder().lock);
  recorder().tracks.push_back(std::move(made));
  return *own_track;
}

}  // namespace

void start_recording(std::size_t most_events) {
  static std::uint64_t number = 0;
  recorder().events.store(0, std::memory_order_relaxed);
  recorder().most.store(most_events, std::memory_order_relaxed);
  recorder().begin = now();
  recording_number.store(++number, std::memory_order_release);
}

Recording stop_recording() {
  recording_number.store(0, std::memory_order_seq_cst);
  Recorder& all = recorder();
  Recording recording{all.begin, {}, 0};
  const std::lock_guard guard(all.lock);
  for (const auto& track : all.tracks) {
    const std::lock_guard own(track->lock);
    if (track->events.empty()) continue;
    recording.threads.push_back({track->thread, track->name, std::move(track->events)});
    track->events = {};
  }
  const std::size_t events = all.events.load(std::memory_order_relaxed),
                    most = all.most.load(std::memory_order_relaxed);
  recording.left_out = events > most ? events - most : 0;
  return recording;
}

Recorded::Recorded(SliceRef slice, std::int64_t first, std::int64_t last) noexcept {
  if (!slice) return;
  number_ = recording_number.load(std::memory_order_acquire);
  if (number_ == 0) return;
  event_ = {std::move(slice), now(), 0, first, last};
  outer_ = innermost;
  innermost = this;
}

Recorded::Recorded(const char* phase)
    : Recorded([phase]() -> SliceRef {
        if (!recording()) return {};
        Slice slice;
        slice.name = phase;
        slice.category = "compile";
        slice.site = current_site(Site());
        return std::make_shared<const Slice>(std::move(slice));
      }()) {}

Recorded::~Recorded() {
  if (number_ == 0) return;
  innermost = outer_;
  event_.end = now();
  Recorder& all = recorder();
  try {
    Track& own = track();
    const std::lock_guard guard(own.lock);
    // The lock orders this before or after a collection: what ended after it belongs to nobody.
    if (recording_number.load(std::memory_order_seq_cst) != number_) return;
    if (all.events.fetch_add(1, std::memory_order_relaxed) <
        all.most.load(std::memory_order_relaxed))
      own.events.push_back(std::move(event_));
  } catch (const std::bad_alloc&) {  // a slice less
  }
}

SliceRef Recorded::current() { return innermost ? innermost->event_.slice : SliceRef(); }
bool Recorded::inside() noexcept { return innermost != nullptr; }

}  // namespace fluxion::runtime
