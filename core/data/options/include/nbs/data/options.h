// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nbs/options.h"

// [data] and [augment] of a pipeline file. No OpenCV here: the front end reads this header too.

namespace nbs::data {

/// Layouts of a data set on disk, and generated images.
enum class Format { crackforest, mvtec, nanotwice, folder, synthetic };
inline ChoiceNames<Format> formats() {
  return {{"crackforest", Format::crackforest},
          {"mvtec", Format::mvtec},
          {"nanotwice", Format::nanotwice},
          {"folder", Format::folder},
          {"synthetic", Format::synthetic}};
}

/// Surfaces that are generated; mixed: one of them for each seed.
enum class Surface { mixed, fabric, asphalt, metal, wood, tiles };
inline ChoiceNames<Surface> surfaces() {
  return {{"mixed", Surface::mixed}, {"fabric", Surface::fabric}, {"asphalt", Surface::asphalt},
          {"metal", Surface::metal}, {"wood", Surface::wood},     {"tiles", Surface::tiles}};
}

/// How images of any size become the squares of S x S pixels that networks see.
enum class Resize {
  square,  ///< resized to S x S, whatever their proportions
  keep,    ///< resized until the longer side is S; the rest is padding
  tiles    ///< seen in squares of S x S pixels of the file itself, which overlap
};
inline ChoiceNames<Resize> resizes() {
  return {{"square", Resize::square}, {"keep", Resize::keep}, {"tiles", Resize::tiles}};
}

/// [data]: which images, and which of them are labeled.
struct DataOptions {
  Format format = Format::synthetic;
  std::string root;
  std::string category;
  std::int64_t image_size = 256;
  Resize resize = Resize::square;
  double tile_overlap = 0.25;
  std::int64_t labeled = 5;
  std::int64_t split_seed = 0;
  std::int64_t min_anomalous = 1;
  std::vector<std::int64_t> anomalous_labels = {2};
  bool partial_masks = false;
  Surface surface = Surface::mixed;
  std::int64_t count = 24;
  std::int64_t auxiliary = 0;
  std::int64_t memory = 1024;

  // NOLINTNEXTLINE(readability-function-size): a list, one entry for each option
  static void declare(Schema<DataOptions>& s) {
    s.add("format", &DataOptions::format)
        .choices(formats())
        .doc("Layout of the data set on disk, or \"synthetic\" for generated images.");
    s.add("root", &DataOptions::root).path().doc("Folder of the data set; not used by \"synthetic\".");
    s.add("category", &DataOptions::category)
        .doc(
            "MVTec class: the folder below root, for example \"bottle\"; empty: root is the "
            "class's own folder.");
    s.add("image_size", &DataOptions::image_size)
        .range(16, 4096)
        .doc("S: networks see S x S pixels. Images are resized by area average, masks by nearest neighbor.");
    s.add("resize", &DataOptions::resize)
        .choices(resizes())
        .doc(
            "\"square\": images are resized to S x S, as in the paper. \"keep\": proportions are kept, the longer side "
            "becomes S, and the rest is padding that neither trains the predictor nor is scored. \"tiles\": images "
            "keep "
            "the resolution of their files and are seen in views of S x S pixels, whose maps are stitched.");
    s.add("tile_overlap", &DataOptions::tile_overlap)
        .range(0, 0.5)
        .doc("With resize = \"tiles\": the least overlap of neighboring views, as a share of S.");
    s.add("labeled", &DataOptions::labeled)
        .range(0, 100000)
        .doc("Images whose masks are given to training, drawn at random.");
    s.add("split_seed", &DataOptions::split_seed)
        .range(0, 9e15)
        .doc(
            "Seed of the draw of labeled images; apart from the run's seed, so that runs can "
            "share a split.");
    s.add("min_anomalous", &DataOptions::min_anomalous)
        .range(0, 100000)
        .doc(
            "At least so many labeled images show an anomaly: drawn ones that do not, the last first, are exchanged "
            "for "
            "the next in the random order that do.");
    s.add("anomalous_labels", &DataOptions::anomalous_labels)
        .range(0, 255)
        .doc(
            "CrackForest labels that count as anomalous: 1 road, 2 crack, 3 area enclosed by "
            "cracks, 4 thin detached "
            "pieces.");
    s.add("partial_masks", &DataOptions::partial_masks)
        .doc(
            "Format \"folder\": images without a mask are taken as unmarked. They are never labeled and not scored; "
            "off, they are an error where there is a folder of masks.");
    s.add("surface", &DataOptions::surface).choices(surfaces()).doc("Kind of surface that \"synthetic\" generates.");
    s.add("count", &DataOptions::count)
        .range(1, 10000000)
        .doc("Images that \"synthetic\" generates for the labeled and unlabeled sets together.");
    s.add("auxiliary", &DataOptions::auxiliary)
        .range(0, 10000000)
        .doc(
            "At most this many of the anomaly-free images that the data set keeps apart for "
            "training (MVTec "
            "train/good, NanoTWICE Normal) are read as well; for train.autoencoder_images = "
            "\"auxiliary\".");
    s.add("memory", &DataOptions::memory)
        .range(0, 1e9)
        .doc(
            "MiB of images, at a byte for each of the three colors of a pixel, that are held in memory. Where there "
            "are more, they are kept in a file in the cache folder; the results are the same.");
  }
};

/// [augment]: changes of training images (D' in Algorithm 1). Each image or patch draws its own.
struct AugmentOptions {
  bool flip = true;
  bool rotate90 = true;
  double brightness = 0;
  double contrast = 0;
  double color = 0;
  double noise = 0;
  bool color_patches = true;
  double rotation = 0;
  double scale = 0;
  double elastic = 0;

  static void declare(Schema<AugmentOptions>& s) {
    s.add("flip", &AugmentOptions::flip).doc("Random mirror images.");
    s.add("rotate90", &AugmentOptions::rotate90).doc("Random quarter turns.");
    s.add("brightness", &AugmentOptions::brightness)
        .range(0, 1)
        .doc("Largest shift of all channels together, in units of the full range.");
    s.add("contrast", &AugmentOptions::contrast)
        .range(0, 0.95)
        .doc("Largest relative change of contrast about the mean.");
    s.add("color", &AugmentOptions::color)
        .formerly("colour")
        .range(0, 1)
        .doc("Largest shift of each channel on its own, in units of the full range.");
    s.add("noise", &AugmentOptions::noise).range(0, 1).doc("Deviation of Gaussian noise, in units of the full range.");
    s.add("color_patches", &AugmentOptions::color_patches)
        .doc(
            "Whether brightness, contrast, color and noise change the autoencoder's patches, too, and not only the "
            "images that the predictor learns from.");
    s.add("rotation", &AugmentOptions::rotation)
        .range(0, 180)
        .doc("Largest rotation in degrees of what the predictor learns from.");
    s.add("scale", &AugmentOptions::scale)
        .range(0, 0.9)
        .doc("Largest relative change of size of what the predictor learns from.");
    s.add("elastic", &AugmentOptions::elastic)
        .range(0, 64)
        .doc("Deviation in pixels of a smooth random displacement of what the predictor learns from.");
  }
};

}  // namespace nbs::data
