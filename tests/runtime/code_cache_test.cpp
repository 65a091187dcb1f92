// Code on disk: loaded instead of compiled, and right whatever happens to the files, the threads
// and the processes.
#include "codegen/host.hpp"
#include "runtime/code_key.hpp"
#include "runtime/disk_cache.hpp"
#include "runtime/kernel_cache.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "trace/kernel/builder.hpp"

#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <random>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace fluxion::test {
namespace {

namespace fs = std::filesystem;
using codegen::CompiledKernel;
using runtime::DiskCache;

constexpr std::uint64_t plenty = std::uint64_t{64} << 20;

/// out[i] = in[i] * factor
kernel::Kernel scaled(std::int64_t count, double factor) {
  kernel::Builder b("scaled");
  const auto in = b.buffer(float32, kernel::Role::input, count);
  const auto out = b.buffer(float32, kernel::Role::output, count);
  b.parallel({count},
             [&](const kernel::Index& i) { b.store(out, i[0], b.load(in, i[0]) * factor); });
  return b.finish();
}

bool right(const CompiledKernel& code, std::size_t count, float factor) {
  std::vector<float> in(count), out(count);
  for (std::size_t k = 0; k < count; ++k) in[k] = static_cast<float>(k);
  void* buffers[] = {in.data(), out.data()};
  codegen::run(code, buffers);
  for (std::size_t k = 0; k < count; ++k)
    if (out[k] != in[k] * factor) return false;
  return true;
}

/// What happened to the kernels that `work` asked for.
struct Happened {
  std::uint64_t compiled, loaded;
  friend bool operator==(const Happened&, const Happened&) = default;
};
template <class Work> Happened count(Work&& work) {
  const Happened before{runtime::compiled_kernels(), runtime::loaded_kernels()};
  work();
  return {runtime::compiled_kernels() - before.compiled, runtime::loaded_kernels() - before.loaded};
}

fs::path only_file_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  REQUIRE(files.size() == 1);
  return files[0];
}

/// A process of code_cache_worker.cpp with these settings of a cache in its environment.
pid_t start_worker(std::vector<std::string> settings, std::vector<std::string> words) {
  words.insert(words.begin(), FLUXION_CACHE_WORKER);
  std::vector<char*> arguments, environment;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  for (char** e = environ; *e; ++e) {
    const std::string_view setting = *e;
    if (!setting.starts_with("FLUXION_CACHE") && !setting.starts_with("XDG_CACHE_HOME=") &&
        !setting.starts_with("HOME="))
      settings.emplace_back(setting);
  }
  for (std::string& setting : settings) environment.push_back(setting.data());
  environment.push_back(nullptr);
  pid_t process = -1;
  REQUIRE(
      posix_spawn(
          &process, FLUXION_CACHE_WORKER, nullptr, nullptr, arguments.data(), environment.data()) ==
      0);
  return process;
}
pid_t start_worker(const fs::path& cache,
                   const std::string& most_bytes,
                   std::vector<std::string> words) {
  return start_worker({"FLUXION_CACHE_DIR=" + cache.string(), "FLUXION_CACHE_SIZE=" + most_bytes},
                      std::move(words));
}
int status_of(pid_t process) {
  int status = -1;
  REQUIRE(waitpid(process, &status, 0) == process);
  return status;
}

}  // namespace

TEST_CASE("a kernel is compiled once for all caches of a directory") {
  const TemporaryFolder folder;
  DiskCache first(folder.path(), plenty), second(folder.path(), plenty);
  const kernel::Kernel kernel = scaled(1000, 3);
  const auto ask = [&](DiskCache* cache) {
    return count([&] { CHECK(right(*runtime::load_or_compile(kernel, cache), 1000, 3)); });
  };
  CHECK(ask(&first) == Happened{1, 0});
#ifdef __x86_64__
  CHECK(ask(&first) == Happened{0, 1});
  CHECK(ask(&second) == Happened{0, 1});
  CHECK(first.counts().hits == 1);
  CHECK(first.counts().misses == 1);
  CHECK(first.counts().stored == 1);
#endif
  CHECK(ask(nullptr) == Happened{1, 0});
}

#ifdef __x86_64__
TEST_CASE("an entry that is damaged at any byte is compiled again, and the result is right") {
  const TemporaryFolder folder;
  DiskCache cache(folder.path(), plenty);
  const kernel::Kernel kernel = scaled(4, 3);
  runtime::load_or_compile(kernel, &cache);
  const fs::path file = only_file_in(folder.path());
  const std::size_t size = fs::file_size(file);
  std::size_t wrong = 0;
  const Happened happened = count([&] {
    for (std::size_t k = 0; k < size; ++k) {
      std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
      stream.seekg(static_cast<std::streamoff>(k));
      const char byte = static_cast<char>(stream.get());
      stream.seekp(static_cast<std::streamoff>(k));
      stream.put(static_cast<char>(byte ^ (1 << k % 8)));
      stream.close();
      wrong += !right(*runtime::load_or_compile(kernel, &cache), 4, 3);
    }
  });
  CHECK(wrong == 0);
  CHECK(happened == Happened{size, 0});
  CHECK(cache.counts().rejected == size);
  CHECK(count([&] { runtime::load_or_compile(kernel, &cache); }) == Happened{0, 1});
}

TEST_CASE("an entry that is cut off is compiled again") {
  const TemporaryFolder folder;
  DiskCache cache(folder.path(), plenty);
  const kernel::Kernel kernel = scaled(4, 3);
  runtime::load_or_compile(kernel, &cache);
  const fs::path file = only_file_in(folder.path());
  const std::size_t size = fs::file_size(file);
  for (std::size_t cut : {std::size_t{0}, std::size_t{39}, size / 2, size - 1}) {
    fs::resize_file(file, cut);
    const Happened happened =
        count([&] { CHECK(right(*runtime::load_or_compile(kernel, &cache), 4, 3)); });
    CHECK(happened == Happened{1, 0});
  }
}

TEST_CASE("a sound entry that holds no image is compiled again") {
  const TemporaryFolder folder;
  DiskCache cache(folder.path(), plenty);
  const kernel::Kernel kernel = scaled(4, 3);
  const std::string key = runtime::code_key(kernel);
  for (const std::string& value : {std::string(), std::string(15, '\0'), std::string(64, '\xff')}) {
    cache.store(key, value);
    const Happened happened =
        count([&] { CHECK(right(*runtime::load_or_compile(kernel, &cache), 4, 3)); });
    CHECK(happened == Happened{1, 0});
  }
}

TEST_CASE("code of another processor, version or build is not found") {
  const TemporaryFolder folder;
  DiskCache cache(folder.path(), plenty);
  const kernel::Kernel kernel = scaled(4, 3);
  const std::string key = runtime::code_key(kernel);
  const std::string& processor = codegen::host_identification();
  const std::size_t begin = key.find(processor);
  REQUIRE(begin != std::string::npos);
  // Version, LLVM's version, build IDs of library and compiler, processor, each behind its length.
  CHECK(begin > 40 + std::strlen("5:0.1.06:19.1.720:20:"));
  const std::string other = codegen::pack(codegen::compile(scaled(4, 5))->image().value());
  for (std::size_t k = 0; k < begin + processor.size(); ++k) {
    std::string another = key;
    another[k] = static_cast<char>(another[k] ^ 1);
    cache.store(another, other);
  }
  CHECK(cache.counts().stored == begin + processor.size());
  const Happened happened =
      count([&] { CHECK(right(*runtime::load_or_compile(kernel, &cache), 4, 3)); });
  CHECK(happened == Happened{1, 0});
}

TEST_CASE("kernels that differ in a number alone have code of their own on disk") {
  const TemporaryFolder folder;
  DiskCache cache(folder.path(), plenty);
  for (int round = 0; round < 2; ++round)
    for (int factor = 2; factor < 12; ++factor)
      CHECK(right(
          *runtime::load_or_compile(scaled(100, factor), &cache), 100, static_cast<float>(factor)));
  CHECK(cache.counts().hits == 10);
}
#endif

TEST_CASE("a directory that cannot be used costs nothing but the compilation") {
  DiskCache cache("/proc/nothing/here", plenty);
  const Happened happened =
      count([&] { CHECK(right(*runtime::load_or_compile(scaled(4, 3), &cache), 4, 3)); });
  CHECK(happened == Happened{1, 0});
}

TEST_CASE("threads that compile, load and evict the same kernels get right code") {
  const TemporaryFolder folder;
  DiskCache cache(folder.path(), 16 * 2 * 4096);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int k = 0; k < 60; ++k) {
        const int factor = 2 + (k * 7 + t) % 40;
        const auto code = runtime::load_or_compile(scaled(100, factor), &cache);
        if (!right(*code, 100, static_cast<float>(factor))) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(cache.counts().rejected == 0);
}

TEST_CASE("a second process compiles nothing and does not load the compiler") {
  const TemporaryFolder folder;
  CHECK(status_of(start_worker(folder.path(), "64M", {"1", "30", "compile"})) == 0);
#ifdef __x86_64__
  CHECK(status_of(start_worker(folder.path(), "64M", {"1", "30", "load"})) == 0);
#endif
  const TemporaryFolder empty;
  for (int process = 0; process < 2; ++process)
    CHECK(status_of(start_worker(empty.path(), "0", {"1", "30", "compile"})) == 0);
  CHECK(fs::is_empty(empty.path()));
}

#ifdef __x86_64__
TEST_CASE("a process that runs a program once does not load the compiler") {
  if (!__builtin_cpu_supports("avx2")) return;
  const TemporaryFolder folder;
  CHECK(status_of(start_worker(folder.path(), "64M", {"1", "1", "vectors"})) == 0);
}

TEST_CASE("code that was compiled quickly is taken from disk only by who asks for such") {
  const TemporaryFolder folder;
  const auto run = [&](const char* quick, const char* expected) {
    // Of a size that is worth compiling again, which no kernel is after its first run.
    return status_of(start_worker({"FLUXION_CACHE_DIR=" + folder.path().string(), quick},
                                  {"1", "3", expected, "3000"}));
  };
  CHECK(run("FLUXION_QUICK_CODE=5", "compile") == 0);
  CHECK(run("FLUXION_QUICK_CODE=5", "load") == 0);
  CHECK(run("FLUXION_QUICK_CODE=0", "compile") == 0);
  CHECK(run("FLUXION_QUICK_CODE=0", "load") == 0);
  CHECK(run("FLUXION_QUICK_CODE=5", "load") == 0);
}
#endif

TEST_CASE("the environment says where the cache is, how large, and whether there is one") {
  const TemporaryFolder folder;
  const std::string at = folder.path().string();
  const std::vector<std::string> words{"1", "5", "compile"};
  const auto run = [&](std::vector<std::string> settings) {
    const int status = status_of(start_worker(std::move(settings), words));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  constexpr int no_cache = 4;
  CHECK(run({"FLUXION_CACHE=0", "FLUXION_CACHE_DIR=" + at + "/off"}) == no_cache);
  CHECK(run({}) == no_cache);
  CHECK(run({"HOME=/proc/nothing"}) == no_cache);
  CHECK(run({"HOME=relative", "XDG_CACHE_HOME=relative"}) == no_cache);
  CHECK(fs::is_empty(folder.path()));
  CHECK(run({"HOME=" + at}) == 0);
  CHECK(run({"HOME=" + at, "XDG_CACHE_HOME=" + at + "/xdg"}) == 0);
  CHECK(run({"HOME=" + at, "XDG_CACHE_HOME=" + at + "/xdg", "FLUXION_CACHE_DIR=" + at + "/own"}) ==
        0);
  CHECK(run({"FLUXION_CACHE_DIR=" + at + "/small", "FLUXION_CACHE_SIZE=1K"}) == 0);
  CHECK(run({"FLUXION_CACHE_DIR=" + at + "/odd", "FLUXION_CACHE_SIZE=12 apples"}) == 0);
  CHECK(!fs::exists(folder.path() / "small"));
#ifdef __x86_64__
  for (const char* made : {".cache/fluxion", "xdg/fluxion", "own", "odd"})
    CHECK(fs::exists(folder.path() / made));
#endif
}

TEST_CASE("a process that is killed at any moment leaves a cache that others can use") {
  const TemporaryFolder folder;
  std::mt19937 random(7);
  const int rounds = std::getenv("FLUXION_NIGHTLY") ? 200 : 20;
  int killed = 0;
  for (int round = 0; round < rounds; ++round) {
    // Too little room for all kernels of the workers: they store, load and evict all the time.
    const auto start = [&] {
      return start_worker(folder.path(), "400000", {std::to_string(random()), "40", "any"});
    };
    const pid_t victim = start(), survivor = start();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 120000));
    kill(victim, SIGKILL);
    const int status = status_of(victim);
    killed += WIFSIGNALED(status);
    CHECK((WIFSIGNALED(status) || status == 0));
    CHECK(status_of(survivor) == 0);
  }
  CHECK(killed > rounds / 4);
}

}  // namespace fluxion::test
