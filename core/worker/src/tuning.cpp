// SPDX-License-Identifier: Apache-2.0
#include "tuning.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "nbs/error.h"
#include "nbs/evaluation/curve.h"
#include "nbs/tensor.h"

#include "chained_rows.h"

namespace nbs::worker {

namespace {

// Sets one option of a list; an integer option takes the nearest integer, all elements of a list of numbers the value.
void assign(OptionValues& values, const OptionSpec& spec, double value) {
  for (auto& [name, held] : values) {
    if (name != spec.name) continue;
    if (spec.type == ValueType::integer) {
      held = static_cast<std::int64_t>(std::llround(value));
    } else if (auto* const elements = std::get_if<std::vector<double>>(&held)) {
      std::fill(elements->begin(), elements->end(), value);
    } else {
      held = value;
    }
  }
}

// All combinations of the options' tuning values over `own`, which comes first.
std::vector<OptionValues> combinations(const OptionValues& own, const std::vector<OptionSpec>& specs) {
  std::vector<OptionValues> all = {own};
  bool tuned = false;
  for (const auto& spec : specs) {
    if (spec.tuning.empty()) continue;
    std::vector<OptionValues> product;
    for (const auto& values : all) {
      for (const double value : spec.tuning) {
        product.push_back(values);
        assign(product.back(), spec, value);
      }
    }
    all = std::move(product);
    tuned = true;
  }
  if (tuned) all.insert(all.begin(), own);
  return all;
}

std::string tuned_text(const OptionValues& values, const std::vector<OptionSpec>& specs) {
  std::string text;
  for (const auto& spec : specs) {
    if (spec.tuning.empty()) continue;
    for (const auto& [name, value] : values) {
      if (name == spec.name) text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, to_text(value));
    }
  }
  return text;
}

}  // namespace

Tuning tune_postprocessors(Session& session, const std::vector<config::ComponentSpec>& chain,
                           const LabeledMaps& labeled, const training::WholeImages& images,
                           const std::function<void(const std::string&)>& say) {
  const auto colors = colors_of(labeled, images);
  const auto chained = [&](const config::ComponentSpec& link, const std::vector<torch::Tensor>& maps) {
    const auto made = session.make_postprocessor(link);
    std::vector<torch::Tensor> behind;
    for (std::size_t i = 0; i < maps.size(); ++i)
      behind.push_back(postprocess({made}, maps[i], colors[i]));
    return behind;
  };
  const auto best_f1 = [&](const std::vector<torch::Tensor>& maps) {
    return evaluation::best_f1(evaluation::curve(labeled_images({maps, labeled.images, labeled.honest}, images))).f1;
  };
  Tuning tuning;
  auto own = labeled.maps;
  auto settled = labeled.maps;
  for (const auto& link : chain) {
    own = chained(link, own);
    const auto* const description = session.registry().catalog().find(Kind::postprocessor, link.plugin, link.library);
    if (description == nullptr) throw Error(fmt::format("there is no postprocessor \"{}\" any more", link.plugin));
    const auto& specs = description->options;
    const bool any = std::any_of(specs.begin(), specs.end(), [](const auto& spec) { return !spec.tuning.empty(); });
    if (!any) {
      say(fmt::format("{} names no values to try, so its options stay as they are", link.plugin));
      settled = chained(link, settled);
      tuning.values.push_back(link.values);
      continue;
    }
    double best = -1;
    OptionValues best_values;
    std::vector<torch::Tensor> best_maps;
    for (const auto& values : combinations(link.values, specs)) {
      auto trial = link;
      trial.values = values;
      auto maps = chained(trial, settled);
      const double f1 = best_f1(maps);
      say(fmt::format("tuning {}: F1 on labeled images {:.4f} with {}", link.plugin, f1, tuned_text(values, specs)));
      if (f1 <= best) continue;
      best = f1;
      best_values = values;
      best_maps = std::move(maps);
    }
    tuning.values.push_back(best_values);
    settled = std::move(best_maps);
  }
  tuning.before = best_f1(own);
  tuning.after = best_f1(settled);
  return tuning;
}

}  // namespace nbs::worker
