// Ctrl-C as a flag that long work looks at.
#pragma once

#include <csignal>

namespace brownout::sim::cli {

// From now on SIGINT and SIGTERM set the flag instead of ending the program; a second one ends it at once.
const volatile std::sig_atomic_t* watch_interrupts();

}  // namespace brownout::sim::cli
