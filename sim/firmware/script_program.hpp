// A workload of the user, as the scenario's reader leaves it and the interpreter runs it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "heap/objects/handle.hpp"

namespace brownout::sim::firmware {

// The interpreter keeps its state in arrays of these sizes (see workloads/script.hpp).
inline constexpr std::uint32_t kMaxScriptHandles = 4'000;  // objects and arrays, all names together
inline constexpr std::uint32_t kMaxScriptLists = 64;
inline constexpr std::uint32_t kMaxScriptSteps = 1'000;

// Of a node of a list: the homes of its neighbours.
inline constexpr std::uint32_t kScriptLinkBytes = 8;

// What a script is made of. `place` is where the scenario says so ("workload.loop.2.write"), for messages.
namespace script {

// `count` objects of one name. An object that is no array has one element.
struct Objects {
  std::string place;
  std::uint32_t element_bytes = 1;
  std::uint32_t length = 1;  // elements of each
  std::uint32_t count = 1;
  heap::Dirtiness dirtiness = heap::Dirtiness::whole;
  std::uint32_t first_handle = 0;  // the interpreter's number of the first

  [[nodiscard]] std::uint32_t size_bytes() const { return element_bytes * length; }
};

enum class OnFull : std::uint8_t { drop_oldest, skip };

struct List {
  std::uint32_t element_bytes = 1;
  std::uint32_t limit = 1;  // elements
  OnFull on_full = OnFull::drop_oldest;

  [[nodiscard]] std::uint32_t node_bytes() const { return kScriptLinkBytes + element_bytes; }
};

// Which of several: the one after the last, one drawn at random, or always the same.
struct Pick {
  enum class Kind : std::uint8_t { next, random, index };
  Kind kind = Kind::next;
  std::uint32_t index = 0;  // with Kind::index
};

// Steps [first, first + size) of the program, one after the other.
struct Block {
  std::uint32_t first = 0;
  std::uint32_t size = 0;
};

// What a step does. `objects` and `list` are indices into the program.
struct Write {
  std::uint32_t objects = 0;
  Pick pick;
  Pick first;                  // element at which it begins
  std::uint32_t elements = 1;  // so many, of `length`
};
struct Read {
  std::uint32_t objects = 0;
  Pick pick;
};
struct Renew {  // frees an object and makes it anew, of zeros
  std::uint32_t objects = 0;
  Pick pick;
};

enum class End : std::uint8_t { front, back };
struct Push {
  std::uint32_t list = 0;
  End at = End::back;
};
struct Pop {
  std::uint32_t list = 0;
  End at = End::front;
};
struct Insert {  // before an element drawn at random
  std::uint32_t list = 0;
};
struct Remove {  // one drawn at random
  std::uint32_t list = 0;
};
struct Scan {  // reads all elements from the first to the last
  std::uint32_t list = 0;
};

struct Flush {};
struct Compute {
  std::uint32_t cycles = 1;
};
struct Phase {  // see Port::phase()
  std::uint64_t duration_us = 1;
  std::uint64_t load_ua = 0;
  bool sleeping = false;
};

struct Repeat {
  std::uint32_t times = 1;
  Block body;
};
struct Mix {  // draws one of its choices, `times` times
  std::uint32_t times = 1;
  std::uint32_t first_choice = 0;  // of the program
  std::uint32_t choices = 0;
  std::uint32_t total_weight = 0;
};

struct Choice {
  std::uint32_t weight = 1;
  Block body;
};

struct Step {
  std::string place;
  std::variant<Write, Read, Renew, Push, Pop, Insert, Remove, Scan, Flush, Compute, Phase, Repeat, Mix>
      action;
};

}  // namespace script

// Made on the host before a run and only read by the simulated program, as from flash.
struct ScriptProgram {
  std::vector<script::Objects> objects;  // arrays, too
  std::vector<script::List> lists;
  std::vector<script::Step> steps;      // at most kMaxScriptSteps; those of a block are neighbours
  std::vector<script::Choice> choices;  // of all mixes
  script::Block setup;                  // once, when all objects are made
  script::Block loop;                   // one operation of the workload
  std::uint32_t iterations = 0;         // of the loop; 0: endless
};

// Objects of one size that a workload has at once, at most.
struct ObjectDemand {
  std::uint32_t size_bytes = 0;
  std::uint32_t count = 0;
  heap::Dirtiness dirtiness = heap::Dirtiness::whole;
};

// Of each name of a script; nodes of lists count as objects. O(names).
inline std::vector<ObjectDemand> demand_of(const ScriptProgram& program) {
  std::vector<ObjectDemand> demand;
  for (const script::Objects& objects : program.objects) {
    demand.push_back({objects.size_bytes(), objects.count, objects.dirtiness});
  }
  for (const script::List& list : program.lists) demand.push_back({list.node_bytes(), list.limit});
  return demand;
}

}  // namespace brownout::sim::firmware
