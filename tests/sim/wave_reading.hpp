// Readers of what sim/waves writes, which refuse what the formats do not allow.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace brownout::sim::testing {

// A value change dump, as IEEE 1364 has it; `fault` says what is wrong with it.
struct VcdFile {
  struct Change {
    std::int64_t at = 0;
    std::string value;  // "1", "x", "101", "3.3000"
  };
  struct Signal {
    std::string type;
    std::size_t width = 0;
    std::string name;  // with its scopes, "brownout.supply.voltage"
    std::vector<Change> changes;
  };
  std::string fault;
  std::string timescale;
  std::map<std::string, Signal> by_id;
  std::vector<std::int64_t> times;

  [[nodiscard]] const Signal& signal(const std::string& name) const {
    static const Signal none;
    for (const auto& [id, signal] : by_id) {
      if (signal.name == name) return signal;
    }
    return none;
  }
  // How often it became `value`.
  [[nodiscard]] std::size_t times_of(const std::string& name, const std::string& value) const {
    std::size_t count = 0;
    for (const Change& change : signal(name).changes) count += change.value == value ? 1 : 0;
    return count;
  }
  // As it was at that instant; empty before the first change.
  [[nodiscard]] std::string value_at(const std::string& name, std::int64_t at) const {
    std::string value;
    for (const Change& change : signal(name).changes) {
      if (change.at <= at) value = change.value;
    }
    return value;
  }
};

class VcdReader {
 public:
  static VcdFile read(const std::string& text) {
    VcdReader reader(text);
    if (reader.header()) reader.body();
    return std::move(reader.file_);
  }

 private:
  explicit VcdReader(const std::string& text) : in_(text) {}

  bool fail(const std::string& what) {
    if (file_.fault.empty()) file_.fault = what;
    return false;
  }
  // Words up to $end.
  bool section(std::vector<std::string>& words) {
    words.clear();
    for (std::string word; in_ >> word;) {
      if (word == "$end") return true;
      if (word.front() == '$') return fail("a section inside another: " + word);
      words.push_back(word);
    }
    return fail("a section without $end");
  }
  bool header() {
    std::vector<std::string> words;
    std::vector<std::string> scopes;
    std::set<std::string> names;
    for (std::string word; in_ >> word;) {
      if (!section(words)) return false;
      if (word == "$enddefinitions") {
        if (!scopes.empty()) return fail("a scope is open");
        if (file_.timescale.empty()) return fail("no timescale");
        return true;
      }
      if (word == "$timescale") {
        for (const std::string& part : words) file_.timescale += (file_.timescale.empty() ? "" : " ") + part;
      } else if (word == "$scope") {
        if (words.size() != 2) return fail("a scope without type and name");
        scopes.push_back(words[1]);
      } else if (word == "$upscope") {
        if (scopes.empty()) return fail("no scope to leave");
        scopes.pop_back();
      } else if (word == "$var") {
        if (words.size() != 4) return fail("a $var without type, width, id and name");
        std::string name;
        for (const std::string& scope : scopes) name += scope + ".";
        name += words[3];
        for (const char c : words[2]) {
          if (c < '!' || c > '~') return fail("an id that is not printable");
        }
        if (!names.insert(name).second) return fail("a name twice: " + name);
        if (!file_.by_id.emplace(words[2], VcdFile::Signal{words[0], std::stoul(words[1]), name, {}}).second)
          return fail("an id twice: " + words[2]);
      } else if (word != "$version" && word != "$comment" && word != "$date") {
        return fail("unknown: " + word);
      }
    }
    return fail("no $enddefinitions");
  }
  void body() {
    bool dumping = false;
    bool dumped = false;
    std::size_t dumped_signals = 0;
    for (std::string word; in_ >> word;) {
      if (word == "$dumpvars") {
        if (dumped || file_.times.size() != 1) return void(fail("$dumpvars is not at the first time"));
        dumping = dumped = true;
      } else if (word == "$end") {
        if (!dumping) return void(fail("$end of nothing"));
        dumping = false;
        if (dumped_signals != file_.by_id.size()) return void(fail("a signal without a first value"));
      } else if (word.front() == '#') {
        if (dumping) return void(fail("time passes in $dumpvars"));
        const std::int64_t at = std::stoll(word.substr(1));
        if (at < 0 || (!file_.times.empty() && at <= file_.times.back()))
          return void(fail("time does not grow: " + word));
        file_.times.push_back(at);
      } else {
        if (!dumped) return void(fail("a value before $dumpvars"));
        dumped_signals += dumping ? 1 : 0;
        if (!change(word)) return;
      }
    }
    if (dumping) fail("$dumpvars without $end");
  }
  bool change(const std::string& word) {
    const char kind = word.front();
    const bool is_vector = kind == 'b' || kind == 'r';
    std::string id;
    if (is_vector) {
      if (!(in_ >> id)) return fail("a value without an id");
    } else {
      id = word.substr(1);
    }
    const std::string value = is_vector ? word.substr(1) : word.substr(0, 1);
    const auto found = file_.by_id.find(id);
    if (found == file_.by_id.end()) return fail("an id that was not declared: " + id);
    VcdFile::Signal& signal = found->second;
    if ((kind == 'r') != (signal.type == "real")) return fail("not a value of " + signal.type + ": " + word);
    if (kind == 'r') {
      std::size_t end = 0;
      static_cast<void>(std::stod(value, &end));
      if (end != value.size()) return fail("no number: " + word);
    } else {
      if (value.empty() || value.size() > signal.width) return fail(signal.name + " is not so wide: " + word);
      if (!is_vector && signal.width != 1) return fail("one bit for " + signal.name);
      if (value.find_first_not_of("01xz") != std::string::npos) return fail("no value: " + word);
    }
    const std::int64_t at = file_.times.back();
    if (!signal.changes.empty() && signal.changes.back().at == at)
      return fail("two values at one time: " + word);
    if (!signal.changes.empty() && signal.changes.back().value == value) return fail("no change: " + word);
    signal.changes.push_back({at, value});
    return true;
  }

  std::istringstream in_;
  VcdFile file_;
};

// The steps of 1/1024 us in which a trace counts: the one in which an instant lies, and the instant at which
// one begins.
inline std::int64_t step_of(std::int64_t ps) { return ps * 16 / 15'625; }
inline std::int64_t begin_of_step(std::int64_t step) { return (step * 15'625 + 15) / 16; }

// Trace events; times in steps.
struct TraceFile {
  struct Slice {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    double from_us = 0;  // as they are written
    double length_us = 0;
    std::string name;
    nlohmann::json args;
  };
  struct Point {
    std::int64_t at = 0;
    std::string name;
    nlohmann::json args;
  };
  std::string fault;
  std::map<int, std::string> track_names;
  std::map<std::string, std::vector<Slice>> tracks;  // by name, sorted
  std::vector<Point> instants;
  std::map<std::string, std::vector<Point>> counters;

  // Slices with that beginning of a name and `end` in its arguments.
  [[nodiscard]] std::size_t count(const std::string& track, const std::string& name,
                                  const std::string& end) const {
    std::size_t count = 0;
    const auto found = tracks.find(track);
    if (found == tracks.end()) return 0;
    for (const Slice& slice : found->second) {
      const bool named = std::string_view(slice.name).substr(0, name.size()) == name;
      count += named && slice.args.value("end", "") == end ? 1 : 0;
    }
    return count;
  }
  [[nodiscard]] std::size_t count(const std::string& instant) const {
    std::size_t count = 0;
    for (const Point& point : instants) count += point.name == instant ? 1 : 0;
    return count;
  }

  static TraceFile read(const std::string& text);

 private:
  void nest();
};

inline TraceFile TraceFile::read(const std::string& text) {
  TraceFile file;
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.contains("traceEvents")) {
    file.fault = "no JSON of a trace";
    return file;
  }
  const auto steps = [](const nlohmann::json& us) { return std::llround(us.get<double>() * 1024); };
  std::map<std::string, std::int64_t> last;
  for (const nlohmann::json& event : json["traceEvents"]) {
    const std::string phase = event.at("ph");
    const std::string name = event.at("name");
    if (phase == "M") {
      if (name == "thread_name") file.track_names[event.at("tid")] = event.at("args").at("name");
      continue;
    }
    const std::int64_t at = steps(event.at("ts"));
    if (at < 0) file.fault = "before the beginning: " + event.dump();
    const nlohmann::json args = event.value("args", nlohmann::json::object());
    if (phase == "X") {
      const std::int64_t span = steps(event.at("dur"));
      if (span < 0) file.fault = "a negative length: " + event.dump();
      const auto track = file.track_names.find(event.at("tid"));
      if (track == file.track_names.end()) {
        file.fault = "a track without a name: " + event.dump();
        continue;
      }
      file.tracks[track->second].push_back({at, at + span, event.at("ts"), event.at("dur"), name, args});
    } else if (phase == "i") {
      file.instants.push_back({at, name, args});
    } else if (phase == "C") {
      if (last.contains(name) && at < last[name]) file.fault = "a counter goes back in time: " + event.dump();
      last[name] = at;
      for (const auto& [key, value] : args.items()) {
        if (!value.is_number()) file.fault = "no number: " + event.dump();
      }
      file.counters[name].push_back({at, name, args});
    } else {
      file.fault = "unknown: " + event.dump();
    }
  }
  file.nest();
  return file;
}

// Two slices of a track are apart, or one is inside the other: for a viewer that adds doubles, and for one
// that cuts to nanoseconds first, for which one inside may end a nanosecond late.
inline void TraceFile::nest() {
  for (auto& [name, slices] : tracks) {
    std::stable_sort(slices.begin(), slices.end(), [](const Slice& a, const Slice& b) {
      return a.from_us != b.from_us ? a.from_us < b.from_us : a.length_us > b.length_us;
    });
    struct Open {
      double to_us;
      std::int64_t to_ns;
    };
    std::vector<Open> open;
    for (const Slice& slice : slices) {
      const auto from_ns = static_cast<std::int64_t>(slice.from_us * 1000);
      const Open end{slice.from_us + slice.length_us,
                     from_ns + static_cast<std::int64_t>(slice.length_us * 1000)};
      while (!open.empty() && open.back().to_us <= slice.from_us) {
        if (open.back().to_ns > from_ns)
          fault = fmt::format("{}: {} at {} us begins a nanosecond before the one before it ends", name,
                              slice.name, slice.from_us);
        open.pop_back();
      }
      if (!open.empty() && (open.back().to_us < end.to_us || open.back().to_ns + 1 < end.to_ns))
        fault = fmt::format("{}: {} at {} us ends at {} us, in another that ends at {} us", name, slice.name,
                            slice.from_us, end.to_us, open.back().to_us);
      open.push_back(end);
    }
  }
}

}  // namespace brownout::sim::testing
