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

TEST_CASE("folders and libraries that anybody may write to are named, as what lies there is run") {
  const PluginPath none(nullptr);
  const nbs::test::Scratch scratch;
  scratch.write("plugins/a.so", "");
  scratch.write("plugins/b.so", "");
  scratch.write("plugins/notes.txt", "");
  const Paths folders = {scratch / "plugins", scratch / "none"};
  const auto folder = (scratch / "plugins").string();
  const auto allow = [&](const fs::path& path, fs::perms perms) {
    fs::permissions(path, perms | fs::perms::owner_all, fs::perm_options::replace);
  };
  for (const auto& path : {folder, folder + "/a.so", folder + "/b.so"})
    allow(path, fs::perms::group_all);
  CHECK(nbs::host::plugin_folder_warnings(folders).empty());
  allow(scratch / "plugins/notes.txt", fs::perms::others_write);
  CHECK(nbs::host::plugin_folder_warnings(folders).empty());
  const std::string anybody =
      " can be written to by anybody: any user of this machine can put code there that nbs runs as you; take the right "
      "away (chmod o-w)";
  allow(scratch / "plugins/b.so", fs::perms::others_write);
  CHECK(nbs::host::plugin_folder_warnings(folders) ==
        std::vector<std::string>{"the plugin library " + folder + "/b.so" + anybody});
  // Also where others cannot take files away, as in /tmp.
  allow(folder, fs::perms::all | fs::perms::sticky_bit);
  CHECK(nbs::host::plugin_folder_warnings(folders) ==
        std::vector<std::string>{"the plugin folder " + folder + anybody,
                                 "the plugin library " + folder + "/b.so" + anybody});
}

TEST_CASE("folders of NBS_PLUGIN_PATH that are not there are named; empty parts are none") {
  const nbs::test::Scratch scratch;
  const PluginPath environment((":" + scratch.path().string() + "::/nowhere/at/all").c_str());
  CHECK(nbs::host::plugin_folder_warnings({}) ==
        std::vector<std::string>{"NBS_PLUGIN_PATH names /nowhere/at/all, which is no folder"});
}
