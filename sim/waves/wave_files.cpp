#include "sim/waves/wave_files.hpp"

#include "sim/waves/trace_json_writer.hpp"
#include "sim/waves/vcd_writer.hpp"

namespace brownout::sim::waves {

using devices::Picoseconds;

WaveFiles::WaveFiles(const std::string& vcd_path, const std::string& json_path, const Title& title,
                     Window window) {
  const auto open = [&](const std::string& path, auto make) {
    if (path.empty()) return;
    Written& written = all_.emplace_back();
    written.file = std::make_unique<OutputFile>(path);
    written.writer = make(*written.file);
  };
  open(vcd_path, [&](OutputFile& file) { return std::make_unique<VcdWriter>(file, title, window); });
  open(json_path, [&](OutputFile& file) { return std::make_unique<TraceJsonWriter>(file, title, window); });
}

// A run whose control run failed tells nothing.
void WaveFiles::finish() {
  if (!ended_) end({});
  for (Written& written : all_) written.file->finish();
}

void WaveFiles::span(VoltageEnvelope::Point from, VoltageEnvelope::Point to) {
  for (Written& written : all_) written.writer->span(from, to);
}
void WaveFiles::supply(Picoseconds at, bool powered, bool warning) {
  for (Written& written : all_) written.writer->supply(at, powered, warning);
}
void WaveFiles::doing(Picoseconds at, Doing what) {
  for (Written& written : all_) written.writer->doing(at, what);
}
void WaveFiles::moment(Picoseconds at, Moment what) {
  for (Written& written : all_) written.writer->moment(at, what);
}
void WaveFiles::program_starts(Picoseconds at) {
  for (Written& written : all_) written.writer->program_starts(at);
}
void WaveFiles::operation_done(Picoseconds at, std::uint64_t number) {
  for (Written& written : all_) written.writer->operation_done(at, number);
}
void WaveFiles::memory_call(Picoseconds at, firmware::MemoryCall call) {
  for (Written& written : all_) written.writer->memory_call(at, call);
}
void WaveFiles::access(Picoseconds at, const StoreAccess& what) {
  for (Written& written : all_) written.writer->access(at, what);
}
void WaveFiles::access_over(Picoseconds at, AccessEnd end, std::uint64_t data_bytes) {
  for (Written& written : all_) written.writer->access_over(at, end, data_bytes);
}
void WaveFiles::selected(Picoseconds at, bool selected) {
  for (Written& written : all_) written.writer->selected(at, selected);
}
void WaveFiles::heap(Picoseconds at, const HeapState& state) {
  for (Written& written : all_) written.writer->heap(at, state);
}
void WaveFiles::end(Picoseconds at) {
  ended_ = true;
  ended_at_ = at;
  for (Written& written : all_) written.writer->end(at);
}

}  // namespace brownout::sim::waves
