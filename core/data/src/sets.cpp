// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/sets.h"

#include <algorithm>
#include <iterator>
#include <set>

#include <opencv2/core.hpp>

#include "nbs/data/image.h"
#include "nbs/data/view_images.h"

namespace nbs::data {

namespace {

// The images in the order of the listing, whichever of them are labeled, so that runs with other splits find them in
// the same file; and where those of the split lie among them.
std::vector<const Sample*> samples_of(const Listing& listing, const Split& split, std::vector<std::int64_t>& places) {
  std::vector<std::int64_t> chosen(split.labeled);
  chosen.insert(chosen.end(), split.unlabeled.begin(), split.unlabeled.end());
  auto sorted = chosen;
  std::sort(sorted.begin(), sorted.end());
  std::vector<const Sample*> samples;
  samples.reserve(sorted.size() + listing.auxiliary.size());
  places.reserve(places.size() + chosen.size() + listing.auxiliary.size());
  for (const auto index : sorted)
    samples.push_back(&listing.samples[static_cast<std::size_t>(index)]);
  for (const auto index : chosen)
    places.push_back(std::lower_bound(sorted.begin(), sorted.end(), index) - sorted.begin());
  for (const auto& sample : listing.auxiliary) {
    places.push_back(static_cast<std::int64_t>(samples.size()));
    samples.push_back(&sample);
  }
  return samples;
}

// Nothing if each image is one view without padding, which needs no file to be opened.
std::vector<ViewPlan> plans_of(const std::vector<const Sample*>& samples, const DataOptions& options) {
  std::vector<ViewPlan> plans;
  if (options.resize == Resize::square) return plans;
  plans.reserve(samples.size());
  for (const auto* const sample : samples)
    plans.push_back(plan_of(*sample, options));
  return plans;
}

// Lets places of images be those of their views, and `set.plans` be in the same order.
void place_views(TrainingSet& set, const std::vector<ViewPlan>& plans) {
  if (plans.empty()) return;
  std::vector<std::int64_t> first = {0};
  for (const auto& plan : plans)
    first.push_back(first.back() + plan.count());
  std::vector<std::int64_t> views;
  for (const auto place : set.places) {
    const auto image = static_cast<std::size_t>(place);
    set.plans.push_back(plans[image]);
    for (auto view = first[image]; view < first[image + 1]; ++view)
      views.push_back(view);
  }
  set.places = std::move(views);
}

void add_mask(std::vector<float>& masks, const cv::Mat& mask) {
  for (int y = 0; y < mask.rows; ++y) {
    const auto* row = mask.ptr<std::uint8_t>(y);
    std::transform(row, row + mask.cols, std::back_inserter(masks),
                   [](std::uint8_t value) { return value != 0 ? 1.0F : 0.0F; });
  }
}

}  // namespace

TrainingSet load_training_set(const Listing& listing, const Split& split, const DataOptions& options,
                              const Reading& reading) {
  TrainingSet set;
  set.size = options.image_size;
  set.labeled = static_cast<std::int64_t>(split.labeled.size());
  set.unlabeled = static_cast<std::int64_t>(split.unlabeled.size());
  set.auxiliary = static_cast<std::int64_t>(listing.auxiliary.size());
  const auto samples = samples_of(listing, split, set.places);
  for (const auto place : set.places)
    set.ids.push_back(samples[static_cast<std::size_t>(place)]->id);
  const auto plans = plans_of(samples, options);
  set.images = read_images(samples, plans, options, reading);
  place_views(set, plans);
  std::set<std::string> types;
  for (const auto index : split.labeled) {
    const auto& sample = listing.samples[static_cast<std::size_t>(index)];
    const cv::Mat mask = load_mask(sample, options);
    const ViewPlan plan = plan_of(sample, options);
    for (std::int64_t view = 0; view < plan.count(); ++view)
      add_mask(set.masks, view_of(mask, plan, view));
    if (!sample.type.empty() && sample.type != "good") types.insert(sample.type);
  }
  set.seen_types.assign(types.begin(), types.end());
  return set;
}

ScoringSet::ScoringSet(const Listing& listing, const Split& split, DataOptions options) : options_(std::move(options)) {
  for (const auto index : split.unlabeled)
    samples_.push_back(listing.samples[index]);
}

std::vector<std::uint8_t> ScoringSet::mask(std::int64_t index) const {
  const cv::Mat mask = load_mask(samples_[index], options_);
  std::vector<std::uint8_t> values;
  values.reserve(static_cast<std::size_t>(mask.total()));
  for (int y = 0; y < mask.rows; ++y) {
    const auto* row = mask.ptr<std::uint8_t>(y);
    values.insert(values.end(), row, row + mask.cols);
  }
  return values;
}

}  // namespace nbs::data
