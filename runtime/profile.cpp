// fx::profile: what was recorded, as trace events in the format of Chrome, with the roofline.
#include "fluxion/profile.hpp"

#include "runtime/peaks.hpp"
#include "runtime/recorder.hpp"
#include "runtime/thread_pool.hpp"
#include "trace/error.hpp"
#include "trace/write_file.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <mutex>
#include <span>
#include <unistd.h>

namespace fluxion {
namespace {

using runtime::Peaks;
using runtime::Recording;
using runtime::Slice;
using runtime::SliceEvent;

struct Running {
  std::mutex lock;
  bool on = false;
  std::string path;
  Site site;
};
Running& running() {
  static auto* made = new Running;
  return *made;
}

std::string line_of(const Site& site) {
  return *site.file_name() ? fmt::format("{}:{}", site.file_name(), site.line()) : std::string();
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", c);
    else
      out += c;
  }
  return out + '"';
}

class Writer {
 public:
  Writer(const Recording& recording, const Peaks& peaks)
      : recording_(recording), peaks_(peaks), process_(getpid()) {}

  std::string text() {
    put("{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"threads\":{},\"peak GFLOP/s "
        "float32\":{:.4g},"
        "\"peak GFLOP/s float64\":{:.4g},\"peak GB/s\":{:.4g},\"slices left out\":{}}},\n"
        "\"traceEvents\":[\n",
        runtime::num_threads(),
        peaks_.float32_flops / 1e9,
        peaks_.float64_flops / 1e9,
        peaks_.bytes / 1e9,
        recording_.left_out);
    put("{{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":{},\"args\":{{\"name\":\"Fluxion\"}}}}",
        process_);
    for (const auto& thread : recording_.threads) {
      put(",\n{{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":{},\"tid\":{},\"args\":{{\"name\":{}}"
          "}}}",
          process_,
          thread.thread,
          quoted(thread.name));
      for (const SliceEvent& event : thread.events) write(event, thread.thread);
    }
    put("\n]}}\n");
    return {out_.data(), out_.size()};
  }

 private:
  template <class... T> void put(fmt::format_string<T...> format, T&&... values) {
    fmt::format_to(std::back_inserter(out_), format, static_cast<T&&>(values)...);
  }

  void write(const SliceEvent& event, std::int64_t thread) {
    const Slice& slice = *event.slice;
    const bool part = event.first >= 0;
    put(",\n{{\"ph\":\"X\",\"name\":{},\"cat\":{},\"pid\":{},\"tid\":{},\"ts\":{:.3f},\"dur\":{:."
        "3f},"
        "\"args\":{{",
        quoted(part ? "part of " + slice.name : slice.name),
        quoted(part ? "part" : slice.category),
        process_,
        thread,
        static_cast<double>(event.begin - recording_.begin) / 1e3,
        static_cast<double>(event.end - event.begin) / 1e3);
    put("\"line\":{}", quoted(line_of(slice.site)));
    if (part)
      put(",\"first\":{},\"last\":{}", event.first, event.last);
    else if (slice.category != "compile")
      write_work(slice, static_cast<double>(event.end - event.begin) / 1e9);
    put("}}}}");
  }

  void write_work(const Slice& slice, double seconds) {
    if (!slice.operations.empty()) put(",\"operations\":{}", quoted(slice.operations));
    if (!slice.writes.empty()) put(",\"writes\":{}", quoted(slice.writes));
    if (!slice.implementation.empty()) put(",\"implementation\":{}", quoted(slice.implementation));
    const codegen::Work& work = slice.work;
    put(",\"flops\":{:.0f},\"bytes\":{:.0f},\"read\":{:.0f},\"written\":{:.0f},"
        "\"transcendentals\":{:.0f}",
        work.flops,
        work.bytes(),
        work.read,
        work.written,
        work.transcendentals);
    const double time = std::max(seconds, 1e-9);
    const bool wide = slice.dtype == float64 || slice.dtype == complex128;
    const double arithmetic = work.flops / (wide ? peaks_.float64_flops : peaks_.float32_flops),
                 memory = work.bytes() / peaks_.bytes;
    put(",\"GFLOP/s\":{:.4g},\"GB/s\":{:.4g},\"share of roofline\":{:.4g},\"bound by\":\"{}\"",
        work.flops / time / 1e9,
        work.bytes() / time / 1e9,
        std::max(arithmetic, memory) / time,
        arithmetic > memory ? "arithmetic" : "memory");
  }

  const Recording& recording_;
  Peaks peaks_;
  int process_;
  fmt::memory_buffer out_;
};

}  // namespace

Profile::Profile(std::string path, const ProfileOptions& options, Site site)
    : path_(std::move(path)) {
  check_writable(path_, site);
  Running& other = running();
  const std::lock_guard guard(other.lock);
  if (other.on)
    fail("profile",
         site,
         "profile: another profile is running, into " + other.path,
         {"begun at " + line_of(other.site)},
         "stop() it first: one profile records every thread of the process");
  other.on = true;
  other.path = path_;
  other.site = site;
  runtime::start_recording(options.most_slices);
  running_ = true;
}

void Profile::finish(Site site) {
  if (!running_) return;
  running_ = false;
  Recording recording = runtime::stop_recording();
  {
    const std::lock_guard guard(running().lock);
    running().on = false;
  }
  const std::string text = Writer(recording, runtime::machine_peaks()).text();
  const std::span<const char> pieces[] = {text};
  write_atomically(path_, pieces, site);
}

void Profile::stop(Site site) { finish(site); }

Profile::~Profile() {
  try {
    finish(Site::current());
  } catch (...) {  // NOLINT(bugprone-empty-catch): said in the header
  }
}

}  // namespace fluxion
