// SPDX-License-Identifier: Apache-2.0
#include "nbs/host/search_path.h"

#include <cstdlib>

#include <doctest/doctest.h>

#include "scratch.h"

using nbs::host::plugin_search_path;
namespace fs = std::filesystem;
using Paths = std::vector<fs::path>;

namespace {

// NBS_PLUGIN_PATH for a scope; null: not set.
class PluginPath {
 public:
  explicit PluginPath(const char* value) {
    if (const char* const before = std::getenv("NBS_PLUGIN_PATH")) before_ = before;
    set(value);
  }
  ~PluginPath() { set(before_ ? before_->c_str() : nullptr); }
  PluginPath(const PluginPath&) = delete;
  PluginPath& operator=(const PluginPath&) = delete;

 private:
  static void set(const char* value) {
    if (value == nullptr) {
      unsetenv("NBS_PLUGIN_PATH");
    } else {
      setenv("NBS_PLUGIN_PATH", value, 1);
    }
  }
  std::optional<std::string> before_;
};

// Without the folder that belongs to the program, which must come last.
Paths without_own(Paths folders) {
  REQUIRE_FALSE(folders.empty());
  CHECK(folders.back() == fs::path(NBS_BUILT_PLUGINS));
  folders.pop_back();
  return folders;
}

}  // namespace

TEST_CASE(
    "plugins are looked for on the command line's path, the environment's, the pipeline's, and beside the program") {
  fs::create_directories(NBS_BUILT_PLUGINS);
  const PluginPath environment("/env/one:/env/two");
  CHECK(without_own(plugin_search_path({"/line/two", "/line/one"}, {"/file"})) ==
        Paths{"/line/two", "/line/one", "/env/one", "/env/two", "/file"});
}

TEST_CASE("the current folder is searched only when it is asked for") {
  fs::create_directories(NBS_BUILT_PLUGINS);
  const nbs::test::Scratch scratch;
  const auto before = fs::current_path();
  fs::current_path(scratch.path());
  const auto here = fs::current_path();
  {
    const PluginPath none(nullptr);
    CHECK(without_own(plugin_search_path({}, {})).empty());
    CHECK(without_own(plugin_search_path({""}, {""})).empty());
    CHECK(without_own(plugin_search_path({"plugins"}, {})) == Paths{here / "plugins"});
  }
  {
    // Elsewhere an empty part of such a list means the current folder; a plugin found that way would be run.
    const PluginPath environment(":/env::");
    CHECK(without_own(plugin_search_path({}, {})) == Paths{"/env"});
  }
  fs::current_path(before);
}

TEST_CASE("a folder named twice is searched once, where it comes first") {
  fs::create_directories(NBS_BUILT_PLUGINS);
  const PluginPath environment("/a:/b/../a:/c/");
  CHECK(without_own(plugin_search_path({"/b", "/b/."}, {"/a", "/c", "/"})) == Paths{"/b", "/a", "/c", "/"});
}
