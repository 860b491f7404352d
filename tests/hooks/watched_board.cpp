#include "watched_board.hpp"

#include <algorithm>
#include <cstring>

// Made by the linker from the section of that name (sim/hooks/one_object.ld); absent where there is none.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
[[gnu::weak]] extern const char __start_brownout_firmware_code;
[[gnu::weak]] extern const char __stop_brownout_firmware_code;
}
// NOLINTEND(bugprone-reserved-identifier)

namespace brownout::sim::testing {
namespace {

constexpr std::uint32_t kRamBytes = 1024;
constexpr std::uint32_t kOsBytes = 32;
constexpr std::size_t kStackBytes = 512 * 1024;

std::span<std::byte> bytes_of(std::vector<std::uint64_t>& words) {
  return {reinterpret_cast<std::byte*>(words.data()), words.size() * sizeof(std::uint64_t)};
}

firmware::Image image_of(const firmware::MemoryOptions& memory, const firmware::WorkloadOptions& workload,
                         const devices::FramPart& part) {
  firmware::Image image;
  image.heap = {.ram_bytes = kRamBytes, .dirty_limit_bytes = 768, .max_residents = 16, .os_bytes = kOsBytes};
  // A block has to take the largest object of the tests.
  if (memory.store_allocator == firmware::StoreAllocatorKind::block) image.heap.store_unit_bytes = 136;
  image.memory = memory;
  image.storage.size_bytes = part.size_bytes;
  image.storage.address_bytes = part.address_bytes;
  const devices::FramIdentity& identity = part.rdid;
  image.storage.identity_bytes = identity.size;
  for (std::uint32_t i = 0; i < identity.size; ++i) image.storage.identity[i] = std::byte{identity.bytes[i]};
  image.workload = workload;
  return image;
}

void mix(std::uint64_t& digest, std::uint64_t value) {
  digest = (digest ^ value) * 0x9E37'79B9'7F4A'7C15ULL;
  digest ^= digest >> 29U;
}

}  // namespace

bool is_of_firmware(const void* code) {
  const auto* at = static_cast<const char*>(code);
  const char* begin = &__start_brownout_firmware_code;
  return begin == nullptr || (at > begin && at <= &__stop_brownout_firmware_code);
}

WatchedBoard::WatchedBoard(const firmware::MemoryOptions& memory, const firmware::WorkloadOptions& workload)
    : ram_words_(kRamBytes / sizeof(std::uint64_t)),
      os_words_(kOsBytes / sizeof(std::uint64_t)),
      ram_(bytes_of(ram_words_)),
      os_part_(bytes_of(os_words_)),
      chip_(*devices::find_fram_part("mb85rs64v")),
      bus_(devices::find_spi_profile("polled")->costs(devices::TransferMode::fifo), 8'000'000, chip_, *this),
      ready_at_(chip_.part().power_up),
      stack_(kStackBytes) {
  firmware::Image image = image_of(memory, workload, chip_.part());
  image.ram = ram_;
  image.os_part = os_part_;
  firmware_ = firmware::make_firmware(image, *this);
  watched_ = {{ram_, {}}, {firmware_->static_ram(), {}}};
  chip_.power_on({});
}

WatchedBoard::~WatchedBoard() = default;

void WatchedBoard::run(std::uint64_t operations) {
  ListeningToAccesses listening(*this);
  while (!start(operations) && cuts_ > 0) {
    if (operations_ == wanted_) break;
    --cuts_;
    lose_memory();
    listening.resume();
  }
}

void WatchedBoard::run_unheard(std::uint64_t operations) { start(operations); }

// False: the stack was abandoned.
bool WatchedBoard::start(std::uint64_t operations) {
  wanted_ = operations;
  operations_ = 0;
  look();
  const auto program = [](void* self) { static_cast<WatchedBoard*>(self)->firmware_->cold_start(); };
  const bool returned = fibers_.run(stack_, program, this);
  compare();
  if (returned && !fault_) fault_ = "the workload ended by itself";
  return returned;
}

void WatchedBoard::access(const void* address, std::uint32_t size_bytes, bool writes, const void* code) {
  compare();
  ++(writes ? accesses_.writes : accesses_.reads);
  if (!is_of_firmware(code)) ++accesses_.foreign;
  if (size_bytes == 0 || size_bytes > 8) ++accesses_.too_long;
  mix(accesses_.digest, size_bytes * 2 + (writes ? 1U : 0U));
  const auto* at = static_cast<const std::byte*>(address);
  if (at >= ram_.data() && at < ram_.data() + ram_.size()) {
    ++accesses_.in_ram;
    mix(accesses_.digest, static_cast<std::uint64_t>(at - ram_.data()));
  }
  if (writes) {
    // A structure that the compiler copies at once is announced piece by piece.
    const bool goes_on = code == last_code_ && at == last_write_.data() + last_write_.size();
    last_copy_ =
        goes_on ? std::span(last_copy_.data(), last_copy_.size() + size_bytes) : std::span(at, size_bytes);
    last_write_ = {at, size_bytes};
    last_code_ = code;
  }
  if (cuts_ > 0 && accesses_.all() % kAccessesPerCut == 0) fibers_.abandon();
}

// What differs from the last look was announced, or the first that was not is a fault.
void WatchedBoard::compare() {
  for (Watched& watched : watched_) {
    if (std::memcmp(watched.bytes.data(), watched.before.data(), watched.bytes.size()) == 0) continue;
    for (std::size_t i = 0; i < watched.bytes.size(); ++i) {
      if (watched.bytes[i] == watched.before[i]) continue;
      // Elsewhere are pointers, whose bytes differ from run to run.
      if (watched.bytes.data() == ram_.data()) ++accesses_.changed_bytes;
      if (!announced(&watched.bytes[i]) && !fault_) {
        fault_ = std::string(watched.bytes.data() == ram_.data() ? "RAM" : "static memory") +
                 " changed at byte " + std::to_string(i) + " before access " +
                 std::to_string(accesses_.all()) + " in operation " + std::to_string(operations_);
      }
      watched.before[i] = watched.bytes[i];
    }
  }
}

void WatchedBoard::look() {
  for (Watched& watched : watched_) watched.before.assign(watched.bytes.begin(), watched.bytes.end());
}

bool WatchedBoard::announced(const std::byte* byte) const {
  if (booting_ && (byte < ram_.data() || byte >= ram_.data() + ram_.size())) return true;
  const std::span<const std::byte> write = interruptible() ? last_write_ : last_copy_;
  if (byte >= write.data() && byte < write.data() + write.size()) return true;
  return std::any_of(received_.begin(), received_.end(), [byte](const heap::MutableBytes& piece) {
    return byte >= piece.data && byte < piece.data + piece.size;
  });
}

void WatchedBoard::begin_send(heap::ConstBytes command, heap::OutStream data) {
  received_.clear();
  bus_.begin_send(command, data);
}

void WatchedBoard::begin_receive(heap::ConstBytes command, heap::InStream data) {
  received_.clear();
  in_ = data;
  bus_.begin_receive(command, {&WatchedBoard::receive, this});
}

bool WatchedBoard::receive(void* self, heap::MutableBytes& piece) {
  auto* board = static_cast<WatchedBoard*>(self);
  // Beside the program's stack, where what it announces would be its own.
  heap::MutableBytes pulled;
  if (!board->in_.pull(pulled)) return false;
  piece = pulled;
  board->received_.push_back(piece);
  return true;
}

void WatchedBoard::unmask_persist() {
  compare();
  booting_ = false;
}

void WatchedBoard::enter_critical() {
  compare();
  ++critical_depth_;
}

void WatchedBoard::exit_critical() {
  compare();
  --critical_depth_;
}

heap::TransferState WatchedBoard::poll_bus() {
  const heap::TransferState state = bus_.poll();
  compare();
  received_.clear();
  return state;
}

void WatchedBoard::operation_done() {
  ++operations_;
  if (operations_ == planted_) ram_[ram_.size() / 2] ^= std::byte{1};
  if (operations_ == wanted_ / 2) outage();
  if (operations_ == wanted_) fibers_.abandon();
}

void WatchedBoard::outage() {
  compare();
  persisting_ = true;
  if (!firmware_->persist().ok() && !fault_) fault_ = "the persist failed";
  compare();
  lose_memory();
  if (!firmware_->restore().ok() && !fault_) fault_ = "the restore failed";
  compare();
  booting_ = false;
  persisting_ = false;
}

void WatchedBoard::lose_memory() {
  ++epoch_;
  booting_ = true;
  critical_depth_ = 0;
  for (const std::span<std::byte> bytes : {ram_, os_part_, firmware_->static_ram()}) {
    std::fill(bytes.begin(), bytes.end(), std::byte{0xA5});
  }
  look();
  received_.clear();
  bus_.reset();
}

void WatchedBoard::give_up(heap::Error error, const char* doing) {
  if (!fault_) {
    fault_ = "the workload gave up, error " + std::to_string(static_cast<int>(error)) + ": " + doing;
  }
}

}  // namespace brownout::sim::testing
