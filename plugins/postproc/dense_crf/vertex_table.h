// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace nbs::crf {

/// Numbers lattice vertices by their packed keys: open addressing, linear probing, at most half full. Vertex 0 is the
/// empty one; numbers start from 1 in order of insertion.
class VertexTable {
 public:
  /// Forgets all vertices and keeps the memory.
  void clear() {
    if (slots_.empty()) slots_.resize(1 << 12);
    std::fill(slots_.begin(), slots_.end(), Slot{0, 0});
    keys_.assign(1, 0);
    set_shift();
  }

  std::int64_t size() const { return static_cast<std::int64_t>(keys_.size()) - 1; }
  std::int64_t key(std::int32_t vertex) const { return keys_[static_cast<std::size_t>(vertex)]; }

  /// The vertex of `key`, or 0.
  std::int32_t find(std::int64_t key) const { return slots_[slot_of(key)].vertex; }

  /// The vertex of `key`, a new one if there is none.
  std::int32_t insert(std::int64_t key) {
    Slot* slot = &slots_[slot_of(key)];
    if (slot->vertex != 0) return slot->vertex;
    if (2 * keys_.size() > slots_.size()) {
      grow();
      slot = &slots_[slot_of(key)];
    }
    *slot = {key, static_cast<std::int32_t>(keys_.size())};
    keys_.push_back(key);
    return slot->vertex;
  }

 private:
  struct Slot {
    std::int64_t key;
    std::int32_t vertex;
  };

  // The slot that holds `key`, or the empty one where it belongs.
  std::size_t slot_of(std::int64_t key) const {
    std::size_t slot = static_cast<std::size_t>((static_cast<std::uint64_t>(key) * 0x9E3779B97F4A7C15ULL) >> shift_);
    while (slots_[slot].vertex != 0 && slots_[slot].key != key)
      slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  void set_shift() {
    shift_ = 64;
    for (std::size_t size = slots_.size(); size > 1; size /= 2)
      --shift_;
  }

  void grow() {
    slots_.assign(2 * slots_.size(), Slot{0, 0});
    set_shift();
    for (std::size_t vertex = 1; vertex < keys_.size(); ++vertex)
      slots_[slot_of(keys_[vertex])] = {keys_[vertex], static_cast<std::int32_t>(vertex)};
  }

  std::vector<Slot> slots_;
  std::vector<std::int64_t> keys_;
  int shift_ = 64;
};

}  // namespace nbs::crf
