#include "sim/waves/vcd_writer.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "sim/explore/point.hpp"
#include "sim/waves/interpolated.hpp"

namespace brownout::sim::waves {

using devices::Picoseconds;

namespace {

struct Declared {
  const char* scope;
  const char* type;
  unsigned width;
  const char* name;
};

constexpr std::uint64_t kTenthsOfMillivolts = 10'000;
constexpr std::uint64_t kNotSelected = 1;

// In the order of Signal.
constexpr std::array<Declared, 13> kDeclared = {{{"supply", "real", 64, "voltage"},
                                                 {"supply", "wire", 1, "powered"},
                                                 {"supply", "wire", 1, "warning"},
                                                 {"mcu", "reg", 3, "board"},
                                                 {"mcu", "reg", 32, "outages"},
                                                 {"mcu", "reg", 32, "operations"},
                                                 {"mcu", "reg", 4, "call"},
                                                 {"store", "wire", 1, "cs_n"},
                                                 {"store", "reg", 8, "opcode"},
                                                 {"store", "reg", 24, "address"},
                                                 {"heap", "reg", 32, "objects"},
                                                 {"heap", "reg", 32, "residents"},
                                                 {"heap", "reg", 32, "dirty_bytes"}}};

char id_of(std::size_t signal) { return static_cast<char>('a' + signal); }

// Nothing that would end a section of the header.
std::string harmless(std::string text) {
  for (char& c : text) {
    if (c == '$' || static_cast<unsigned char>(c) < ' ') c = '_';
  }
  return text;
}

std::string codes() {
  std::string text = "board:";
  for (std::size_t i = 0; i < kDoings; ++i) text += fmt::format(" {} {}", i, name_of(static_cast<Doing>(i)));
  text += "; call:";
  for (std::uint32_t i = 0; i < firmware::kMemoryCalls; ++i) {
    text += fmt::format(" {} {}", i, explore::name_of(static_cast<firmware::MemoryCall>(i)));
  }
  return text;
}

}  // namespace

VcdWriter::VcdWriter(OutputFile& out, const Title& title, Window window) : out_(out), window_(window) {
  static_assert(kDeclared.size() == kSignals);
  text_ = fmt::format("$version brownout {} $end\n", BROWNOUT_VERSION);
  text_ += fmt::format("$comment {}, seed {} $end\n", harmless(title.name), title.seed);
  if (!title.note.empty()) text_ += fmt::format("$comment {} $end\n", harmless(title.note));
  text_ += fmt::format("$comment {} $end\n", codes());
  text_ += "$timescale 1 ps $end\n$scope module brownout $end\n";
  for (std::size_t i = 0; i < kSignals; ++i) {
    const Declared& signal = kDeclared[i];
    const std::string_view scope = signal.scope;
    if (i == 0 || scope != kDeclared[i - 1].scope) text_ += fmt::format("$scope module {} $end\n", scope);
    text_ += fmt::format("$var {} {} {} {} $end\n", signal.type, signal.width, id_of(i), signal.name);
    if (i + 1 == kSignals || scope != kDeclared[i + 1].scope) text_ += "$upscope $end\n";
  }
  text_ += "$upscope $end\n$enddefinitions $end\n";
  out_.append(text_);
  set(voltage, 0);
  set(board, static_cast<std::uint64_t>(Doing::off));
  set(outages, 0);
  set(operations, 0);
  set(cs_n, kNotSelected);
}

void VcdWriter::span(VoltageEnvelope::Point from, VoltageEnvelope::Point to) {
  advance(from.at);
  set_voltage(from.v);
  for (const Picoseconds edge : {window_.from, window_.to}) {
    if (edge <= from.at || edge >= to.at) continue;
    advance(edge);
    set_voltage(interpolated(from, to, edge));
  }
  advance(to.at);
  set_voltage(to.v);
}

void VcdWriter::set_voltage(double v) {
  set(voltage, static_cast<std::uint64_t>(std::llround(v * static_cast<double>(kTenthsOfMillivolts))));
}

void VcdWriter::supply(Picoseconds at, bool is_powered, bool warns) {
  advance(at);
  set(powered, is_powered ? 1 : 0);
  set(warning, warns ? 1 : 0);
}

void VcdWriter::doing(Picoseconds at, Doing what) {
  advance(at);
  set(board, static_cast<std::uint64_t>(what));
  if (what != Doing::off) return;
  for (const Signal signal : {objects, residents, dirty_bytes}) forget(signal);
}

void VcdWriter::moment(Picoseconds at, Moment what) {
  advance(at);
  if (what == Moment::outage || what == Moment::lost) set(outages, values_[outages].number + 1);
  if (what == Moment::lost) forget(call);
}

void VcdWriter::program_starts(Picoseconds at) {
  advance(at);
  forget(call);
}

void VcdWriter::operation_done(Picoseconds at, std::uint64_t number) {
  advance(at);
  set(operations, number);
  forget(call);
}

void VcdWriter::memory_call(Picoseconds at, firmware::MemoryCall which) {
  advance(at);
  set(call, static_cast<std::uint64_t>(which));
}

void VcdWriter::access(Picoseconds at, const StoreAccess& what) {
  advance(at);
  if (what.opcode) set(opcode, *what.opcode);
  if (what.address) set(address, *what.address & 0xFF'FFFFU);
}

void VcdWriter::access_over(Picoseconds at, AccessEnd /*end*/, std::uint64_t /*data_bytes*/) {
  advance(at);
  forget(opcode);
  forget(address);
}

void VcdWriter::selected(Picoseconds at, bool is_selected) {
  advance(at);
  set(cs_n, is_selected ? 0 : kNotSelected);
}

void VcdWriter::heap(Picoseconds at, const HeapState& state) {
  advance(at);
  set(objects, state.objects);
  set(residents, state.residents);
  set(dirty_bytes, state.dirty_bytes);
}

void VcdWriter::end(Picoseconds at) {
  advance(at);
  const Picoseconds last = std::min(at, window_.to);
  if (!dumped_ && at >= window_.from) dump();
  if (!dumped_) return;
  if (at <= window_.to) write_changes();
  if (last > written_at_) write_time(last);
  out_.append(text_);
  text_.clear();
}

// What holds at an instant is known once time moves on.
void VcdWriter::advance(Picoseconds at) {
  assert(at >= now_);
  if (at == now_) return;
  if (!dumped_ && at > window_.from) {
    dump();
  } else if (dumped_ && now_ <= window_.to) {
    write_changes();
  }
  now_ = at;
}

void VcdWriter::dump() {
  dumped_ = true;
  text_.clear();
  write_time(window_.from);
  text_ += "$dumpvars\n";
  for (std::size_t i = 0; i < kSignals; ++i) write(i);
  text_ += "$end\n";
  out_.append(text_);
  text_.clear();
}

void VcdWriter::write_time(Picoseconds at) {
  fmt::format_to(std::back_inserter(text_), "#{}\n", at.count);
  written_at_ = at;
}

void VcdWriter::write_changes() {
  text_.clear();
  for (std::size_t i = 0; i < kSignals; ++i) {
    if (values_[i] == written_[i]) continue;
    if (text_.empty() && now_ > written_at_) write_time(now_);
    write(i);
  }
  out_.append(text_);
  text_.clear();
}

void VcdWriter::write(std::size_t signal) {
  const Value& value = values_[signal];
  const char id = id_of(signal);
  written_[signal] = value;
  const auto out = std::back_inserter(text_);
  if (signal == voltage) {
    fmt::format_to(out, "r{}.{:04} {}\n", value.number / kTenthsOfMillivolts,
                   value.number % kTenthsOfMillivolts, id);
  } else if (kDeclared[signal].width == 1) {
    fmt::format_to(out, "{}{}\n", !value.known ? 'x' : value.number == 0 ? '0' : '1', id);
  } else if (value.known) {
    fmt::format_to(out, "b{:b} {}\n", value.number, id);
  } else {
    fmt::format_to(out, "bx {}\n", id);
  }
}

}  // namespace brownout::sim::waves
