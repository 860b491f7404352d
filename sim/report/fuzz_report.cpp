#include "sim/report/fuzz_report.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/scenario/input_error.hpp"

namespace brownout::sim {
namespace {

using Json = nlohmann::ordered_json;
using fuzz::Campaign;
using fuzz::Finding;
using fuzz::Tally;

constexpr const char* kKind = "brownout fuzz";
constexpr std::size_t kFindingsShown = 8;

double share(std::uint64_t part, std::uint64_t of) {
  return of == 0 ? 0 : static_cast<double>(part) / static_cast<double>(of);
}

Json counts_json(const Tally& tally) {
  Json groups = Json::object();
  for (std::size_t i = 0; i < Tally::names().size(); ++i) {
    const Tally::Name& name = Tally::names()[i];
    const std::uint64_t count = tally.counts()[i];
    Json& group = groups[name.group];
    if (group.is_null()) group = Json::object();
    // Of powers of two, and of kinds of outages, those that occur.
    if (count > 0 || (name.group.rfind("board.", 0) != 0 && name.group != "cells")) group[name.name] = count;
  }
  return groups;
}

Json finding_json(const Finding& finding) {
  return {{"cause", finding.cause},
          {"index", finding.index},
          {"runs", finding.runs},
          {"check", finding.check},
          {"what", finding.what},
          {"replay", finding.smallest.empty() ? finding.found : finding.smallest},
          {"found", finding.found},
          {"smallest", finding.smallest},
          {"shrink_runs", finding.shrink_runs}};
}

Finding finding_of(const Json& json) {
  Finding finding;
  finding.cause = json.at("cause");
  finding.index = json.at("index");
  finding.runs = json.at("runs");
  finding.check = json.at("check");
  finding.what = json.at("what");
  finding.found = json.at("found");
  finding.smallest = json.at("smallest");
  finding.shrink_runs = json.at("shrink_runs");
  return finding;
}

FuzzReport report_of(const Json& json) {
  FuzzReport report;
  report.scenario = json.at("scenario");
  report.sets = json.at("sets").get<std::vector<std::string>>();
  report.accesses = json.at("accesses");
  if (!json.at("runs_asked").is_null()) report.runs = json.at("runs_asked").get<std::uint64_t>();
  Campaign& campaign = report.campaign;
  campaign.seed = json.at("seed");
  campaign.shard = json.at("shard").at("index");
  campaign.shards = json.at("shard").at("of");
  campaign.done = json.at("done");
  campaign.complete = json.at("complete");
  const Json& counts = json.at("counts");
  for (std::size_t i = 0; i < Tally::names().size(); ++i) {
    const Tally::Name& name = Tally::names()[i];
    const Json& group = counts.at(name.group);
    if (group.contains(name.name)) campaign.tally.counts()[i] = group.at(name.name);
  }
  campaign.tally.largest_bytes_over_bound = json.at("bound").at("largest_bytes");
  campaign.tally.largest_time_over_bound = json.at("bound").at("largest_time");
  for (const Json& finding : json.at("findings")) campaign.findings.push_back(finding_of(finding));
  for (const Json& failure : json.at("corpus"))
    report.corpus.push_back({failure.at("file"), failure.at("cause"), failure.at("what")});
  if (campaign.shards == 0 || campaign.shard >= campaign.shards) throw std::out_of_range("shard");
  return report;
}

}  // namespace

std::string fuzz_json(const FuzzReport& report) {
  const Campaign& campaign = report.campaign;
  const Tally& tally = campaign.tally;
  Json json;
  json["kind"] = kKind;
  json["version"] = BROWNOUT_VERSION;
  json["scenario"] = report.scenario;
  json["sets"] = report.sets;
  json["accesses"] = report.accesses;
  json["seed"] = campaign.seed;
  json["shard"] = {{"index", campaign.shard}, {"of", campaign.shards}};
  json["runs_asked"] = report.runs ? Json(*report.runs) : Json(nullptr);
  json["done"] = campaign.done;
  json["complete"] = campaign.complete;
  json["pass"] = report.pass();
  json["shares"] = {
      {"outages_dirty", share(tally.of("outages", "dirty"), tally.sum_of("points"))},
      {"outages_in_transfer",
       share(tally.sum_of("in_transfer") - tally.of("in_transfer", "none"), tally.sum_of("in_transfer"))},
      {"operations_refused", share(tally.of("runs", "refused"), tally.of("runs", "operations"))}};
  json["counts"] = counts_json(tally);
  json["bound"] = {{"largest_bytes", tally.largest_bytes_over_bound},
                   {"largest_time", tally.largest_time_over_bound}};
  json["findings"] = Json::array();
  for (const Finding& finding : campaign.findings) json["findings"].push_back(finding_json(finding));
  json["corpus"] = Json::array();
  for (const CorpusFailure& failure : report.corpus)
    json["corpus"].push_back({{"file", failure.file}, {"cause", failure.cause}, {"what", failure.what}});
  return json.dump(2) + "\n";
}

std::string fuzz_text(const FuzzReport& report) {
  const Campaign& campaign = report.campaign;
  const Tally& tally = campaign.tally;
  const std::uint64_t outages = tally.of("outages", "suffered");
  std::string text = fmt::format("fuzz {}: seed {}, shard {} of {}\n",
                                 report.scenario.empty() ? "any board" : report.scenario, campaign.seed,
                                 campaign.shard, campaign.shards);
  text += fmt::format("  runs       {} with {} operations{}\n", campaign.done, tally.of("runs", "operations"),
                      campaign.complete ? "" : " (interrupted)");
  text += fmt::format(
      "  outages    {}, of those drawn {:.1f} % with something to lose, {:.1f} % in a transfer; persists cut "
      "{}, "
      "restores cut {}\n",
      outages, 100 * share(tally.of("outages", "dirty"), tally.sum_of("points")),
      100 * share(tally.sum_of("in_transfer") - tally.of("in_transfer", "none"), tally.sum_of("in_transfer")),
      tally.of("outages", "persists_cut"), tally.of("outages", "restores_cut"));
  text += fmt::format(
      "  losses     {} in {} runs: {} formats, {} attaches ({} from an image) with {} objects, {} starts "
      "cut\n",
      tally.of("interruptions", "loss") + tally.of("interruptions", "late"), tally.of("losses", "runs"),
      tally.of("losses", "formats"), tally.of("losses", "attaches"), tally.of("losses", "from_image"),
      tally.of("losses", "kept"), tally.of("losses", "starts_cut"));
  text += fmt::format("  wires      {} missing answers, {} flipped bits in {} runs, {} transfers repeated\n",
                      tally.of("wires", "missing"),
                      tally.of("wires", "sent_bits") + tally.of("wires", "received_bits"),
                      tally.of("wires", "runs"), tally.of("wires", "repeated"));
  text += fmt::format("  cells      {} of operation, instant and state of the heap\n", tally.cells_reached());
  text += fmt::format("  bound      nearest {:.1f} % of its bytes, {:.1f} % of its time\n",
                      100 * tally.largest_bytes_over_bound, 100 * tally.largest_time_over_bound);
  for (const CorpusFailure& failure : report.corpus)
    text += fmt::format("  corpus     {} fails: {}\n", failure.file, failure.what);
  for (std::size_t i = 0; i < campaign.findings.size() && i < kFindingsShown; ++i) {
    const Finding& finding = campaign.findings[i];
    text += fmt::format(
        "  finding    {}: {}\n             in {} runs, first in run {}\n             replay '{}'\n",
        finding.check, finding.what, finding.runs, finding.index,
        finding.smallest.empty() ? finding.found : finding.smallest);
  }
  if (campaign.findings.size() > kFindingsShown)
    text += fmt::format("  finding    and {} more causes\n", campaign.findings.size() - kFindingsShown);
  text += fmt::format("  result     {}\n", report.pass() ? "nothing failed" : "FAILED");
  return text;
}

FuzzReport parse_fuzz_report(const std::string& text, const std::string& file) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object() || json.value("kind", "") != kKind)
    throw InputError({file, 0, 0}, "is no report of `brownout fuzz`");
  if (json.value("version", "") != BROWNOUT_VERSION) {
    throw InputError({file, 0, 0}, fmt::format("is of version {}, this is {}", json.value("version", ""),
                                               BROWNOUT_VERSION));
  }
  try {
    return report_of(json);
  } catch (const std::exception&) {
    throw InputError({file, 0, 0}, "is a report of `brownout fuzz` in which something is missing or wrong");
  }
}

FuzzReport merge_fuzz_reports(const std::vector<std::pair<std::string, FuzzReport>>& shards) {
  const auto& [first_file, first] = shards.front();
  FuzzReport merged;
  merged.scenario = first.scenario;
  merged.sets = first.sets;
  merged.accesses = first.accesses;
  merged.runs = first.runs;
  merged.campaign.seed = first.campaign.seed;
  std::map<std::uint64_t, const std::pair<std::string, FuzzReport>*> by_index;
  for (const auto& shard : shards) {
    const auto& [file, report] = shard;
    const Campaign& campaign = report.campaign;
    const bool one = report.scenario == first.scenario && report.sets == first.sets &&
                     report.accesses == first.accesses && report.runs == first.runs &&
                     campaign.seed == first.campaign.seed && campaign.shards == first.campaign.shards;
    if (!one) {
      throw InputError({file, 0, 0},
                       fmt::format("is of another campaign than {}: scenario, --set, seed, --runs, number "
                                   "of shards and instrumentation have to be the same",
                                   first_file));
    }
    const auto [other, is_new] = by_index.emplace(campaign.shard, &shard);
    if (!is_new) {
      throw InputError({file, 0, 0}, fmt::format("is shard {} of {}, and so is {}", campaign.shard,
                                                 campaign.shards, other->second->first));
    }
  }
  for (std::uint64_t index = 0; index < first.campaign.shards; ++index) {
    if (by_index.count(index) == 0)
      throw InputError({"brownout merge", 0, 0},
                       fmt::format("shard {} of {} is missing", index, first.campaign.shards));
  }
  for (const auto& [index, shard] : by_index) {
    const FuzzReport& report = shard->second;
    merged.campaign.done += report.campaign.done;
    merged.campaign.complete = merged.campaign.complete && report.campaign.complete;
    merged.campaign.tally.add(report.campaign.tally);
    for (const Finding& finding : report.campaign.findings) merged.campaign.add(finding);
    for (const CorpusFailure& failure : report.corpus) {
      if (std::find(merged.corpus.begin(), merged.corpus.end(), failure) == merged.corpus.end())
        merged.corpus.push_back(failure);
    }
  }
  return merged;
}

}  // namespace brownout::sim
