// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "html.h"
#include "sections.h"

namespace nbs::report {

namespace {

namespace fs = std::filesystem;

constexpr const char* kOverlay = ".overlay.png";

struct Picture {
  std::string id;
  std::string type;
  std::optional<double> f1;
};

// Pictures there are, with the scores that there are.
std::vector<Picture> pictures_of(const RunRecord& run) {
  std::map<std::string, Picture> by_id;
  std::error_code ignored;
  const std::string ending = kOverlay;
  for (const auto& entry : fs::directory_iterator(record::RunDirectory(run.folder).predictions(), ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.size() <= ending.size() || name.compare(name.size() - ending.size(), ending.size(), ending) != 0) continue;
    const std::string id = name.substr(0, name.size() - ending.size());
    by_id[id].id = id;
  }
  if (run.scored()) {
    for (const auto& image : run.scores()->by_image) {
      const auto found = by_id.find(image.id);
      if (found != by_id.end()) found->second = {image.id, image.type, image.f1};
    }
  }
  std::vector<Picture> pictures;
  pictures.reserve(by_id.size());
  for (auto& [id, picture] : by_id)
    pictures.push_back(std::move(picture));
  // Worst first; what has no score comes last.
  std::stable_sort(pictures.begin(), pictures.end(),
                   [](const Picture& a, const Picture& b) { return a.f1.value_or(2) < b.f1.value_or(2); });
  return pictures;
}

std::string figure(const RunRecord& run, const Picture& picture) {
  const std::string stem = "predictions/" + picture.id;
  const auto link = [&](const char* kind) {
    const std::string file = fmt::format("{}.{}.png", stem, kind);
    if (!fs::exists(run.folder / file)) return std::string();
    return fmt::format(" <a href=\"{}\">{}</a>", link_to(file), kind);
  };
  return fmt::format(
      "<figure><a href=\"{0}\"><img src=\"{0}\" alt=\"{1} with the predicted region\" loading=\"lazy\"></a>"
      "<figcaption><b>{2}</b>{1}{3}<br>{4}{5}</figcaption></figure>\n",
      link_to(stem + kOverlay), escaped(picture.id), number_text(picture.f1, 2),
      picture.type.empty() ? "" : " (" + escaped(picture.type) + ")", link("mask"), link("probability"));
}

}  // namespace

std::string gallery_section(const RunRecord& run) {
  const auto pictures = pictures_of(run);
  if (pictures.empty()) return {};
  std::string out = fmt::format(
      "<h2>Predictions, worst first</h2>\n<p class=\"soft\">{} images. Red: predicted as "
      "anomalous; green line: outline of the truth; the number is the image's F1.</p>\n"
      "<div class=\"gallery\">\n",
      pictures.size());
  for (const auto& picture : pictures)
    out += figure(run, picture);
  return out + "</div>\n";
}

}  // namespace nbs::report
