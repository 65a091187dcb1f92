// Kernels that run without code at first, then by quick code, and by better when they run often.
#include "runtime/recompile.hpp"

#include "fluxion/fluxion.hpp"
#include "runtime/code_key.hpp"
#include "runtime/disk_cache.hpp"
#include "runtime/kernel_cache.hpp"
#include "runtime/run_kernel.hpp"
#include "tests/support/catch.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/math.hpp"

#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace fluxion::test {
namespace {

using codegen::CompiledKernel;

/// out[i] = tanh(in[i] * factor); another kernel for each factor.
kernel::Kernel scaled(std::int64_t count, double factor) {
  kernel::Builder b("scaled");
  const auto in = b.buffer(float32, kernel::Role::input, count);
  const auto out = b.buffer(float32, kernel::Role::output, count);
  b.parallel({count}, [&](const kernel::Index& i) {
    b.store(out, i[0], kernel::tanh(b.load(in, i[0]) * factor));
  });
  return b.finish();
}

detail::Ref<CompiledKernel> code_of(const kernel::Kernel& kernel) {
  return runtime::compiled({&kernel, 1})[0];
}

std::vector<float> run(const CompiledKernel& code, std::size_t count) {
  std::vector<float> in(count), out(count);
  for (std::size_t k = 0; k < count; ++k) in[k] = static_cast<float>(k) / 100;
  void* buffers[] = {in.data(), out.data()};
  runtime::run_kernel(code, buffers);
  return out;
}

/// Whether this processor has what kernels without code run on.
bool has_vectors() {
  return codegen::lane_function(kernel::Verb::add, float32, float32) != nullptr;
}

bool kept_quick(const kernel::Kernel& kernel) {
  const auto bytes = runtime::process_disk_cache()->find(runtime::code_key(kernel));
  REQUIRE(bytes);
  return codegen::unpack(*bytes)->quick > 0;
}

}  // namespace

TEST_CASE("a kernel runs over vectors, is compiled quickly, and by all passes when it runs on") {
  if (!has_vectors()) return;
  runtime::finish_recompiling();
  const std::int64_t count = 3001;
  const kernel::Kernel kernel = scaled(count, 0.1253 + getpid());
  const auto code = code_of(kernel);
  REQUIRE(code->over_vectors());
  REQUIRE(code->quick());
  CHECK(code->phases()[0].entry() == nullptr);
  CHECK(!runtime::process_disk_cache()->find(runtime::code_key(kernel)));
  const std::vector<float> results = run(*code, count);
  const std::uint64_t before = runtime::recompiled_kernels();
  codegen::PhaseEntry last = nullptr, quick = nullptr;
  for (const std::uint64_t times : {1, 2}) {
    if (times == 2) CHECK(run(*code, count) == results);
    runtime::finish_recompiling();
    CHECK(code->quick());
    CHECK(code->phases()[0].entry() == last);

    CHECK(run(*code, count) == results);
    runtime::finish_recompiling();
    CHECK(runtime::recompiled_kernels() == before + times);
    CHECK(code->phases()[0].entry() != last);
    CHECK(code->quick() == (times == 1));
    CHECK(kept_quick(kernel) == (times == 1));
    last = code->phases()[0].entry();
    if (times == 1) quick = last;
  }
  // Threads may still be in the code before.
  std::vector<float> in(count), out(count);
  for (std::size_t k = 0; k < in.size(); ++k) in[k] = static_cast<float>(k) / 100;
  void* buffers[] = {in.data(), out.data()};
  quick(nullptr, buffers, 0, code->phases()[0].units);
  CHECK(out == results);
  for (int k = 0; k < 3; ++k) CHECK(run(*code, count) == results);
  runtime::finish_recompiling();
  CHECK(runtime::recompiled_kernels() == before + 2);
  CHECK(code->phases()[0].entry() == last);
}

TEST_CASE("a run over vectors is for what takes less than compiling") {
  if (!has_vectors()) return;
  const auto over_vectors = [](const kernel::Kernel& kernel, double runs) {
    return codegen::compile(kernel, {.quick = -1, .vector_runs = runs})->over_vectors();
  };
  CHECK(over_vectors(scaled(8, 1), 1));
  CHECK(over_vectors(scaled(10'000, 1), 1));
  CHECK(!over_vectors(scaled(10'000, 1), 100));
  CHECK(!over_vectors(scaled(1'000'000, 1), 1));
}

TEST_CASE("quick code from disk is replaced as well, and other code is not") {
  const kernel::Kernel kernel = scaled(2003, 0.2253 + getpid());
  const auto store = [&](bool quick) {
    const auto code = codegen::compile(kernel, {.quick = quick ? 2 : 0});
    CHECK(code->quick() == quick);
    const auto image = codegen::unpack(codegen::pack(*code->image()));
    REQUIRE(image->quick == (quick ? 2 : 0));
    return codegen::load(kernel, *image);
  };
  const auto quick = store(true), full = store(false);
  CHECK(quick->quick());
  CHECK(!full->quick());
  const std::vector<float> results = run(*full, 2003);
  for (int k = 0; k < 3; ++k) CHECK(run(*quick, 2003) == results);
  const std::uint64_t before = runtime::recompiled_kernels();
  runtime::finish_recompiling();
  CHECK(!quick->quick());
  CHECK(runtime::recompiled_kernels() <= before + 1);
  CHECK(run(*quick, 2003) == results);
}

TEST_CASE("code that a run waits for longer than for its compilation is compiled by all passes") {
  const auto quick = [](const kernel::Kernel& kernel) {
    return codegen::compile(kernel, {.quick = -1})->quick();
  };
  CHECK(quick(scaled(100'000, 1)));
  CHECK(!quick(scaled(100'000'000, 1)));
  // Of ten thousand instructions, whose passes take longer than a run of several milliseconds.
  kernel::Builder b("large");
  const std::int64_t count = 100'000;
  const auto in = b.buffer(float32, kernel::Role::input, count),
             out = b.buffer(float32, kernel::Role::output, count);
  b.parallel({count}, [&](const kernel::Index& i) {
    kernel::Scalar x = b.load(in, i[0]);
    for (int k = 0; k < 5000; ++k) x = x * (1.0 + k) + x;
    b.store(out, i[0], x);
  });
  CHECK(quick(b.finish()));
  CHECK(!quick(scaled(8, 1)));  // compiled quickly for good: its run takes nanoseconds
}

TEST_CASE("threads may run a kernel while its code is replaced") {
  const std::int64_t count = 2000;
  for (int round = 0; round < 5; ++round) {
    const auto code = code_of(scaled(count, 0.31 + round + getpid()));
    const std::vector<float> results = run(*code, count);
    std::atomic<bool> same = true;
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&] {
        for (int k = 0; k < 200; ++k)
          if (run(*code, count) != results) same = false;
      });
    for (std::thread& thread : threads) thread.join();
    runtime::finish_recompiling();
    CHECK(same);
    CHECK(run(*code, count) == results);
  }
}

#ifndef __SANITIZE_THREAD__
TEST_CASE("a forked child compiles again what its parent had not yet") {
  const std::int64_t count = 1500;
  std::vector<detail::Ref<CompiledKernel>> codes;
  for (int k = 0; k < 8; ++k) codes.push_back(code_of(scaled(count, 0.41 + k + getpid())));
  const std::vector<float> results = run(*codes[0], count);
  for (const auto& code : codes)
    for (int k = 0; k < 2; ++k) run(*code, count);
  const pid_t child = fork();
  if (child == 0) {
    const auto own = code_of(scaled(count, 0.51 + getpid()));
    for (int k = 0; k < 2; ++k) run(*own, count);
    runtime::finish_recompiling();
    _exit(run(*codes[0], count) == results ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  runtime::finish_recompiling();
  CHECK(run(*codes[0], count) == results);
}
#endif

}  // namespace fluxion::test
