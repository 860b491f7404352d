// The samples of CSV and of Mementos text: lines turned into a time and a power.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/scenario/decimal.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/trace/line_reader.hpp"
#include "sim/trace/sample_reader.hpp"
#include "sim/trace/trace_format.hpp"

namespace brownout::sim {

class TextReader final : public SampleReader {
 public:
  // Opens the trace of `config` and reads up to its first sample. Throws InputError as LineReader and
  // find_format do.
  TextReader(const TraceConfig& config, const Location& named_at);

  // O(length of the line).
  std::optional<Sample> next() override;
  void rewind() override;

  [[nodiscard]] std::string format() const override;
  [[nodiscard]] bool has_time() const override { return format_.has_time; }
  [[nodiscard]] std::string time_text() const override { return std::string(field(ColumnRole::time)); }
  [[nodiscard]] std::string_view time_unit() const override { return time_unit_.name; }
  [[nodiscard]] Location time_location() const override;
  [[nodiscard]] std::string place() const override;

 private:
  struct Slot {
    std::string_view text;
    std::size_t offset = 0;
    double scale_up = 1;    // value * scale_up / scale_down is in SI units
    double scale_down = 1;  // a power of ten below one is not exact, dividing by one above is
  };

  [[nodiscard]] std::string_view field(ColumnRole role) const { return slot(role).text; }
  [[nodiscard]] const Slot& slot(ColumnRole role) const { return slots_.at(static_cast<std::size_t>(role)); }
  void split_row(std::string_view line);
  void split_mementos(std::string_view line);
  void set_field(std::size_t column, std::string_view line, std::size_t begin, std::size_t end);
  [[nodiscard]] double number(ColumnRole role) const;
  [[nodiscard]] Int128 read_time() const;
  [[nodiscard]] double raw_power() const;
  [[nodiscard]] double load_of_row() const;
  Sample read_sample(std::string_view line);

  TraceConfig config_;
  LineReader lines_;
  TraceFormat format_;
  std::array<Slot, kColumnRoles> slots_;
  Unit time_unit_;
  // Picoseconds in the last digit of a time with so many of them after the point, up to exact_fractions_ of
  // them, where that is whole. Not for minutes and hours.
  std::array<std::int64_t, 13> time_factors_{};
  std::size_t exact_fractions_ = 0;
  std::optional<std::string_view> pending_;  // a line that find_format() read and that is a sample
  std::uint64_t index_ = 0;
};

}  // namespace brownout::sim
