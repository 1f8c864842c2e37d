// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/safetensors.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nbs/base/hash.h"
#include "nbs/error.h"
#include "nbs/tensor.h"

namespace nbs::training {

namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the numbers are written as they lie in memory");

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kLargestHeader = 16U << 20U;
constexpr std::size_t kLargestRank = 16;

constexpr std::array<std::pair<const char*, torch::ScalarType>, 10> kTypes = {{{"F64", torch::kFloat64},
                                                                               {"F32", torch::kFloat32},
                                                                               {"F16", torch::kFloat16},
                                                                               {"BF16", torch::kBFloat16},
                                                                               {"I64", torch::kInt64},
                                                                               {"I32", torch::kInt32},
                                                                               {"I16", torch::kInt16},
                                                                               {"I8", torch::kInt8},
                                                                               {"U8", torch::kUInt8},
                                                                               {"BOOL", torch::kBool}}};

const char* name_of(torch::ScalarType type) {
  const auto* const at =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& pair) { return pair.second == type; });
  return at->first;  // State holds no other
}

// A tensor as the header says it.
struct Entry {
  std::string name;
  torch::ScalarType type = torch::kFloat32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// One file while it is read: what every error needs.
class Reader {
 public:
  Reader(const std::string& bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  State read() {
    const auto header = parse_header();
    auto entries = entries_of(header);
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    std::uint64_t place = 0;
    for (const auto& entry : entries) {
      if (entry.begin != place) {
        damaged(fmt::format("the tensor \"{}\" begins at byte {}, but the one before ends at {}", entry.name,
                            entry.begin, place));
      }
      place = entry.end;
    }
    const std::uint64_t there = bytes_.size() - data_;
    if (place != there) damaged(fmt::format("its tensors have {} bytes, but {} are there", place, there));
    check_hash(header);
    State state;
    state.set_origin(file_);
    for (const auto& entry : entries)
      state.write(entry.name, tensor_of(entry));
    return state;
  }

 private:
  using Json = nlohmann::json;

  [[noreturn]] void damaged(const std::string& reason) const {
    throw Error(fmt::format("the model file {} is damaged: {}; copy it again, or train again", file_, reason));
  }

  Json parse_header() {
    if (bytes_.size() < kLengthBytes)
      damaged(fmt::format("it has {} bytes, but the length of its header alone takes {}", bytes_.size(), kLengthBytes));
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), kLengthBytes);
    const std::uint64_t left = bytes_.size() - kLengthBytes;
    if (length > left) damaged(fmt::format("its header should have {} bytes, but only {} are there", length, left));
    if (length > kLargestHeader)
      damaged(fmt::format("its header has {} bytes, but at most {} are read", length, kLargestHeader));
    data_ = kLengthBytes + static_cast<std::size_t>(length);
    std::set<std::string> names;
    std::string twice;
    bool deep = false;
    // Of two equal keys the parser would silently keep the last.
    const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
      if (depth > 4) deep = true;
      if (depth == 1 && event == Json::parse_event_t::key && !names.insert(parsed.get<std::string>()).second)
        twice = parsed.get<std::string>();
      return !deep;
    };
    Json header;
    try {
      header = Json::parse(bytes_.begin() + kLengthBytes, bytes_.begin() + static_cast<std::ptrdiff_t>(data_), watch);
    } catch (const Json::exception&) {
      damaged("its header cannot be read");
    }
    if (deep || !header.is_object()) damaged("its header is not a list of tensors");
    if (!twice.empty()) damaged(fmt::format("it has two tensors \"{}\"", twice));
    return header;
  }

  // A number of the header that must be an integer of at least 0.
  std::uint64_t unsigned_of(const Json& value, const std::string& name, const char* what) const {
    if (!value.is_number_unsigned()) damaged(fmt::format("{} of the tensor \"{}\" is no integer from 0", what, name));
    return value.get<std::uint64_t>();
  }

  Entry entry_of(const std::string& name, const Json& json) const {
    for (const char* key : {"dtype", "shape", "data_offsets"}) {
      if (!json.is_object() || !json.contains(key)) damaged(fmt::format("the tensor \"{}\" has no {}", name, key));
    }
    Entry entry;
    entry.name = name;
    const auto& type = json.at("dtype");
    const auto* const known =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& pair) { return type == pair.first; });
    if (known == kTypes.end()) damaged(fmt::format("the tensor \"{}\" is of the unknown type {}", name, text_of(type)));
    entry.type = known->second;
    const auto& shape = json.at("shape");
    if (!shape.is_array() || shape.size() > kLargestRank)
      damaged(fmt::format("the shape of the tensor \"{}\" is no list of at most {} integers", name, kLargestRank));
    // Dimensions of 0 aside, so that the others cannot overflow unseen behind one.
    std::uint64_t extent = c10::elementSize(entry.type);
    bool empty = false;
    for (const auto& dimension : shape) {
      const auto size = unsigned_of(dimension, name, "the shape");
      constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
      if (size > kMost / extent) damaged(fmt::format("the tensor \"{}\" is larger than any memory", name));
      entry.shape.push_back(static_cast<std::int64_t>(size));
      if (size == 0) empty = true;
      extent *= std::max<std::uint64_t>(size, 1);
    }
    if (empty) extent = 0;
    const auto& offsets = json.at("data_offsets");
    if (!offsets.is_array() || offsets.size() != 2)
      damaged(fmt::format("the tensor \"{}\" has no place for its numbers", name));
    entry.begin = unsigned_of(offsets[0], name, "the place");
    entry.end = unsigned_of(offsets[1], name, "the place");
    const std::uint64_t there = bytes_.size() - data_;
    if (entry.begin > entry.end || entry.end > there) {
      damaged(fmt::format("the tensor \"{}\" lies at bytes {} to {}, but {} are there", name, entry.begin, entry.end,
                          there));
    }
    if (entry.end - entry.begin != extent) {
      damaged(fmt::format("the tensor \"{}\" has {} bytes, but its type and shape make {}", name,
                          entry.end - entry.begin, extent));
    }
    return entry;
  }

  std::vector<Entry> entries_of(const Json& header) const {
    std::vector<Entry> entries;
    for (const auto& [name, json] : header.items()) {
      if (name != "__metadata__") entries.push_back(entry_of(name, json));
    }
    return entries;
  }

  void check_hash(const Json& header) const {
    std::string noted;
    if (header.contains("__metadata__")) {
      const auto& metadata = header.at("__metadata__");
      if (metadata.is_object() && metadata.contains("sha256") && metadata.at("sha256").is_string())
        noted = metadata.at("sha256").get<std::string>();
    }
    if (noted.empty()) damaged("its header has no SHA-256 of the numbers, so it was not written by nbs");
    const auto found = sha256(bytes_.substr(data_));
    if (found != noted)
      damaged(fmt::format("its numbers have the SHA-256 {}, but its header says {}", found, text_of(noted)));
  }

  torch::Tensor tensor_of(const Entry& entry) const {
    auto tensor = torch::empty(entry.shape, entry.type);
    const char* const from = bytes_.data() + data_ + entry.begin;
    if (entry.type == torch::kBool &&
        std::any_of(from, from + (entry.end - entry.begin), [](char c) { return c > 1 || c < 0; }))
      damaged(fmt::format("the tensor \"{}\" holds a truth value that is neither 0 nor 1", entry.name));
    if (entry.end > entry.begin) std::memcpy(tensor.data_ptr(), from, entry.end - entry.begin);
    if (!State::all_finite(tensor)) {
      throw Error(
          fmt::format("the model file {} cannot be used: its tensor \"{}\" holds a value that is not finite; "
                      "train again",
                      file_, entry.name));
    }
    return tensor;
  }

  // JSON of anybody's for a sentence: printable, and not endless.
  static std::string text_of(const Json& json) {
    auto text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
    if (text.size() > 80) text = text.substr(0, 80) + "…";
    return text;
  }

  const std::string& bytes_;
  const std::string& file_;
  std::size_t data_ = 0;  // where the numbers begin
};

}  // namespace

std::string_view numbers_of(const torch::Tensor& tensor) {
  if (tensor.numel() == 0) return {};
  return {static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()};
}

std::string safetensors_header(const State& state) {
  Sha256 hash;
  std::size_t end = 0;
  nlohmann::ordered_json header;
  header["__metadata__"]["format"] = "nbs";
  header["__metadata__"]["sha256"] = "";
  for (const auto& [name, tensor] : state.tensors()) {
    const std::size_t begin = end;
    const auto numbers = numbers_of(tensor);
    hash.add(numbers);
    end += numbers.size();
    header[name] = {
        {"dtype", name_of(tensor.scalar_type())}, {"shape", tensor.sizes().vec()}, {"data_offsets", {begin, end}}};
  }
  header["__metadata__"]["sha256"] = hash.hexadecimal();
  auto text = header.dump();
  // The numbers begin at a multiple of 8.
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');
  const std::uint64_t length = text.size();
  if (length > kLargestHeader) {
    throw Error(fmt::format("there are {} tensors to save, more than a file can name; lower buffer.capacity",
                            state.tensors().size()));
  }
  return std::string(reinterpret_cast<const char*>(&length), kLengthBytes) + text;
}

std::string to_safetensors(const State& state) {
  auto bytes = safetensors_header(state);
  std::size_t length = bytes.size();
  for (const auto& [name, tensor] : state.tensors())
    length += tensor.nbytes();
  bytes.reserve(length);
  for (const auto& [name, tensor] : state.tensors())
    bytes.append(numbers_of(tensor));
  return bytes;
}

State from_safetensors(const std::string& bytes, const std::string& file) {
  return Reader(bytes, file).read();
}

}  // namespace nbs::training
