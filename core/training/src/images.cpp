// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/images.h"

#include <algorithm>
#include <cstring>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "nbs/data/image_store.h"
#include "nbs/tensor.h"

namespace nbs::training {

namespace {

constexpr std::int64_t kKeptBytes = 64 * 1024 * 1024;

torch::Tensor tensor_of(const data::ImageStore& store, std::int64_t place) {
  auto image = torch::empty({3, store.size(), store.size()});
  store.copy_window(place, 0, 0, store.size(), image.data_ptr<float>());
  return image;
}

}  // namespace

// The tensors asked for last, newest first.
class Images::Kept {
 public:
  torch::Tensor get(const data::ImageStore& store, std::int64_t place) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (const auto at = where_.find(place); at != where_.end()) {
        order_.splice(order_.begin(), order_, at->second);
        return order_.front().second;
      }
    }
    auto made = tensor_of(store, place);
    const auto most = std::max<std::int64_t>(1, kKeptBytes / static_cast<std::int64_t>(made.nbytes()));
    std::list<Entry> dropped;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (const auto at = where_.find(place); at != where_.end()) return at->second->second;
      order_.emplace_front(place, made);
      where_.emplace(place, order_.begin());
      while (static_cast<std::int64_t>(order_.size()) > most) {
        where_.erase(order_.back().first);
        dropped.splice(dropped.begin(), order_, std::prev(order_.end()));
      }
    }
    note_written(store, dropped);
    return made;
  }

  bool unwritten(const data::ImageStore& store) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return !written_ &&
           std::all_of(order_.begin(), order_.end(), [&](const Entry& entry) { return is_as_read(store, entry); });
  }

 private:
  using Entry = std::pair<std::int64_t, torch::Tensor>;

  static bool is_as_read(const data::ImageStore& store, const Entry& entry) {
    const auto fresh = tensor_of(store, entry.first);
    return std::memcmp(fresh.data_ptr(), entry.second.data_ptr(), fresh.nbytes()) == 0;
  }
  void note_written(const data::ImageStore& store, const std::list<Entry>& dropped) {
    for (const auto& entry : dropped) {
      if (is_as_read(store, entry)) continue;
      const std::lock_guard<std::mutex> lock(mutex_);
      written_ = true;
    }
  }

  std::mutex mutex_;
  std::list<Entry> order_;
  std::unordered_map<std::int64_t, std::list<Entry>::iterator> where_;
  bool written_ = false;
};

Images::Images() = default;

Images::Images(std::shared_ptr<const data::ImageStore> store, std::vector<std::int64_t> places)
    : store_(std::move(store)), places_(std::move(places)), kept_(std::make_shared<Kept>()) {}

Images::Images(torch::Tensor whole) : whole_(std::move(whole)) {}

Images Images::reordered(const std::vector<std::int64_t>& order) const {
  if (!store_) return Images(whole_.index_select(0, torch::tensor(order, torch::kInt64)));
  Images other = *this;
  std::transform(order.begin(), order.end(), other.places_.begin(),
                 [this](std::int64_t i) { return places_[static_cast<std::size_t>(i)]; });
  return other;
}

std::int64_t Images::count() const {
  return store_ ? static_cast<std::int64_t>(places_.size()) : whole_.size(0);
}

std::int64_t Images::size() const {
  return store_ ? store_->size() : whole_.size(2);
}

torch::Tensor Images::operator[](std::int64_t image) const {
  return store_ ? kept_->get(*store_, places_[static_cast<std::size_t>(image)]) : whole_[image];
}

void Images::copy_window(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t side, float* to) const {
  if (store_) {
    store_->copy_window(places_[static_cast<std::size_t>(image)], y, x, side, to);
    return;
  }
  const std::int64_t size = whole_.size(2);
  const float* const from = whole_.data_ptr<float>() + image * 3 * size * size;
  for (std::int64_t c = 0; c < 3; ++c) {
    for (std::int64_t v = 0; v < side; ++v, to += side)
      std::memcpy(to, from + (c * size + y + v) * size + x, static_cast<std::size_t>(side) * sizeof(float));
  }
}

bool Images::unwritten() const {
  return !kept_ || kept_->unwritten(*store_);
}

}  // namespace nbs::training
