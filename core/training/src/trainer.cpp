// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/trainer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "nbs/not_finite.h"
#include "nbs/training/batches.h"
#include "nbs/training/prediction_loss.h"
#include "nbs/training/rewards.h"
#include "nbs/training/typical_loss.h"

namespace nbs::training {

namespace {

// A loss that stopped being a number: the run ends, the last good state stays.
class Diverged : public Error {
 public:
  using Error::Error;
};

void require_finite(double loss, const char* what, std::int64_t iteration, const char* likely_cause) {
  if (std::isfinite(loss)) return;
  throw Diverged(
      fmt::format("{} became {} in iteration {}; the likely cause is {}", what, loss, iteration, likely_cause));
}

double mean(const std::vector<double>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The part of a signed reward list that says something, as the share of positives.
std::optional<double> clean_share(const std::vector<double>& signs) {
  const auto clean = std::count(signs.begin(), signs.end(), 1.0);
  const auto judged = static_cast<std::int64_t>(signs.size()) - std::count(signs.begin(), signs.end(), 0.0);
  if (judged == 0) return std::nullopt;
  return static_cast<double>(clean) / static_cast<double>(judged);
}

}  // namespace

// Adds the time until the end of the scope to one stage.
class Trainer::Stopwatch {
 public:
  explicit Stopwatch(double& total) : total_(total), start_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() { total_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& total_;
  std::chrono::steady_clock::time_point start_;
};

Trainer::Trainer(const TrainingImages& images, Components components, Settings settings, std::uint64_t seed)
    : images_(images),
      components_(std::move(components)),
      settings_(std::move(settings)),
      random_(seed),
      tiling_(images.size(), settings_.profile.patch_size, settings_.profile.tile_step, settings_.profile.tile_offset),
      view_tiling_(images.size(), settings_.profile.patch_size, 0, 0),
      alpha_(components_.predictor->learns() ? class_balance(settings_.train, images.masks) : 0),
      selection_(settings_.train),
      buffer_(settings_.buffer.capacity),
      ring_(settings_.profile.length),
      labelled_maps_(static_cast<std::size_t>(images.labelled)) {
  if (components_.predictor->learns() && images_.labelled == 0) {
    throw Error("the predictor learns from labelled images, but data.labeled is 0; label at least one image");
  }
  if (!components_.predictor->learns() && settings_.train.finish > 0) {
    throw Error(
        fmt::format("train.finish is {}, iterations in which only the predictor learns, but this predictor learns "
                    "nothing; set it to 0",
                    settings_.train.finish));
  }
  // The predictor will read at the end what it saved at the best moment; if it cannot, that is better known now.
  State state;
  components_.predictor->save(state);
  components_.predictor->load(state);
  if (!components_.predictor->needs_profile()) {
    components_.sampler.reset();
    components_.autoencoder.reset();
    return;
  }
  if (!components_.sampler || !components_.autoencoder) {
    throw Error(fmt::format("the predictor needs loss profiles, but the pipeline has no [{}]; add that section",
                            components_.sampler ? "autoencoder" : "sampler"));
  }
  losses_ = std::make_unique<CurrentLosses>(images_, view_tiling_, *components_.autoencoder);
  labelled_scene_ =
      std::make_unique<TrainingScene>(images_, *losses_, settings_.profile.patch_size, 0, images_.labelled);
  std::int64_t first = 0;
  std::int64_t count = images_.labelled + images_.unlabelled;
  if (settings_.train.autoencoder_images == config::AutoencoderImages::auxiliary) {
    first = count;
    count = images_.auxiliary() - images_.held_out;
    if (count <= 0) {
      throw Error(
          "train.autoencoder_images is \"auxiliary\", but no anomaly-free images are left to train on; raise "
          "data.auxiliary if the data set keeps such images apart, or use \"all\"");
    }
  }
  scene_ = std::make_unique<TrainingScene>(images_, *losses_, settings_.profile.patch_size, first, count);
  if (settings_.profile.typical_images > 0) draw_typical_images();
}

void Trainer::draw_typical_images() {
  std::vector<std::int64_t> rest(static_cast<std::size_t>(scene_->image_count()));
  std::iota(rest.begin(), rest.end(), scene_->global(0));
  while (!rest.empty() && static_cast<std::int64_t>(typical_images_.size()) < settings_.profile.typical_images) {
    const auto drawn = rest.begin() + random_.below(static_cast<std::int64_t>(rest.size()));
    typical_images_.push_back(*drawn);
    rest.erase(drawn);
  }
}

void Trainer::reinitialise() {
  if (ring_.full()) {
    past_lives_.push_back(current_life());
    if (static_cast<std::int64_t>(past_lives_.size()) >= settings_.profile.lives) past_lives_.pop_front();
  }
  components_.autoencoder->reinitialise();
  losses_->invalidate();
  watch_.begin_life();
  ring_.clear();
  typical_.clear();
  for (auto& maps : labelled_maps_)
    maps.clear();
  age_ = 0;
}

void Trainer::train_autoencoder(IterationReport& report) {
  const auto& train = settings_.train;
  const std::int64_t p = settings_.profile.patch_size;
  const bool clones = components_.sampler->learns() && images_.labelled > 0;
  {
    const Stopwatch watch(seconds_.rollout);
    std::vector<RolloutRequest> requests;
    if (clones) requests.push_back({labelled_scene_.get(), train.clone_patches});
    requests.push_back({scene_.get(), train.patches});
    rollouts_ = components_.sampler->sample_all(requests);
  }
  const Stopwatch watch(seconds_.autoencoder);
  auto chosen = rollouts_.back().patches;
  if (train.shuffle) {
    for (std::size_t i = chosen.size(); i > 1; --i)
      std::swap(chosen[i - 1], chosen[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(i)))]);
  }
  auto patches = torch::empty({static_cast<std::int64_t>(chosen.size()), 3, p, p});
  const std::int64_t size = images_.size();
  const float* const from = images_.images.data_ptr<float>();
  float* to = patches.data_ptr<float>();
  for (const auto& patch : chosen) {
    const float* const image = from + scene_->global(patch.image) * 3 * size * size;
    for (std::int64_t c = 0; c < 3; ++c) {
      for (std::int64_t y = 0; y < p; ++y, to += p)
        std::memcpy(to, image + (c * size + patch.y + y) * size + patch.x, p * sizeof(float));
    }
  }
  patches = augment_patches(patches, settings_.augment, random_);
  double loss = 0;
  const auto batches = patches.split(train.minibatch);
  for (const auto& batch : batches) {
    const double batch_loss = components_.autoencoder->learn(batch);
    require_finite(batch_loss, "the autoencoder's loss", iteration_,
                   "a learning rate of the autoencoder that is too high");
    watch_.see_batch(batch_loss);
    loss += batch_loss / static_cast<double>(batches.size());
  }
  losses_->invalidate();
  if (const auto reason = watch_.see_iteration(iteration_, loss, iteration_ + 1 == train.iterations))
    throw Diverged(*reason);
  report.ae_loss = loss;
}

void Trainer::record_typical_loss() {
  std::vector<torch::Tensor> maps;
  for (const auto image : typical_images_)
    maps.push_back(loss_map(*components_.autoencoder, tiling_, images_.images[image]));
  typical_.push_back(typical_loss(maps, settings_.profile.typical_blur));
  if (static_cast<std::int64_t>(typical_.size()) > settings_.profile.length) typical_.pop_front();
}

void Trainer::extend_profiles(IterationReport& report) {
  const bool learns = components_.predictor->learns();
  // A predictor that learns nothing only looks at the end: the strides are counted back from there.
  const std::int64_t position = learns ? age_ : settings_.train.iterations - 1 - iteration_;
  if (position % settings_.profile.stride != 0) return;
  const Stopwatch watch(seconds_.evaluate);
  ring_.push(take_snapshot(*components_.autoencoder));
  if (!typical_images_.empty()) record_typical_loss();
  if (!learns) return;
  double anomalous = 0;
  double normal = 0;
  double anomalous_pixels = 0;
  for (std::int64_t i = 0; i < images_.labelled; ++i) {
    auto map = loss_map(*components_.autoencoder, tiling_, images_.images[i]);
    if (tiling_ == view_tiling_) losses_->set(i, map);
    anomalous += (map * images_.masks[i]).sum().item<double>();
    normal += map.sum().item<double>();
    anomalous_pixels += images_.masks[i].sum().item<double>();
    auto& maps = labelled_maps_[i];
    const double mean = map.mean().item<double>();
    maps.push_back({typical_.empty() ? std::move(map) : relative_loss(map, typical_.back()), mean});
    if (static_cast<std::int64_t>(maps.size()) > settings_.profile.length) maps.pop_front();
    if (!ring_.full()) continue;
    BufferedProfile profile;
    profile.image = i;
    std::vector<double> means;
    for (const auto& recorded : maps) {
      profile.maps.push_back(recorded.map);
      means.push_back(recorded.mean);
    }
    profile.scales = profile_scales(settings_.profile, means);
    buffer_.push(std::move(profile));
  }
  // How many times larger the loss of an anomalous pixel is: the contrast that the sampler is there to raise.
  const double normal_pixels = static_cast<double>(images_.masks.numel()) - anomalous_pixels;
  normal -= anomalous;
  if (anomalous_pixels > 0 && normal > 0) report.loss_ratio = (anomalous / anomalous_pixels) / (normal / normal_pixels);
}

std::optional<double> Trainer::train_predictor(IterationReport& report) {
  auto& predictor = *components_.predictor;
  if (!predictor.learns()) return std::nullopt;
  const bool from_profiles = predictor.needs_profile();
  if (from_profiles && buffer_.empty()) return std::nullopt;
  if (!finishing() && iteration_ % settings_.buffer.every != 0) return std::nullopt;
  const Stopwatch watch(seconds_.predictor);
  const PredictionLoss loss = [this](const torch::Tensor& logits, const torch::Tensor& masks) {
    return prediction_loss(logits, masks, alpha_);
  };
  double total = 0;
  for (std::int64_t step = 0; step < settings_.buffer.steps; ++step) {
    const auto batch = from_profiles ? draw_profiles(buffer_, images_, settings_.profile, settings_.buffer,
                                                     settings_.augment, predictor.needs_image(), random_)
                                     : draw_images(images_, settings_.buffer, settings_.augment, random_);
    const double step_loss = predictor.learn(batch.input, batch.masks, loss);
    require_finite(step_loss, "l_pred", iteration_, "a learning rate of the predictor that is too high");
    total += step_loss;
  }
  total /= static_cast<double>(settings_.buffer.steps);
  report.l_pred = total;
  return total;
}

void Trainer::train_sampler(std::optional<double> prediction_loss, IterationReport& report) {
  const auto& chosen = rollouts_.back().patches;
  const bool clones = rollouts_.size() == 2;
  // What is logged of cloning comes from the rollout on labelled images, or from the labelled patches of the only one.
  const auto& judged = clones ? rollouts_.front().patches : chosen;
  const bool labelled_first = clones || settings_.train.autoencoder_images == config::AutoencoderImages::all;
  const auto signs = labelled_first ? clone_signs(judged, images_.masks, settings_.profile.patch_size)
                                    : std::vector<double>(judged.size(), 0.0);
  const auto coverage = new_coverage(judged, images_.size(), settings_.profile.patch_size);
  if (const auto share = clean_share(signs)) {
    report.r_clone = 2 * *share - 1;
  }
  report.coverage = mean(coverage);
  if (!components_.sampler->learns()) return;
  report.beta = beta_;
  if (prediction_loss) report.r_pred = -*prediction_loss;
  if (age_ <= settings_.train.warmup) return;

  const Stopwatch watch(seconds_.policy);
  std::vector<RewardedRollout> rewarded;
  if (clones && beta_ > 0)
    rewarded.push_back({&rollouts_.front(), cloning_rewards(settings_.reward, beta_, signs, coverage), 0});
  if (prediction_loss && beta_ < 1) {
    rewarded.push_back(
        {&rollouts_.back(),
         prediction_rewards(settings_.reward, beta_, static_cast<std::int64_t>(chosen.size()), *prediction_loss),
         rollouts_.size() - 1});
  }
  if (rewarded.empty()) return;
  for (auto& [name, value] : components_.sampler->learn(rewarded)) {
    require_finite(value, name.c_str(), iteration_, "a learning rate of the sampler that is too high");
    report.sampler.emplace_back(name, value);
  }
}

// Nobody has asked for losses of the last parameter sets where the predictor does not learn.
void Trainer::require_finite_parameters() const {
  for (const auto& snapshot : ring_.snapshots()) {
    for (const auto& tensor : *snapshot) {
      if (State::all_finite(tensor)) continue;
      throw Diverged(fmt::format(
          "the autoencoder's parameters are not finite after iteration {}; the likely cause is a learning rate of the "
          "autoencoder that is too high",
          iteration_ - 1));
    }
  }
}

bool Trainer::finishing() const {
  return iteration_ >= settings_.train.iterations;
}

bool Trainer::profiles_full() const {
  return !components_.autoencoder || ring_.full();
}

Life Trainer::current_life() const {
  return {{ring_.snapshots().begin(), ring_.snapshots().end()}, {typical_.begin(), typical_.end()}};
}

State Trainer::saved(const Component& component, const char* name) const {
  State state;
  try {
    component.save(state);
  } catch (const NotFiniteError& error) {
    // The loss is that before the step, which may be the one that broke the parameters.
    throw Diverged(fmt::format("{} after iteration {}; the likely cause is a learning rate of the {} that is too high",
                               error.what(), iteration_, name));
  }
  return state;
}

void Trainer::remember(double smoothed) {
  Moment moment;
  moment.iteration = iteration_;
  moment.loss = smoothed;
  if (components_.autoencoder) {
    moment.lives.assign(past_lives_.begin(), past_lives_.end());
    moment.lives.push_back(current_life());
  }
  moment.predictor = saved(*components_.predictor, "predictor");
  if (components_.sampler) moment.sampler = saved(*components_.sampler, "sampler");
  best_ = std::move(moment);
}

Outcome Trainer::run(const std::function<void(const IterationReport&)>& report,
                     const std::function<bool()>& interrupted) {
  const auto& train = settings_.train;
  Outcome outcome;
  std::int64_t last_improvement = 0;
  if (components_.autoencoder) reinitialise();
  try {
    const std::int64_t total = train.iterations + train.finish;
    for (iteration_ = 0; iteration_ < total; ++iteration_) {
      if (interrupted()) {
        outcome.ending = Ending::interrupted;
        break;
      }
      IterationReport line;
      line.iteration = iteration_;
      beta_ = beta(settings_.reward, iteration_);
      if (components_.autoencoder && !finishing()) {
        if (train.reinit_every > 0 && iteration_ > 0 && iteration_ % train.reinit_every == 0) reinitialise();
        train_autoencoder(line);
        extend_profiles(line);
      }
      const auto loss = train_predictor(line);
      if (components_.sampler && !finishing()) train_sampler(loss, line);
      if (loss) {
        const double smoothed = selection_.smooth(*loss);
        line.l_pred_smoothed = smoothed;
        if (profiles_full() && !watch_.out_of_range()) {
          const auto verdict = selection_.judge(smoothed);
          if (verdict.lowest) last_improvement = iteration_;
          if (verdict.keep) {
            remember(smoothed);
            line.best = 1;
          }
        }
      }
      ++age_;
      report(line);
      if (train.patience > 0 && best_ && iteration_ - last_improvement >= train.patience) {
        outcome.ending = Ending::patience;
        ++iteration_;
        break;
      }
    }
    // Without l_pred there is no better moment than the last.
    if (!components_.predictor->learns() && profiles_full()) {
      require_finite_parameters();
      remember(std::numeric_limits<double>::quiet_NaN());
    }
  } catch (const Diverged& diverged) {
    outcome.ending = Ending::diverged;
    outcome.explanation = diverged.what();
  } catch (const NotFiniteError& error) {
    // The step after which the autoencoder is no good may be its last before its losses are asked for.
    outcome.ending = Ending::diverged;
    outcome.explanation =
        fmt::format("{} in iteration {}; the likely cause is a learning rate of the autoencoder that is too high",
                    error.what(), iteration_);
  }
  outcome.iterations = iteration_;
  outcome.best = std::move(best_);
  outcome.seconds = seconds_;
  return outcome;
}

}  // namespace nbs::training
