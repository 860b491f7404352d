#include "model.hpp"

#include <algorithm>
#include <utility>

namespace brownout::heap::testing::model {

ModelObject& Model::add(Handle handle, ObjectKind kind, std::vector<std::byte> content) {
  require(handle.valid() && handle.home() % 8 == 0, "a home that is none: ", handle.home());
  require(handle.size_bytes() == content.size(), "a handle of the wrong size");
  auto object = std::make_unique<ModelObject>();
  object->home = handle.home();
  object->handle = std::move(handle);
  object->kind = kind;
  object->content = std::move(content);
  const auto [place, is_new] = by_home.emplace(object->home, object.get());
  require(is_new, "a home was handed out twice: ", object->home);
  objects.push_back(std::move(object));
  return *objects.back();
}

void Model::erase(const ModelObject& object) {
  by_home.erase(object.home);
  std::erase_if(objects, [&](const auto& each) { return each.get() == &object; });
}

std::vector<ModelObject*> Model::owned() const {
  std::vector<ModelObject*> owned;
  for (const auto& object : objects) {
    if (object->kind != ObjectKind::node) owned.push_back(object.get());
  }
  return owned;
}

}  // namespace brownout::heap::testing::model
