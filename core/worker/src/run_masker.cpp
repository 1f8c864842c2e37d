// SPDX-License-Identifier: Apache-2.0
#include "run_masker.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "nbs/data/image.h"
#include "nbs/data/stitched_map.h"
#include "nbs/tensor.h"

#include "chained_rows.h"
#include "ended_run.h"
#include "images.h"

namespace nbs::worker {

namespace {

std::vector<std::shared_ptr<Postprocessor>> chain_of(Session& session, const record::RunResult& result) {
  std::vector<OptionValues> tuned;
  if (result.tuned_postproc) tuned = tuned_values(*result.tuned_postproc, session.pipeline().postproc);
  return session.make_postprocessors(tuned);
}

// What is stitched of [P, n, W] planes.
torch::Tensor tensor_of(const data::MapRows& rows, std::int64_t width) {
  const auto planes = static_cast<std::int64_t>(rows.planes.size());
  auto all = torch::empty({planes, rows.end - rows.begin, width});
  for (std::int64_t c = 0; c < planes; ++c) {
    const auto& plane = rows.planes[static_cast<std::size_t>(c)];
    std::copy(plane.begin(), plane.end(), all[c].data_ptr<float>());
  }
  return all;
}

torch::Tensor colors_of(const data::ViewReader& reader, std::int64_t y, std::int64_t x, std::int64_t height,
                        std::int64_t width) {
  const cv::Mat rows = reader.rows(static_cast<int>(y), static_cast<int>(y + height));
  return as_tensor(data::from_levels(rows.colRange(static_cast<int>(x), static_cast<int>(x + width))));
}

}  // namespace

RunMasker::RunMasker(Session& session, const record::RunDirectory& run, const record::RunResult& result)
    : data_(session.pipeline().data.options),
      ensemble_(session.make_ensemble(training::read_models(run.model(), *result.model))),
      chain_(chain_of(session, result)) {}

MaskedImage RunMasker::mask(const cv::Mat& stored) {
  const data::ViewPlan plan({stored.rows, stored.cols}, data_);
  const data::ViewReader reader(stored, plan, data_);
  const auto size = plan.size();
  MaskedImage masked;
  masked.image = data::from_levels(reader.rows(0, static_cast<int>(size.height)));
  masked.probability.create(static_cast<int>(size.height), static_cast<int>(size.width), CV_32F);
  mask_views(reader, plan, [&](int begin, const cv::Mat& rows) {
    rows.copyTo(masked.probability.rowRange(begin, begin + rows.rows));
  });
  return masked;
}

void RunMasker::mask_by_rows(const cv::Mat& stored,
                             const std::function<void(int begin, const cv::Mat& probability)>& use) {
  const data::ViewPlan plan({stored.rows, stored.cols}, data_);
  mask_views(data::ViewReader(stored, plan, data_), plan, use);
}

void RunMasker::mask_views(const data::ViewReader& reader, const data::ViewPlan& plan,
                           const std::function<void(int begin, const cv::Mat& probability)>& use) {
  std::optional<data::StitchedMap> stitched;
  ChainedRows chained(chain_, plan.size(),
                      [&](auto y, auto x, auto height, auto width) { return colors_of(reader, y, x, height, width); });
  for (std::int64_t view = 0; view < plan.count(); ++view) {
    const auto by_predictor = ensemble_.probability_by_predictor(as_tensor(data::from_levels(reader.levels(view))));
    if (!stitched) stitched.emplace(plan, by_predictor.size(0));
    stitched->add(by_predictor.contiguous().data_ptr<float>());
    if ((view + 1) % plan.columns() != 0) continue;
    const auto rows = stitched->take();
    if (rows.begin == rows.end) continue;
    const auto map = ensemble_.combined(tensor_of(rows, plan.size().width).clamp_(0, 1));
    if (chain_.empty()) {
      use(static_cast<int>(rows.begin), as_mat(map));
      continue;
    }
    chained.add(map);
    const auto done = chained.take();
    if (done.begin == done.end) continue;
    const auto width = plan.size().width;
    // as_mat() copies.
    use(static_cast<int>(done.begin),
        as_mat(torch::from_blob(const_cast<float*>(done.planes[0].data()), {done.end - done.begin, width})));
  }
}

}  // namespace nbs::worker
