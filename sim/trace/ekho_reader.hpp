// IV surfaces as the Ekho recorder writes them.
//
// Text; # begins a comment. The first line is a count, the second `Vmin,Vmax` in volts, and each further line
// is one IV curve: a time in seconds, and currents in amperes at voltages evenly spaced from Vmin to Vmax.
// There are as many currents as the count says or, in the files of Ekho itself, 2^count + 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/trace/line_reader.hpp"
#include "sim/trace/sample_reader.hpp"

namespace brownout::sim {

// Whether the file begins as an Ekho surface does, with a whole number alone on its first line with something
// on it.
bool is_ekho(LineReader& lines);

class EkhoReader final : public SampleReader {
 public:
  EkhoReader(const TraceConfig& config, const Location& named_at);

  std::optional<Sample> next() override;
  void rewind() override;

  [[nodiscard]] std::string format() const override;
  [[nodiscard]] bool has_time() const override { return true; }
  [[nodiscard]] std::string time_text() const override { return time_text_; }
  [[nodiscard]] std::string_view time_unit() const override { return "s"; }
  [[nodiscard]] Location time_location() const override { return lines_.location(time_offset_); }
  [[nodiscard]] std::string place() const override;

 private:
  struct Field {
    std::string_view text;
    std::size_t offset = 0;
  };

  // The fields of the next line that is not empty; false at the end.
  bool next_line();
  [[nodiscard]] const Field& need_line(std::string_view what);
  [[nodiscard]] double number(const Field& field, std::string_view what) const;
  [[nodiscard]] Int128 read_time() const;
  void read_head();
  void check_count() const;
  Sample read_curve();

  LineReader lines_;
  std::vector<Field> fields_;  // of the line that was read last
  std::size_t count_ = 0;
  double min_v_ = 0;
  double max_v_ = 0;
  std::size_t points_ = 0;  // of the first curve
  std::string time_text_;
  std::size_t time_offset_ = 0;
  std::uint64_t index_ = 0;
};

}  // namespace brownout::sim
