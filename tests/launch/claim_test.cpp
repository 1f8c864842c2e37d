// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/claim.h"

#include <doctest/doctest.h>

#include "nbs/launch/batch.h"

#include "error_text.h"
#include "messages.h"
#include "run_environment.h"

using namespace nbs;
using doctest::Contains;
using ClaimKind = launch::Claim::Kind;
using State = launch::Job::State;

namespace {

std::vector<launch::Job> jobs_for(const std::vector<std::string>& names) {
  std::vector<launch::Job> jobs(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    jobs[i].label = names[i];
    jobs[i].pipeline = test::small_pipeline(names[i]);
  }
  return jobs;
}

constexpr const char* kFinish = "echo '{\"ending\": \"finished\"}' > \"$4/result.json\"";

}  // namespace

TEST_CASE("a run that was cut off is taken up in its folder, and by one process at a time") {
  const test::Scratch scratch;
  const auto pipeline = test::small_pipeline("a");
  const auto stem = scratch / record::RunDirectory::stem(pipeline);
  {
    const auto first = launch::claim_run(scratch.path(), pipeline);
    CHECK(first.kind == ClaimKind::begin);
    CHECK(first.folder == stem);
    CHECK(launch::claim_run(scratch.path(), pipeline).kind == ClaimKind::elsewhere);
    // nbs run makes a run whatever is there.
    CHECK(launch::new_run(scratch.path(), pipeline).folder == stem.string() + "-2");
  }
  CHECK(launch::claim_run(scratch.path(), pipeline).kind == ClaimKind::begin);
  nbs::write_file(record::RunDirectory(stem).checkpoint(), "x");
  {
    const auto again = launch::claim_run(scratch.path(), pipeline);
    CHECK(again.kind == ClaimKind::resume);
    CHECK(again.folder == stem);
    CHECK(test::error_text([&] { launch::resume_run(stem); }) == Contains("another process works on the run in"));
  }
  CHECK(launch::resume_run(stem).kind == ClaimKind::resume);
  // Finished; whoever was killed at that moment has left something.
  nbs::write_file(record::RunDirectory(stem).result(), "{\"ending\": \"finished\"}");
  nbs::write_file(stem / ".nbs-0123456789abcdef.tmp", "half a report");
  nbs::write_file(stem / ".lock", "");
  const auto complete = launch::claim_run(scratch.path(), pipeline);
  CHECK(complete.kind == ClaimKind::complete);
  CHECK(complete.folder == stem);
  CHECK(test::entries_of(stem) == std::vector<std::string>{"resolved.toml", "result.json"});
  CHECK(launch::resume_run(stem).kind == ClaimKind::complete);
}

TEST_CASE("a folder whose maker was killed before he wrote into it is used, and one of somebody else is not") {
  const test::Scratch scratch;
  const auto pipeline = test::small_pipeline("a");
  const auto stem = scratch / record::RunDirectory::stem(pipeline);
  std::filesystem::create_directory(stem);
  nbs::write_file(stem / ".nbs-0123456789abcdef.tmp", "na");
  CHECK(launch::claim_run(scratch.path(), pipeline).folder == stem);
  CHECK(nbs::read_file(stem / "resolved.toml") == config::to_toml(pipeline));
  std::filesystem::remove(stem / "resolved.toml");
  nbs::write_file(stem / "notes.txt", "mine");
  CHECK(launch::claim_run(scratch.path(), pipeline).folder == stem.string() + "-2");
}

TEST_CASE("a batch waits for what another process works on, and does it if that one has not") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch,
                                std::string("echo \"$4\" >> ") + (scratch / "calls.txt").string() + "\n" + kFinish);
  const auto parent = scratch / "runs";
  auto jobs = jobs_for({"a", "b", "c"});
  std::optional<launch::Claim> a = launch::claim_run(parent, jobs[0].pipeline);
  std::optional<launch::Claim> b = launch::claim_run(parent, jobs[1].pipeline);
  std::string told;
  launch::run_batch(jobs, parent, at_a_time(2), {[&](const launch::Job& job) {
                      told += job.label + "wsrdfiea"[static_cast<int>(job.state)] + " ";
                      if (job.label != "c" || job.state != State::done) return;
                      nbs::write_file(record::RunDirectory(a->folder).result(), "{\"ending\": \"finished\"}");
                      a.reset();  // has done it
                      b.reset();  // was killed
                    }});
  CHECK(told.substr(0, 15) == "ae be cr cd as ");
  CHECK(told.substr(15) == "br bd ");
  CHECK(test::lines_of(scratch / "calls.txt").size() == 2);
}

TEST_CASE("a run that fails is tried again as often as was said, in its folder; one that diverged is not") {
  const test::Scratch scratch;
  const auto count = (scratch / "count").string();
  // Fails twice.
  const test::FakeWorker worker(
      scratch,
      "case \"$4\" in *diverges*) echo '{\"ending\": \"diverged\"}' > \"$4/result.json\"; exit 1;; esac\n"
      "echo x >> " +
          count + "; [ $(wc -l < " + count + ") -gt 2 ] || exit 1\n" + kFinish);
  for (const int retries : {1, 2}) {
    CAPTURE(retries);
    std::filesystem::remove_all(scratch / "runs");
    std::filesystem::remove(count);
    auto jobs = jobs_for({"a", "diverges"});
    launch::BatchOptions options;
    options.retries = retries;
    std::string told;
    launch::run_batch(jobs, scratch / "runs", options, {[&](const launch::Job& job) {
                        told += job.label.substr(0, 1) + "wsrdfiea"[static_cast<int>(job.state)] + " ";
                      }});
    CHECK(told == (retries == 1 ? "ar aa ar af dr df " : "ar aa ar aa ar ad dr df "));
    CHECK(test::entries_of(scratch / "runs").size() == 2);
  }
}

TEST_CASE("after a run has failed for good, --fail-fast starts no other, and those that run end") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, std::string("case \"$4\" in *bad*) exit 1;; esac; sleep 1\n") + kFinish);
  auto jobs = jobs_for({"a", "bad", "b"});
  launch::BatchOptions options;
  options.parallel = 2;
  options.cores = 2;
  options.fail_fast = true;
  const auto end = launch::run_batch(jobs, scratch / "runs", options, {[](const launch::Job&) {}});
  CHECK(end.failed_fast);
  CHECK(jobs[0].state == State::done);
  CHECK(jobs[1].state == State::failed);
  CHECK(jobs[2].state == State::waiting);
  CHECK(jobs[2].folder.empty());
}

TEST_CASE("a run that takes too long is told to end, is killed if it does not, and has failed") {
  const test::Scratch scratch;
  const test::Variable grace("NBS_GRACE_SECONDS", "1");
  const test::FakeWorker worker(scratch,
                                "case \"$4\" in *deaf*) trap '' TERM;; *) trap 'exit 130' TERM;; esac\n"
                                "while :; do sleep 0.1; done");
  auto jobs = jobs_for({"hears", "deaf"});
  launch::BatchOptions options;
  options.parallel = 2;
  options.cores = 2;
  options.minutes = 0.02;
  launch::run_batch(jobs, scratch / "runs", options, {[](const launch::Job&) {}});
  for (const auto& job : jobs) {
    CAPTURE(job.label);
    CHECK(job.state == State::failed);
    CHECK(test::text(job.problem) == Contains("did not end within 0.02 minutes (--timeout)"));
  }
  CHECK(jobs[0].status == 130);
  CHECK(jobs[1].status == 137);
}

TEST_CASE("a checkpoint that the worker refuses is thrown away, and the run begins anew in its folder") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, std::string("case \"$*\" in *--resume*) exit 71;; esac\n") + kFinish);
  auto jobs = jobs_for({"a"});
  const auto folder = launch::claim_run(scratch / "runs", jobs[0].pipeline).folder;
  nbs::write_file(record::RunDirectory(folder).checkpoint(), "x");
  std::string told;
  launch::run_batch(jobs, scratch / "runs", {}, {[&](const launch::Job& job) {
                      told += "wsrdfiea"[static_cast<int>(job.state)];
                      told += job.resumed ? "+" : "-";
                    }});
  CHECK(told == "r+r-d-");
  CHECK(jobs[0].checkpoint_refused);
  CHECK(jobs[0].folder == folder);
  CHECK_FALSE(record::RunDirectory(folder).has_checkpoint());
}
