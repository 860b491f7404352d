// Workload `script`: runs the steps that a scenario wrote down.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <variant>

#include "sim/firmware/directory.hpp"
#include "sim/firmware/object_memory.hpp"
#include "sim/firmware/port.hpp"
#include "sim/firmware/random.hpp"
#include "sim/firmware/workload_options.hpp"
#include "sim/firmware/workloads/script_list.hpp"

namespace brownout::sim::firmware {

// All state of the run is here and on the stack, in memory that the OS saves over an outage; none of it owns
// memory of the host. The program itself is constant.
class ScriptWorkload {
 public:
  ScriptWorkload(ObjectMemory& memory, Port& port, const ScriptOptions& options)
      : memory_(memory),
        port_(port),
        program_(*options.program),
        directory_(memory, port, heap::root_name("script"), handles_of(*options.program)),
        picks_(Xoshiro128::from_seed(options.seed, 0)),
        data_(Xoshiro128::from_seed(options.seed, 1)) {}

  void run() {
    if (const heap::Status status = run_all(); !status.ok()) {
      static_cast<void>(port_.failed(status.error(), doing_));
    }
  }

 private:
  // A write goes in pieces between which time passes, so that an outage finds it half done.
  static constexpr std::uint32_t kPieceBytes = 64;

  heap::Status run_all() {
    doing_ = "find the objects again";
    const auto shape_of = [this](std::uint32_t number) { return shape(number); };
    const heap::Status recovered = directory_.recover(handles_, handles_of(program_), shape_of);
    if (!recovered.ok()) return recovered;
    for (const script::Objects& objects : program_.objects) {
      doing_ = objects.place.c_str();
      for (std::uint32_t i = 0; i < objects.count; ++i) {
        if (handles_[objects.first_handle + i].valid()) continue;
        if (const heap::Status status = make(objects, i); !status.ok()) return status;
      }
    }
    if (const heap::Status status = set_up(); !status.ok()) return status;
    for (std::uint32_t i = 0; program_.iterations == 0 || i < program_.iterations; ++i) {
      if (const heap::Status status = run_block(program_.loop); !status.ok()) return status;
      port_.operation_done();
    }
    return {};
  }

  // Once in the life of the objects: a root of its own says that it is done.
  heap::Status set_up() {
    if (program_.setup.size == 0) return {};
    static constexpr std::uint32_t kDone = heap::root_name("script: set up");
    doing_ = "workload.setup";
    const bool attached = memory_.attached();
    const heap::Status done = attached ? memory_.find_root(kDone).error() : heap::Error::no_root;
    if (done.error() != heap::Error::no_root) return done;
    if (const heap::Status status = run_block(program_.setup); !status.ok()) return status;
    return memory_.attaches() ? memory_.set_root(kDone, handles_[0]) : heap::Status();
  }

  heap::Status run_block(script::Block block) {
    for (std::uint32_t i = block.first; i < block.first + block.size; ++i) {
      const script::Step& step = program_.steps[i];
      doing_ = step.place.c_str();
      const heap::Status status =
          std::visit([this, i](const auto& action) { return run(action, turns_[i]); }, step.action);
      if (!status.ok()) return status;
    }
    return {};
  }

  // --- the steps; `turn` counts what `next` has come to in this one --------------------------------

  heap::Status run(const script::Write& write, std::uint32_t& turn) {
    const script::Objects& objects = program_.objects[write.objects];
    // With `next` for both, a new object begins when the last one has been gone through.
    const bool moves_on = write.first.kind == script::Pick::Kind::next;
    const std::uint32_t spans = moves_on ? objects.length / write.elements : 1;
    const std::uint32_t object = picked(write.pick, turn / spans, objects.count);
    const std::uint32_t first =
        picked(write.first, turn % spans * write.elements, objects.length - write.elements + 1);
    turn = (turn + 1) % (spans * objects.count);
    return fill(handles_[objects.first_handle + object], first * objects.element_bytes,
                write.elements * objects.element_bytes);
  }

  heap::Status run(const script::Read& read, std::uint32_t& turn) {
    return look_at(handles_[handle_of(read.objects, read.pick, turn)]);
  }

  heap::Status run(const script::Renew& renew, std::uint32_t& turn) {
    const script::Objects& objects = program_.objects[renew.objects];
    const std::uint32_t handle = handle_of(renew.objects, renew.pick, turn);
    if (const heap::Status status = directory_.leave(handle); !status.ok()) return status;
    if (const heap::Status status = memory_.free(handles_[handle]); !status.ok()) return status;
    return make(objects, handle - objects.first_handle);
  }

  heap::Status run(const script::Push& push, std::uint32_t& /*turn*/) {
    ScriptList list = list_of(push.list);
    if (skips(list)) return {};
    const bool at_front = push.at == script::End::front;
    const heap::Status status = make_room(list, at_front ? list.last() : list.first());
    if (!status.ok()) return status;
    return add(list, at_front ? list.first() : 0);
  }

  heap::Status run(const script::Insert& insert, std::uint32_t& /*turn*/) {
    ScriptList list = list_of(insert.list);
    if (skips(list)) return {};
    if (const heap::Status status = make_room(list, list.first()); !status.ok()) return status;
    if (list.size() == 0) return add(list, 0);
    const heap::Result<std::uint32_t> next = list.at(picks_.below(list.size()));
    if (!next.ok()) return next.error();
    return add(list, next.value());
  }

  heap::Status run(const script::Pop& pop, std::uint32_t& /*turn*/) {
    ScriptList list = list_of(pop.list);
    if (list.size() == 0) return {};
    const std::uint32_t home = pop.at == script::End::front ? list.first() : list.last();
    if (const auto looked = list.look_at(home); !looked.ok()) return looked.error();
    return list.remove(home);
  }

  heap::Status run(const script::Remove& remove, std::uint32_t& /*turn*/) {
    ScriptList list = list_of(remove.list);
    if (list.size() == 0) return {};
    const heap::Result<std::uint32_t> home = list.at(picks_.below(list.size()));
    if (!home.ok()) return home.error();
    return list.remove(home.value());
  }

  heap::Status run(const script::Scan& scan, std::uint32_t& /*turn*/) {
    ScriptList list = list_of(scan.list);
    for (std::uint32_t home = list.first(); home != 0;) {
      const heap::Result<std::uint32_t> next = list.look_at(home);
      if (!next.ok()) return next.error();
      home = next.value();
    }
    return {};
  }

  heap::Status run(const script::Flush& /*flush*/, std::uint32_t& /*turn*/) { return memory_.flush(); }

  heap::Status run(const script::Compute& compute, std::uint32_t& /*turn*/) {
    port_.charge(heap::Work::compute_cycle, compute.cycles);
    return {};
  }

  heap::Status run(const script::Phase& phase, std::uint32_t& /*turn*/) {
    port_.phase(phase.duration_us, phase.load_ua, phase.sleeping);
    return {};
  }

  heap::Status run(const script::Repeat& repeat, std::uint32_t& /*turn*/) {
    for (std::uint32_t i = 0; i < repeat.times; ++i) {
      if (const heap::Status status = run_block(repeat.body); !status.ok()) return status;
    }
    return {};
  }

  heap::Status run(const script::Mix& mix, std::uint32_t& /*turn*/) {
    for (std::uint32_t i = 0; i < mix.times; ++i) {
      if (const heap::Status status = run_block(drawn(mix)); !status.ok()) return status;
    }
    return {};
  }

  // --- what steps are made of ----------------------------------------------------------------------

  [[nodiscard]] std::uint32_t picked(const script::Pick& pick, std::uint32_t next, std::uint32_t count) {
    switch (pick.kind) {
      case script::Pick::Kind::next: return next;
      case script::Pick::Kind::random: return picks_.below(count);
      case script::Pick::Kind::index: break;
    }
    return pick.index;
  }

  // The handle of the object that a step is about; counts its turn.
  std::uint32_t handle_of(std::uint32_t index, const script::Pick& pick, std::uint32_t& turn) {
    const script::Objects& objects = program_.objects[index];
    const std::uint32_t object = picked(pick, turn, objects.count);
    turn = (turn + 1) % objects.count;
    return objects.first_handle + object;
  }

  [[nodiscard]] script::Block drawn(const script::Mix& mix) {
    std::uint32_t draw = picks_.below(mix.total_weight);
    std::uint32_t choice = mix.first_choice;
    while (draw >= program_.choices[choice].weight) draw -= program_.choices[choice++].weight;
    return program_.choices[choice].body;
  }

  heap::Status make(const script::Objects& objects, std::uint32_t object) {
    heap::Result<heap::Buffer> made = memory_.make_buffer(objects.size_bytes(), objects.dirtiness);
    if (!made.ok()) return made.error();
    const std::uint32_t handle = objects.first_handle + object;
    handles_[handle] = made.take();
    return directory_.enter(handle, handles_[handle]);
  }

  // Writes fresh data over a part of an object.
  heap::Status fill(const heap::Buffer& object, std::uint32_t first_byte, std::uint32_t size_bytes) {
    auto result = memory_.write(object, first_byte, size_bytes);
    if (!result.ok()) return result.error();
    const auto bytes = result.take();
    for (std::uint32_t done = 0; done < size_bytes; done += kPieceBytes) {
      const std::uint32_t piece = std::min(kPieceBytes, size_bytes - done);
      draw_data(bytes.data() + done, piece);
      port_.charge(heap::Work::copied_byte, piece);
    }
    return {};
  }

  void draw_data(std::byte* data, std::uint32_t size_bytes) {
    for (std::uint32_t done = 0; done < size_bytes; done += sizeof(std::uint32_t)) {
      const std::uint32_t word = data_.next();
      std::memcpy(data + done, &word, std::min<std::size_t>(sizeof word, size_bytes - done));
    }
  }

  heap::Status look_at(const heap::Buffer& object) {
    auto result = memory_.read(object);
    if (!result.ok()) return result.error();
    const auto bytes = result.take();
    port_.charge(heap::Work::copied_byte, bytes.size());
    return {};
  }

  // A list for one step, which looks at its size first.
  ScriptList list_of(std::uint32_t index) {
    port_.charge(heap::Work::step, 1);
    return {memory_, port_, program_.lists[index], heads_[index]};
  }

  static bool skips(const ScriptList& list) {
    return list.full() && list.kind().on_full == script::OnFull::skip;
  }

  static heap::Status make_room(ScriptList& list, std::uint32_t oldest) {
    return list.full() ? list.remove(oldest) : heap::Status();
  }

  // Adds a fresh element in front of `next`, or at the end if that is 0.
  heap::Status add(ScriptList& list, std::uint32_t next) {
    const heap::Result<std::uint32_t> home = list.insert_before(next);
    if (!home.ok()) return home.error();
    return fill(list.node(home.value()), kScriptLinkBytes, list.kind().element_bytes);
  }

  static std::uint32_t handles_of(const ScriptProgram& program) {
    std::uint32_t handles = 0;
    for (const script::Objects& objects : program.objects) handles += objects.count;
    return handles;
  }
  [[nodiscard]] ObjectShape shape(std::uint32_t handle) const {
    ObjectShape shape;
    for (const script::Objects& objects : program_.objects) {
      if (handle >= objects.first_handle) shape = {objects.size_bytes(), objects.dirtiness};
    }
    return shape;
  }

  ObjectMemory& memory_;
  Port& port_;
  const ScriptProgram& program_;
  Directory directory_;
  Xoshiro128 picks_;
  Xoshiro128 data_;  // its own generator: what is picked does not depend on how large the objects are
  const char* doing_ = "";
  heap::Buffer handles_[kMaxScriptHandles];
  ScriptListHead heads_[kMaxScriptLists];
  std::uint32_t turns_[kMaxScriptSteps] = {};
};

}  // namespace brownout::sim::firmware
