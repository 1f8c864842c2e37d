// SPDX-License-Identifier: Apache-2.0
#include "mat5.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#ifndef ZLIB_CONST
#define ZLIB_CONST
#endif
#include <zlib.h>

namespace nbs::data {

namespace {

using Outcome = MatrixSearch::Outcome;

constexpr std::size_t kHeader = 128;
constexpr std::size_t kMostRestored = std::size_t{1} << 30;
// A byte of deflate stands for at most 1032 (the zlib manual's technical details).
constexpr std::size_t kMostRatio = 1032;

// Types of elements.
enum Type : std::uint32_t {
  kInt8 = 1,
  kUint8 = 2,
  kInt16 = 3,
  kUint16 = 4,
  kInt32 = 5,
  kUint32 = 6,
  kSingle = 7,
  kDouble = 9,
  kInt64 = 12,
  kUint64 = 13,
  kMatrix = 14,
  kCompressed = 15,
  kUtf8 = 16
};

// Classes of arrays.
constexpr std::uint32_t kStructClass = 2;
constexpr std::uint32_t kFirstNumericClass = 6;  // double, single and the integers of 8 to 64 bits
constexpr std::uint32_t kLastNumericClass = 15;
constexpr std::uint32_t kComplexFlag = 0x0800;

// A stretch of bytes that are there.
struct Bytes {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
};

// Thrown inside this file only.
struct Refused {
  Outcome outcome;
};

struct Element {
  std::uint32_t type = 0;
  Bytes content;
};

// Takes elements from a stretch, one after the other.
class Elements {
 public:
  Elements(Bytes bytes, bool swapped) : bytes_(bytes), swapped_(swapped) {}

  bool at_end() const { return at_ >= bytes_.size; }

  // Throws Refused with `beyond` if the element ends behind the stretch.
  Element next(Outcome beyond = Outcome::damaged) {
    if (bytes_.size - at_ < 8) throw Refused{beyond};
    const std::uint32_t first = word(at_);
    Element element;
    std::size_t size = 0;
    std::size_t step = 0;
    if (first >> 16 != 0) {
      // The small form: length and type share a word, and the content is the next one.
      element.type = first & 0xFFFFU;
      size = first >> 16;
      if (size > 4) throw Refused{Outcome::damaged};
      element.content = {bytes_.data + at_ + 4, size};
      step = 8;
    } else {
      element.type = first;
      size = word(at_ + 4);
      if (size > bytes_.size - at_ - 8) throw Refused{beyond};
      element.content = {bytes_.data + at_ + 8, size};
      // All but compressed elements are padded; the padding of the last may be missing.
      step = 8 + (element.type == kCompressed ? size : (size + 7) / 8 * 8);
    }
    at_ = std::min(at_ + step, bytes_.size);
    return element;
  }

  std::uint32_t word(std::size_t at) const { return word_of(bytes_.data + at, swapped_); }

  static std::uint32_t word_of(const unsigned char* from, bool swapped) {
    unsigned char four[4];
    std::memcpy(four, from, sizeof four);
    if (swapped) std::reverse(four, four + 4);
    std::uint32_t value = 0;
    std::memcpy(&value, four, sizeof value);
    return value;
  }

 private:
  Bytes bytes_;
  bool swapped_;
  std::size_t at_ = 0;
};

// The element inside a compressed one, tag and all.
std::vector<unsigned char> restored(Bytes compressed, bool swapped) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw Refused{Outcome::damaged};
  struct End {
    z_stream* stream;
    ~End() { inflateEnd(stream); }
  } const end{&stream};
  stream.next_in = compressed.data;
  stream.avail_in = static_cast<uInt>(compressed.size);
  std::vector<unsigned char> bytes(8);
  const auto inflate_all = [&](std::size_t from) {
    // In blocks, so that no more is reserved than has come.
    while (from < bytes.size()) {
      stream.next_out = bytes.data() + from;
      stream.avail_out = static_cast<uInt>(std::min<std::size_t>(bytes.size() - from, 1U << 24));
      const std::size_t wanted = stream.avail_out;
      const int state = inflate(&stream, Z_NO_FLUSH);
      from += wanted - stream.avail_out;
      if (state == Z_STREAM_END ? from < bytes.size() : (state != Z_OK || stream.avail_out == wanted))
        throw Refused{Outcome::damaged};
    }
  };
  inflate_all(0);
  const std::uint32_t first = Elements::word_of(bytes.data(), swapped);
  const std::size_t size = first >> 16 != 0 ? 0 : Elements::word_of(bytes.data() + 4, swapped);
  if (size > kMostRestored) throw Refused{Outcome::too_large};
  if (size / kMostRatio > compressed.size) throw Refused{Outcome::damaged};
  bytes.resize(8 + size);
  inflate_all(8);
  // To the end of the stream, where its checksum is. Padding may follow the element, nothing else.
  for (int state = Z_OK; state != Z_STREAM_END;) {
    unsigned char padding[8];
    stream.next_out = padding;
    stream.avail_out = sizeof padding;
    state = inflate(&stream, Z_NO_FLUSH);
    if ((state != Z_OK && state != Z_STREAM_END) || stream.avail_out == 0) throw Refused{Outcome::damaged};
  }
  return bytes;
}

template <typename Number>
double number_at(const unsigned char* from, bool swapped) {
  unsigned char bytes[sizeof(Number)];
  std::memcpy(bytes, from, sizeof bytes);
  if (swapped) std::reverse(bytes, bytes + sizeof bytes);
  Number number;
  std::memcpy(&number, bytes, sizeof number);
  return static_cast<double>(number);
}

double number_of_type(std::uint32_t type, const unsigned char* from, bool swapped) {
  switch (type) {
    case kInt8:
      return number_at<std::int8_t>(from, swapped);
    case kUint8:
      return number_at<std::uint8_t>(from, swapped);
    case kInt16:
      return number_at<std::int16_t>(from, swapped);
    case kUint16:
      return number_at<std::uint16_t>(from, swapped);
    case kInt32:
      return number_at<std::int32_t>(from, swapped);
    case kUint32:
      return number_at<std::uint32_t>(from, swapped);
    case kSingle:
      return number_at<float>(from, swapped);
    case kInt64:
      return number_at<std::int64_t>(from, swapped);
    case kUint64:
      return number_at<std::uint64_t>(from, swapped);
    default:
      return number_at<double>(from, swapped);
  }
}

std::size_t width_of(std::uint32_t type) {
  switch (type) {
    case kInt8:
    case kUint8:
      return 1;
    case kInt16:
    case kUint16:
      return 2;
    case kInt32:
    case kUint32:
    case kSingle:
      return 4;
    case kDouble:
    case kInt64:
    case kUint64:
      return 8;
    default:
      return 0;
  }
}

// What all arrays begin with.
struct Array {
  std::uint32_t class_type = 0;
  bool is_complex = false;
  std::vector<std::int64_t> extents;
  std::string name;
};

bool is_text(const Element& element) {
  return element.type == kInt8 || element.type == kUint8 || element.type == kUtf8;
}

Array array_head(Elements& elements, bool swapped) {
  Array array;
  const Element flags = elements.next();
  if (flags.type != kUint32 || flags.content.size != 8) throw Refused{Outcome::damaged};
  const std::uint32_t word = Elements::word_of(flags.content.data, swapped);
  array.class_type = word & 0xFFU;
  array.is_complex = (word & kComplexFlag) != 0;
  const Element extents = elements.next();
  if (extents.type != kInt32 || extents.content.size < 8 || extents.content.size % 4 != 0)
    throw Refused{Outcome::damaged};
  for (std::size_t at = 0; at < extents.content.size; at += 4) {
    const std::uint32_t extent = Elements::word_of(extents.content.data + at, swapped);
    if (extent > static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max())) throw Refused{Outcome::damaged};
    array.extents.push_back(extent);
  }
  const Element name = elements.next();
  if (!is_text(name)) throw Refused{Outcome::damaged};
  array.name.assign(reinterpret_cast<const char*>(name.content.data), name.content.size);
  return array;
}

std::optional<Matrix> matrix_of(const Element& element, bool swapped) {
  if (element.type != kMatrix) throw Refused{Outcome::damaged};
  if (element.content.size == 0) return std::nullopt;  // an empty array
  Elements inside(element.content, swapped);
  const Array array = array_head(inside, swapped);
  if (array.class_type < kFirstNumericClass || array.class_type > kLastNumericClass || array.is_complex ||
      array.extents.size() != 2 || array.extents[0] == 0 || array.extents[1] == 0)
    return std::nullopt;
  // MATLAB stores numbers in the smallest type that holds them, whatever the class of the array.
  const Element numbers = inside.next();
  const std::size_t width = width_of(numbers.type);
  // Extents have 31 bits each, so the product has no more than 62.
  const auto count = static_cast<std::size_t>(array.extents[0] * array.extents[1]);
  if (width == 0 || numbers.content.size % width != 0 || numbers.content.size / width != count)
    throw Refused{Outcome::damaged};
  const Bytes& bytes = numbers.content;
  return Matrix(array.extents[0], array.extents[1], numbers.type, swapped,
                std::vector<unsigned char>(bytes.data, bytes.data + bytes.size));
}

// The field of an array that is a 1 x 1 struct of the wanted name.
std::optional<Matrix> field_of(Bytes content, bool swapped, const std::string& variable, const std::string& field) {
  Elements inside(content, swapped);
  const Array array = array_head(inside, swapped);
  if (array.name != variable || array.class_type != kStructClass) return std::nullopt;
  if (array.extents != std::vector<std::int64_t>{1, 1}) return std::nullopt;
  const Element length = inside.next();
  if (length.type != kInt32 || length.content.size != 4) throw Refused{Outcome::damaged};
  const std::size_t width = Elements::word_of(length.content.data, swapped);
  const Element names = inside.next();
  if (!is_text(names) || width == 0 || names.content.size % width != 0) throw Refused{Outcome::damaged};
  for (std::size_t at = 0; at < names.content.size; at += width) {
    const char* const name = reinterpret_cast<const char*>(names.content.data) + at;
    const Element value = inside.next();
    if (std::string(name, strnlen(name, width)) == field) return matrix_of(value, swapped);
  }
  return std::nullopt;
}

MatrixSearch search(const std::string& bytes, const std::string& variable, const std::string& field) {
  const auto* const data = reinterpret_cast<const unsigned char*>(bytes.data());
  if (bytes.find("\x89HDF\r\n\x1a\n") <= 2048) return {Outcome::matlab73, {}};
  // MATLAB 4 begins with the number MOPT below 5000 (M the machine, O always 0, P the type, T the kind); later versions
  // with text.
  if (bytes.size() >= 20 && (Elements::word_of(data, false) < 5000 || Elements::word_of(data, true) < 5000))
    return {Outcome::matlab4, {}};
  if (bytes.size() < kHeader) return {Outcome::foreign, {}};
  const bool swapped = bytes.compare(126, 2, "MI") == 0;
  if (!swapped && bytes.compare(126, 2, "IM") != 0) return {Outcome::foreign, {}};
  if (data[swapped ? 124 : 125] != 1) return {Outcome::foreign, {}};
  const Bytes body{data + kHeader, bytes.size() - kHeader};
  // First whether all elements are there.
  for (Elements elements(body, swapped); !elements.at_end();)
    elements.next(Outcome::cut_short);
  for (Elements elements(body, swapped); !elements.at_end();) {
    const Element element = elements.next();
    std::vector<unsigned char> held;
    Bytes content = element.content;
    if (element.type == kCompressed) {
      held = restored(element.content, swapped);
      const Element inside = Elements({held.data(), held.size()}, swapped).next();
      if (inside.type != kMatrix) continue;
      content = inside.content;
    } else if (element.type != kMatrix) {
      continue;  // what a later version may add
    }
    if (content.size == 0) continue;
    if (auto matrix = field_of(content, swapped, variable, field)) return {Outcome::found, std::move(*matrix)};
  }
  return {Outcome::absent, {}};
}

// Writing, in this machine's byte order.

void put_word(std::string& to, std::uint32_t word) {
  char bytes[4];
  std::memcpy(bytes, &word, sizeof bytes);
  to.append(bytes, sizeof bytes);
}

std::string element(std::uint32_t type, const std::string& content) {
  std::string bytes;
  put_word(bytes, type);
  put_word(bytes, static_cast<std::uint32_t>(content.size()));
  bytes += content;
  bytes.append((8 - bytes.size() % 8) % 8, '\0');
  return bytes;
}

std::string words(std::initializer_list<std::uint32_t> all) {
  std::string bytes;
  for (const auto word : all)
    put_word(bytes, word);
  return bytes;
}

std::string array_head_bytes(std::uint32_t class_type, std::int64_t rows, std::int64_t columns,
                             const std::string& name) {
  return element(kUint32, words({class_type, 0})) +
         element(kInt32, words({static_cast<std::uint32_t>(rows), static_cast<std::uint32_t>(columns)})) +
         element(kInt8, name);
}

}  // namespace

double Matrix::at(std::int64_t row, std::int64_t column) const {
  const auto index = static_cast<std::size_t>(column * rows_ + row);
  return number_of_type(type_, bytes_.data() + index * width_of(type_), swapped_);
}

MatrixSearch find_matrix(const std::string& bytes, const std::string& variable, const std::string& field) {
  try {
    return search(bytes, variable, field);
  } catch (const Refused& refused) {
    return {refused.outcome, {}};
  }
}

std::string matlab5_bytes(const std::string& variable, const std::string& field, std::int64_t rows,
                          std::int64_t columns, const std::vector<std::uint8_t>& values) {
  constexpr std::uint32_t kUint8Class = 9;
  constexpr std::size_t kFieldName = 32;  // with the zero at its end, and as MATLAB has it
  std::string field_name = field.substr(0, kFieldName - 1);
  field_name.resize(kFieldName, '\0');
  const std::string matrix = array_head_bytes(kUint8Class, rows, columns, "") +
                             element(kUint8, std::string(reinterpret_cast<const char*>(values.data()), values.size()));
  // The length of field names is in the small form, as MATLAB writes it.
  const std::string content = array_head_bytes(kStructClass, 1, 1, variable) + words({4U << 16 | kInt32, kFieldName}) +
                              element(kInt8, field_name) + element(kMatrix, matrix);
  std::string header = "MATLAB 5.0 MAT-file, written by nbs";
  header.resize(116, ' ');
  header.resize(124, '\0');
  const std::uint16_t marks[2] = {0x0100, 0x4D49};  // version 1.0; "IM" or "MI" by the byte order
  header.append(reinterpret_cast<const char*>(marks), sizeof marks);
  return header + element(kMatrix, content);
}

}  // namespace nbs::data
