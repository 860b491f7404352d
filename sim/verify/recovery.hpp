// What an attach has to bring back after a loss, judged by what the program wrote before.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heap/types.hpp"
#include "sim/verify/shadow.hpp"

namespace brownout::sim {

// What became of the objects of an earlier life of the program.
struct Recovered {
  bool from_image = false;
  std::uint32_t in_doubt = 0;   // named by the heap
  std::uint32_t kept = 0;       // by the program
  std::uint32_t fell_back = 0;  // of these: with an older content than the latest
  std::uint32_t reclaimed = 0;  // by the heap, because nobody kept them
};

// An object that the program keeps has to be as the checkpoint has it, all objects from the same one, if the
// heap says that it found one; else it has to be whole, one of the versions that can have been home. Only of
// objects that the heap named in doubt nothing is asked. All functions return in words what is wrong.
class Recovery {
 public:
  // Power is lost. Takes over all objects, beside those that a recovery before it has not come to. `store` is
  // the whole store. `image_usable`: it has a checkpoint that is whole and current. `persist_cut`: a persist
  // was under way, whose image may be whole in spite of that.
  void begin(Shadow& shadow, std::span<const std::uint8_t> store, bool image_usable, bool persist_cut);
  // A checkpoint is whole, of a program that may not have come to all objects yet.
  void note_image(std::span<const std::uint8_t> store);
  // Whether there was a loss from which no start has recovered yet.
  [[nodiscard]] bool pending() const { return pending_; }
  [[nodiscard]] bool attached() const { return attached_; }
  [[nodiscard]] bool has(std::uint32_t home) const { return copies_.contains(home); }

  // A start, which may itself be cut and followed by another.
  void start();
  void doubt(std::uint32_t home) { in_doubt_.push_back(home); }
  [[nodiscard]] std::optional<std::string> attach(bool from_image);
  // The program keeps an object that has that content; it goes back to the shadow.
  [[nodiscard]] std::optional<std::string> keep(std::uint32_t home, heap::ConstBytes content, Shadow& shadow);
  void free(std::uint32_t home) { copies_.erase(home); }
  // All others are gone.
  Recovered end(std::uint32_t reclaimed);

 private:
  [[nodiscard]] bool as_the_image_has_it(const Shadow::Copy& copy, std::uint64_t digest);
  [[nodiscard]] bool as_it_was_home(const Shadow::Copy& copy, std::uint64_t digest) const;

  Shadow::Copies copies_;
  std::vector<std::uint32_t> in_doubt_;
  Recovered recovered_;
  bool pending_ = false;
  bool attached_ = false;
  bool image_usable_ = false;
  std::uint32_t starts_ = 0;  // since the loss
  // The checkpoints from which all that was kept so far can be: the last whole one, and the one that was cut.
  bool may_be_last_ = false;
  bool may_be_cut_ = false;
  bool persist_cut_ = false;
};

}  // namespace brownout::sim
