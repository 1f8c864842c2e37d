// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "html.h"
#include "sections.h"

namespace nbs::report {

namespace {

namespace fs = std::filesystem;

// In the order of the slider.
constexpr const char* kKinds[] = {"image", "probability", "mask", "truth", "overlay"};

// Of each group. A browser shows so many at once, and a page of a hundred thousand nobody reads.
constexpr std::size_t kMostFigures = 500;

// Of what an image shows, as the labeled images know it.
enum class Standing { seen, unseen, normal, unknown };

struct Picture {
  std::string id;
  std::string type;
  std::optional<double> f1;
  Standing standing = Standing::unknown;
};

std::map<std::string, bool> seen_by_type(const record::Scores& scores) {
  std::map<std::string, bool> seen;
  for (const auto& type : scores.by_type)
    seen[type.type] = type.seen.value_or(false);
  return seen;
}

// Names of files "ID.KIND.png" by ID: which kinds there are.
std::map<std::string, std::set<std::string>> files_in(const fs::path& folder) {
  std::map<std::string, std::set<std::string>> kinds;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    for (const std::string kind : kKinds) {
      const std::string ending = "." + kind + ".png";
      if (name.size() > ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0)
        kinds[name.substr(0, name.size() - ending.size())].insert(kind);
    }
  }
  return kinds;
}

// Pictures there are, with the scores that there are.
std::vector<Picture> pictures_of(const RunRecord& run, const std::map<std::string, std::set<std::string>>& files) {
  std::map<std::string, Picture> by_id;
  for (const auto& [id, kinds] : files) {
    if (kinds.count("overlay") > 0) by_id[id].id = id;
  }
  if (run.scored()) {
    const auto seen = seen_by_type(*run.scores());
    for (const auto& image : run.scores()->by_image) {
      const auto found = by_id.find(image.id);
      if (found == by_id.end()) continue;
      auto standing = Standing::unknown;
      if (image.type == record::kNormalType) {
        standing = Standing::normal;
      } else if (const auto type = seen.find(image.type); type != seen.end()) {
        standing = type->second ? Standing::seen : Standing::unseen;
      }
      found->second = {image.id, image.type, image.f1, standing};
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

std::string figure(const Picture& picture, const std::set<std::string>& files) {
  const std::string stem = "predictions/" + picture.id;
  std::string links;
  std::string kinds;
  for (const std::string kind : kKinds) {
    if (files.count(kind) == 0) continue;
    kinds += (kinds.empty() ? "" : " ") + kind;
    if (kind != "overlay") links += fmt::format(" <a href=\"{}.{}.png\">{}</a>", link_to(stem), kind, kind);
  }
  return fmt::format(
      "<figure data-id=\"{1}\" data-stem=\"{0}\" data-kinds=\"{5}\"><a class=\"picture\" href=\"{0}.overlay.png\"><img "
      "src=\"{0}.overlay.png\" alt=\"{1} with the predicted region\" loading=\"lazy\"></a>"
      "<figcaption><b>{2}</b>{1}{3}<br>{4}</figcaption></figure>\n",
      link_to(stem), escaped(picture.id), number_text(picture.f1, 2),
      picture.type.empty() ? "" : " (" + escaped(picture.type) + ")", links, kinds);
}

// At most kMostFigures of a group: the first half of them as they come, so the worst ones where there are scores, and
// the other half spread evenly over the rest. Without scores all are spread evenly.
std::vector<const Picture*> shown_of(const std::vector<const Picture*>& group) {
  if (group.size() <= kMostFigures) return group;
  const std::size_t worst = group.front()->f1 ? kMostFigures / 2 : 0;
  std::vector<const Picture*> shown(group.begin(), group.begin() + static_cast<std::ptrdiff_t>(worst));
  const std::size_t others = kMostFigures - worst;
  for (std::size_t i = 0; i < others; ++i)
    shown.push_back(group[worst + i * (group.size() - worst) / others]);
  return shown;
}

std::string shown_text(const std::vector<const Picture*>& group) {
  if (group.size() <= kMostFigures) return {};
  if (!group.front()->f1) {
    return fmt::format("<p class=\"soft\">{} of these {}, evenly spread; all are in the folder predictions.</p>\n",
                       kMostFigures, group.size());
  }
  return fmt::format(
      "<p class=\"soft\">{} of these {}: the {} worst, and others evenly spread over the scores; all are in the folder "
      "predictions.</p>\n",
      kMostFigures, group.size(), kMostFigures / 2);
}

const char* standing_title(Standing standing) {
  switch (standing) {
    case Standing::seen:
      return "Types that the labeled images show";
    case Standing::unseen:
      return "Types that no labeled image shows";
    case Standing::normal:
      return "Images without anomalies";
    case Standing::unknown:
      return "Images of no known type";
  }
  return "";
}

}  // namespace

std::string gallery_section(const RunRecord& run) {
  const auto files = files_in(record::RunDirectory(run.folder).predictions());
  const auto pictures = pictures_of(run, files);
  if (pictures.empty()) return {};
  const bool scored = std::any_of(pictures.begin(), pictures.end(), [](const Picture& picture) { return picture.f1; });
  std::string out = fmt::format(
      "<h2>Predictions{}</h2>\n<p class=\"soft\">{} images. Red: predicted as anomalous{}. A picture opens with a "
      "slider "
      "from the image to its {}.</p>\n",
      scored ? ", worst first" : "", pictures.size(),
      scored ? "; green line: outline of the truth; the number is the image's F1" : "", scored ? "truth" : "mask");
  const bool typed = std::any_of(pictures.begin(), pictures.end(),
                                 [](const Picture& picture) { return picture.standing != Standing::unknown; });
  for (const auto standing : {Standing::seen, Standing::unseen, Standing::normal, Standing::unknown}) {
    std::vector<const Picture*> group;
    for (const auto& picture : pictures) {
      if (picture.standing == standing) group.push_back(&picture);
    }
    if (group.empty()) continue;
    if (typed) out += fmt::format("<h3>{} ({})</h3>\n", standing_title(standing), group.size());
    out += shown_text(group) + "<div class=\"gallery\">\n";
    for (const auto* const picture : shown_of(group))
      out += figure(*picture, files.at(picture->id));
    out += "</div>\n";
  }
  return out;
}

}  // namespace nbs::report
