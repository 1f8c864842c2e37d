// SPDX-License-Identifier: Apache-2.0
// What loading a run and masking leave alone of the program that they are done in.
#include <clocale>
#include <csignal>
#include <fstream>
#include <set>

#include <fcntl.h>
#include <unistd.h>

#include <nbs/masker.h>

#include "error_text.h"
#include "finished_run.h"
#include "torch_test.h"

using nbs::Masker;
using nbs::test::finished_run;
namespace fs = std::filesystem;

namespace {

void mask_once() {
  nbs::MaskerOptions options;
  options.threads = 2;
  const Masker masker(finished_run(), options);
  const std::vector<std::uint8_t> pixels(300 * 200 * 3, 80);
  masker.mask({pixels.data(), 300, 200});
}

std::string generator_state() {
  const auto state = at::detail::getDefaultCPUGenerator().get_state().contiguous();
  return {static_cast<const char*>(state.data_ptr()), static_cast<std::size_t>(state.numel())};
}

// Those of signals that mean a crash or an end; doctest has some of its own.
std::vector<std::uintptr_t> signal_handlers() {
  std::vector<std::uintptr_t> handlers;
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGINT, SIGTERM, SIGPIPE, SIGCHLD}) {
    struct sigaction action {};
    REQUIRE(sigaction(signal, nullptr, &action) == 0);
    handlers.push_back(reinterpret_cast<std::uintptr_t>(action.sa_handler));
  }
  return handlers;
}

std::set<std::string> thread_names() {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator("/proc/self/task"))
    names.insert(entry.path().filename().string());
  return names;
}

bool blocks(const std::string& thread, int signal) {
  std::ifstream status("/proc/self/task/" + thread + "/status");
  for (std::string word; status >> word;) {
    if (word != "SigBlk:") continue;
    status >> word;
    return (std::stoull(word, nullptr, 16) >> (signal - 1) & 1) != 0;
  }
  return false;
}

}  // namespace

TEST_CASE("settings of LibTorch, of the calling thread and of signals are what they were") {
  at::set_num_threads(3);
  torch::manual_seed(5);
  const auto generator = generator_state();
  volatile float tiny = 1e-39F;
  REQUIRE(tiny * 0.5F != 0);
  const auto handlers = signal_handlers();
  mask_once();
  CHECK(at::get_num_threads() == 3);
  const bool same_generator = generator_state() == generator;
  CHECK(same_generator);
  CHECK(at::GradMode::is_enabled());
  CHECK(tiny * 0.5F != 0);  // denormal numbers
  CHECK(std::string(std::setlocale(LC_ALL, nullptr)) == "C");
  CHECK(signal_handlers() == handlers);
  int threads = 0;
  std::thread([&] { threads = at::get_num_threads(); }).join();
  CHECK(threads == 3);
}

TEST_CASE("nothing is printed") {
  const nbs::test::Scratch scratch;
  const auto file = scratch / "printed.txt";
  mask_once();  // before that, nbs trains the run
  const int out = dup(STDOUT_FILENO);
  const int err = dup(STDERR_FILENO);
  const int to = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  REQUIRE(to >= 0);
  dup2(to, STDOUT_FILENO);
  dup2(to, STDERR_FILENO);
  mask_once();
  nbs_masker* masker = nullptr;
  const auto status = nbs_load("/nowhere", nullptr, &masker);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  for (const int descriptor : {out, err, to})
    close(descriptor);
  CHECK(status == NBS_FAILED);
  CHECK(nbs::read_file(file) == "");
}

TEST_CASE("threads of the library take no signals, and are gone when the object is") {
  const auto before = thread_names();
  {
    nbs::MaskerOptions options;
    options.threads = 2;
    const Masker masker(finished_run(), options);
    const std::vector<std::uint8_t> pixels(64 * 64, 80);
    masker.mask({pixels.data(), 64, 64, nbs::PixelFormat::gray});
    std::size_t more = 0;
    for (const auto& thread : thread_names()) {
      if (before.count(thread) != 0) continue;
      ++more;
      CHECK(blocks(thread, SIGTERM));
      CHECK(blocks(thread, SIGINT));
    }
    CHECK(more >= 1);
  }
  CHECK_FALSE(blocks(std::to_string(getpid()), SIGTERM));
  // OpenMP's threads end by themselves, soon after the one that they worked for.
  for (int tries = 0; tries < 500 && thread_names().size() > before.size(); ++tries)
    usleep(10000);
  CHECK(thread_names().size() <= before.size());
}

TEST_CASE("a program that computes with another default type is told, instead of getting other masks") {
  const Masker masker(finished_run());
  const std::uint8_t pixel = 3;
  c10::set_default_dtype(c10::scalarTypeToTypeMeta(c10::ScalarType::Double));
  const auto masking = nbs::test::error_text([&] { masker.mask({&pixel, 1, 1, nbs::PixelFormat::gray}); });
  const auto loading = nbs::test::error_text(mask_once);
  c10::set_default_dtype(c10::scalarTypeToTypeMeta(c10::ScalarType::Float));
  CHECK(masking == doctest::Contains("LibTorch's default type of tensors to Double"));
  CHECK(loading == masking);
  CHECK(nbs::test::error_text(mask_once) == "no error");
}
