#include "sim/inspect/salvage.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace brownout::sim {
namespace {

// What an image says of an object that its store has.
class Judge {
 public:
  Judge(const KnownHeap& heap, const Salvage& salvage) : heap_(heap), salvage_(salvage) {
    if (salvage.checkpoint < 0) return;
    sequence_ = heap.places[salvage.checkpoint].header.sequence;
    for (const ImageObject& object : heap.residents) residents_[object.home] = &object;
  }

  [[nodiscard]] SalvagedObject operator()(const StoredObject& object) const {
    SalvagedObject judged;
    judged.object = object;
    const auto begin = heap_.store.begin() + object.home;
    judged.content.assign(begin, begin + object.size_bytes);
    const auto found = residents_.find(object.home);
    const ImageObject* resident = found == residents_.end() ? nullptr : found->second;
    // Another object has its place by now.
    if (resident != nullptr && resident->size_bytes > object.size_bytes) resident = nullptr;
    if (salvage_.together) {
      judge_together(judged, resident);
    } else {
      judge_apart(judged, resident);
    }
    return judged;
  }

 private:
  // The image and the homes fit together.
  void judge_together(SalvagedObject& judged, const ImageObject* resident) const {
    judged.trust = Trust::yes;
    judged.reason = "at home";
    if (resident == nullptr || !resident->dirty) return;
    overlay(judged.content, *resident);
    judged.reason = fmt::format("in checkpoint {}", sequence_);
    if (resident->written) judged.reason += "; the program was writing it and goes on";
  }

  void judge_apart(SalvagedObject& judged, const ImageObject* resident) const {
    if (resident != nullptr && resident->dirty) {
      judge_dirty(judged, *resident);
    } else if (may_be_half_written(judged.object)) {
      judged.trust = Trust::in_doubt;
      judged.reason = "the last write intent: whole, or between two states";
    } else if (has_root(judged.object)) {
      judged.trust = Trust::yes;
      judged.reason = "as last written home, which it was: a root names it";
    } else if (resident != nullptr) {
      judged.trust = Trust::yes;
      judged.reason = fmt::format("as last written home, which it was: clean in checkpoint {}", sequence_);
    } else {
      judged.trust = Trust::home_only;
      judged.reason = "as last written home, if it ever was";
    }
  }

  // Dirty in an image after which the program ran on.
  void judge_dirty(SalvagedObject& judged, const ImageObject& resident) const {
    std::vector<std::byte> then = judged.content;
    overlay(then, resident);
    const auto [here, there] = std::mismatch(judged.content.begin(), judged.content.end(), then.begin());
    if (here == judged.content.end() && !(resident.partial && may_be_half_written(judged.object))) {
      judged.trust = Trust::yes;
      judged.reason = fmt::format("home and checkpoint {} say the same", sequence_);
      return;
    }
    const std::size_t at = static_cast<std::size_t>(here - judged.content.begin());
    const std::string of_home =
        here == judged.content.end()
            ? "its home may be half written"
            : fmt::format("its home is older or newer ({:02x} at byte {})", static_cast<unsigned>(*here), at);
    if (resident.written) {
      judged.trust = Trust::in_doubt;
      judged.reason = fmt::format("the program was writing it at checkpoint {}; {}", sequence_, of_home);
      return;
    }
    if (resident.partial) {
      judged.trust = Trust::in_doubt;
      judged.reason =
          fmt::format("checkpoint {} has parts of it, the others are of its home; {}", sequence_, of_home);
    } else {
      judged.trust = Trust::checkpoint_only;
      judged.reason = of_home;
    }
    judged.content = std::move(then);
  }

  static void overlay(std::vector<std::byte>& content, const ImageObject& resident) {
    for (const ImageObject::Run& run : resident.runs) {
      std::copy(run.bytes.begin(), run.bytes.end(),
                content.begin() + static_cast<std::ptrdiff_t>(run.offset));
    }
  }
  [[nodiscard]] bool may_be_half_written(const StoredObject& object) const {
    return heap_.intent && heap_.intent->address >= object.home &&
           heap_.intent->address < object.home + object.size_bytes;
  }
  [[nodiscard]] bool has_root(const StoredObject& object) const {
    return std::any_of(heap_.roots.begin(), heap_.roots.end(),
                       [&](const NamedRoot& root) { return root.home == object.home; });
  }

  const KnownHeap& heap_;
  const Salvage& salvage_;
  std::uint32_t sequence_ = 0;
  std::map<std::uint32_t, const ImageObject*> residents_;
};

}  // namespace

std::string_view name_of(Trust trust) {
  switch (trust) {
    case Trust::yes: return "yes";
    case Trust::home_only: return "home only";
    case Trust::checkpoint_only: return "checkpoint only";
    case Trust::in_doubt: return "in doubt";
  }
  return "";
}

Salvage salvage(const Inspection& inspection) {
  Salvage salvaged;
  if (!inspection.heap) return salvaged;
  const KnownHeap& heap = *inspection.heap;
  // Whichever of them boot or restore_older() takes is the latest that is whole.
  salvaged.checkpoint = heap.latest;
  const bool usable = heap.boot >= 0 ? heap.boot == heap.latest
                                     : inspection.verdict == ImageVerdict::torn && heap.older >= 0 &&
                                           heap.older == heap.latest;
  salvaged.together = usable;
  const Judge judge(heap, salvaged);
  for (const StoredObject& object : heap.objects) salvaged.objects.push_back(judge(object));
  for (const ImageObject& object : heap.residents) {
    const StoredObject* stored = heap.object_at(object.home);
    const bool there = stored != nullptr && object.size_bytes <= stored->size_bytes;
    if (object.dirty && !there) salvaged.unallocated.push_back(object);
  }
  return salvaged;
}

}  // namespace brownout::sim
