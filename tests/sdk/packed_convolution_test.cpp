// SPDX-License-Identifier: Apache-2.0
#include "nbs/packed_convolution.h"

#include <cmath>
#include <random>
#include <tuple>

#include <doctest/doctest.h>

using nbs::PackedConvolution;
using Numbers = std::vector<float>;

namespace {

constexpr float kUntouched = 1e30F;

Numbers random_numbers(std::int64_t count, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  Numbers numbers(static_cast<std::size_t>(count));
  for (auto& number : numbers)
    number = normal(engine);
  return numbers;
}

struct Case {
  PackedConvolution::Shape shape;
  std::int64_t in_side;
  Numbers weights, biases, in;
  PackedConvolution convolution;

  Case(const PackedConvolution::Shape& given, std::int64_t beyond)
      : shape(given),
        weights(random_numbers(shape.outputs * shape.kernel * shape.kernel * shape.inputs, 1)),
        biases(random_numbers(shape.outputs, 2)),
        convolution(shape) {
    convolution.pack(weights.data(), biases.data());
    in_side = convolution.input_side() + beyond;
    in = random_numbers(in_side * in_side * shape.inputs, 3);
  }
  // The definition, in double precision.
  double sum(std::int64_t y, std::int64_t x, std::int64_t o) const {
    double sum = biases[static_cast<std::size_t>(o)];
    for (std::int64_t ky = 0; ky < shape.kernel; ++ky) {
      for (std::int64_t kx = 0; kx < shape.kernel; ++kx) {
        for (std::int64_t i = 0; i < shape.inputs; ++i) {
          const auto at = ((y * shape.stride + ky) * in_side + x * shape.stride + kx) * shape.inputs + i;
          const auto weight = ((o * shape.kernel + ky) * shape.kernel + kx) * shape.inputs + i;
          sum += static_cast<double>(in[static_cast<std::size_t>(at)]) * weights[static_cast<std::size_t>(weight)];
        }
      }
    }
    return sum;
  }
};

// inputs, outputs, kernel, stride, side
const std::vector<PackedConvolution::Shape> kShapes = {{5, 16, 3, 2, 32}, {16, 32, 3, 2, 7},  {1, 1, 1, 1, 1},
                                                       {3, 17, 4, 2, 5},  {33, 48, 2, 1, 3},  {64, 9, 1, 1, 1},
                                                       {2, 3, 5, 3, 2},   {100, 31, 1, 1, 4}, {4, 70, 3, 1, 9}};

}  // namespace

TEST_CASE("a packed convolution is the sum of its definition, at the places asked for and nowhere else") {
  for (const auto& shape : kShapes) {
    for (const float slope : {0.0F, 0.2F, 1.0F}) {
      CAPTURE(shape.outputs);
      CAPTURE(shape.side);
      CAPTURE(slope);
      const Case given(shape, 1);
      const std::int64_t pixel = shape.outputs + 3;
      const std::int64_t row = shape.side * pixel + 5;
      Numbers out(static_cast<std::size_t>(shape.side * row), kUntouched);
      given.convolution.run(given.in.data(), given.in_side, slope, out.data(), row, pixel);
      std::int64_t written = 0;
      double worst = 0;
      for (std::int64_t y = 0; y < shape.side; ++y) {
        for (std::int64_t x = 0; x < shape.side; ++x) {
          for (std::int64_t o = 0; o < shape.outputs; ++o) {
            auto& found = out[static_cast<std::size_t>(y * row + x * pixel + o)];
            const double sum = given.sum(y, x, o);
            worst = std::max(worst, std::abs(found - (sum > 0 ? sum : slope * sum)));
            found = kUntouched;
            ++written;
          }
        }
      }
      CHECK(written == shape.side * shape.side * shape.outputs);
      CHECK(worst < 1e-4);
      CHECK(std::all_of(out.begin(), out.end(), [](float value) { return value == kUntouched; }));
    }
  }
}

TEST_CASE("a pixel has the same bits whatever is computed beside it") {
  for (const auto& shape : kShapes) {
    CAPTURE(shape.outputs);
    const Case given(shape, 0);
    Numbers whole(static_cast<std::size_t>(shape.side * shape.side * shape.outputs));
    given.convolution.run(given.in.data(), given.in_side, 1, whole.data(), shape.side * shape.outputs, shape.outputs);
    auto single = shape;
    single.side = 1;
    PackedConvolution one(single);
    one.pack(given.weights.data(), given.biases.data());
    for (std::int64_t y = 0; y < shape.side; ++y) {
      for (std::int64_t x = 0; x < shape.side; ++x) {
        Numbers pixel(static_cast<std::size_t>(shape.outputs));
        const auto* const in = given.in.data() + shape.stride * (y * given.in_side + x) * shape.inputs;
        one.run(in, given.in_side, 1, pixel.data(), 0, 0);
        const auto first = whole.begin() + (y * shape.side + x) * shape.outputs;
        CHECK(std::equal(pixel.begin(), pixel.end(), first));
      }
    }
  }
}

TEST_CASE("packing anew takes the place of the weights before") {
  Case given({3, 20, 2, 1, 4}, 0);
  given.weights = random_numbers(20 * 12, 8);
  given.biases = random_numbers(20, 9);
  given.convolution.pack(given.weights.data(), given.biases.data());
  Numbers out(4 * 4 * 20);
  given.convolution.run(given.in.data(), given.in_side, 1, out.data(), 80, 20);
  for (std::int64_t o = 0; o < 20; ++o)
    CHECK(out[static_cast<std::size_t>(80 + 20 + o)] == doctest::Approx(given.sum(1, 1, o)).epsilon(1e-4));
}
