// The fuzzer on the hooked firmware: outages for good between any two of its accesses.
#include <gtest/gtest.h>

#include "sim/fuzz/campaign.hpp"
#include "sim/hooks/access_hooks.hpp"

namespace brownout::sim::fuzz {
namespace {

TEST(HookedFuzz, OutagesBetweenAccesses) {
  CampaignOptions options;
  options.setting.accesses = true;
  options.setting.build_id = firmware_build_id();
  options.runs = 3'000;
  options.jobs = 2;
  Campaign campaign;
  run_campaign(options, campaign);
  for (const Finding& finding : campaign.findings) ADD_FAILURE() << finding.cause << "\n" << finding.found;
  // Of those that were drawn; the others make the images that a run begins with.
  EXPECT_GE(campaign.tally.of("points", "access"), campaign.tally.sum_of("points") / 8);
}

}  // namespace
}  // namespace brownout::sim::fuzz
