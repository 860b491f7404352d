#include "sim/verify/recovery.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace brownout::sim {

void Recovery::begin(Shadow& shadow, std::span<const std::uint8_t> store, bool image_usable,
                     bool persist_cut) {
  // What the program has not come to is what is home.
  for (auto& [home, copy] : copies_) {
    const std::uint64_t digest = Shadow::digest_at_home(store, home, copy);
    if (as_it_was_home(copy, digest)) copy.versions.push_back(digest);
  }
  for (auto& [home, copy] : shadow.take_all()) copies_.insert_or_assign(home, std::move(copy));
  pending_ = true;
  attached_ = false;
  image_usable_ = image_usable;
  persist_cut_ = persist_cut;
  starts_ = 0;
}

void Recovery::note_image(std::span<const std::uint8_t> store) {
  for (auto& [home, copy] : copies_) {
    const std::uint64_t digest = Shadow::digest_at_home(store, home, copy);
    const bool whole = as_it_was_home(copy, digest);
    copy.in_image.reset();
    if (whole) copy.in_image = digest;
  }
}

void Recovery::start() {
  ++starts_;
  in_doubt_.clear();
  recovered_ = {};
  attached_ = false;
  may_be_last_ = true;
  may_be_cut_ = persist_cut_;
}

std::optional<std::string> Recovery::attach(bool from_image) {
  attached_ = true;
  recovered_.from_image = from_image;
  recovered_.in_doubt = static_cast<std::uint32_t>(in_doubt_.size());
  if (!pending_) return std::nullopt;  // what is there was made by a start that was cut
  if (from_image && !image_usable_) return "the heap attached to a checkpoint that is not whole, or stale";
  // One that was cut may have brought the image home already.
  if (!from_image && image_usable_ && starts_ == 1) return "the heap did not find the checkpoint";
  return std::nullopt;
}

std::optional<std::string> Recovery::keep(std::uint32_t home, heap::ConstBytes content, Shadow& shadow) {
  const auto found = copies_.find(home);
  if (found == copies_.end()) {
    if (shadow.find(home) != nullptr) return std::nullopt;  // kept already
    return fmt::format("an object was kept at store address {} where there is none", home);
  }
  const Shadow::Copy& copy = found->second;
  if (content.size != copy.bytes.size())
    return fmt::format("object {} was kept with the wrong size", copy.number);
  const std::uint64_t digest = Shadow::digest_of(content);
  const bool doubted = std::find(in_doubt_.begin(), in_doubt_.end(), home) != in_doubt_.end();
  if (!doubted && recovered_.from_image && !as_the_image_has_it(copy, digest)) {
    return fmt::format("object {} is not as the checkpoint has it", copy.number);
  }
  if (!doubted && !recovered_.from_image && !as_it_was_home(copy, digest)) {
    return fmt::format("object {} has a content that was never written home as a whole", copy.number);
  }
  ++recovered_.kept;
  if (digest != copy.latest) ++recovered_.fell_back;
  // As long as nothing is written, a start after the next loss finds the same image: the one that was brought
  // home, or one since.
  std::optional<std::uint64_t> in_image;
  if ((!doubted && recovered_.from_image) || copy.in_image == digest) in_image = digest;
  shadow.bring_back(home, copy.number, content, in_image);
  copies_.erase(found);
  return std::nullopt;
}

Recovered Recovery::end(std::uint32_t reclaimed) {
  copies_.clear();
  pending_ = false;
  recovered_.reclaimed = reclaimed;
  return recovered_;
}

bool Recovery::as_the_image_has_it(const Shadow::Copy& copy, std::uint64_t digest) {
  may_be_last_ = may_be_last_ && copy.in_image == digest;
  may_be_cut_ = may_be_cut_ && copy.versions.back() == digest;
  return may_be_last_ || may_be_cut_;
}

bool Recovery::as_it_was_home(const Shadow::Copy& copy, std::uint64_t digest) const {
  return copy.had(digest) || (image_usable_ && copy.in_image == digest);
}

}  // namespace brownout::sim
