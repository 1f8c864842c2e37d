// SPDX-License-Identifier: Apache-2.0
#include "lattice.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "nbs/error.h"
#include "nbs/multiversion.h"

#include "lattice_step.h"

namespace nbs::crf {

namespace {

// What the placing of pixels needs, by value, so that the compiler may keep it in registers.
template <int D>
struct Axes {
  float levels;  // from values of planes to colors
  float sigma[D];
  float scale[D];
  std::int64_t offset[D];
  int shift[D];
};

// A block between its features and the walk over its simplices.
template <int D>
struct Located {
  alignas(64) std::uint64_t key[kLanes];              // of the simplex's first vertex; any where there is no pixel
  alignas(32) std::int32_t direction[D + 1][kLanes];  // from vertex k - 1 to vertex k; [0] is not used
};

// Where in the image the pixels of a block are. The next block has the next pixel of each lane.
struct Positions {
  Floats x;
  Floats y;

  Positions(const Segments& segments, std::int64_t width) {
    for (int l = 0; l < kLanes; ++l) {
      const std::int64_t row = segments.pixel(0, l) / width;
      x[l] = static_cast<float>(segments.pixel(0, l) % width);
      y[l] = static_cast<float>(row);
    }
  }

  void advance(std::int64_t width) {
    for (int l = 0; l < kLanes; ++l) {
      x[l] += 1;
      if (x[l] == static_cast<float>(width)) {
        x[l] = 0;
        y[l] += 1;
      }
    }
  }
};

// Lanes from `count` on hold no pixel: they get the empty vertex.
template <int D>
void clear_from(int count, LatticeBlock<D>& block) {
  for (int k = 0; k <= D; ++k) {
    for (int l = count; l < kLanes; ++l) {
      block.vertex[k][l] = 0;
      block.weight[k][l] = 0;
    }
  }
}

// Adams et al. 2010, 3.1: the features go onto the plane sum(e) = 0 of D + 1 dimensions.
template <int D>
__attribute__((always_inline)) inline void elevate(const Floats (&features)[D], const Axes<D>& axes,
                                                   Floats (&elevated)[D + 1]) {
  Floats sum = {};
  for (int j = D; j >= 1; --j) {
    // In just these steps, without fused ones (the build sees to that), because the widely used implementation has
    // them: which vertices exist, and so the result, can hang on the last bit of a pixel between two simplices.
    const Floats value = j > 2 ? features[j - 1] * axes.levels : features[j - 1];
    const Floats scaled = value / axes.sigma[j - 1] * axes.scale[j - 1];
    elevated[j] = sum - static_cast<float>(j) * scaled;
    sum += scaled;
  }
  elevated[0] = sum;
}

// The same, 3.2: the nearest point whose coordinates are multiples of D + 1, and the order of the differences from it,
// give the simplex. Comparisons of vectors give -1 for true.
template <int D>
__attribute__((always_inline)) inline void locate(const Floats (&features)[D], const Axes<D>& axes, Located<D>& located,
                                                  LatticeBlock<D>& block) {
  Floats elevated[D + 1];
  elevate<D>(features, axes, elevated);
  constexpr float kInverse = 1.0F / (D + 1);
  constexpr float kMagic = 12582912.0F;  // adding it leaves the nearest integer in the low bits
  Ints base[D + 1];                      // in units of D + 1
  Ints excess = {};
  for (int i = 0; i <= D; ++i) {
    const Floats shifted = elevated[i] * kInverse + kMagic;
    elevated[i] -= (shifted - kMagic) * static_cast<float>(D + 1);
    base[i] = reinterpret_cast<const Ints&>(shifted) - 0x4B400000;
    excess += base[i];
  }
  // The rank of each difference, largest first.
  Ints rank[D + 1];
  for (int i = 0; i <= D; ++i)
    rank[i] = excess + i;
  for (int i = 0; i < D; ++i) {
    for (int j = i + 1; j <= D; ++j) {
      const Ints less = elevated[i] < elevated[j];
      rank[i] -= less;
      rank[j] += less;
    }
  }
  // Rounding may have left the plane: as many coordinates as it is off go one cell back.
  for (int l = 0; l < kLanes; ++l)
    located.key[l] = 0;
  for (int i = 0; i <= D; ++i) {
    const Ints up = (rank[i] > D) - (rank[i] < 0);
    rank[i] += up * (D + 1);
    base[i] += up;
    elevated[i] = (elevated[i] - __builtin_convertvector(up * (D + 1), Floats)) * kInverse;
    if (i == D) break;
    for (int l = 0; l < kLanes; ++l)
      located.key[l] += static_cast<std::uint64_t>(base[i][l] + axes.offset[i]) << axes.shift[i];
  }
  // Barycentric weights from the sorted differences; vertex k differs from k - 1 along the axis of rank D + 1 - k.
  Floats above = {};
  Floats largest = {};
  for (int r = D; r >= 0; --r) {
    Ints bits = {};
    Ints axis = {};
    for (int i = 0; i <= D; ++i) {
      const Ints here = rank[i] == r;
      bits |= here & reinterpret_cast<const Ints&>(elevated[i]);
      axis |= here & i;
    }
    const Floats value = reinterpret_cast<const Floats&>(bits);
    if (r == D) {
      largest = value;
    } else {
      block.weight[D - r] = value - above;
    }
    above = value;
    if (r > 0) *reinterpret_cast<Ints*>(located.direction[D + 1 - r]) = axis;
  }
  block.weight[0] = 1.0F + largest - above;
}

NBS_MULTIVERSION
void locate_plane(const Floats (&features)[2], const Axes<2>& axes, Located<2>& located, LatticeBlock<2>& block) {
  locate<2>(features, axes, located, block);
}
NBS_MULTIVERSION
void locate_color(const Floats (&features)[5], const Axes<5>& axes, Located<5>& located, LatticeBlock<5>& block) {
  locate<5>(features, axes, located, block);
}

NBS_MULTIVERSION
void find_range(const float* values, std::int64_t count, float& low, float& high) {
  float lows[kLanes];
  float highs[kLanes];
  for (int l = 0; l < kLanes; ++l)
    lows[l] = highs[l] = values[0];
  for (std::int64_t i = 0; i + kLanes <= count; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) {
      lows[l] = values[i + l] < lows[l] ? values[i + l] : lows[l];
      highs[l] = values[i + l] > highs[l] ? values[i + l] : highs[l];
    }
  }
  low = *std::min_element(lows, lows + kLanes);
  high = *std::max_element(highs, highs + kLanes);
  for (std::int64_t i = count / kLanes * kLanes; i < count; ++i) {
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
}

NBS_MULTIVERSION
void blur_direction(const float* from, const std::int32_t* next, const std::int32_t* previous, std::int64_t count,
                    float* to) {
  for (std::int64_t v = 0; v < count; ++v)
    to[v] = from[v] + 0.5F * (from[next[v]] + from[previous[v]]);
}

}  // namespace

template <int D>
void Lattice<D>::number_keys(const Image& image, const std::array<double, D>& sigmas) {
  double low[D] = {};
  double high[D] = {static_cast<double>(image.width - 1), static_cast<double>(image.height - 1)};
  for (int j = 0; j < D; ++j) {
    if (j >= 2) {
      float least = 0;
      float most = 0;
      find_range(image.planes + (j - 2) * image.pixels(), image.pixels(), least, most);
      low[j] = static_cast<double>(least) * image.levels;
      high[j] = static_cast<double>(most) * image.levels;
    }
    // A blur of kernel (1/2, 1, 1/2) along each direction has this standard deviation (Adams et al. 2010, 3.3).
    sigma_[j] = static_cast<float>(sigmas[j]);
    const auto deviation = static_cast<float>(std::sqrt(2.0 / 3.0) * (D + 1));
    scale_[j] = static_cast<float>(1 / std::sqrt((j + 1.0) * (j + 2.0)) * deviation);
    const double to_lattice = scale_[j] / sigmas[j];
    low[j] *= to_lattice;
    high[j] *= to_lattice;
  }
  // Beyond this, coordinates in single precision are too coarse for the weights.
  constexpr double kFarthest = 32767;
  int used = 3;  // the lowest three bits tell which of the D + 1 residues a vertex has
  bool too_far = false;
  for (int i = 0; i < D && !too_far; ++i) {
    double least = i > 0 ? -i * high[i - 1] : 0;
    double most = i > 0 ? -i * low[i - 1] : 0;
    for (int j = i; j < D; ++j) {
      least += low[j];
      most += high[j];
    }
    too_far = !(least > -kFarthest && most < kFarthest);
    if (too_far) break;
    // 3 more on each side: rounding, the corners of the simplex, and the neighbors of the blur.
    const auto first = static_cast<std::int64_t>(std::floor(least / (D + 1))) - 3;
    const auto last = static_cast<std::int64_t>(std::ceil(most / (D + 1))) + 3;
    offset_[i] = -first;
    shift_[i] = used;
    while ((last - first) >> (used - shift_[i]) != 0)
      ++used;
  }
  // The last coordinate follows from the others, but its range must hold as well: e[D] = -D times the last feature.
  too_far = too_far || !(std::max(std::abs(D * low[D - 1]), std::abs(D * high[D - 1])) < kFarthest);
  if (too_far || used > 63) {
    std::string list;
    for (const double sigma : sigmas)
      list += (list.empty() ? "" : ", ") + std::to_string(sigma);
    throw Error("the CRF's sigmas (" + list + ") are too small for an image of " + std::to_string(image.width) + " x " +
                std::to_string(image.height) + " pixels: the lattice's vertices cannot be numbered; use larger ones");
  }
}

template <int D>
std::int64_t Lattice<D>::key_of_step(std::int64_t key, int direction) const {
  // +1 on every coordinate and -(D + 1) on one; with coordinates kept as multiples of D + 1 and a common residue.
  std::int64_t next = key + 1;
  if ((key & 7) == D) {
    next -= D + 1;
    for (int i = 0; i < D; ++i)
      next += std::int64_t{1} << shift_[i];
  }
  return direction < D ? next - (std::int64_t{1} << shift_[direction]) : next;
}

template <int D>
std::int32_t Lattice<D>::step(std::int32_t vertex, int direction) {
  const std::int32_t to = table_.insert(key_of_step(table_.key(vertex), direction));
  steps_.resize(static_cast<std::size_t>(table_.size() + 1) * kStride);
  steps_[static_cast<std::size_t>(vertex) * kStride + direction] = to;
  return to;
}

template <int D>
void Lattice<D>::place(const Image& image) {
  Axes<D> axes;
  axes.levels = image.levels;
  for (int j = 0; j < D; ++j) {
    axes.sigma[j] = sigma_[j];
    axes.scale[j] = scale_[j];
    axes.offset[j] = offset_[j];
    axes.shift[j] = shift_[j];
  }
  segments_ = Segments(image.pixels());
  const std::int64_t pixels = image.pixels();
  blocks_.resize(static_cast<std::size_t>(segments_.blocks()));
  table_.clear();
  steps_.assign(kStride, 0);
  Positions positions(segments_, image.width);
  std::int64_t last_key[kLanes];
  std::int32_t last_vertex[kLanes] = {};
  std::fill_n(last_key, kLanes, -1);
  for (std::int64_t b = 0; b < segments_.blocks(); ++b) {
    Block& block = blocks_[b];
    const int count = segments_.count(b);
    Floats features[D] = {positions.x, positions.y};
    for (int j = 2; j < D; ++j) {
      const float* const plane = image.planes + (j - 2) * pixels;
      for (int l = 0; l < count; ++l)
        features[j][l] = plane[segments_.pixel(b, l)];
    }
    positions.advance(image.width);
    Located<D> located;
    if constexpr (D == 2) {
      locate_plane(features, axes, located, block);
    } else {
      locate_color(features, axes, located, block);
    }
    // One look-up finds a simplex's first vertex; the others follow along known steps, and a step that is not known yet
    // costs a look-up once.
    for (int l = 0; l < count; ++l) {
      const auto key = static_cast<std::int64_t>(located.key[l]);
      if (key != last_key[l]) {
        last_key[l] = key;
        last_vertex[l] = table_.insert(last_key[l]);
      }
      block.vertex[0][l] = last_vertex[l];
    }
    steps_.resize(static_cast<std::size_t>(table_.size() + 1) * kStride);
    for (int k = 1; k <= D; ++k) {
      for (int l = 0; l < count; ++l) {
        const std::int32_t from = block.vertex[k - 1][l];
        std::int32_t to = steps_[static_cast<std::size_t>(from) * kStride + located.direction[k][l]];
        if (__builtin_expect(to == 0, 0)) to = step(from, located.direction[k][l]);
        block.vertex[k][l] = to;
      }
    }
    clear_from(count, block);
  }
}

template <int D>
void Lattice<D>::connect() {
  const auto count = static_cast<std::size_t>(table_.size() + 1);
  next_.resize((D + 1) * count);
  previous_.assign((D + 1) * count, 0);
  for (int j = 0; j <= D; ++j) {
    std::int32_t* const next = next_.data() + j * count;
    std::int32_t* const previous = previous_.data() + j * count;
    next[0] = 0;
    for (std::size_t v = 1; v < count; ++v) {
      std::int32_t to = steps_[v * kStride + j];
      if (to == 0) to = table_.find(key_of_step(table_.key(static_cast<std::int32_t>(v)), j));
      next[v] = to;
      previous[to] = static_cast<std::int32_t>(v);
    }
    previous[0] = 0;
  }
}

template <int D>
void Lattice<D>::build(const Image& image, const std::array<double, D>& sigmas) {
  number_keys(image, sigmas);
  place(image);
  connect();
}

template <int D>
float* Lattice<D>::blur(float* values, float* scratch) const {
  const std::int64_t count = vertices() + 1;
  for (int j = 0; j <= D; ++j) {
    blur_direction(values, next_.data() + j * count, previous_.data() + j * count, count, scratch);
    scratch[0] = 0;
    std::swap(values, scratch);
  }
  return values;
}

template <int D>
void Lattice<D>::filter(const float* in, float* out) const {
  std::vector<float> values(static_cast<std::size_t>(vertices() + 1));
  std::vector<float> scratch(values.size());
  std::vector<float> lanes(static_cast<std::size_t>(segments_.size()));
  segments_.gather(in, lanes.data());
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    Floats part;
    std::copy_n(lanes.data() + b * kLanes, kLanes, reinterpret_cast<float*>(&part));
    splat(blocks_[b], part, values.data());
  }
  values[0] = 0;
  const float* const blurred = blur(values.data(), scratch.data());
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const Floats part = kGain * slice(blocks_[b], blurred);
    std::copy_n(reinterpret_cast<const float*>(&part), kLanes, lanes.data() + b * kLanes);
  }
  segments_.scatter(lanes.data(), out);
}

template class Lattice<2>;
template class Lattice<5>;

}  // namespace nbs::crf
