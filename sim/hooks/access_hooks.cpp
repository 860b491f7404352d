#include "sim/hooks/access_hooks.hpp"

#include <utility>

#include "sim/firmware/build_id.hpp"
#include "sim/hooks/listening.hpp"

namespace brownout::sim {

constinit thread_local AccessListener* access_listener = nullptr;

ListeningToAccesses::ListeningToAccesses(AccessListener& listener)
    : listener_(listener), before_(std::exchange(access_listener, &listener)) {}

ListeningToAccesses::~ListeningToAccesses() { access_listener = before_; }

void ListeningToAccesses::resume() { access_listener = &listener_; }

NotListening::NotListening() : before_(std::exchange(access_listener, nullptr)) {}

NotListening::~NotListening() { access_listener = before_; }

bool firmware_is_instrumented() { return !firmware_build_id().empty(); }

std::string_view firmware_build_id() { return firmware::build_id(); }

}  // namespace brownout::sim
