// Linked with a firmware from each compiler and option: see compilers_test.sh. Prints the accesses of one run
// of the simulator and those of one board as a line that has to be the same however the program was linked;
// exits with 1 if an access was missed, or announced by code that is not the firmware's.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "known_accesses.hpp"
#include "sim/hooks/access_hooks.hpp"
#include "sim/machine/control_run.hpp"
#include "../watched_board.hpp"
#include "../../sim/test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

bool failed = false;

void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  failed = true;
}

// ---- functions whose accesses are known

class Recorder final : public AccessListener {
 public:
  explicit Recorder(std::span<unsigned char> memory)
      : memory_(memory), before_(memory.begin(), memory.end()) {}

  void access(const void* address, std::uint32_t size_bytes, bool writes, const void* code) override {
    compare();
    const auto* at = static_cast<const unsigned char*>(address);
    if (at < memory_.data() || at >= memory_.data() + memory_.size()) return;
    const auto offset = static_cast<std::size_t>(at - memory_.data());
    if (!sequence.empty()) sequence += ' ';
    sequence += (writes ? 'w' : 'r') + std::to_string(offset) + ':' + std::to_string(size_bytes);
    if (!is_of_firmware(code)) fail("announced by code that is not the firmware's");
    if (writes) std::fill_n(written.begin() + static_cast<std::ptrdiff_t>(offset), size_bytes, true);
  }

  void compare() {
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      if (memory_[i] != before_[i] && !written[i]) missed = true;
    }
  }

  std::string sequence;
  std::vector<bool> written = std::vector<bool>(256, false);
  bool missed = false;

 private:
  std::span<unsigned char> memory_;
  std::vector<unsigned char> before_;
};

void check_known(bool by_clang) {
  for (const firmware::KnownAccesses& known : firmware::known_accesses()) {
    alignas(64) unsigned char memory[256];
    for (std::size_t i = 0; i < sizeof memory; ++i) memory[i] = static_cast<unsigned char>(i * 37 + 11);
    Recorder recorder(memory);
    {
      const ListeningToAccesses listening(recorder);
      known.run(memory);
    }
    recorder.compare();
    if (known.only_clang && !by_clang) continue;
    if (recorder.missed) fail(std::string(known.name) + ": a change was not announced");
    const bool exact = std::strcmp(known.sequence, "*") != 0;
    if (exact && recorder.sequence != known.sequence) {
      fail(std::string(known.name) + ": " + recorder.sequence + " in place of " + known.sequence);
    }
    for (std::size_t i = 0; i < known.bytes; ++i) {
      if (recorder.written[known.first + i]) continue;
      fail(std::string(known.name) + ": byte " + std::to_string(known.first + i) + " was not announced");
      break;
    }
  }
}

// ---- a run of the simulator

class Counter final : public AccessListener {
 public:
  void access(const void*, std::uint32_t size_bytes, bool writes, const void* code) override {
    ++all;
    if (!is_of_firmware(code)) ++foreign;
    digest = (digest ^ (size_bytes * 2 + (writes ? 1U : 0U))) * 0x9E37'79B9'7F4A'7C15ULL;
    digest ^= digest >> 29U;
  }
  std::uint64_t all = 0;
  std::uint64_t foreign = 0;
  std::uint64_t digest = 0;
};

Counter count_run() {
  Scenario scenario = small_scenario();
  scenario.stop.operations = 100;
  Counter counter;
  const ListeningToAccesses listening(counter);
  const RunResult result = simulate(scenario, {});
  if (!result.pass) fail("the run failed: " + result.failure);
  if (result.persisted == 0) fail("the run had no outage");
  return counter;
}

}  // namespace
}  // namespace brownout::sim::testing

int main(int argc, char** argv) {
  using namespace brownout::sim;
  using namespace brownout::sim::testing;
  if (argc != 2) return 2;
  const bool judged = std::strcmp(argv[1], "count") != 0;
  const Counter run = count_run();
  WatchedBoard counter({}, firmware::CounterOptions{.objects = 12, .size_bytes = 96});
  counter.run(100);
  WatchedBoard queue({}, firmware::QueueOptions{.length = 12, .item_bytes = 128, .iterations = 200});
  queue.run(100);
  if (judged) {
    check_known(std::strcmp(argv[1], "clang") == 0);
    if (run.foreign + counter.accesses().foreign + queue.accesses().foreign > 0) {
      fail("accesses announced by code that is not the firmware's");
    }
    if (counter.fault()) fail("counter: " + *counter.fault());
    if (queue.fault()) fail("queue: " + *queue.fault());
  }
  std::printf("run %llu %016llx, counter %llu %016llx, queue %llu %016llx\n",
              static_cast<unsigned long long>(run.all), static_cast<unsigned long long>(run.digest),
              static_cast<unsigned long long>(counter.accesses().all()),
              static_cast<unsigned long long>(counter.accesses().digest),
              static_cast<unsigned long long>(queue.accesses().all()),
              static_cast<unsigned long long>(queue.accesses().digest));
  return failed ? 1 : 0;
}
