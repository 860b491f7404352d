#include "sim/cli/interrupt.hpp"

namespace brownout::sim::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

extern "C" void brownout_note_interrupt(int signal) {
  interrupted = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

const volatile std::sig_atomic_t* watch_interrupts() {
  std::signal(SIGINT, &brownout_note_interrupt);
  std::signal(SIGTERM, &brownout_note_interrupt);
  return &interrupted;
}

}  // namespace brownout::sim::cli
