#include "sim/scenario/yaml_tree.hpp"

#include <array>
#include <functional>
#include <locale>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

// Builds the tree from the parser's events. Working on events instead of YAML::Node keeps the order and the
// place of keys, and sees aliases before anything expands them.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string name, YamlOrigin origin) : name_(std::move(name)), origin_(origin) {}

  [[nodiscard]] Location location(const YAML::Mark& mark) const {
    if (origin_ == YamlOrigin::override || mark.is_null()) return {name_, 0, 0};
    return {name_, mark.line + 1, mark.column + 1};
  }

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) fail(mark, "a second YAML document begins here; a scenario is one document");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    refuse_key_unless_text(mark);
    Node node = make_node(Node::Kind::null, mark);
    // The parser's mark of a missing value is wherever the next token is.
    if (!open_.empty() && open_.back().node.kind == Node::Kind::map) node.where = open_.back().key_where;
    add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    fail(mark, "YAML aliases (*name) are not used in scenarios; write the value out");
  }

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    fail(mark, fmt::format("YAML anchors (&{}) are not used in scenarios; write the value out", name));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    refuse_tag(mark, tag);
    if (expects_key()) {
      begin_entry(mark, value);
      return;
    }
    Node node = make_node(Node::Kind::scalar, mark);
    node.text = value;
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value style) override {
    open(Node::Kind::sequence, mark, tag, style);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value style) override {
    open(Node::Kind::map, mark, tag, style);
  }
  void OnMapEnd() override { close(); }

 private:
  // A collection that has begun and not ended. For a map: the places of its keys by name, and the key
  // whose value comes next.
  struct Open {
    Node node;
    std::map<std::string, Location, std::less<>> keys;
    std::string key;
    Location key_where;
    bool has_key = false;
  };

  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& message) const {
    throw InputError(location(mark), message);
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    // "?" and "!" are what the parser itself gives to plain and quoted values.
    if (!tag.empty() && tag != "?" && tag != "!") {
      fail(mark, fmt::format("YAML tags ({}) are not used in scenarios", in_quotes(tag)));
    }
  }

  [[nodiscard]] bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::map && !open_.back().has_key;
  }

  void refuse_key_unless_text(const YAML::Mark& mark) const {
    if (expects_key())
      fail(mark, "a key must be a name, not a collection or nothing (is a [ or { not closed?)");
  }

  Node make_node(Node::Kind kind, const YAML::Mark& mark) {
    if (++nodes_ > kMaxDocumentNodes) {
      fail(mark, fmt::format("more than {} values; a scenario is smaller than that", kMaxDocumentNodes));
    }
    Node node;
    node.kind = kind;
    node.where = location(mark);
    node.from_override = origin_ == YamlOrigin::override;
    return node;
  }

  void begin_entry(const YAML::Mark& mark, const std::string& key) {
    if (key == "<<") fail(mark, "YAML merge keys (<<) are not used in scenarios; write the keys out");
    Open& map = open_.back();
    const auto [first, added] = map.keys.emplace(key, location(mark));
    if (!added) {
      const std::string line = first->second.line > 0 ? fmt::format(" on line {}", first->second.line) : "";
      fail(mark, fmt::format("key {} is there twice; the first one is{}", in_quotes(key),
                             line.empty() ? " in the same map" : line));
    }
    map.key = key;
    map.key_where = location(mark);
    map.has_key = true;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::EmitterStyle::value style) {
    refuse_tag(mark, tag);
    refuse_key_unless_text(mark);
    if (origin_ == YamlOrigin::override && style == YAML::EmitterStyle::Block) {
      fail(mark,
           "the value reads as a block of YAML, not as one value; put it in quotes, or write all of a "
           "collection in {} or []");
    }
    if (open_.size() >= static_cast<std::size_t>(kMaxDocumentDepth)) {
      fail(mark, fmt::format("nested deeper than {} levels", kMaxDocumentDepth));
    }
    Open collection;
    collection.node = make_node(kind, mark);
    open_.push_back(std::move(collection));
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::sequence) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    parent.node.entries.push_back({std::move(parent.key), parent.key_where, std::move(node)});
    parent.has_key = false;
  }

  std::string name_;
  YamlOrigin origin_;
  Node root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// yaml-cpp says what its scanner met; this adds what people usually did.
std::string hint_for(std::string_view message) {
  struct Hint {
    std::string_view message;
    std::string_view hint;
  };
  static constexpr std::array<Hint, 6> kHints{{
      {"illegal map value", "a value with ': ' in it needs quotes"},
      {"end of map not found", "is a line indented differently from the lines around it?"},
      {"end of sequence not found", "is a line indented differently from the lines around it?"},
      {"end of map flow not found", "a { is not closed"},
      {"end of sequence flow not found", "a [ is not closed"},
      {"illegal tab when looking for indentation", "indent with spaces"},
  }};
  for (const Hint& hint : kHints) {
    if (message == hint.message) return fmt::format(" ({})", hint.hint);
  }
  return {};
}

}  // namespace

Node parse_yaml(const std::string& text, const std::string& name, YamlOrigin origin) {
  std::istringstream stream(text);
  stream.imbue(std::locale::classic());
  TreeBuilder builder(name, origin);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    throw InputError(builder.location(error.mark),
                     fmt::format("not valid YAML: {}{}", error.msg, hint_for(error.msg)));
  }
  return builder.take_root();
}

}  // namespace brownout::sim
