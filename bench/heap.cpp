// The heap's own work, on a store that is nothing but memory: nanoseconds, calls of the store and bytes for
// each operation, next to memcpy, malloc and a dependent load in the same run.
#include "heap/heap.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

namespace brownout::bench {
namespace {

struct NoPlatform {
  void charge(heap::Work, std::uint32_t) {}
  void enter_critical() {}
  void exit_critical() {}
  static std::uint32_t power_epoch() { return 0; }
  void wait_since_power_on(std::uint32_t) {}
};

// Memory that counts what passes.
class CountingStore {
 public:
  explicit CountingStore(std::uint32_t size_bytes) : memory_(size_bytes) {}
  std::uint64_t calls = 0;
  std::uint64_t bytes = 0;

  std::uint32_t size_bytes() { return static_cast<std::uint32_t>(memory_.size()); }
  static heap::Status start() { return {}; }
  heap::Status begin_write(std::uint32_t address, heap::OutStream data) {
    ++calls;
    heap::ConstBytes piece;
    for (std::byte* at = &memory_.at(address); data.pull(piece); at += piece.size) {
      std::memcpy(at, piece.data, piece.size);
      bytes += piece.size;
    }
    return {};
  }
  heap::Status begin_read(std::uint32_t address, heap::InStream data) {
    ++calls;
    heap::MutableBytes piece;
    for (const std::byte* at = &memory_.at(address); data.pull(piece); at += piece.size) {
      std::memcpy(piece.data, at, piece.size);
      bytes += piece.size;
    }
    return {};
  }
  static heap::TransferState poll() { return heap::TransferState::done; }
  void abort() {}

 private:
  std::vector<std::byte> memory_;
};

using BenchHeap = heap::Heap<NoPlatform, CountingStore>;

// A heap with `count` objects of `size_bytes`, clean and, as far as RAM has room, resident.
class Bench {
 public:
  Bench(benchmark::State& state, const heap::HeapConfig& config, std::uint32_t count,
        std::uint32_t size_bytes)
      : state_(state), config_(config), ram_(config.ram_bytes / 8), store_(512 * 1024) {
    heap_.emplace(bytes(), config_, store_, platform_);
    check(heap_->configuration().ok() && heap_->format().ok());
    for (std::uint32_t i = 0; i < count; ++i) make(size_bytes);
    check(heap_->flush().ok());
  }
  ~Bench() {
    if (!good_) state_.SkipWithError("the heap reported an error");
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  BenchHeap& heap() { return *heap_; }
  std::vector<heap::Buffer>& objects() { return objects_; }
  std::byte* bytes() { return reinterpret_cast<std::byte*>(ram_.data()); }
  void check(bool good) { good_ = good_ && good; }
  void make(std::uint32_t size_bytes) {
    auto made = heap_->make_buffer(size_bytes);
    check(made.ok());
    if (made.ok()) objects_.push_back(made.take());
  }
  void reboot() { heap_.emplace(bytes(), config_, store_, platform_); }

  // What the store has seen so far.
  struct Count {
    std::uint64_t calls = 0;
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] Count count() const { return {store_.calls, store_.bytes}; }

 private:
  benchmark::State& state_;
  heap::HeapConfig config_;
  std::vector<std::uint64_t> ram_;
  NoPlatform platform_;
  CountingStore store_;
  std::optional<BenchHeap> heap_;
  std::vector<heap::Buffer> objects_;
  bool good_ = true;
};

heap::HeapConfig config_of(std::uint32_t ram_bytes, std::uint32_t residents) {
  return {.ram_bytes = ram_bytes, .dirty_limit_bytes = ram_bytes, .max_residents = residents};
}

// Times `work`, which does `operations` of them, in turns with `reference`, which does as many; `prepare`
// comes before each and is not timed. What the store sees of `work` alone goes to the counters.
template <class Prepare, class Work, class Reference>
void in_turns(benchmark::State& state, Bench& bench, const char* name, double operations, Prepare prepare,
              Work work, Reference reference) {
  using Clock = std::chrono::steady_clock;
  double work_s = 0;
  double reference_s = 0;
  double done = 0;
  Bench::Count seen;
  while (state.KeepRunning()) {
    prepare();
    const Clock::time_point begin = Clock::now();
    reference();
    const Clock::time_point middle = Clock::now();
    const Bench::Count before = bench.count();
    work();
    const std::chrono::duration<double> measured = Clock::now() - middle;
    seen.calls += bench.count().calls - before.calls;
    seen.bytes += bench.count().bytes - before.bytes;
    state.SetIterationTime(measured.count());
    work_s += measured.count();
    reference_s += std::chrono::duration<double>(middle - begin).count();
    done += operations;
  }
  state.counters[name] = reference_s > 0 ? work_s / reference_s : 0;
  state.counters["ns_per_operation"] = work_s / done * 1e9;
  state.counters["store_calls"] = static_cast<double>(seen.calls) / done;
  state.counters["store_bytes"] = static_cast<double>(seen.bytes) / done;
}

constexpr std::uint32_t kObjects = 64;

// --- allocate and free ---------------------------------------------------------------------------

void allocate(benchmark::State& state) {
  const auto size_bytes = static_cast<std::uint32_t>(state.range(0));
  Bench bench(state, config_of(128 * 1024, 256), 0, size_bytes);
  std::vector<void*> plain(kObjects);
  in_turns(
      state, bench, "wall_ratio_to_malloc", kObjects,
      [&] {
        for (heap::Buffer& object : bench.objects()) bench.check(bench.heap().free(object).ok());
        bench.objects().clear();
        for (void*& p : plain) std::free(std::exchange(p, nullptr));
      },
      [&] {
        for (std::uint32_t i = 0; i < kObjects; ++i) bench.make(size_bytes);
      },
      [&] {
        for (void*& p : plain) benchmark::DoNotOptimize(p = std::malloc(size_bytes));
      });
  for (void*& p : plain) std::free(p);
}
BENCHMARK(allocate)->ArgName("bytes")->Arg(16)->Arg(256)->Arg(1024)->UseManualTime()->MinTime(0.05);

void release(benchmark::State& state) {
  const auto size_bytes = static_cast<std::uint32_t>(state.range(0));
  Bench bench(state, config_of(128 * 1024, 256), 0, size_bytes);
  std::vector<void*> plain(kObjects);
  in_turns(
      state, bench, "wall_ratio_to_free", kObjects,
      [&] {
        bench.objects().clear();
        for (std::uint32_t i = 0; i < kObjects; ++i) bench.make(size_bytes);
        for (void*& p : plain) benchmark::DoNotOptimize(p = std::malloc(size_bytes));
      },
      [&] {
        for (heap::Buffer& object : bench.objects()) bench.check(bench.heap().free(object).ok());
      },
      [&] {
        for (void*& p : plain) std::free(p);
      });
}
BENCHMARK(release)->ArgName("bytes")->Arg(16)->Arg(256)->Arg(1024)->UseManualTime()->MinTime(0.05);

// --- read and write ------------------------------------------------------------------------------

// The object is not resident: it has to be loaded.
void first_read(benchmark::State& state) {
  const auto size_bytes = static_cast<std::uint32_t>(state.range(0));
  Bench bench(state, config_of(128 * 1024, 256), kObjects, size_bytes);
  std::vector<std::byte> from(size_bytes);
  std::vector<std::byte> to(size_bytes);
  in_turns(
      state, bench, "wall_ratio_to_memcpy", kObjects,
      [&] {
        for (const heap::Buffer& object : bench.objects()) bench.check(bench.heap().unload(object).ok());
      },
      [&] {
        for (const heap::Buffer& object : bench.objects()) bench.check(bench.heap().read(object).ok());
      },
      [&] {
        for (std::uint32_t i = 0; i < kObjects; ++i) {
          std::memcpy(to.data(), from.data(), size_bytes);
          benchmark::ClobberMemory();
        }
      });
}
BENCHMARK(first_read)->ArgName("bytes")->Arg(16)->Arg(256)->Arg(1024)->UseManualTime()->MinTime(0.05);

// Every number below `n` once, as a walk that takes them in random order.
std::vector<std::uint32_t> random_walk(std::uint32_t n) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  std::mt19937 random(1);
  for (std::uint32_t i = n; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  std::vector<std::uint32_t> next(n);
  for (std::uint32_t i = 0; i < n; ++i) next[order[i]] = order[(i + 1) % n];
  return next;
}

constexpr std::uint32_t kAccesses = 4096;

// The reference of both: a chain of loads, each of which has to wait for the one before it.
auto dependent_loads(const std::vector<std::uint32_t>& next) {
  return [&next] {
    std::uint32_t at = 0;
    for (std::uint32_t i = 0; i < kAccesses; ++i) {
      at = next[at];
      benchmark::DoNotOptimize(at);
    }
  };
}

// Clean residents of 8 B; object i holds values[i], or i.
std::vector<heap::Object<std::uint64_t>> words_in(Bench& bench, std::uint32_t count,
                                                  const std::vector<std::uint32_t>& values) {
  std::vector<heap::Object<std::uint64_t>> words;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto made = bench.heap().make(std::uint64_t{values.empty() ? i : values[i]});
    bench.check(made.ok());
    if (made.ok()) words.push_back(made.take());
  }
  bench.check(bench.heap().flush().ok());
  return words;
}

std::vector<std::uint32_t> random_order(std::uint32_t below) {
  std::vector<std::uint32_t> order(kAccesses);
  std::mt19937 random(2);
  for (std::uint32_t& i : order) i = static_cast<std::uint32_t>(random()) % below;
  return order;
}

// Resident objects in random order.
void read_resident(benchmark::State& state) {
  const auto residents = static_cast<std::uint32_t>(state.range(0));
  Bench bench(state, config_of(32 * 1024, 1024), 0, 8);
  const auto words = words_in(bench, residents, {});
  const std::vector<std::uint32_t> next = random_walk(1024);
  const std::vector<std::uint32_t> order = random_order(residents);
  in_turns(
      state, bench, "wall_ratio_to_dependent_load", kAccesses, [] {},
      [&] {
        std::uint64_t sum = 0;
        for (const std::uint32_t i : order) {
          const auto word = bench.heap().read(words[i]);
          sum += *word.value();
        }
        benchmark::DoNotOptimize(sum);
      },
      dependent_loads(next));
}
BENCHMARK(read_resident)->ArgName("residents")->Arg(1)->Arg(100)->Arg(1000)->UseManualTime()->MinTime(0.1);

// The same as a chain: which object is read next is what was read last.
void read_resident_in_a_chain(benchmark::State& state) {
  const auto residents = static_cast<std::uint32_t>(state.range(0));
  Bench bench(state, config_of(32 * 1024, 1024), 0, 8);
  const std::vector<std::uint32_t> next = random_walk(1024);
  const auto words = words_in(bench, residents, random_walk(residents));
  in_turns(
      state, bench, "wall_ratio_to_dependent_load", kAccesses, [] {},
      [&] {
        std::uint64_t at = 0;
        for (std::uint32_t i = 0; i < kAccesses; ++i) {
          const auto word = bench.heap().read(words[at]);
          at = *word.value();
        }
        benchmark::DoNotOptimize(at);
      },
      dependent_loads(next));
}
BENCHMARK(read_resident_in_a_chain)->ArgName("residents")->Arg(1)->Arg(1000)->UseManualTime()->MinTime(0.1);

// Of objects that are dirty already.
void write_resident(benchmark::State& state) {
  const auto residents = static_cast<std::uint32_t>(state.range(0));
  Bench bench(state, config_of(32 * 1024, 1024), 0, 8);
  const auto words = words_in(bench, residents, {});
  const std::vector<std::uint32_t> next = random_walk(1024);
  const std::vector<std::uint32_t> order = random_order(residents);
  in_turns(
      state, bench, "wall_ratio_to_dependent_load", kAccesses, [] {},
      [&] {
        for (const std::uint32_t i : order) {
          const auto word = bench.heap().write(words[i]);
          *word.value() = i;
        }
      },
      dependent_loads(next));
}
BENCHMARK(write_resident)->ArgName("residents")->Arg(1)->Arg(1000)->UseManualTime()->MinTime(0.1);

// --- eviction ------------------------------------------------------------------------------------

// Twice as many objects as RAM holds, one after the other: where an access has to load its object, it unloads
// another, which a write has made dirty, so that it is flushed first.
void evict(benchmark::State& state) {
  const auto size_bytes = static_cast<std::uint32_t>(state.range(0));
  const bool dirty = state.range(1) != 0;
  const std::uint32_t ram_bytes = 1024 + kObjects * size_bytes / 2;
  Bench bench(state, config_of(ram_bytes, kObjects), kObjects, size_bytes);
  std::vector<std::byte> from(size_bytes);
  std::vector<std::byte> to(size_bytes);
  in_turns(
      state, bench, "wall_ratio_to_memcpy", kObjects, [] {},
      [&] {
        for (const heap::Buffer& object : bench.objects()) {
          if (dirty) {
            bench.check(bench.heap().write(object).ok());
          } else {
            bench.check(bench.heap().read(object).ok());
          }
        }
      },
      [&] {
        for (std::uint32_t i = 0; i < kObjects; ++i) {
          std::memcpy(to.data(), from.data(), size_bytes);
          benchmark::ClobberMemory();
        }
      });
}
BENCHMARK(evict)
    ->ArgNames({"bytes", "dirty"})
    ->ArgsProduct({{64, 1024}, {0, 1}})
    ->UseManualTime()
    ->MinTime(0.05);

// --- persist and restore -------------------------------------------------------------------------

// Objects of `bytes` in a heap of `ram` KiB, `dirty` percent of them changed since the last flush.
struct Saved {
  explicit Saved(benchmark::State& state)
      : size_bytes(static_cast<std::uint32_t>(state.range(0))),
        ram_bytes(static_cast<std::uint32_t>(state.range(1)) * 1024),
        count((ram_bytes - ram_bytes / 4) / (size_bytes + 8)),
        bench(
            state,
            {.ram_bytes = ram_bytes, .dirty_limit_bytes = ram_bytes, .max_residents = count, .os_bytes = 256},
            count, size_bytes),
        copy(ram_bytes) {
    const std::uint32_t dirty = count * static_cast<std::uint32_t>(state.range(2)) / 100;
    for (std::uint32_t i = 0; i < dirty; ++i) bench.check(bench.heap().write(bench.objects()[i]).ok());
    state.counters["image_bytes"] = bench.heap().checkpoint_bytes() + 256;
  }
  void copy_ram() {
    std::memcpy(copy.data(), bench.bytes(), ram_bytes);
    benchmark::ClobberMemory();
  }

  std::uint32_t size_bytes;
  std::uint32_t ram_bytes;
  std::uint32_t count;
  Bench bench;
  std::vector<std::byte> copy;
  std::byte os[256] = {};
};

void persist(benchmark::State& state) {
  Saved saved(state);
  in_turns(
      state, saved.bench, "wall_ratio_to_memcpy_of_ram", 1, [] {},
      [&] {
        saved.bench.check(saved.bench.heap().persist({saved.os, sizeof saved.os}).ok());
      },
      [&] { saved.copy_ram(); });
}
BENCHMARK(persist)
    ->ArgNames({"bytes", "ram_kib", "dirty_percent"})
    ->ArgsProduct({{16, 256}, {4, 64}, {0, 100}})
    ->UseManualTime()
    ->MinTime(0.05);

void restore(benchmark::State& state) {
  Saved saved(state);
  saved.bench.check(saved.bench.heap().persist({saved.os, sizeof saved.os}).ok());
  in_turns(
      state, saved.bench, "wall_ratio_to_memcpy_of_ram", 1, [&] { saved.bench.reboot(); },
      [&] {
        saved.bench.check(saved.bench.heap().restore({saved.os, sizeof saved.os}).ok());
      },
      [&] { saved.copy_ram(); });
}
BENCHMARK(restore)
    ->ArgNames({"bytes", "ram_kib", "dirty_percent"})
    ->ArgsProduct({{16, 256}, {4, 64}, {0, 100}})
    ->UseManualTime()
    ->MinTime(0.05);

}  // namespace
}  // namespace brownout::bench
