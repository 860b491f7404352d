#include "runner.hpp"

#include <algorithm>
#include <cstring>
#include <ostream>
#include <utility>

namespace brownout::heap::testing::model {
namespace {

constexpr std::uint32_t kMostReaders = 14;
constexpr std::uint32_t kMostGranules = 2047;  // of a block

// The bytes that a value stands for.
std::byte byte_of(std::uint32_t value, std::uint32_t at) {
  return static_cast<std::byte>((value * 2654435761U + at * 40503U) >> 13U & 0xFFU);
}

std::uint32_t size_of(ObjectKind kind, std::uint32_t wanted) {
  switch (kind) {
    case ObjectKind::plain: return sizeof(Plain);
    case ObjectKind::owner: return sizeof(Owner);
    case ObjectKind::array: return kArrayElements * 4;
    case ObjectKind::node: return kNodeBytes;
    case ObjectKind::buffer:
    case ObjectKind::partial_buffer: break;
  }
  return wanted;
}

bool is_partial(ObjectKind kind) { return kind == ObjectKind::partial_buffer || kind == ObjectKind::array; }
bool has_parts(ObjectKind kind) { return is_partial(kind) || kind == ObjectKind::buffer; }

Op without_disturbance(Op op) {
  op.trouble = {};
  op.strikes = {};
  return op;
}

}  // namespace

Runner::Runner(const Combination& combination, const Setup& setup, Counters& counters, std::ostream* log)
    : setup_(setup),
      counters_(counters),
      log_(log),
      heap_(combination.make(combination.modules, setup.config, setup.store_bytes)),
      checker_(*heap_, model_) {
  heap_->platform.interrupt = [this] { interrupt(); };
}

void Runner::run(std::span<const Op> ops) {
  format();
  check();
  for (const Op& op : ops) {
    current_ = &op;
    if (log_ != nullptr) *log_ << "  " << done_ + 1 << ". " << describe(op) << '\n';
    if (perform(op)) ++counters_.by_kind[static_cast<std::size_t>(op.kind)];
    if ((done_ + 1) % setup_.check_every == 0) check();
    ++done_;
  }
  check();
  ++counters_.sequences;
  counters_.record_writes += heap_->store.writes[static_cast<std::size_t>(Region::records)];
}

// Whatever RAM and store hold before.
void Runner::format() {
  heap_->poison();
  std::uint32_t n = 0;
  for (std::byte& b : heap_->store.memory) b = byte_of(static_cast<std::uint32_t>(setup_.seed), ++n);
  heap_->boot();
  heap_->platform.disarm();
  if (setup_.format_errors_at != 0) {
    heap_->store.arm({.calls_before = setup_.format_errors_at - 1,
                      .damage = static_cast<Damage>(setup_.seed / 3 % kDamages),
                      .region = {}});
    const Error error = heap_->format();
    heap_->store.disarm();
    require((error == Error::storage_failed) == heap_->store.fired().fired, "format() said ", name_of(error));
  }
  require(heap_->format() == Error::none, "format() failed");
  heap_->guard();
  if (setup_.first_sequence == 0) return;
  std::memcpy(heap_->ram() + offsetof(Control, sequence), &setup_.first_sequence, 4);
  persist();
}

bool Runner::perform(const Op& op) {
  switch (op.kind) {
    case OpKind::make: return make(op);
    case OpKind::free: return free(op);
    case OpKind::read: return read(op);
    case OpKind::write: return write(op, true);
    case OpKind::write_part: return write(op, false);
    case OpKind::write_ends: return write_ends(op);
    case OpKind::hold_reader: return hold(op, false);
    case OpKind::hold_writer: return hold(op, true);
    case OpKind::hold_readers_to_limit: return hold_readers_to_limit(op);
    case OpKind::write_held: return write_held(op);
    case OpKind::give_back: return give_back(op);
    case OpKind::give_back_all: return give_back_all();
    case OpKind::end_borrows: return end_borrows(op);
    case OpKind::use_after_free: return use_after_free(op);
    case OpKind::flush: return flush(op);
    case OpKind::unload: return unload(op);
    case OpKind::push: return push(op);
    case OpKind::insert: return insert(op);
    case OpKind::remove: return remove(op);
    case OpKind::pop: return pop(op);
    case OpKind::iterate: return iterate(op);
    case OpKind::walk: return walk(op);
    case OpKind::clear: return clear(op);
    case OpKind::outage: return outage(op);
    case OpKind::false_alarm: return false_alarm(op);
    case OpKind::cut_persist: return cut_persist(op);
    case OpKind::damaged_image: return damaged_image(op);
    case OpKind::cold_boot: return cold_boot(op);
  }
  return false;
}

template <class Call>
Error Runner::execute(const Op& op, const Attempt& attempt, Call call) {
  for (std::uint32_t round = 0;; ++round) {
    ModelStore::Fault fault;
    if (op.trouble.error && round < op.trouble.attempts) {
      fault = {.calls_before = std::uint64_t{op.trouble.calls_before} >> (4 * round),
               .damage = op.trouble.damage,
               .region = op.trouble.region};
    }
    strikes_ = 0;
    heap_->store.cut_share = op.strikes.cut_share;
    heap_->store.arm(fault);
    heap_->platform.arm(round == 0 ? op.strikes.count : 0, op.strikes.gaps, op.strikes.in_transfers);
    const Error error = call();
    heap_->platform.disarm();
    heap_->store.disarm();
    say(error);
    ++counters_.operations;
    ++counters_.errors[static_cast<std::size_t>(error)];
    if (strikes_ > 1) ++counters_.several_strikes;
    if (heap_->store.fired().fired) note_fault(op);
    checker_.judge(error, attempt, heap_->store.fired().fired, strikes_ > 0);
    if (error != Error::storage_failed) return error;
    check();
    if (op.trouble.give_up) {
      ++counters_.faults_given_up;
      return error;
    }
    if (round > 0) ++counters_.faults_repeated;
  }
}

void Runner::note_fault(const Op& op) {
  const ModelStore::Fired& fired = heap_->store.fired();
  ++counters_.faults_by_kind[static_cast<std::size_t>(op.kind)];
  ++counters_.faults_by_region[static_cast<std::size_t>(fired.region)];
  ++(fired.at_begin ? counters_.faults_at_begin
                    : counters_.faults_at_poll)[static_cast<std::size_t>(fired.damage)];
}

// ---- What is to be expected

Attempt Runner::to_make(ObjectKind kind, std::uint32_t size_bytes) {
  Attempt attempt;
  const bool partial = is_partial(kind);
  const Geometry& geometry = heap_->geometry();
  const std::uint32_t block =
      size_bytes > kMostGranules * 8 ? kMostGranules + 1 : checker_.block_granules(size_bytes, partial);
  attempt.block_granules = block;
  attempt.home_bytes = checker_.home_bytes(size_bytes, partial);
  attempt.extra_bytes = 2 * heap_->modules.slot_bytes() + block * 8;
  // NOLINTNEXTLINE(bugprone-branch-clone): in the order in which the heap looks
  if (block > kMostGranules || block > geometry.object_granules()) {
    attempt.must = Error::too_large;
  } else if (checker_.empty_image_bytes() + attempt.extra_bytes > heap_->config.dirty_limit_bytes) {
    attempt.must = Error::dirty_limit;
  } else if (heap_->modules.store == StoreKind::block && attempt.home_bytes > geometry.store.unit_bytes) {
    attempt.must = Error::too_large;
  }
  return attempt;
}

Attempt Runner::to_read(const ModelObject& object) {
  Attempt attempt;
  if (object.writer || object.readers >= kMostReaders) attempt.must = Error::borrowed;
  if (!heap_->is_resident(object.handle)) {
    attempt.block_granules = checker_.block_granules(object.size(), object.handle.partial());
  }
  attempt.extra_bytes = 2 * heap_->modules.slot_bytes();
  attempt.targets = {object.home};
  return attempt;
}

Attempt Runner::to_write(const ModelObject& object, std::uint32_t first, std::uint32_t count) {
  Attempt attempt = to_read(object);
  if (object.borrowed()) attempt.must = Error::borrowed;
  const std::uint32_t slot = heap_->modules.slot_bytes();
  attempt.extra_bytes = std::max(2 * slot, slot + checker_.dirty_cost(object, first, count));
  return attempt;
}

// A list's operation borrows the node to change its links.
void Runner::add_neighbour(Attempt& attempt, const ModelObject* node) {
  if (node == nullptr) return;
  const Attempt writing = to_write(*node, 0, kNodeBytes);
  attempt.must_fail = attempt.must_fail || node->borrowed();
  attempt.block_granules = std::max(attempt.block_granules, writing.block_granules);
  attempt.extra_bytes = std::max(attempt.extra_bytes, writing.extra_bytes);
  attempt.targets.push_back(node->home);
}

// A list's operation makes a node.
void Runner::add_node(Attempt& attempt) {
  const Attempt making = to_make(ObjectKind::node, kNodeBytes);
  attempt.must = making.must;
  attempt.home_bytes = making.home_bytes;
  attempt.block_granules = making.block_granules;
  attempt.extra_bytes = std::max(attempt.extra_bytes, making.extra_bytes);
}

Attempt Runner::to_remove(std::uint32_t list, std::size_t at) {
  const std::vector<ModelObject*>& nodes = model_.lists[list];
  Attempt attempt;
  add_neighbour(attempt, nodes[at]);
  if (at > 0) add_neighbour(attempt, nodes[at - 1]);
  if (at + 1 < nodes.size()) add_neighbour(attempt, nodes[at + 1]);
  return attempt;
}

// ---- Objects

bool Runner::make(const Op& op) {
  const std::uint32_t size = size_of(op.object, op.size_bytes);
  std::vector<std::byte> content(size);
  const std::uint32_t number = op.value | 1U;
  if (op.object == ObjectKind::plain) {
    for (std::uint32_t i = 0; i < size; ++i) content[i] = byte_of(op.value, i);
  } else if (op.object == ObjectKind::owner) {
    const std::uint32_t words[] = {number, ~number};
    std::memcpy(content.data(), words, sizeof words);
  }
  Handle handle;
  const Error error = execute(op, to_make(op.object, size),
                              [&] { return heap_->make(op.object, size, content.data(), handle); });
  require((error == Error::none) == handle.valid(),
          "a handle in spite of an error, or none in spite of success");
  if (error != Error::none) return true;
  require(handle.partial() == is_partial(op.object), "a handle of the other dirtiness");
  model_.add(std::move(handle), op.object, std::move(content));
  return true;
}

bool Runner::free(const Op& op) {
  ModelObject* object = any_owned(op.target);
  if (object == nullptr) return false;
  Attempt attempt = to_read(*object);
  attempt.must.reset();
  if (object->borrowed()) attempt.must = Error::borrowed;
  // Only what has a destructor is loaded.
  if (object->kind != ObjectKind::owner) attempt.block_granules = 0;
  destroyed_ = Owner::destroyed;
  const Error error = execute(op, attempt, [&] { return heap_->free(object->kind, object->handle); });
  const std::uint32_t destroyed = Owner::destroyed - destroyed_;
  require((error == Error::none) != object->handle.valid(),
          "a freed object's handle is valid, or the reverse");
  if (error != Error::none) {
    require(destroyed == 0, "destroyed, but not freed");
    return true;
  }
  std::uint32_t words[2] = {};
  if (object->kind == ObjectKind::owner) std::memcpy(words, object->content.data(), sizeof words);
  const bool destroys = words[0] != 0 || words[1] != 0;
  require(destroyed == (destroys ? 1U : 0U), "destroyed ", destroyed, " times");
  require(!destroys || (Owner::last_first == words[0] && Owner::last_second == words[1]),
          "the destructor saw something else");
  counters_.destroyed += destroyed;
  model_.erase(*object);
  return true;
}

bool Runner::read(const Op& op) {
  ModelObject* object = any_object(op.target);
  if (object == nullptr) return false;
  static_cast<void>(execute(op, to_read(*object), [&] {
    Lease lease;
    const Error error = heap_->read(object->kind, object->handle, lease);
    if (error != Error::none) return error;
    require(std::equal(object->content.begin(), object->content.end(), lease.data), "read something else");
    heap_->give_back(lease.token);
    return error;
  }));
  return true;
}

void Runner::write_bytes(ModelObject& object, std::byte* data, std::uint32_t begin, std::uint32_t end,
                         std::uint32_t value) {
  // A node's links are its list's.
  if (object.kind == ObjectKind::node) begin = std::max(begin, 8U);
  for (std::uint32_t i = begin; i < end; ++i) {
    object.content[i] = byte_of(value, i);
    data[i - begin] = object.content[i];
  }
}

Runner::Part Runner::part_of(const ModelObject& object, const Op& op, bool whole) {
  Part part;
  part.end = object.size();
  if (whole || !has_parts(object.kind)) return part;
  const std::uint32_t unit = object.kind == ObjectKind::array ? 4 : 1;
  const std::uint32_t units = object.size() / unit;
  part.whole = false;
  part.first = op.first % (units + 1);
  part.count = op.count % (units - part.first + 1);
  if (op.value % 16 == 0) {
    part.within = false;
    if (op.value % 32 == 0) part.first = units + 1 + op.first % 7;
    part.count = op.value % 32 == 0 ? 0 : units - part.first + 1 + op.count % 7;
    if (op.value % 64 == 16) part.count = 0xFFFF'FFFFU - op.count % 7;
  }
  part.begin = part.first * unit;
  part.end = part.begin + part.count * unit;
  return part;
}

Error Runner::write_to(const Op& op, ModelObject& object, const Part& part) {
  Attempt attempt;
  if (part.within) {
    attempt = to_write(object, part.begin, part.end - part.begin);
  } else {
    attempt.must = Error::out_of_range;
  }
  return execute(op, attempt, [&] {
    Lease lease;
    const Error error = heap_->write(object.kind, object.handle, part.whole, part.first, part.count, lease);
    if (error != Error::none) return error;
    require(part.begin == part.end || std::equal(object.content.begin() + part.begin,
                                                 object.content.begin() + part.end, lease.data),
            "about to write over something else");
    std::byte* data = lease.data;
    if (object.kind == ObjectKind::node) data += 8;
    write_bytes(object, data, part.begin, part.end, op.value);
    heap_->give_back(lease.token);
    return error;
  });
}

bool Runner::write(const Op& op, bool whole) {
  ModelObject* object = any_object(op.target);
  if (object == nullptr) return false;
  static_cast<void>(write_to(op, *object, part_of(*object, op, whole)));
  return true;
}

// What is between stays as it is: the object is dirty in two pieces, if it was clean.
bool Runner::write_ends(const Op& op) {
  std::vector<ModelObject*> large;
  for (const auto& object : model_.objects) {
    if (object->kind == ObjectKind::partial_buffer && object->size() > 64) large.push_back(object.get());
  }
  if (large.empty()) return false;
  ModelObject& object = *large[op.target % large.size()];
  const std::uint32_t count = 1 + op.count % 8;
  Part part{.first = 0, .count = count, .whole = false, .within = true, .begin = 0, .end = count};
  static_cast<void>(write_to(op, object, part));
  part.first = part.begin = object.size() - count;
  part.end = object.size();
  static_cast<void>(write_to(without_disturbance(op), object, part));
  return true;
}

std::size_t Runner::most_held() const {
  switch (setup_.scale) {
    case Setup::Scale::tiny: return 4;
    case Setup::Scale::small: return 12;
    case Setup::Scale::large: return 40;
  }
  return 0;
}

bool Runner::hold(const Op& op, bool writer) {
  ModelObject* object = any_object(op.target);
  if (object == nullptr) return false;
  if (model_.held.size() >= most_held()) return give_back(op);
  const Part part = part_of(*object, op, !writer || op.value % 3 == 0);
  Attempt attempt;
  if (!part.within) {
    attempt.must = Error::out_of_range;
  } else {
    attempt = writer ? to_write(*object, part.begin, part.end - part.begin) : to_read(*object);
  }
  HeldReference held{.object = object, .lease = {}, .writer = writer, .begin = part.begin, .end = part.end};
  const Error error = execute(op, attempt, [&] {
    return writer ? heap_->write(object->kind, object->handle, part.whole, part.first, part.count, held.lease)
                  : heap_->read(object->kind, object->handle, held.lease);
  });
  if (error != Error::none) return true;
  object->lent = held.lease.data - held.begin;
  if (writer) {
    object->writer = true;
  } else {
    ++object->readers;
  }
  model_.held.push_back(held);
  return true;
}

bool Runner::hold_readers_to_limit(const Op& op) {
  ModelObject* object = any_object(op.target);
  if (object == nullptr || object->borrowed()) return false;
  Op plain = without_disturbance(op);
  for (std::uint32_t i = 0; i <= kMostReaders; ++i) {
    HeldReference held{.object = object, .lease = {}, .writer = false, .begin = 0, .end = object->size()};
    const Error error = execute(plain, to_read(*object),
                                [&] { return heap_->read(object->kind, object->handle, held.lease); });
    if (error == Error::borrowed) ++counters_.readers_to_limit;
    if (error != Error::none) break;
    object->lent = held.lease.data;
    ++object->readers;
    model_.held.push_back(held);
  }
  return true;
}

bool Runner::write_held(const Op& op) {
  if (model_.held.empty()) return false;
  const HeldReference& held = model_.held[op.target % model_.held.size()];
  if (!held.writer || held.begin == held.end) return false;
  std::byte* data = held.lease.data;
  if (held.object->kind == ObjectKind::node) data += 8;
  write_bytes(*held.object, data, held.begin, held.end, op.value);
  return true;
}

void Runner::release(std::size_t index) {
  const HeldReference held = model_.held[index];
  heap_->give_back(held.lease.token);
  if (held.writer) {
    held.object->writer = false;
  } else {
    --held.object->readers;
  }
  model_.held.erase(model_.held.begin() + static_cast<std::ptrdiff_t>(index));
}

bool Runner::give_back(const Op& op) {
  if (model_.held.empty()) return false;
  static_cast<void>(execute(op, {}, [&] {
    release(op.target % model_.held.size());
    return Error::none;
  }));
  return true;
}

bool Runner::give_back_all() {
  if (model_.held.empty()) return false;
  while (!model_.held.empty()) release(model_.held.size() - 1);
  return true;
}

bool Runner::end_borrows(const Op& op) {
  heap_->drop_references();
  model_.held.clear();
  std::uint32_t expected = 0;
  for (const auto& object : model_.objects) {
    if (object->borrowed()) ++expected;
    object->readers = 0;
    object->writer = false;
  }
  static_cast<void>(execute(op, {}, [&] {
    const std::uint32_t ended = heap_->end_borrows();
    require(ended == expected, "ended the borrows of ", ended, " objects, not ", expected);
    return Error::none;
  }));
  counters_.borrows_ended += expected;
  return true;
}

bool Runner::use_after_free(const Op& op) {
  Attempt attempt;
  attempt.must = Error::invalid_handle;
  Handle handle;
  Lease lease;
  static_cast<void>(execute(op, attempt, [&] {
    switch (op.value % 3) {
      case 0: return heap_->read(op.object, handle, lease);
      case 1: return heap_->write(op.object, handle, true, 0, 0, lease);
      default: return heap_->free(op.object, handle);
    }
  }));
  require(!heap_->is_resident(handle), "nothing is resident");
  require(heap_->unload(handle) == Error::none, "nothing cannot be unloaded");
  return true;
}

bool Runner::flush(const Op& op) {
  explicit_flush_ = true;
  const Error error = execute(op, {}, [&] { return heap_->flush(); });
  if (error != Error::none) return true;
  for (const SlotView& slot : checker_.decode()) {
    require(!slot.used || !slot.dirty || slot.borrows == 15, "flush() left the object at ", slot.home,
            " dirty");
  }
  return true;
}

bool Runner::unload(const Op& op) {
  ModelObject* object = any_object(op.target);
  if (object == nullptr) return false;
  Attempt attempt;
  if (object->borrowed()) attempt.must = Error::borrowed;
  attempt.extra_bytes = 2 * heap_->modules.slot_bytes();
  attempt.targets = {object->home};
  unloading_ = true;
  const Error error = execute(op, attempt, [&] { return heap_->unload(object->handle); });
  require(error != Error::none || !heap_->is_resident(object->handle), "unloaded, but resident");
  return true;
}

// ---- Lists

void Runner::link(std::uint32_t list) {
  std::vector<ModelObject*>& nodes = model_.lists[list];
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::uint32_t links[] = {i == 0 ? 0 : nodes[i - 1]->home,
                                   i + 1 == nodes.size() ? 0 : nodes[i + 1]->home};
    std::memcpy(nodes[i]->content.data(), links, sizeof links);
  }
}

void Runner::added(std::uint32_t list, std::size_t at, std::uint64_t value, std::uint32_t home) {
  std::vector<std::byte> content(kNodeBytes);
  std::memcpy(content.data() + 8, &value, sizeof value);
  ModelObject& node = model_.add(Handle(home, kNodeBytes), ObjectKind::node, std::move(content));
  node.list = list;
  std::vector<ModelObject*>& nodes = model_.lists[list];
  nodes.insert(nodes.begin() + static_cast<std::ptrdiff_t>(at), &node);
  link(list);
}

void Runner::removed(std::uint32_t list, std::size_t at) {
  std::vector<ModelObject*>& nodes = model_.lists[list];
  const ModelObject* node = nodes[at];
  nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(at));
  model_.erase(*node);
  link(list);
}

void Runner::check_lists() {
  for (std::uint32_t list = 0; list < kLists; ++list) {
    const std::vector<ModelObject*>& nodes = model_.lists[list];
    const std::array<std::uint32_t, 3> ends = heap_->ends(list);
    require(ends[2] == nodes.size(), "a list of ", ends[2], " elements, not ", nodes.size());
    require(ends[0] == (nodes.empty() ? 0 : nodes.front()->home), "a list has another first element");
    require(ends[1] == (nodes.empty() ? 0 : nodes.back()->home), "a list has another last element");
  }
}

bool Runner::push(const Op& op) {
  const std::uint32_t list = op.target % kLists;
  const std::vector<ModelObject*>& nodes = model_.lists[list];
  const bool at_front = op.count % 2 == 0;
  Attempt attempt;
  add_node(attempt);
  if (!nodes.empty()) add_neighbour(attempt, at_front ? nodes.front() : nodes.back());
  std::uint32_t home = 0;
  const Error error = execute(op, attempt, [&] { return heap_->push(list, at_front, op.value, home); });
  if (error == Error::none) added(list, at_front ? 0 : nodes.size(), op.value, home);
  return true;
}

bool Runner::insert(const Op& op) {
  const std::uint32_t list = op.target % kLists;
  const std::vector<ModelObject*>& nodes = model_.lists[list];
  if (nodes.empty()) return false;
  const bool before = op.count % 2 == 0;
  const std::size_t at = op.first % nodes.size();
  const std::size_t place = before ? at : at + 1;
  Attempt attempt;
  add_node(attempt);
  if (place > 0) add_neighbour(attempt, nodes[place - 1]);
  if (place < nodes.size()) add_neighbour(attempt, nodes[place]);
  std::uint32_t home = 0;
  const Error error =
      execute(op, attempt, [&] { return heap_->insert(list, before, nodes[at]->home, op.value, home); });
  if (error == Error::none) added(list, place, op.value, home);
  return true;
}

bool Runner::remove(const Op& op) {
  const std::uint32_t list = op.target % kLists;
  if (model_.lists[list].empty()) return false;
  const std::size_t at = op.first % model_.lists[list].size();
  const std::uint32_t home = model_.lists[list][at]->home;
  const Error error = execute(op, to_remove(list, at), [&] { return heap_->remove(list, home); });
  if (error == Error::none) removed(list, at);
  return true;
}

bool Runner::pop(const Op& op) {
  const std::uint32_t list = op.target % kLists;
  const std::vector<ModelObject*>& nodes = model_.lists[list];
  const bool at_front = op.count % 2 == 0;
  const std::size_t at = at_front || nodes.empty() ? 0 : nodes.size() - 1;
  Attempt attempt;
  if (nodes.empty()) {
    attempt.must = Error::invalid_handle;
  } else {
    attempt = to_remove(list, at);
  }
  const Error error = execute(op, attempt, [&] { return heap_->pop(list, at_front); });
  if (error == Error::none) removed(list, at);
  return true;
}

bool Runner::iterate(const Op& op) {
  const std::uint32_t list = op.target % kLists;
  Attempt attempt;
  attempt.block_granules = checker_.block_granules(kNodeBytes, false);
  attempt.extra_bytes = 2 * heap_->modules.slot_bytes();
  for (const ModelObject* node : model_.lists[list]) {
    if (node->writer || node->readers >= kMostReaders) attempt.must_fail = true;
  }
  std::vector<std::uint64_t> values;
  const Error error = execute(op, attempt, [&] {
    values.clear();
    return heap_->for_each(list, values);
  });
  if (error != Error::none) return true;
  require(values.size() == model_.lists[list].size(), "visited ", values.size(), " elements");
  for (std::size_t i = 0; i < values.size(); ++i) {
    require(std::memcmp(&values[i], model_.lists[list][i]->content.data() + 8, 8) == 0, "element ", i,
            " is wrong");
  }
  return true;
}

bool Runner::walk(const Op& op) {
  const std::uint32_t list = op.target % kLists;
  const bool forward = op.count % 2 == 0;
  Attempt attempt;
  attempt.block_granules = checker_.block_granules(kNodeBytes, false);
  attempt.extra_bytes = 2 * heap_->modules.slot_bytes();
  std::vector<std::uint32_t> expected;
  for (const ModelObject* node : model_.lists[list]) {
    expected.push_back(node->home);
    if (node->writer || node->readers >= kMostReaders) attempt.must_fail = true;
  }
  if (!forward) std::reverse(expected.begin(), expected.end());
  std::vector<std::uint32_t> homes;
  const Error error = execute(op, attempt, [&] {
    homes.clear();
    return heap_->walk(list, forward, homes);
  });
  require(error != Error::none || homes == expected, "the list leads elsewhere");
  return true;
}

bool Runner::clear(const Op& op) {
  const std::uint32_t list = op.target % kLists;
  if (model_.lists[list].empty()) return false;
  Attempt attempt;
  for (const ModelObject* node : model_.lists[list]) add_neighbour(attempt, node);
  static_cast<void>(execute(op, attempt, [&] {
    const Error error = heap_->clear(list);
    const std::uint32_t left = heap_->ends(list)[2];
    require(left <= model_.lists[list].size(), "clear() added something");
    while (model_.lists[list].size() > left) removed(list, 0);
    return error;
  }));
  return true;
}

// ---- Outages

void Runner::fill_os() {
  ++os_pattern_;
  for (std::byte& b : heap_->os) b = static_cast<std::byte>(os_pattern_ & 0xFFU);
}

void Runner::interrupt() {
  ++strikes_;
  ++counters_.strikes_by_kind[static_cast<std::size_t>(current_->kind)];
  const Strikes& strikes = current_->strikes;
  const ModelStore::Fault own{
      .calls_before = strikes.error ? strikes.calls_before : kNever, .damage = strikes.damage, .region = {}};
  const ModelStore::Suspended suspended = heap_->store.suspend();
  switch (strikes.kind) {
    case Strikes::Kind::outage: lose_power(own); break;
    case Strikes::Kind::false_alarm:
      ++counters_.false_alarms;
      persist_with(own);
      break;
    case Strikes::Kind::death: die(); break;
  }
  heap_->store.resume(suspended);
}

// The supply is gone before anything is persisted: the last image, unless the store was changed since.
void Runner::die() {
  ++counters_.deaths;
  const Snapshot before = snapshot();
  expect_last_image(restore_from_nothing());
  return_to(before);
}

// One transfer, no longer than promised.
void Runner::persist() {
  fill_os();
  ModelStore& store = heap_->store;
  const std::uint64_t written = store.written_bytes;
  const std::uint64_t reads = store.reads;
  const std::uint64_t writes = store.writes[static_cast<std::size_t>(Region::checkpoints)];
  last_image_ = image_now();
  failed_images_.clear();
  const Control control = heap_->control();
  store.persisting = true;
  require(heap_->persist() == Error::none, "persist() failed");
  store.persisting = false;
  last_image_.sequence = heap_->control().sequence;
  require(store.reads == reads && store.writes[static_cast<std::size_t>(Region::checkpoints)] == writes + 1,
          "persist() made more than one transfer");
  const std::uint64_t image = store.written_bytes - written - heap_->config.os_bytes;
  require(image <= control.image_bytes, "an image has ", image, " B, but was to have ", control.image_bytes);
  require(control.image_bytes <= heap_->config.dirty_limit_bytes, "an image is beyond the limit");
}

void Runner::note_outage() {
  ++counters_.outages;
  bool recorded = false;
  bool partial = false;
  bool loading = false;
  for (const SlotView& slot : checker_.decode()) {
    if (!slot.used) continue;
    loading = loading || (!slot.dirty && slot.borrows == 15);
    partial = partial || (slot.partial && slot.dirty);
    recorded = recorded || (slot.record == Record::same && !slot.dirty && slot.borrows == 0);
  }
  if (recorded) ++counters_.outages_recorded;
  if (partial) ++counters_.outages_partial;
  if (loading) ++counters_.outages_loading;
  if (!model_.held.empty()) ++counters_.outages_borrowed;
}

void Runner::lose_power(const ModelStore::Fault& fault_in_restore) {
  note_outage();
  persist();
  const std::vector<std::byte> os = heap_->os;
  heap_->poison();
  heap_->boot();
  Error error = Error::none;
  if (fault_in_restore.calls_before != kNever) {
    heap_->store.arm(fault_in_restore);
    error = heap_->restore();
    heap_->store.disarm();
    require((error == Error::storage_failed) == heap_->store.fired().fired, "a restore said ",
            name_of(error));
    if (error != Error::none) {
      ++counters_.cut_restores;
      heap_->poison();
      heap_->boot();
      error = heap_->restore();
    }
  } else {
    error = heap_->restore();
  }
  require(error == Error::none, "restore() says ", name_of(error));
  require(heap_->os == os, "the OS part was not restored");
  checker_.compare_restored(last_image_.ram);
}

bool Runner::outage(const Op& op) {
  lose_power({.calls_before = op.trouble.error ? op.trouble.calls_before : kNever,
              .damage = op.trouble.damage,
              .region = {}});
  ++counters_.operations;
  return true;
}

bool Runner::false_alarm(const Op& op) {
  ++counters_.operations;
  persist_with({.calls_before = op.trouble.error ? op.trouble.calls_before : kNever,
                .damage = op.trouble.damage,
                .region = {}});
  if (heap_->store.fired().fired) note_fault(op);
  return true;
}

// With an error of the storage, if it comes to that: RAM is as before.
void Runner::persist_with(const ModelStore::Fault& fault) {
  heap_->store.arm({});
  if (fault.calls_before == kNever) {
    persist();
    return;
  }
  fill_os();
  Image image = image_now();
  image.sequence = following_sequence(heap_->control());
  heap_->store.persisting = true;
  heap_->store.arm(fault);
  const Error error = heap_->persist();
  heap_->store.disarm();
  heap_->store.persisting = false;
  say(error);
  require((error == Error::storage_failed) == heap_->store.fired().fired, "persist() said ", name_of(error));
  if (!heap_->store.fired().fired) {
    image.sequence = heap_->control().sequence;
    last_image_ = image;
    failed_images_.clear();
    return;
  }
  ++counters_.failed_persists;
  failed_images_.push_back(image);
  require(std::memcmp(image.ram.data() + kSavedControlOffset, heap_->ram() + kSavedControlOffset,
                      image.ram.size() - kSavedControlOffset) == 0,
          "a failed persist changed RAM");
}

Runner::Snapshot Runner::snapshot() {
  const Geometry& geometry = heap_->geometry();
  const auto memory = heap_->store.memory.begin();
  return {.ram = {heap_->ram(), heap_->ram() + heap_->config.ram_bytes},
          .checkpoints = {memory + geometry.checkpoint_base, memory + geometry.intent_base},
          .os = heap_->os};
}
void Runner::return_to(const Snapshot& snapshot) {
  std::copy(snapshot.ram.begin(), snapshot.ram.end(), heap_->ram());
  heap_->os = snapshot.os;
  heap_->boot();
  std::copy(snapshot.checkpoints.begin(), snapshot.checkpoints.end(),
            heap_->store.memory.begin() + heap_->geometry().checkpoint_base);
}

// All that is outside the mark and the checkpoints; nothing if that is too much to be copied each time.
std::span<const std::byte> Runner::homes() const {
  if (setup_.scale == Setup::Scale::large) return {};
  return std::span<const std::byte>(heap_->store.memory).subspan(heap_->geometry().intent_base);
}
bool Runner::homes_are_those_of(const Image& image) const { return std::ranges::equal(homes(), image.homes); }

Runner::Image Runner::image_now() {
  return {.ram = {heap_->ram(), heap_->ram() + heap_->config.ram_bytes},
          .homes = {homes().begin(), homes().end()}};
}

Error Runner::restore_from_nothing() {
  heap_->poison();
  heap_->boot();
  const Error error = heap_->restore();
  say(error);
  return error;
}

namespace {

// Writes an image and nothing else; gives its length.
std::uint32_t write_image(HeapUnderTest& heap) {
  const std::uint64_t written = heap.store.written_bytes;
  heap.store.persisting = true;
  require(heap.persist() == Error::none, "persist() failed");
  heap.store.persisting = false;
  return static_cast<std::uint32_t>(heap.store.written_bytes - written);
}

}  // namespace

void Runner::expect_last_image(Error answer) {
  if (answer == Error::none) {
    ++counters_.restored_older;
    for (const Image& image : failed_images_) {
      if (is_restored(image)) return;
    }
    require(last_image_.exists(), "restored, but there is no image");
    require(homes_are_those_of(last_image_), "a home was written, but the image before is not stale");
    checker_.compare_restored(last_image_.ram);
    return;
  }
  if (answer == Error::stale) ++counters_.stale;
  if (!failed_images_.empty() && answer == Error::torn) return;
  const bool may_be_stale = last_image_.exists() || !failed_images_.empty();
  require((answer == Error::stale && may_be_stale) || (answer == Error::empty && !last_image_.exists()),
          "a restore says ", name_of(answer));
}

// Whether that is the image that was brought back, and homes are as they were then.
bool Runner::is_restored(const Image& image) {
  if (!homes_are_those_of(image)) return false;
  try {
    checker_.compare_restored(image.ram);
  } catch (const Failure&) {
    return false;
  }
  return true;
}

// What the store says that the program runs on since; 0: nothing.
std::uint32_t Runner::mark() const {
  RunningMarks marks;
  std::memcpy(&marks, heap_->store.memory.data() + heap_->geometry().marks_address(), sizeof marks);
  return marks.sequence();
}

// What a restore says if the newest image is not whole: torn if nothing was written since the one before it.
Error Runner::answer_to_a_part(const Control& before) const {
  return before.sequence != 0 && mark() == before.sequence ? Error::stale : Error::torn;
}

bool Runner::cut_persist(const Op& op) {
  ++counters_.operations;
  fill_os();
  const Snapshot before = snapshot();
  const Error of_a_part = answer_to_a_part(heap_->control());
  const std::uint32_t length = write_image(*heap_);
  const std::vector<std::byte> full = snapshot().checkpoints;
  return_to(before);
  heap_->store.power_left_bytes = op.first % (length + 1);
  write_image(*heap_);
  heap_->store.power_left_bytes = kNever;
  const std::vector<std::byte> cut = snapshot().checkpoints;
  const Error answer = restore_from_nothing();
  if (cut == full) {
    require(answer == Error::none, "a whole image was not restored: ", name_of(answer));
    checker_.compare_restored(before.ram);
  } else if (cut == before.checkpoints) {
    expect_last_image(answer);
  } else {
    require(answer == of_a_part, "a torn image was not found out: ", name_of(answer));
    ++counters_.torn;
  }
  return_to(before);
  return true;
}

bool Runner::damaged_image(const Op& op) {
  ++counters_.operations;
  fill_os();
  const Snapshot before = snapshot();
  const Error of_a_part = answer_to_a_part(heap_->control());
  const std::uint32_t length = write_image(*heap_);
  const std::uint32_t begin = heap_->geometry().checkpoint_address(heap_->control().sequence);
  heap_->store.memory[begin + op.first % length] ^= static_cast<std::byte>(1U << op.count % 8);
  const Error answer = restore_from_nothing();
  require(answer == of_a_part, "a damaged image was not found out: ", name_of(answer));
  ++counters_.damaged;
  return_to(before);
  return true;
}

bool Runner::cold_boot(const Op&) {
  ++counters_.operations;
  const Snapshot before = snapshot();
  expect_last_image(restore_from_nothing());
  return_to(before);
  return true;
}

// What runs on has left a mark before it wrote a home, and nothing of an image of a persist that failed.
void Runner::check_mark() {
  const Control control = heap_->control();
  const bool marked = control.sequence != 0 && mark() == control.sequence;
  // A format leaves the sequence that goes on, and no image that a mark could make stale.
  const bool formatted = !last_image_.exists() && failed_images_.empty();
  require(marked || formatted || control.marked_sequence != control.sequence,
          "the running mark is not in the store");
  require(marked || !last_image_.exists() || homes_are_those_of(last_image_),
          "a home was written without a mark");
  // An image of a persist that failed is of now, or stale.
  for (const Image& image : failed_images_) {
    require(homes_are_those_of(image) || (mark() != 0 && !is_newer(image.sequence, mark())),
            "a home was written, but the image of a failed persist may be taken for current");
  }
}

// ---- The rest

void Runner::check() {
  ++counters_.checks;
  checker_.check_all();
  check_lists();
  check_mark();
  observe();
}

void Runner::observe() {
  std::uint64_t residents = 0;
  for (const auto& object : model_.objects) {
    const ModelObject::Seen& now = object->now;
    const ModelObject::Seen& before = object->before;
    residents += now.resident ? 1 : 0;
    if (before.resident && now.resident && before.slot != now.slot) ++counters_.slots_moved;
    if (before.resident && !now.resident && !unloading_) ++counters_.evictions;
    if (before.dirty_runs > 1 && !now.dirty) ++counters_.scattered_flushes;
    if (before.dirty && !now.dirty)
      ++(explicit_flush_ || unloading_ ? counters_.flushes : counters_.policy_flushes);
    object->before = now;
  }
  counters_.most_residents = std::max(counters_.most_residents, residents);
  explicit_flush_ = false;
  unloading_ = false;
  const bool due = heap_->control().repair_at != 0;
  if (due && !repair_due_) ++counters_.repairs_due;
  if (!due && repair_due_) ++counters_.repairs_settled;
  repair_due_ = due;
}

ModelObject* Runner::any_object(std::uint32_t target) {
  if (model_.objects.empty()) return nullptr;
  return model_.objects[target % model_.objects.size()].get();
}
ModelObject* Runner::any_owned(std::uint32_t target) {
  const std::vector<ModelObject*> owned = model_.owned();
  return owned.empty() ? nullptr : owned[target % owned.size()];
}

void Runner::say(Error error) {
  if (log_ != nullptr) *log_ << "       " << name_of(error) << '\n';
}

}  // namespace brownout::heap::testing::model
