#include "recording.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <vector>

#include <hdf5.h>

namespace brownout::bench {
namespace {

constexpr hsize_t kSamplesPerSecond = 100'000;
constexpr hsize_t kChunk = 10'000;
constexpr std::uint64_t kStepNs = 10'000;

hid_t checked(hid_t id) {
  if (id < 0) throw std::runtime_error("HDF5 could not write the recording");
  return id;
}

// Something open, with the function that closes it.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(checked(id)), close_(close) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { close_(id_); }
  [[nodiscard]] hid_t id() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

void add_number(hid_t object, const char* name, double value) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Handle attribute(H5Acreate2(object, name, H5T_IEEE_F64LE, space.id(), H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose);
  checked(H5Awrite(attribute.id(), H5T_NATIVE_DOUBLE, &value));
}

void add_text(hid_t object, const char* name, const char* value) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.id(), H5T_VARIABLE);
  const Handle attribute(H5Acreate2(object, name, type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  checked(H5Awrite(attribute.id(), type.id(), static_cast<const void*>(&value)));
}

class Column {
 public:
  Column(hid_t group, const char* name, hid_t type, hsize_t samples, double gain, const char* unit)
      : space_(H5Screate_simple(1, &samples, nullptr), H5Sclose),
        creation_(H5Pcreate(H5P_DATASET_CREATE), H5Pclose),
        dataset_(make(group, name, type), H5Dclose) {
    add_number(dataset_.id(), "gain", gain);
    add_number(dataset_.id(), "offset", 0);
    add_text(dataset_.id(), "unit", unit);
  }

  void write(hsize_t begin, hid_t type, const void* values) const {
    const Handle memory(H5Screate_simple(1, &kChunk, nullptr), H5Sclose);
    checked(H5Sselect_hyperslab(space_.id(), H5S_SELECT_SET, &begin, nullptr, &kChunk, nullptr));
    checked(H5Dwrite(dataset_.id(), type, memory.id(), space_.id(), H5P_DEFAULT, values));
  }

 private:
  hid_t make(hid_t group, const char* name, hid_t type) const {
    H5Pset_chunk(creation_.id(), 1, &kChunk);
    H5Pset_deflate(creation_.id(), 1);
    return H5Dcreate2(group, name, type, space_.id(), H5P_DEFAULT, creation_.id(), H5P_DEFAULT);
  }

  Handle space_;
  Handle creation_;
  Handle dataset_;
};

}  // namespace

void write_recording(const std::string& path, std::uint32_t seconds) {
  const Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
  const Handle group(H5Gcreate2(file.id(), "data", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
  add_text(group.id(), "datatype", "ivsample");
  const hsize_t samples = kSamplesPerSecond * seconds;
  const Column time(group.id(), "time", H5T_STD_U64LE, samples, 1e-9, "s");
  const Column voltage(group.id(), "voltage", H5T_STD_U32LE, samples, 3e-9, "V");
  const Column current(group.id(), "current", H5T_STD_U32LE, samples, 250e-12, "A");
  std::vector<std::uint64_t> times(kChunk);
  std::vector<std::uint32_t> voltages(kChunk);
  std::vector<std::uint32_t> currents(kChunk);
  for (hsize_t begin = 0; begin < samples; begin += kChunk) {
    for (hsize_t i = 0; i < kChunk; ++i) {
      const hsize_t sample = begin + i;
      times[i] = 1'700'000'000'000'000'000 + sample * kStepNs;
      // 2.4 V to 3 V; 50 uA to 1 mA in a sawtooth of a second.
      voltages[i] = static_cast<std::uint32_t>(800'000'000 + sample % 977 * 200'000);
      currents[i] = static_cast<std::uint32_t>(200'000 + sample % kSamplesPerSecond * 38);
    }
    time.write(begin, H5T_NATIVE_UINT64, times.data());
    voltage.write(begin, H5T_NATIVE_UINT32, voltages.data());
    current.write(begin, H5T_NATIVE_UINT32, currents.data());
  }
}

}  // namespace brownout::bench
