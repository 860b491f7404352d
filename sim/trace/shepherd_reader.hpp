// Recordings of Shepherd, in HDF5.
//
// Group /data with the columns time (u64), voltage and current (u32), each with the attributes gain and
// offset: raw x gain + offset, in doubles, is the value in s, V, A. Its attribute datatype says what they
// are: `ivsample`, power is voltage x current; `ivcurve`, each `window_samples` in a row are one sweep, an IV
// curve. A sweep that is not whole at the end is left out. Read in blocks, whatever the chunks of the file
// are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/trace/hdf5_file.hpp"
#include "sim/trace/sample_reader.hpp"

namespace brownout::sim {

class ShepherdReader final : public SampleReader {
 public:
  explicit ShepherdReader(const TraceConfig& config);

  std::optional<Sample> next() override;
  void rewind() override;

  [[nodiscard]] std::string format() const override;
  [[nodiscard]] bool has_time() const override { return time_.has_value(); }
  [[nodiscard]] std::string time_text() const override;
  [[nodiscard]] std::string_view time_unit() const override { return "s"; }
  [[nodiscard]] Location time_location() const override;
  [[nodiscard]] std::string place() const override;

 private:
  struct Scale {
    double gain = 1;
    double offset = 0;
    [[nodiscard]] double si(std::uint32_t raw) const { return static_cast<double>(raw) * gain + offset; }
  };

  void read_kind();
  void check_sizes() const;
  void set_time_scale(const Scale& scale);
  [[nodiscard]] static Scale scale_of(const Hdf5Column& column, std::string_view unit,
                                      std::string_view example);
  // Makes row_ the next one that next() takes, in the block; false at the end of the file.
  bool next_row();
  [[nodiscard]] Int128 time_of(std::uint64_t raw) const;
  Sample read_curve(Sample sample);

  TraceConfig config_;
  Hdf5File file_;
  Hdf5Column voltage_;
  Hdf5Column current_;
  std::optional<Hdf5Column> time_;  // nothing if samples are counted
  Scale voltage_scale_;
  Scale current_scale_;
  double tick_ps_ = 0;                // of the time's raw values
  std::int64_t whole_tick_ps_ = 0;    // the same where it is whole, else 0
  std::uint32_t window_samples_ = 1;  // 1: ivsample
  std::uint64_t samples_ = 0;         // or windows

  std::vector<std::uint64_t> times_;  // a block of the file
  std::vector<std::uint32_t> voltages_;
  std::vector<std::uint32_t> currents_;
  std::uint64_t block_begin_ = 0;  // row of the file
  std::size_t block_rows_ = 0;
  std::uint64_t row_ = 0;         // of the file, the next
  std::uint64_t first_time_ = 0;  // raw
  std::uint64_t index_ = 0;       // of the sample or window that next() gives out next
  Int128 last_time_ps_ = 0;
};

}  // namespace brownout::sim
