#include "sim/waves/trace_json_writer.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "devices/fram/fram_part.hpp"
#include "sim/explore/point.hpp"
#include "sim/waves/interpolated.hpp"

namespace brownout::sim::waves {

using devices::Picoseconds;

namespace {

constexpr std::int64_t kPicosecondsPerMicrosecond = 1'000'000;
constexpr std::int64_t kTenthsOfMillivolts = 10'000;
constexpr std::string_view kCut = "cut";
// How far across the tracks an instant is drawn.
constexpr char kProcess = 'p';
constexpr char kThread = 't';
constexpr const char* kTracks[] = {"board", "program", "store", "powered", "warning"};

// A reader adds `ts` and `dur` as doubles, and some then round to nanoseconds: two slices of which one begins
// as the other ends must not overlap by that, or one hangs below the other. So times are in steps that a
// double has exactly, and in which sums are exact: 1/1024 us, for a hundred days. Rounding down keeps the
// order.
constexpr std::int64_t kStepsPerMicrosecond = 1024;

std::int64_t steps_of(Picoseconds time) {
  return time.count / kPicosecondsPerMicrosecond * kStepsPerMicrosecond +
         time.count % kPicosecondsPerMicrosecond * kStepsPerMicrosecond / kPicosecondsPerMicrosecond;
}

std::string microseconds(std::int64_t steps) {
  constexpr std::int64_t kTenDigits = 10'000'000'000 / kStepsPerMicrosecond;
  std::string text =
      fmt::format("{}.{:010}", steps / kStepsPerMicrosecond, steps % kStepsPerMicrosecond * kTenDigits);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}
std::string microseconds(Picoseconds time) { return microseconds(steps_of(time)); }

std::string in_json(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string name_of(const StoreAccess& access) {
  if (!access.opcode) return access.writes ? "store" : "load";
  namespace opcode = devices::fram_opcode;
  switch (*access.opcode) {
    case opcode::kWrsr: return "WRSR";
    case opcode::kWrite: return "WRITE";
    case opcode::kRead: return "READ";
    case opcode::kWrdi: return "WRDI";
    case opcode::kRdsr: return "RDSR";
    case opcode::kWren: return "WREN";
    case opcode::kFstrd: return "FSTRD";
    case opcode::kRdid: return "RDID";
    case opcode::kSleep: return "SLEEP";
    default: return fmt::format("opcode {:02X}", *access.opcode);
  }
}

}  // namespace

TraceJsonWriter::TraceJsonWriter(OutputFile& out, const Title& title, Window window)
    : out_(out), window_(window) {
  out_.append(
      fmt::format(R"({{"displayTimeUnit":"ns","otherData":{{"version":"brownout {}","scenario":{},"seed":{})",
                  BROWNOUT_VERSION, in_json(title.name), title.seed));
  if (!title.note.empty()) out_.append(fmt::format(R"(,"note":{})", in_json(title.note)));
  out_.append("},\"traceEvents\":[\n");
  event(R"({"name":"process_name","ph":"M","pid":1,"args":{"name":"brownout"}})");
  int tid = 0;
  for (const char* track : kTracks) {
    ++tid;
    event(fmt::format(R"({{"name":"thread_name","ph":"M","pid":1,"tid":{},"args":{{"name":"{}"}}}})", tid,
                      track));
    event(fmt::format(
        R"({{"name":"thread_sort_index","ph":"M","pid":1,"tid":{0},"args":{{"sort_index":{0}}}}})", tid));
  }
  board_ = {true, {}};
}

void TraceJsonWriter::event(std::string_view text) {
  if (!first_) out_.append(",\n");
  first_ = false;
  out_.append(text);
}

// What is a level, and not told again, is written as the window begins.
void TraceJsonWriter::note(Picoseconds at) {
  if (in_window_ || at < window_.from) return;
  in_window_ = true;
  if (heap_) write_heap(window_.from);
}

void TraceJsonWriter::slice(Track track, std::string_view name, Picoseconds begin, Picoseconds end,
                            std::string_view args) {
  const Picoseconds first = std::max(begin, window_.from);
  const Picoseconds last = std::min(end, window_.to);
  const std::int64_t length = steps_of(last) - steps_of(first);
  const bool is_whole = first == begin && last == end;
  if (last < first || (length == 0 && !is_whole)) return;
  event(fmt::format(R"({{"name":"{}","cat":"{}","ph":"X","pid":1,"tid":{},"ts":{},"dur":{},"args":{{{}}}}})",
                    name, kTracks[static_cast<std::size_t>(track)], static_cast<int>(track) + 1,
                    microseconds(first), microseconds(length), args));
}

void TraceJsonWriter::instant(Track track, char scope, std::string_view name, Picoseconds at) {
  if (!window_.has(at)) return;
  event(fmt::format(R"({{"name":"{}","cat":"{}","ph":"i","s":"{}","pid":1,"tid":{},"ts":{}}})", name,
                    kTracks[static_cast<std::size_t>(track)], scope, static_cast<int>(track) + 1,
                    microseconds(at)));
}

void TraceJsonWriter::counter(std::string_view name, Picoseconds at, std::string_view args) {
  if (!window_.has(at)) return;
  event(
      fmt::format(R"({{"name":"{}","ph":"C","pid":1,"ts":{},"args":{{{}}}}})", name, microseconds(at), args));
}

void TraceJsonWriter::voltage(Picoseconds at, double v) {
  if (!window_.has(at)) return;
  const std::int64_t tenths_mv = std::llround(v * static_cast<double>(kTenthsOfMillivolts));
  if (tenths_mv_ == tenths_mv) return;
  tenths_mv_ = tenths_mv;
  counter("voltage", at,
          fmt::format(R"("V":{}.{:04})", tenths_mv / kTenthsOfMillivolts, tenths_mv % kTenthsOfMillivolts));
}

void TraceJsonWriter::span(VoltageEnvelope::Point from, VoltageEnvelope::Point to) {
  note(from.at);
  voltage(from.at, from.v);
  for (const Picoseconds edge : {window_.from, window_.to}) {
    if (edge <= from.at || edge >= to.at) continue;
    note(edge);
    voltage(edge, interpolated(from, to, edge));
  }
  note(to.at);
  voltage(to.at, to.v);
}

void TraceJsonWriter::level(Slice& slice, Track track, std::string_view name, bool on, Picoseconds at) {
  if (on == slice.open) return;
  if (!on) this->slice(track, name, slice.begin, at, "");
  slice = {on, at};
}

void TraceJsonWriter::supply(Picoseconds at, bool powered, bool warning) {
  note(at);
  level(powered_, Track::powered, "powered", powered, at);
  // Without power it stands, and nobody looks at it.
  level(warning_, Track::warning, "warning", powered && warning, at);
}

void TraceJsonWriter::doing(Picoseconds at, Doing what) {
  note(at);
  if (what == doing_) return;
  close_board(at);
  doing_ = what;
  board_ = {true, at};
  ending_ = kCut;
}

void TraceJsonWriter::close_board(Picoseconds at) {
  if (!board_.open || board_.begin == at) return;
  const bool may_be_cut = doing_ == Doing::persist || doing_ == Doing::restore;
  slice(Track::board, sim::name_of(doing_), board_.begin, at,
        may_be_cut ? fmt::format(R"("end":"{}")", ending_) : std::string());
}

void TraceJsonWriter::moment(Picoseconds at, Moment what) {
  note(at);
  switch (what) {
    case Moment::persisted:
    case Moment::restored: ending_ = "whole"; return;
    case Moment::refused: ending_ = sim::name_of(what); return;
    case Moment::lost: close_operation(at, "lost"); break;
    case Moment::taken_back:
      if (!operation_.open) operation_ = {true, at};
      break;
    case Moment::outage:
    case Moment::false_alarm:
    case Moment::in_boot: break;
  }
  instant(Track::board, kProcess, sim::name_of(what), at);
}

void TraceJsonWriter::program_starts(Picoseconds at) {
  note(at);
  close_operation(at, "lost");
  operation_ = {true, at};
}

void TraceJsonWriter::operation_done(Picoseconds at, std::uint64_t number) {
  note(at);
  operations_ = number - 1;
  close_operation(at, "done");
  operations_ = number;
  operation_ = {true, at};
}

void TraceJsonWriter::close_operation(Picoseconds at, std::string_view end) {
  close_call(at);
  if (!operation_.open) return;
  slice(Track::program, fmt::format("operation {}", operations_ + 1), operation_.begin, at,
        fmt::format(R"("end":"{}")", end));
  operation_.open = false;
}

void TraceJsonWriter::memory_call(Picoseconds at, firmware::MemoryCall call) {
  note(at);
  close_call(at);
  which_ = call;
  call_ = {true, at};
}

void TraceJsonWriter::close_call(Picoseconds at) {
  if (!call_.open) return;
  call_.open = false;
  const std::string_view name = explore::name_of(which_);
  // One without a length lies at the edge of two others, in neither.
  if (call_.begin == at) return instant(Track::program, kThread, name, at);
  slice(Track::program, name, call_.begin, at, "");
}

void TraceJsonWriter::access(Picoseconds at, const StoreAccess& what) {
  note(at);
  what_ = what;
  access_ = {true, at};
}

void TraceJsonWriter::access_over(Picoseconds at, AccessEnd end, std::uint64_t data_bytes) {
  note(at);
  write_access(at, sim::name_of(end), data_bytes);
}

void TraceJsonWriter::write_access(Picoseconds at, std::string_view end, std::uint64_t data_bytes) {
  if (!access_.open) return;
  access_.open = false;
  std::string args;
  if (what_.opcode) args += fmt::format(R"("opcode":"0x{:02X}",)", *what_.opcode);
  if (what_.address) args += fmt::format(R"("address":"0x{:06X}",)", *what_.address);
  args += fmt::format(R"("bytes":{},"end":"{}")", data_bytes, end);
  slice(Track::store, name_of(what_), access_.begin, at, args);
}

void TraceJsonWriter::selected(Picoseconds at, bool /*selected*/) { note(at); }

void TraceJsonWriter::heap(Picoseconds at, const HeapState& state) {
  note(at);
  heap_ = state;
  write_heap(at);
}

void TraceJsonWriter::write_heap(Picoseconds at) {
  counter("dirty", at, fmt::format(R"("B":{})", heap_->dirty_bytes));
  counter("objects", at, fmt::format(R"("all":{},"resident":{})", heap_->objects, heap_->residents));
}

void TraceJsonWriter::end(Picoseconds at) {
  note(at);
  close_board(at);
  if (operation_.begin == at) operation_.open = false;
  close_operation(at, "not done");
  write_access(at, "not over", 0);
  level(powered_, Track::powered, "powered", false, at);
  level(warning_, Track::warning, "warning", false, at);
  out_.append("\n]}\n");
}

}  // namespace brownout::sim::waves
