// The commands of the brownout program.
#pragma once

#include <string>
#include <vector>

namespace brownout::sim::cli {

// Exit codes of every command.
inline constexpr int kExitDone = 0;    // verified, or done
inline constexpr int kExitFailed = 1;  // verification failed, data lost, or a rule of the user struck
inline constexpr int kExitBadInput = 2;
inline constexpr int kExitEnvironment = 3;    // disk full, no memory
inline constexpr int kExitInterrupted = 130;  // without a finding

using Arguments = std::vector<std::string>;

int explore_command(const Arguments& arguments);
int fuzz_command(const Arguments& arguments);
int merge_command(const Arguments& arguments);
int replay_command(const Arguments& arguments);
int compare_command(const Arguments& arguments);
int report_command(const Arguments& arguments);
int sweep_command(const Arguments& arguments);
int run_command(const Arguments& arguments);
int inspect_command(const Arguments& arguments);
int size_command(const Arguments& arguments);
int timing_command(const Arguments& arguments);
int parts_command(const Arguments& arguments);
int trace_command(const Arguments& arguments);
int list_command(const Arguments& arguments);

// The whole program, from its arguments to its exit code: finds the command, and turns what it throws into
// one line on the standard error and an exit code.
int run_program(const Arguments& arguments);

}  // namespace brownout::sim::cli
