#include "devices/fram/fram_part.hpp"

#include "devices/names.hpp"

namespace brownout::devices {
namespace {

constexpr FramPart kParts[] = {
    {
        .name = "mb85rs64v",
        .size_bytes = 8 * 1024,
        .address_bytes = 2,
        .max_sck_hz = 20'000'000,
        .min_vdd_v = 3.0,
        .active_a_at_max_sck = 1.5e-3,
        .standby_a = 10e-6,
        .rdid = {0x04, 0x7F, 0x03, 0x02},
        .power_up = microseconds(600),
        .wel_cleared_by_write = true,
        .estimated = false,
        .sources =
            "Fujitsu MB85RS64V data sheet: 1.5 mA typ at 20 MHz, 10 uA typ standby, t_PU 0.6 ms at 3.3 V",
    },
    {
        .name = "mb85rs4mt",
        .size_bytes = 512 * 1024,
        .address_bytes = 3,
        .max_sck_hz = 40'000'000,
        .min_vdd_v = 1.8,
        .active_a_at_max_sck = 2.6e-3,
        .standby_a = 50e-6,
        .rdid = {0x04, 0x7F, 0x49, 0x03},
        .power_up = microseconds(600),
        .wel_cleared_by_write = true,
        .estimated = true,
        .sources = "Fujitsu MB85RS4MT data sheet: 2.6 mA max at 40 MHz, 50 uA max standby; "
                   "VDD range, t_PU and WEL rule taken over from the MB85RS64V (estimates)",
    },
};

}  // namespace

std::span<const FramPart> fram_parts() { return kParts; }

const FramPart* find_fram_part(std::string_view name) { return find_by_name(fram_parts(), name); }

}  // namespace brownout::devices
