#include "sim/cli/commands.hpp"

int main(int argc, char** argv) {
  return brownout::sim::cli::run_program(brownout::sim::cli::Arguments(argv + 1, argv + argc));
}
