// Traces of runs: what is in the file, on which threads, and what is refused.
#include "fluxion/profile.hpp"

#include "runtime/program.hpp"
#include "runtime/recorder.hpp"
#include "runtime/thread_pool.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"
#include "tests/support/threads.hpp"

#include <atomic>
#include <filesystem>
#include <fluxion/fluxion.hpp>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

namespace fx = fluxion;
using fluxion::test::Threads;
using fx::Array;
using nlohmann::json;

namespace {

/// A folder of this process that is gone afterwards.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "fluxion-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

json read(const std::string& path) { return json::parse(std::ifstream(path)); }

std::vector<json> slices(const json& trace, const std::string& category) {
  std::vector<json> found;
  for (const json& event : trace.at("traceEvents"))
    if (event.at("ph") == "X" && event.at("cat") == category) found.push_back(event);
  return found;
}
bool inside(const json& inner, const json& outer) {
  const double slack = 0.0015;  // microseconds have three digits
  const double begin = inner.at("ts"), end = begin + inner.at("dur").get<double>();
  const double from = outer.at("ts"), to = from + outer.at("dur").get<double>();
  return inner.at("tid") == outer.at("tid") && from - slack <= begin && end <= to + slack;
}
std::string here(int line) { return fmt::format("{}:{}", __FILE__, line); }

}  // namespace

#ifdef FLUXION_LLVM
TEST_CASE("a profile has a slice for every step, inside its run, with its work and its line") {
  const Folder folder;
  const int at = __LINE__ + 2;  // of the product
  auto f = [](Array x) {
    Array y = fx::matmul(x, x);
    return fx::sort(fx::exp(y), 0);
  };
  const auto exe = fx::lower(f, fx::Spec{{128, 128}, fx::float32}).compile();
  const Array x = fx::zeros({128, 128});
  fx::eval(x);
  {
    auto profile = fx::profile(folder / "trace.json");
    for (int k = 0; k < 3; ++k) fx::eval(exe(x));
    profile.stop();
  }
  const json trace = read(folder / "trace.json");
  CHECK(trace.at("otherData").at("peak GB/s") > 0.1);
  CHECK(trace.at("otherData").at("peak GFLOP/s float32") > 0.1);
  CHECK(trace.at("otherData").at("slices left out") == 0);
  const auto runs = slices(trace, "run"), leaves = slices(trace, "leaf"),
             kernels = slices(trace, "kernel");
  REQUIRE(runs.size() == 3);
  REQUIRE(leaves.size() == 6);
  REQUIRE(kernels.size() == 3);
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(inside(leaves[2 * k], runs[k]));
    CHECK(inside(kernels[k], runs[k]));
    CHECK(inside(leaves[2 * k + 1], runs[k]));
    CHECK(leaves[2 * k].at("ts") <= kernels[k].at("ts"));
    CHECK(kernels[k].at("ts") <= leaves[2 * k + 1].at("ts"));
    if (k > 0) CHECK(runs[k - 1].at("ts") < runs[k].at("ts"));
  }
  const json& product = leaves[0];
  CHECK(product.at("name") == "leaf dot_general");
  CHECK(product.at("args").at("line") == here(at));
  CHECK(product.at("args").at("operations") == "dot_general");
  CHECK(product.at("args").at("writes") == "f32[128,128]");
  CHECK(product.at("args").at("implementation").get<std::string>().starts_with("matmul "));
  CHECK(product.at("args").at("flops") == 2.0 * 128 * 128 * 128);
  CHECK(product.at("args").at("bytes") == 3 * 4 * 128 * 128);
  // The roof is the slower of arithmetic and memory, as they were measured.
  const auto check_roof = [&](const json& slice, double flops, double bytes) {
    const json& peaks = trace.at("otherData");
    const double arithmetic = flops / 1e9 / peaks.at("peak GFLOP/s float32").get<double>();
    const double memory = bytes / 1e9 / peaks.at("peak GB/s").get<double>();
    const json& arguments = slice.at("args");
    CHECK(arguments.at("bound by") == (arithmetic > memory ? "arithmetic" : "memory"));
    CHECK(
        arguments.at("share of roofline").get<double>() ==
        Approx(std::max(arithmetic, memory) / (slice.at("dur").get<double>() / 1e6)).epsilon(0.05));
  };
  check_roof(product, 2.0 * 128 * 128 * 128, 3.0 * 4 * 128 * 128);
  const json& exponential = kernels[0].at("args");
  CHECK(kernels[0].at("name") == "kernel exp");
  CHECK(exponential.at("line") == here(at + 1));
  CHECK(exponential.at("read") == 4 * 128 * 128);
  CHECK(exponential.at("written") == 4 * 128 * 128);
  CHECK(exponential.at("transcendentals") == 128 * 128);
  // The rates are the work over the slice's own time.
  const double seconds = kernels[0].at("dur").get<double>() / 1e6;
  const double rate = exponential.at("bytes").get<double>() / seconds / 1e9;
  CHECK(exponential.at("GB/s").get<double>() == Approx(rate).epsilon(0.05));
  check_roof(kernels[0], exponential.at("flops").get<double>(), 2.0 * 4 * 128 * 128);
}

TEST_CASE("a profile shows the phases of a compilation in their order") {
  const Folder folder;
  auto profile = fx::profile(folder / "trace.json");
  auto f = fx::jit([](Array x) { return fx::tanh(x * 3.25f) + 0.0625f; });
  fx::eval(f(fx::Array(1.5f)));
  profile.stop();
  const auto phases = slices(read(folder / "trace.json"), "compile");
  std::vector<std::string> names;
  for (const json& phase : phases) names.push_back(phase.at("name"));
  CHECK(names == std::vector<std::string>{"trace", "passes", "schedule", "compile kernels"});
  for (std::size_t k = 1; k < phases.size(); ++k)
    CHECK(phases[k - 1].at("ts").get<double>() + phases[k - 1].at("dur").get<double>() <=
          phases[k].at("ts").get<double>() + 0.002);
}

TEST_CASE("the parts of a kernel that threads share are slices of these threads") {
  const Folder folder;
  const Threads three(3);
  const auto exe =
      fx::lower([](Array x) { return fx::exp(fx::sin(x)); }, fx::Spec{{1 << 22}, fx::float32})
          .compile();
  const Array x = fx::ones({1 << 22});
  fx::eval(x);
  auto profile = fx::profile(folder / "trace.json");
  fx::eval(exe(x));
  profile.stop();
  const json trace = read(folder / "trace.json");
  const auto kernels = slices(trace, "kernel");
  REQUIRE(kernels.size() == 1);
  std::map<std::int64_t, std::int64_t> parts;  // end by begin
  std::set<std::int64_t> threads;
  const json& kernel = kernels[0];
  for (const json& part : slices(trace, "part")) {
    CHECK(part.at("name") == "part of kernel sin exp");
    CHECK(part.at("args").at("line") == kernel.at("args").at("line"));
    CHECK(part.at("ts") >= kernel.at("ts"));
    CHECK(part.at("ts").get<double>() + part.at("dur").get<double>() <=
          kernel.at("ts").get<double>() + kernel.at("dur").get<double>() + 0.002);
    parts[part.at("args").at("first")] = part.at("args").at("last");
    threads.insert(part.at("tid").get<std::int64_t>());
  }
  std::int64_t next = 0;
  for (const auto& [first, last] : parts) {
    CHECK(first == next);
    next = last;
  }
  CHECK(parts.size() >= 3);
  std::set<std::int64_t> named;
  for (const json& event : trace.at("traceEvents"))
    if (event.at("name") == "thread_name") {
      named.insert(event.at("tid").get<std::int64_t>());
      const std::string name = event.at("args").at("name");
      if (event.at("tid") != kernel.at("tid")) CHECK(name.starts_with("fluxion "));
    }
  for (std::int64_t thread : threads) CHECK(named.count(thread) == 1);
}

TEST_CASE("the steps that a loop repeats lie inside its slice") {
  const Folder folder;
  auto f = [](Array x) {
    auto body = [](Array c) {
      Array next = fx::sin(fx::matmul(c, c));
      return std::pair{next, next};
    };
    return fx::scan(body, x, {.length = 7}).first;
  };
  const auto exe = fx::lower(f, fx::Spec{{64, 64}, fx::float32}).compile();
  const Array x = fx::zeros({64, 64});
  fx::eval(x);
  auto profile = fx::profile(folder / "trace.json");
  fx::eval(exe(x));
  profile.stop();
  const json trace = read(folder / "trace.json");
  const auto loops = slices(trace, "loop"), products = slices(trace, "leaf");
  REQUIRE(loops.size() == 1);
  CHECK(loops[0].at("name") == "loop scan");
  REQUIRE(products.size() == 7);
  CHECK(slices(trace, "kernel").size() == 7);
  CHECK(slices(trace, "run").size() == 1);
  for (const json& product : products) CHECK(inside(product, loops[0]));
}
#endif

TEST_CASE("a program that is interpreted has a slice for each operation") {
  const Folder folder;
  const int at = __LINE__ + 3;
  const fx::GraphRef graph =
      fx::test::program({fx::Type{{8}, fx::float32}},
                        [](const fx::ArrayList& x) { return fx::ArrayList{fx::cos(x[0])}; });
  const auto program = fx::runtime::interpreted_program(graph);
  const std::vector<float> zeros(8);
  const fx::Argument argument{zeros.data(), {}, false};
  fx::detail::Ref<fx::Buffer> result;
  auto profile = fx::profile(folder / "trace.json");
  program->run({&argument, 1}, {&result, 1});
  profile.stop();
  CHECK(static_cast<const float*>(result->data())[7] == 1.f);
  const auto steps = slices(read(folder / "trace.json"), "reference");
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].at("name") == "reference cos");
  CHECK(steps[0].at("args").at("line") == here(at));
  CHECK(steps[0].at("args").at("bytes") == 64);
}

TEST_CASE("text in a trace is quoted") {
  const Folder folder;
  auto profile = fx::profile(folder / "trace.json");
  const std::string name = "a \"kernel\" \\ of two\nlines";
  {
    auto slice = std::make_shared<fx::runtime::Slice>();
    slice->name = name;
    slice->category = "kernel";
    const fx::runtime::Recorded recorded(std::move(slice));
  }
  profile.stop();
  const auto kernels = slices(read(folder / "trace.json"), "kernel");
  REQUIRE(kernels.size() == 1);
  CHECK(kernels[0].at("name") == name);
}

TEST_CASE("a profile ends with its scope, and writes nothing before") {
  const Folder folder;
  {
    auto profile = fx::profile(folder / "trace.json");
    CHECK(fx::runtime::recording());
    CHECK(folder.files() == 0);
  }
  CHECK_FALSE(fx::runtime::recording());
  CHECK(folder.files() == 1);
  CHECK(slices(read(folder / "trace.json"), "run").empty());
  auto again = fx::profile(folder / "trace.json");  // replaces the file
  again.stop();
  std::filesystem::remove(folder / "trace.json");
  again.stop();
  CHECK(folder.files() == 0);
}

TEST_CASE("slices beyond the most that are wanted are counted") {
  const Folder folder;
  auto profile = fx::profile(folder / "trace.json", {.most_slices = 5});
  for (int k = 0; k < 8; ++k) {
    auto slice = std::make_shared<fx::runtime::Slice>();
    slice->category = "kernel";
    const fx::runtime::Recorded recorded(std::move(slice));
  }
  profile.stop();
  const json trace = read(folder / "trace.json");
  CHECK(slices(trace, "kernel").size() == 5);
  CHECK(trace.at("otherData").at("slices left out") == 3);
}

TEST_CASE("programs run on other threads while profiles begin and end") {
  const Folder folder;
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      auto f = fx::jit([](Array x) { return fx::sum(fx::sin(x)); });
      const Array x = fx::zeros({1000});
      while (!done)
        if (f(x).item<float>() != 0.f) ++wrong;
    });
  for (int k = 0; k < 5; ++k) {
    auto profile = fx::profile(folder / fmt::format("{}.json", k));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    profile.stop();
  }
  done = true;
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  for (int k = 0; k < 5; ++k)
    for (const json& run : slices(read(folder / fmt::format("{}.json", k)), "run"))
      CHECK(run.at("ts") >= 0.0);
}

TEST_CASE("a second profile is refused while one is running") {
  const Folder folder;
  const int at = __LINE__ + 1;
  auto profile = fx::profile(folder / "first.json");
  const int again = __LINE__ + 2;
  try {
    auto second = fx::profile(folder / "second.json");
    FAIL("it was not refused");
  } catch (const fx::Error& error) {
    CHECK(error.code() == "profile");
    CHECK(error.what() ==
          fmt::format("error[profile]: profile: another profile is running, into {}\n"
                      "  --> {}:{}\n"
                      "  | begun at {}:{}\n"
                      "  = hint: stop() it first: one profile records every thread of the process",
                      folder / "first.json",
                      __FILE__,
                      again,
                      __FILE__,
                      at));
  }
  CHECK(folder.files() == 0);
  profile.stop();
  auto third = fx::profile(folder / "third.json");
  third.stop();
  CHECK(folder.files() == 2);
}

TEST_CASE("a profile that could not be written is refused at once, or when it stops") {
  Folder folder;
  const int at = __LINE__ + 2;
  try {
    auto profile = fx::profile(folder / "missing/trace.json");
    FAIL("it was not refused");
  } catch (const fx::Error& error) {
    CHECK(error.what() ==
          fmt::format("error[file]: cannot create a file beside {}: No such file or "
                      "directory\n  --> {}:{}",
                      folder / "missing/trace.json",
                      __FILE__,
                      at));
  }
  CHECK_FALSE(fx::runtime::recording());
  auto profile = fx::profile(folder / "trace.json");
  std::filesystem::create_directory(folder / "trace.json");
  const int stop = __LINE__ + 2;
  try {
    profile.stop();
    FAIL("it was not refused");
  } catch (const fx::Error& error) {
    CHECK(error.what() == fmt::format("error[file]: cannot replace {}: Is a directory\n  --> {}:{}",
                                      folder / "trace.json",
                                      __FILE__,
                                      stop));
  }
  CHECK(folder.files() == 1);  // nothing is left beside it
}
