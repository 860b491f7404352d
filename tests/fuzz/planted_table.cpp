// How many runs and how much CPU time the fuzzer takes to find each planted bug (tests/explore/planted/),
// from an empty corpus, on the instrumented firmware: random (everything at its plain weight) and swarm. One
// line a campaign, written as soon as it is over; campaigns whose line is there already are not run again.
//
//   planted_table RESULTS [--cap SECONDS] [--seeds N] [--only NAME] [--way random|swarm]
//   planted_table RESULTS --bugs      the bugs' names, one a line
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/fuzz/draw.hpp"
#include "sim/fuzz/workbench.hpp"
#include "sim/hooks/access_hooks.hpp"

namespace brownout::sim::firmware {
#define PLANTED(name, scenario, needs, what) std::unique_ptr<Firmware> make_##name(const Image&, Port&);
#include "planted_list.hpp"
#undef PLANTED
}  // namespace brownout::sim::firmware

namespace {

using namespace brownout::sim;
using fuzz::Knob;

struct Bug {
  const char* name;
  const char* scenario;
  const char* what;
  fuzz::MakeFirmware make;
};
const std::vector<Bug> kBugs = {
#define PLANTED(name, scenario, needs, what) {#name, scenario, what, &firmware::make_##name},
#include "planted_list.hpp"
#undef PLANTED
};

// What a campaign leaves, in memory that outlives it.
struct Outcome {
  std::uint64_t runs = 0;
  bool found = false;
  bool over = false;
  char check[16] = {};
};

// A run that takes longer hangs.
constexpr int kLongestRun_s = 5;

double cpu_s() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Of the modules that the bug's firmware was built with.
fuzz::Setting setting_of(const Bug& bug, bool swarm) {
  fuzz::Setting setting;
  setting.swarm = swarm;
  setting.accesses = true;
  setting.build_id = firmware_build_id();
  const bool clock = std::strcmp(bug.scenario, "clock") == 0;
  setting.fixed = {{Knob::memory, 0},          {Knob::slots, 0},    {Knob::ram_allocator, 0},
                   {Knob::store_allocator, 0}, {Knob::checksum, 0}, {Knob::policy, clock ? 1U : 0U}};
  return setting;
}

void campaign(const Bug& bug, bool swarm, std::uint64_t seed, double cap_s, Outcome& outcome) {
  constexpr std::uint64_t kThoroughEvery = 32;  // as in sim/fuzz/campaign.cpp
  const fuzz::Setting setting = setting_of(bug, swarm);
  fuzz::Workbench bench(nullptr, bug.make);
  const itimerval watch = {{}, {kLongestRun_s, 0}};
  while (!outcome.found && cpu_s() < cap_s) {
    setitimer(ITIMER_PROF, &watch, nullptr);
    fuzz::RunOptions options;
    options.thorough = outcome.runs % kThoroughEvery == 0;
    const fuzz::FuzzCase a_case = fuzz::draw_case(setting, seed, outcome.runs++);
    const fuzz::Outcome run = bench.run(a_case, options);
    if (!run.failure) continue;
    outcome.found = true;
    run.failure->check.copy(outcome.check, sizeof outcome.check - 1);
    if (std::getenv("PLANTED_VERBOSE") != nullptr)
      std::fputs(fmt::format("{}\n{}\n", run.failure->what, to_string(a_case)).c_str(), stderr);
  }
  outcome.over = true;
}

// In a process of its own: a firmware with a bug may do anything. One that crashes or hangs is found.
double run_apart(const Bug& bug, bool swarm, std::uint64_t seed, double cap_s, Outcome& outcome) {
  void* shared = mmap(nullptr, sizeof(Outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* theirs = new (shared) Outcome;
  const pid_t child = fork();
  if (child == 0) {
    campaign(bug, swarm, seed, cap_s, *theirs);
    _exit(0);
  }
  int status = 0;
  rusage used{};
  wait4(child, &status, 0, &used);
  outcome = *theirs;
  munmap(shared, sizeof(Outcome));
  if (!outcome.over) {
    outcome.found = true;
    std::strcpy(outcome.check, WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF ? "hangs" : "crashes");
  }
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::string key_of(const Bug& bug, const char* way, std::uint64_t seed) {
  return fmt::format("{} {} {}", bug.name, way, seed);
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> given(arguments + 1, arguments + count);
  if (given.empty()) return 2;
  double cap_s = 60;
  std::uint64_t seeds = 5;
  std::string only;
  std::string only_way;
  for (std::size_t i = 1; i < given.size(); ++i) {
    if (given[i] == "--bugs") {
      for (const Bug& bug : kBugs) std::puts(bug.name);
      return 0;
    }
    if (i + 1 == given.size()) return 2;
    const std::string& value = given[i + 1];
    if (given[i] == "--cap") {
      cap_s = std::stod(value);
    } else if (given[i] == "--seeds") {
      seeds = std::stoul(value);
    } else if (given[i] == "--only") {
      only = value;
    } else if (given[i] == "--way") {
      only_way = value;
    } else {
      return 2;
    }
    ++i;
  }
  // A line: bug, way, seed, runs, CPU seconds, cap, check or "-", what the bug is.
  std::map<std::string, bool> done;  // whether it was found
  std::ifstream before(given[0]);
  for (std::string line; std::getline(before, line);) {
    std::istringstream words(line);
    std::string name, way, seed, runs, seconds, cap, check;
    words >> name >> way >> seed >> runs >> seconds >> cap >> check;
    if (check != "-" || std::stod(cap) >= cap_s) done[name + " " + way + " " + seed] = check != "-";
  }
  std::ofstream results(given[0], std::ios::app);
  for (const Bug& bug : kBugs) {
    if (!only.empty() && only != bug.name) continue;
    for (const char* way : {"random", "swarm"}) {
      if (!only_way.empty() && only_way != way) continue;
      // With three of five at the cap, the median is there, too.
      std::uint64_t missed = 0;
      for (std::uint64_t seed = 1; seed <= seeds && missed <= seeds / 2; ++seed) {
        if (const auto known = done.find(key_of(bug, way, seed)); known != done.end()) {
          if (!known->second) ++missed;
          continue;
        }
        Outcome outcome;
        const double seconds = run_apart(bug, std::strcmp(way, "swarm") == 0, seed, cap_s, outcome);
        if (!outcome.found) ++missed;
        results << fmt::format("{} {} {:.2f} {} {} {}\n", key_of(bug, way, seed), outcome.runs, seconds,
                               cap_s, outcome.found ? outcome.check : "-", bug.what)
                << std::flush;
      }
    }
  }
  return 0;
}
