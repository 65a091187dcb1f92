// Child processes that take jobs one by one, and are replaced when they die.
#include "tools/workers.hpp"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <poll.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace fluxion::tools {
namespace {

constexpr std::size_t no_job = SIZE_MAX;

struct Worker {
  pid_t process = -1;
  int to = -1, from = -1;  // job numbers out; lengths and texts in
  std::size_t job = no_job;
};

bool write_all(int to, const void* data, std::size_t size) {
  for (const char* p = static_cast<const char*>(data); size > 0;) {
    const ssize_t n = ::write(to, p, size);
    if (n <= 0) return false;
    p += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}
bool read_all(int from, void* data, std::size_t size) {
  for (char* p = static_cast<char*>(data); size > 0;) {
    const ssize_t n = ::read(from, p, size);
    if (n <= 0) return false;
    p += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

[[noreturn]] void serve(int in,
                        int out,
                        int seconds,
                        const std::function<std::string(std::size_t)>& job) {
  std::uint64_t number = 0;
  while (read_all(in, &number, sizeof number)) {
    ::alarm(static_cast<unsigned>(seconds));
    const std::string text = job(number);
    ::alarm(0);
    const std::uint64_t length = text.size();
    if (!write_all(out, &length, sizeof length) || !write_all(out, text.data(), text.size())) break;
  }
  ::_exit(0);
}

Worker start(int seconds,
             const std::vector<Worker>& others,
             const std::function<std::string(std::size_t)>& job) {
  int jobs[2], texts[2];
  if (::pipe(jobs) != 0 || ::pipe(texts) != 0)
    throw std::runtime_error("no pipe to a child process");
  Worker out;
  out.process = ::fork();
  if (out.process < 0) throw std::runtime_error("no child process");
  if (out.process == 0) {
    for (const Worker& other : others)
      for (int end : {other.to, other.from})
        if (end >= 0) ::close(end);
    ::close(jobs[1]);
    ::close(texts[0]);
    serve(jobs[0], texts[1], seconds, job);
  }
  ::close(jobs[0]);
  ::close(texts[1]);
  out.to = jobs[1];
  out.from = texts[0];
  return out;
}

std::string end(Worker& w) {
  ::close(w.to);
  ::close(w.from);
  int status = 0;
  ::waitpid(w.process, &status, 0);
  w = Worker();
  if (WIFSIGNALED(status))
    return WTERMSIG(status) == SIGALRM ? "took too long"
                                       : std::string("died: ") + ::strsignal(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

std::vector<Outcome> run_in_processes(std::size_t count,
                                      int processes,
                                      int seconds,
                                      const std::function<std::string(std::size_t)>& job) {
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<Outcome> out(count);
  std::vector<Worker> workers(static_cast<std::size_t>(std::max(1, processes)));
  std::size_t next = 0, done = 0;
  while (done < count) {
    std::vector<pollfd> waiting;
    for (Worker& w : workers) {
      if (w.job == no_job && next < count) {
        if (w.process < 0) w = start(seconds, workers, job);
        const std::uint64_t number = w.job = next++;
        if (!write_all(w.to, &number, sizeof number)) {
          out[w.job] = {end(w), true};
          ++done;
          continue;
        }
      }
      waiting.push_back({w.job == no_job ? -1 : w.from, POLLIN, 0});
    }
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    for (Worker& w : workers) {
      if (w.job == no_job) continue;
      pollfd one{w.from, POLLIN, 0};
      if (::poll(&one, 1, 0) <= 0) continue;
      Outcome& outcome = out[w.job];
      std::uint64_t length = 0;
      if (read_all(w.from, &length, sizeof length)) {
        outcome.text.resize(length);
        outcome.crashed = !read_all(w.from, outcome.text.data(), length);
        w.job = no_job;
      } else {
        outcome = {end(w), true};
      }
      ++done;
    }
  }
  for (Worker& w : workers)
    if (w.process >= 0) end(w);
  return out;
}

}  // namespace fluxion::tools
