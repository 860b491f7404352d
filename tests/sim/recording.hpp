// Small Shepherd recordings for tests, whole or with one thing wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <hdf5.h>

namespace brownout::sim::testing {

struct Recording {
  std::string group = "data";
  std::string datatype = "ivsample";  // empty: no such attribute
  std::uint32_t window_samples = 0;
  std::vector<std::uint64_t> time_ns{0, 10'000, 20'000, 30'000};
  std::vector<std::uint32_t> voltage{1'000'000'000, 1'000'000'000, 500'000'000, 0};
  std::vector<std::uint32_t> current{4'000'000, 8'000'000, 4'000'000, 4'000'000};
  std::string left_out;       // name of a dataset
  std::string without_scale;  // name of a dataset that has no attribute gain
  double voltage_gain = 3e-9;
  double current_offset = 0;
  std::string voltage_unit = "V";
  hid_t voltage_type = H5T_STD_U32LE;
  hsize_t chunk = 0;  // rows; 0: contiguous
  bool compressed = false;
};

inline void add_number(hid_t object, const char* name, double value) {
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(object, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, H5T_NATIVE_DOUBLE, &value);
  H5Aclose(attribute);
  H5Sclose(space);
}

// Of variable length, as h5py writes it, or fixed.
inline void add_text(hid_t object, const char* name, const std::string& value, bool variable) {
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, variable ? H5T_VARIABLE : value.size());
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  const char* text = value.c_str();
  H5Awrite(attribute, type, variable ? static_cast<const void*>(&text) : text);
  H5Aclose(attribute);
  H5Tclose(type);
  H5Sclose(space);
}

template <class Value>
hid_t add_column(hid_t group, const char* name, hid_t type, hid_t memory_type,
                 const std::vector<Value>& values, const Recording& recording) {
  const hsize_t rows = values.size();
  const hid_t space = H5Screate_simple(1, &rows, nullptr);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  if (recording.chunk > 0) H5Pset_chunk(creation, 1, &recording.chunk);
  if (recording.compressed) H5Pset_deflate(creation, 1);
  const hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Pclose(creation);
  H5Sclose(space);
  return dataset;
}

inline void write_recording(const std::string& path, const Recording& recording) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(file, 0) << path;
  const hid_t group = H5Gcreate2(file, recording.group.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (!recording.datatype.empty()) add_text(group, "datatype", recording.datatype, true);
  if (recording.window_samples > 0) add_number(group, "window_samples", recording.window_samples);
  const auto finish = [&](hid_t dataset, const std::string& name, double gain, double offset,
                          const std::string& unit) {
    if (recording.without_scale != name) add_number(dataset, "gain", gain);
    add_number(dataset, "offset", offset);
    add_text(dataset, "unit", unit, name == "time");
    H5Dclose(dataset);
  };
  if (recording.left_out != "time") {
    finish(add_column(group, "time", H5T_STD_U64LE, H5T_NATIVE_UINT64, recording.time_ns, recording), "time",
           1e-9, 0, "s");
  }
  if (recording.left_out != "voltage") {
    finish(
        add_column(group, "voltage", recording.voltage_type, H5T_NATIVE_UINT32, recording.voltage, recording),
        "voltage", recording.voltage_gain, 0, recording.voltage_unit);
  }
  if (recording.left_out != "current") {
    finish(add_column(group, "current", H5T_STD_U32LE, H5T_NATIVE_UINT32, recording.current, recording),
           "current", 250e-12, recording.current_offset, "A");
  }
  H5Gclose(group);
  H5Fclose(file);
}

}  // namespace brownout::sim::testing
