#include "campaign.hpp"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "../sanitized.hpp"
#include "operation.hpp"
#include "runner.hpp"
#include "shrink.hpp"

namespace brownout::heap::testing::model {
namespace {

// What is running, for the handler of a fatal signal.
char running[160] = "";

[[maybe_unused]] void say_what_was_running(int signal) {
  const ssize_t written = write(STDERR_FILENO, running, std::strlen(running));
  static_cast<void>(written);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void watch(const Modules& modules, std::uint64_t seed) {
  std::snprintf(running, sizeof running,
                "\n%s died at seed %llu; shrink it with BROWNOUT_MODEL_SEED=%llu BROWNOUT_MODEL_FORK=1\n",
                modules.name, static_cast<unsigned long long>(seed), static_cast<unsigned long long>(seed));
  if constexpr (!kSanitized) {
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGABRT}) std::signal(signal, &say_what_was_running);
  }
}

// Why a sequence fails; empty if it does not.
std::string reason_of(const Combination& combination, const Setup& setup, const std::vector<Op>& ops,
                      Counters& counters, std::size_t& done, std::ostream* log = nullptr) {
  Runner runner(combination, setup, counters, log);
  std::string reason;
  try {
    runner.run(ops);
  } catch (const std::exception& error) {
    reason = error.what();
  }
  done = runner.done();
  return reason;
}

// The same in a process of its own; what it dies of counts as a reason.
std::string reason_in_child(const Combination& combination, const Setup& setup, const std::vector<Op>& ops) {
  static constexpr unsigned kSeconds = 20;
  int ends[2] = {};
  require(pipe(ends) == 0, "no pipe");
  const pid_t child = fork();
  require(child >= 0, "no process");
  if (child == 0) {
    alarm(kSeconds);
    static_cast<void>(close(STDERR_FILENO));
    Counters counters;
    std::size_t done = 0;
    const std::string reason = reason_of(combination, setup, ops, counters, done);
    const ssize_t written = write(ends[1], reason.data(), reason.size());
    static_cast<void>(written);
    _exit(0);
  }
  static_cast<void>(close(ends[1]));
  std::string reason;
  char text[256];
  for (ssize_t size = 0; (size = read(ends[0], text, sizeof text)) > 0;) {
    reason.append(text, static_cast<std::size_t>(size));
  }
  static_cast<void>(close(ends[0]));
  int status = 0;
  static_cast<void>(waitpid(child, &status, 0));
  if (WIFSIGNALED(status)) reason = "died of signal " + std::to_string(WTERMSIG(status));
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) reason = "ended the process";
  return reason;
}

void shrink_failure(const Combination& combination, const Campaign& campaign, const Setup& setup,
                    const std::vector<Op>& ops, Outcome& outcome) {
  const Fails fails = [&](const std::vector<Op>& candidate) {
    if (campaign.in_children) return reason_in_child(combination, setup, candidate);
    Counters counters;
    std::size_t done = 0;
    return reason_of(combination, setup, candidate, counters, done);
  };
  const Shrunk shrunk = shrink(ops, fails, campaign.shrink_seconds);
  outcome.reason = shrunk.reason;
  outcome.operations_left = shrunk.ops.size();
  std::ostringstream report;
  report << describe(combination.modules, setup) << "\n"
         << shrunk.reason << "\nafter these " << shrunk.ops.size() << " operations (of " << ops.size() << ", "
         << shrunk.runs << " runs):\n";
  if (campaign.in_children) {
    for (const Op& op : shrunk.ops) report << "  " << describe(op) << '\n';
  } else {
    Counters counters;
    std::size_t done = 0;
    static_cast<void>(reason_of(combination, setup, shrunk.ops, counters, done, &report));
  }
  report << "again: BROWNOUT_MODEL_SEED=" << setup.seed << " and --gtest_filter='*"
         << combination.modules.name << "'\n";
  outcome.failure = report.str();
}

}  // namespace

Outcome run_campaign(const Combination& combination, const Campaign& campaign) {
  Outcome outcome;
  std::uint64_t seed = campaign.first_seed;
  for (; outcome.counters.operations < campaign.operations && outcome.failure.empty(); ++seed) {
    watch(combination.modules, seed);
    const Setup setup = draw_setup(combination, seed);
    if (!Runner(combination, setup, outcome.counters).possible()) {
      ++outcome.impossible;
      continue;
    }
    std::vector<Op> ops = draw_sequence(combination, setup);
    if (campaign.in_children) {
      if (reason_in_child(combination, setup, ops).empty()) continue;
      shrink_failure(combination, campaign, setup, ops, outcome);
      break;
    }
    std::size_t done = 0;
    if (reason_of(combination, setup, ops, outcome.counters, done).empty()) continue;
    ops.resize(std::min(ops.size(), done + 1));
    shrink_failure(combination, campaign, setup, ops, outcome);
  }
  outcome.next_seed = seed;
  return outcome;
}

}  // namespace brownout::heap::testing::model
