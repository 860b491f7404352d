// The fuzzer: its cases as text, what it draws, campaigns, shards, findings.
#include <algorithm>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planted_firmware.hpp"
#include "sim/fuzz/campaign.hpp"
#include "sim/fuzz/corpus.hpp"
#include "sim/fuzz/shrink.hpp"
#include "sim/report/fuzz_report.hpp"
#include "sim/scenario/input_error.hpp"

namespace brownout::sim::fuzz {
namespace {

using explore::Drawn;
using explore::DrawnAt;
using testing::HasSubstr;

Setting any_board() {
  Setting setting;
  setting.accesses = true;  // drawn as for an instrumented firmware; the plain one has no such points
  setting.build_id = "00";
  return setting;
}

Campaign campaign_of(std::uint64_t runs, std::uint64_t jobs = 1, std::uint64_t shard = 0,
                     std::uint64_t shards = 1, MakeFirmware make = nullptr, std::uint64_t seed = 1) {
  CampaignOptions options;
  options.runs = runs;
  options.jobs = jobs;
  options.make_firmware = make;
  if (make != nullptr) options.setting.fixed = {{Knob::storage, 0}};  // what was planted uses the bus
  Campaign campaign;
  campaign.seed = seed;
  campaign.shard = shard;
  campaign.shards = shards;
  run_campaign(options, campaign);
  return campaign;
}

std::string error_of(const std::string& text) {
  try {
    static_cast<void>(parse_fuzz_case(text));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// --- cases as text --------------------------------------------------------------------------------

TEST(FuzzCase, EveryDrawnCaseComesBackFromItsText) {
  for (std::uint64_t index = 0; index < 500; ++index) {
    const FuzzCase drawn = draw_case(any_board(), 3, index);
    EXPECT_EQ(parse_fuzz_case(to_string(drawn)), drawn) << to_string(drawn);
  }
}

TEST(FuzzCase, WithAScenario) {
  FuzzCase a_case;
  a_case.knobs = plain_knobs();
  a_case.file = "my ~scenario?.yaml";
  a_case.sets = {"heap.ram=512 B", "a&b"};
  a_case.iterations = 3;
  a_case.outages = {{.operation = 1, .at = DrawnAt::operation, .offset = 0, .kind = Drawn::perturb}};
  const std::string text = to_string(a_case);
  EXPECT_EQ(text.find(' '), std::string::npos);
  EXPECT_EQ(parse_fuzz_case(text), a_case);
}

TEST(FuzzCase, WhatIsNoCaseIsRefusedWithThePartThatIsWrong) {
  EXPECT_THAT(error_of("g1~ops:rd"), HasSubstr("begins with `g1`"));
  EXPECT_THAT(error_of("f1~ops:xx1"), HasSubstr("`xx1` is no operation"));
  EXPECT_THAT(error_of("f1~ops:rd1."), HasSubstr("`rd1.` is no operation"));
  EXPECT_THAT(error_of("f1~ops:rd1.2.3.4.5"), HasSubstr("is no operation"));
  EXPECT_THAT(error_of("f1~ops:rd70000"), HasSubstr("is no operation"));
  EXPECT_THAT(error_of("f1~ram:10~ops:rd"), HasSubstr("`ram:10` needs a number from 256 to 65536"));
  EXPECT_THAT(error_of("f1~part:5000~ops:rd"), HasSubstr("`part:5000` is no power of two"));
  EXPECT_THAT(error_of("f1~policy:cloc~ops:rd"), HasSubstr("needs one of in_order, clock, round_robin"));
  EXPECT_THAT(error_of("f1~rum:10~ops:rd"), HasSubstr("`rum:10` is neither"));
  EXPECT_THAT(error_of("f1~ops:rd~0+byte:1:boom"), HasSubstr("`0+byte:1:boom` is no outage"));
  EXPECT_THAT(error_of("f1~ops:rd~0+byte:1:perturb"), HasSubstr("is no outage"));
  EXPECT_THAT(error_of("f1~ops:rd~0+byte:1:restore:5:0"), HasSubstr("is no outage"));
  EXPECT_THAT(error_of("f1~ops:rd~0+byte:1:loss:5"), HasSubstr("is no outage"));
  EXPECT_THAT(error_of("f1~ops:rd~0+byte:1:late"), HasSubstr("is no outage"));
  EXPECT_THAT(error_of("f1~ops:rd~0+watt:1:outage"), HasSubstr("is no outage"));
  EXPECT_THAT(error_of("f1~page:48~ops:rd"), HasSubstr("`page:48` is no power of two"));
  EXPECT_THAT(error_of("f1~wires:sparks~ops:rd"),
              HasSubstr("needs one of none, missing, sent, received, all"));
  EXPECT_THAT(error_of("f1~ops:rd~4+byte:1:outage~3+byte:1:outage"), HasSubstr("comes after a later outage"));
  EXPECT_THAT(error_of("f1~seed:x~ops:rd"), HasSubstr("`seed:x` has no number"));
  EXPECT_THAT(error_of("f1~seed:1"), HasSubstr("it has no operations"));
  EXPECT_THAT(error_of("f1~file:a.yaml"), HasSubstr("how many iterations"));
  EXPECT_THAT(error_of("f1~file:a%Z.yaml~iterations:1"), HasSubstr("two hexadecimal digits"));
}

TEST(FuzzCase, ABoardThatDoesNotFitIsRefused) {
  Workbench bench(nullptr);
  try {
    static_cast<void>(bench.run(parse_fuzz_case("f1~ram:256~limit:8~ops:rd")));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("a heap of 256 B RAM with a limit of 8 B does not fit"));
  }
}

// --- drawing --------------------------------------------------------------------------------------

TEST(FuzzDraw, IsPureAndDiffersByIndexAndSeed) {
  const FuzzCase one = draw_case(any_board(), 1, 7);
  EXPECT_EQ(draw_case(any_board(), 1, 7), one);
  EXPECT_NE(draw_case(any_board(), 1, 8), one);
  EXPECT_NE(draw_case(any_board(), 2, 7), one);
}

TEST(FuzzDraw, EveryBoardFits) {
  for (std::uint64_t index = 0; index < 2'000; ++index)
    EXPECT_TRUE(fits(draw_case({}, 11, index).knobs)) << index;
}

// Drawn anew on a bench that has run others: nothing is left over from them.
TEST(FuzzDraw, ARunDoesNotDependOnTheOnesBefore) {
  Workbench used(nullptr);
  for (std::uint64_t index = 0; index < 40; ++index) static_cast<void>(used.run(draw_case({}, 5, index)));
  for (std::uint64_t index = 40; index < 60; ++index) {
    const FuzzCase a_case = draw_case({}, 5, index);
    const Outcome again = used.run(a_case);
    const Outcome fresh = Workbench(nullptr).run(a_case);
    EXPECT_EQ(again.board.store_digest, fresh.board.store_digest);
    EXPECT_EQ(again.board.contents_digest, fresh.board.contents_digest);
    EXPECT_EQ(again.board.bytes_persisted, fresh.board.bytes_persisted);
    EXPECT_EQ(again.counters.observed, fresh.counters.observed);
  }
}

// --- campaigns ------------------------------------------------------------------------------------

// So that easy runs cannot make the numbers. Also that nothing fails.
TEST(FuzzCampaign, RunsAreNotEasy) {
  const Campaign campaign = campaign_of(3'000, 2);
  for (const Finding& finding : campaign.findings) ADD_FAILURE() << finding.cause << "\n" << finding.found;
  const Tally& tally = campaign.tally;
  const auto runs = static_cast<double>(tally.of("runs", "runs"));
  EXPECT_EQ(runs, 3'000);
  EXPECT_GE(static_cast<double>(tally.of("runs", "operations")), 95 * runs);
  EXPECT_LE(static_cast<double>(tally.of("runs", "refused")),
            0.25 * static_cast<double>(tally.of("runs", "operations")));
  const auto outages = static_cast<double>(tally.of("outages", "suffered"));
  EXPECT_GE(outages, 2.8 * runs);
  const auto drawn =
      static_cast<double>(tally.sum_of("points"));  // the others make the images that a run begins with
  EXPECT_GE(drawn, 2 * runs);
  EXPECT_GE(static_cast<double>(tally.of("outages", "dirty")), 0.7 * drawn);
  for (const char* transfer : {"command", "read_home", "write_home", "read_other"})
    EXPECT_GE(static_cast<double>(tally.of("in_transfer", transfer)), 0.02 * outages) << transfer;
  for (const char* transfer : {"write_mark", "write_other"})
    EXPECT_GE(static_cast<double>(tally.of("in_transfer", transfer)), 0.01 * outages) << transfer;
  EXPECT_GE(static_cast<double>(tally.of("outages", "persists_cut")), 0.04 * outages);
  EXPECT_GE(static_cast<double>(tally.of("outages", "restores_cut")), 0.04 * outages);
  EXPECT_GE(static_cast<double>(tally.of("heap", "evictions")), 5 * runs);
  EXPECT_GE(static_cast<double>(tally.of("heap", "home_reads")), 5 * runs);
  EXPECT_GT(tally.of("faults", "garbage_bytes"), 0U);
  for (const char* kind : {"alarm", "persist", "restore", "perturb", "loss", "late"})
    EXPECT_GE(static_cast<double>(tally.of("interruptions", kind)), 0.03 * outages) << kind;
  EXPECT_GE(static_cast<double>(tally.of("points", "energy")), 0.1 * outages);
  EXPECT_GE(static_cast<double>(tally.of("losses", "formats")), 0.05 * outages);
  EXPECT_GE(static_cast<double>(tally.of("losses", "attaches")), 0.01 * outages);
  EXPECT_GE(10 * tally.of("losses", "from_image"), tally.of("losses", "attaches"));
  EXPECT_GE(tally.of("losses", "kept"), tally.of("losses", "attaches"));
  EXPECT_GE(static_cast<double>(tally.of("losses", "starts_cut")), 0.01 * outages);
  for (const char* of_attaches : {"in_doubt", "fell_back", "reclaimed"})
    EXPECT_GT(tally.of("losses", of_attaches), 0U) << of_attaches;
  for (const char* error : {"missing", "sent_bits", "received_bits"})
    EXPECT_GE(static_cast<double>(tally.of("wires", error)), 0.1 * runs) << error;
  EXPECT_GT(tally.of("wires", "repeated"), tally.of("wires", "missing"));
  EXPECT_EQ(tally.of("wires", "gave_up"), 0U);
  EXPECT_GT(tally.of("faults", "rows_lost"), 0U);
  EXPECT_GE(tally.cells_reached(), 250U);
  for (std::size_t i = 0; i < kKnobs; ++i) {
    const KnobInfo& info = info_of(static_cast<Knob>(i));
    for (const std::string_view choice : info.choices) {
      // What only some boards can have, or only some boards need.
      const std::string_view name = info.name;
      const bool rare = name == "memory" || name == "wires" || name == "verify" || name == "storage";
      EXPECT_GE(static_cast<double>(tally.of(fmt::format("board.{}", info.name), choice)),
                (rare ? 0.02 : 0.1) * runs)
          << info.name << " " << choice;
    }
  }
  for (const Tally::Name& name : Tally::names()) {
    if (name.group != "operations") continue;
    EXPECT_GE(static_cast<double>(tally.of(name.group, name.name)), 0.3 * runs) << name.name;
  }
}

FuzzReport report_of(Campaign campaign, std::uint64_t runs) {
  FuzzReport report;
  report.runs = runs;
  report.campaign = std::move(campaign);
  return report;
}

TEST(FuzzCampaign, SameForAnyNumberOfJobsAndShards) {
  constexpr std::uint64_t kRuns = 301;
  for (const MakeFirmware make : {MakeFirmware{nullptr}, MakeFirmware{&planted::make_forgetful}}) {
    const std::string whole = fuzz_json(report_of(campaign_of(kRuns, 1, 0, 1, make), kRuns));
    EXPECT_EQ(fuzz_json(report_of(campaign_of(kRuns, 3, 0, 1, make), kRuns)), whole);
    std::vector<std::pair<std::string, FuzzReport>> shards;
    for (const std::uint64_t shard : {2U, 0U, 1U}) {
      FuzzReport report = report_of(campaign_of(kRuns, 2, shard, 3, make), kRuns);
      shards.emplace_back(fmt::format("{}.json", shard), parse_fuzz_report(fuzz_json(report), "it"));
      EXPECT_EQ(shards.back().second, report);
    }
    EXPECT_EQ(fuzz_json(merge_fuzz_reports(shards)), whole);
  }
}

TEST(FuzzCampaign, GoesOnWhereItWasStopped) {
  constexpr std::uint64_t kRuns = 1'500;
  const Campaign whole = campaign_of(kRuns, 1, 0, 1, &planted::make_forgetful);
  ASSERT_FALSE(whole.findings.empty());
  CampaignOptions options;
  options.runs = kRuns;
  options.jobs = 2;
  options.make_firmware = &planted::make_forgetful;
  options.setting.fixed = {{Knob::storage, 0}};
  volatile std::sig_atomic_t interrupted = 0;
  options.interrupted = &interrupted;
  options.found = [&](const Finding&) { interrupted = 1; };
  Campaign campaign;
  int stops = 0;
  do {
    interrupted = 0;
    run_campaign(options, campaign);
    ++stops;
    options.found = nullptr;
    campaign = parse_fuzz_report(fuzz_json(report_of(campaign, kRuns)), "state").campaign;
  } while (!campaign.complete);
  EXPECT_EQ(campaign, whole);
  EXPECT_GT(stops, 1);
}

TEST(FuzzCampaign, MissingAndDoubledShardsAreNamed) {
  const auto shard = [](std::uint64_t index, std::uint64_t seed = 1) {
    return std::pair{fmt::format("{}.json", index), report_of(campaign_of(4, 1, index, 3, nullptr, seed), 4)};
  };
  const auto error = [](const std::vector<std::pair<std::string, FuzzReport>>& shards) -> std::string {
    try {
      static_cast<void>(merge_fuzz_reports(shards));
    } catch (const InputError& wrong) {
      return wrong.what();
    }
    return "";
  };
  EXPECT_EQ(error({shard(0), shard(1), shard(2)}), "");
  EXPECT_EQ(error({shard(0), shard(2)}), "brownout merge: shard 1 of 3 is missing");
  EXPECT_EQ(error({shard(0), shard(1), shard(1), shard(2)}), "1.json: is shard 1 of 3, and so is 1.json");
  EXPECT_THAT(error({shard(0), shard(1, 2), shard(2)}),
              HasSubstr("1.json: is of another campaign than 0.json"));
}

TEST(FuzzCampaign, WhatIsNoReportIsRefused) {
  const auto error = [](const std::string& text) -> std::string {
    try {
      static_cast<void>(parse_fuzz_report(text, "r.json"));
    } catch (const InputError& wrong) {
      return wrong.what();
    }
    return "";
  };
  const std::string good = fuzz_json(report_of(campaign_of(2), 2));
  EXPECT_EQ(error(good), "");
  EXPECT_EQ(error("{}"), "r.json: is no report of `brownout fuzz`");
  EXPECT_EQ(error(good.substr(0, good.size() / 2)), "r.json: is no report of `brownout fuzz`");
  for (const char* key : {"\"seed\"", "\"done\"", "\"counts\"", "\"findings\"", "\"shard\""}) {
    std::string wrong = good;
    wrong.replace(wrong.find(key), std::strlen(key), "\"x\"");
    EXPECT_THAT(error(wrong), HasSubstr("something is missing or wrong")) << key;
  }
}

// --- findings -------------------------------------------------------------------------------------

TEST(FuzzFindings, AreOneACauseAndShrunk) {
  CampaignOptions options;
  options.make_firmware = &planted::make_forgetful;
  Campaign campaign = campaign_of(400, 2, 0, 1, options.make_firmware);
  ASSERT_FALSE(campaign.findings.empty());
  EXPECT_LE(campaign.findings.size(),
            20U);  // of some 400 runs: one a call that was interrupted, and two words
  shrink_findings(options, campaign);
  const Finding& finding = campaign.findings.front();
  const FuzzCase smallest = parse_fuzz_case(finding.smallest);
  // An object that is made, and an outage.
  EXPECT_LE(smallest.operations.size(), 3U) << finding.smallest;
  EXPECT_EQ(smallest.outages.size(), 1U) << finding.smallest;
  Workbench broken(nullptr, options.make_firmware);
  RunOptions thorough;
  thorough.thorough = true;
  const Outcome again = broken.run(smallest, thorough);
  ASSERT_TRUE(again.failure);
  EXPECT_EQ(again.failure->what, finding.what);
  EXPECT_FALSE(Workbench(nullptr).run(smallest, thorough).failure);
}

TEST(FuzzFindings, EachKindOfInterruptionFindsWhatOnlyItCan) {
  struct Planted {
    const char* name;
    MakeFirmware make;
    const char* check;
  };
  for (const Planted& planted :
       {Planted{"a restore that writes", &planted::make_writing, "store"},
        Planted{"a restore that can be done once", &planted::make_once, "restore"},
        Planted{"a restore that takes whatever is there", &planted::make_trusting, "verdict"},
        Planted{"a persist that leaves out the OS part", &planted::make_without_os, "state"},
        Planted{"a start that takes the store for empty", &planted::make_formatting, "attach"},
        Planted{"a driver without retries", &planted::make_without_retries, "progress"},
        Planted{"a driver that does not look", &planted::make_unverified, "objects"}}) {
    const Campaign campaign = campaign_of(600, 2, 0, 1, planted.make);
    const auto is = [&](const Finding& finding) { return finding.check == planted.check; };
    EXPECT_TRUE(std::any_of(campaign.findings.begin(), campaign.findings.end(), is))
        << planted.name << ": " << (campaign.findings.empty() ? "nothing" : campaign.findings.front().cause);
  }
}

TEST(FuzzFindings, AreSavedAndReadAgain) {
  const std::string folder = (std::filesystem::temp_directory_path() / "brownout_fuzz_corpus").string();
  std::filesystem::remove_all(folder);
  EXPECT_TRUE(read_corpus(folder).empty());
  Finding finding;
  finding.cause = "state in make: RAM offset # was #";
  finding.check = "state";
  finding.what = "RAM offset 3 was 4";
  finding.found = to_string(draw_case({}, 1, 1));
  save_finding(folder, finding);
  finding.smallest = "f1~seed:1~ops:mk~0+byte:0:outage";
  save_finding(folder, finding);  // in the place of the first
  const auto cases = read_corpus(folder);
  ASSERT_EQ(cases.size(), 1U);
  EXPECT_EQ(to_string(cases[0].a_case), finding.smallest);
  std::filesystem::remove_all(folder);
}

TEST(FuzzFindings, ACauseHasNoNumbers) {
  explore::Failure failure;
  failure.check = "state";
  failure.place.call = firmware::MemoryCall::write;
  failure.what = "RAM offset 812 (slot 3) was ab before the outage and is 07 after it";
  EXPECT_EQ(cause_of(failure),
            "state in write: RAM offset # (slot #) was # before the outage and is # after it");
}

// --- the same from every heap -----------------------------------------------------------------------

// Every object is read at the end, none is large. Without losses: after one a program reads what is left,
// which depends on the instant.
void make_comparable(FuzzCase& a_case) {
  for (std::uint16_t slot = 0; slot < firmware::kFuzzSlots; ++slot)
    a_case.operations.push_back({firmware::FuzzAct::read, {slot}});
  for (firmware::FuzzOperation& operation : a_case.operations) {
    const bool makes =
        operation.act == firmware::FuzzAct::make || operation.act == firmware::FuzzAct::read_make;
    if (makes) operation.n[2] %= 96;
  }
  std::erase_if(a_case.outages, [](const explore::DrawnOutage& outage) {
    return outage.kind == Drawn::loss || outage.kind == Drawn::late;
  });
}

// One sequence of operations on every combination of modules, transfer mode and granularity of stopping: what
// the program reads is the same, with outages as without. Room enough that nothing is refused, but for RAM:
// objects are swapped.
TEST(FuzzDifferential, EveryHeapShowsTheProgramTheSame) {
  Workbench bench(nullptr);
  int compared = 0;
  std::uint64_t evictions = 0;
  for (std::uint32_t index = 0; index < 18; ++index) {
    FuzzCase a_case = draw_case({}, 21, index);
    make_comparable(a_case);
    for (std::uint16_t list = 0; list < firmware::kFuzzLists; ++list)
      a_case.operations.push_back({firmware::FuzzAct::scan, {list}});
    std::optional<std::uint32_t> observed;
    for (std::uint32_t combination = 0; combination < 2 * 3 * 3 + 3; ++combination) {
      a_case.knobs = plain_knobs();
      const auto set = [&](Knob knob, std::uint32_t value) {
        a_case.knobs[static_cast<std::size_t>(knob)] = value;
      };
      set(Knob::ram, 1'536);
      set(Knob::limit, 1'200);
      set(Knob::residents, 10);
      set(Knob::part, 32'768);
      const bool compact = combination >= 18;
      set(Knob::slots, compact ? 1 : 0);
      set(Knob::ram_allocator, compact ? 1 : combination % 2);
      set(Knob::store_allocator, compact ? 1 : combination / 2 % 3);
      set(Knob::policy, compact ? combination - 18 : combination / 6);
      set(Knob::transfer, combination % 3);
      set(Knob::abort, (combination + index) % 3);
      set(Knob::start, combination / 3 % 3);
      const Outcome outcome = bench.run(a_case);
      ASSERT_FALSE(outcome.failure) << outcome.failure->what << "\n" << to_string(a_case);
      if (outcome.counters.refused > 0) continue;
      evictions += outcome.board.drawn.homes_written_for_room;
      if (!observed) observed = outcome.counters.observed;
      EXPECT_EQ(outcome.counters.observed, *observed) << to_string(a_case);
      ++compared;
    }
  }
  EXPECT_GE(compared, 220);
  EXPECT_GT(evictions, 2'000U);
}

// The same of every memory, on a bus with and without errors and a driver that copes with them, in the three
// transfer modes, and on mapped FRAM. Without roots, which only a heap has.
TEST(FuzzDifferential, EveryMemoryAndStorageShowsTheProgramTheSame) {
  Workbench bench(nullptr);
  int compared = 0;
  std::uint64_t repeated = 0;
  for (std::uint32_t index = 0; index < 12; ++index) {
    FuzzCase a_case = draw_case({}, 22, index);
    std::erase_if(a_case.operations, [](const firmware::FuzzOperation& operation) {
      return operation.act == firmware::FuzzAct::set_root || operation.act == firmware::FuzzAct::find_root ||
             operation.act == firmware::FuzzAct::clear_root;
    });
    make_comparable(a_case);
    std::optional<std::uint32_t> observed;
    for (std::uint32_t combination = 0; combination < 4 * 5; ++combination) {
      a_case.knobs = plain_knobs();
      const auto set = [&](Knob knob, std::uint32_t value) {
        a_case.knobs[static_cast<std::size_t>(knob)] = value;
      };
      set(Knob::ram, 4'096);
      set(Knob::limit, 4'096);
      set(Knob::part, 32'768);
      set(Knob::memory, combination % 4);
      const std::uint32_t storage = combination / 4;
      if (storage == 4) {
        set(Knob::storage, static_cast<std::uint32_t>(StorageKind::mapped));
      } else if (storage == 3) {
        set(Knob::verify, static_cast<std::uint32_t>(heap::Verify::read_twice));
        set(Knob::retries, 3);
        set(Knob::wires, static_cast<std::uint32_t>(Wires::all));
        set(Knob::every, 20);
      } else {
        set(Knob::transfer, storage);
      }
      const Outcome outcome = bench.run(a_case);
      ASSERT_FALSE(outcome.failure) << outcome.failure->what << "\n" << to_string(a_case);
      repeated += outcome.board.drawn.noticed.repeated;
      if (outcome.counters.refused > 0) continue;
      if (!observed) observed = outcome.counters.observed;
      EXPECT_EQ(outcome.counters.observed, *observed) << to_string(a_case);
      ++compared;
    }
  }
  EXPECT_GE(compared, 150);
  EXPECT_GT(repeated, 400U);
}

}  // namespace
}  // namespace brownout::sim::fuzz
