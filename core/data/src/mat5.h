// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// MATLAB 5 files (save -v6 and -v7), as "MAT-File Format" by The MathWorks describes them. Every length that a file
// states is held against the bytes that are there before anything is read or reserved, so that a damaged file is
// refused and nothing else.

namespace nbs::data {

/// A real matrix of numbers, as the file holds it.
class Matrix {
 public:
  Matrix() = default;
  /// `bytes` holds rows * columns numbers of the element type `type`, by column; `swapped`: in the other byte order.
  Matrix(std::int64_t rows, std::int64_t columns, std::uint32_t type, bool swapped, std::vector<unsigned char> bytes)
      : rows_(rows), columns_(columns), type_(type), swapped_(swapped), bytes_(std::move(bytes)) {}

  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  /// 0 <= row < rows(), 0 <= column < columns().
  double at(std::int64_t row, std::int64_t column) const;

 private:
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  std::uint32_t type_ = 0;
  bool swapped_ = false;
  std::vector<unsigned char> bytes_;
};

/// What a look for a matrix in a MATLAB 5 file came to.
struct MatrixSearch {
  enum class Outcome {
    found,
    absent,     ///< the file is whole, but has no such real matrix of numbers
    cut_short,  ///< an element ends behind the end of the file
    damaged,    ///< an element contradicts itself, or its compressed bytes cannot be restored
    too_large,  ///< more than can be meant: restored, an element has more than 1 GiB
    matlab4,    ///< another format
    matlab73,   ///< another format: HDF5
    foreign     ///< no MATLAB file
  };
  Outcome outcome = Outcome::absent;
  Matrix matrix;
};

/// The field `field` of the 1 x 1 struct `variable`. `bytes` is the whole file. Both byte orders are read.
MatrixSearch find_matrix(const std::string& bytes, const std::string& variable, const std::string& field);

/// The bytes of a MATLAB 5 file with one struct `variable` with one field: a matrix of 8-bit unsigned numbers, which
/// are given by column. rows * columns = values.size() >= 1.
std::string matlab5_bytes(const std::string& variable, const std::string& field, std::int64_t rows,
                          std::int64_t columns, const std::vector<std::uint8_t>& values);

}  // namespace nbs::data
