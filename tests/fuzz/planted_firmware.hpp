// Firmware with one error each, which the fuzzer has to find.
#pragma once

#include <memory>

#include "sim/firmware/firmware.hpp"

namespace brownout::sim::fuzz::planted {

std::unique_ptr<firmware::Firmware> make_forgetful(const firmware::Image& image, firmware::Port& port);
std::unique_ptr<firmware::Firmware> make_writing(const firmware::Image& image, firmware::Port& port);
std::unique_ptr<firmware::Firmware> make_once(const firmware::Image& image, firmware::Port& port);
std::unique_ptr<firmware::Firmware> make_trusting(const firmware::Image& image, firmware::Port& port);
std::unique_ptr<firmware::Firmware> make_formatting(const firmware::Image& image, firmware::Port& port);
std::unique_ptr<firmware::Firmware> make_without_retries(const firmware::Image& image, firmware::Port& port);
std::unique_ptr<firmware::Firmware> make_unverified(const firmware::Image& image, firmware::Port& port);
std::unique_ptr<firmware::Firmware> make_without_os(const firmware::Image& image, firmware::Port& port);

}  // namespace brownout::sim::fuzz::planted
