// Tests that write their input, and what they have in common. Used by scenario_test.cpp and trace_test.cpp.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <unistd.h>

#include "sim/scenario/input_error.hpp"

namespace brownout::sim::bad_input {

// A fresh folder a test and process: tests run side by side.
class TempFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        std::filesystem::path(testing::TempDir()) / (std::string("brownout_") + info->test_suite_name() +
                                                     "_" + info->name() + "_" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(std::string_view text, const std::string& name) const {
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  // The line of the error that `action` throws, without the folder.
  template <typename Action>
  std::string error_of_action(Action action) const {
    try {
      action();
    } catch (const InputError& error) {
      const std::string line = error.what();
      const std::string prefix = folder_.string() + "/";
      return line.starts_with(prefix) ? line.substr(prefix.size()) : line;
    }
    return "no error";
  }

  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

// `text` with the first `from` replaced; a test that finds none fails.
inline std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const auto at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) out.replace(at, from.size(), to);
  return out;
}

}  // namespace brownout::sim::bad_input
