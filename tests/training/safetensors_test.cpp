// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/safetensors.h"

#include <cstring>

#include "nbs/base/hash.h"

#include "error_text.h"
#include "fakes.h"

using doctest::Contains;
using nbs::State;
using nbs::test::error_text;
using nbs::training::from_safetensors;
using nbs::training::to_safetensors;

namespace {

// A file with this header and these numbers; `HASH` in the header becomes their SHA-256.
std::string file_of(std::string header, const std::string& data) {
  const auto at = header.find("HASH");
  if (at != std::string::npos) header.replace(at, 4, nbs::sha256(data));
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i)
    bytes[static_cast<std::size_t>(i)] = static_cast<char>((header.size() >> (8 * i)) & 255U);
  return bytes + header + data;
}

// The header of one or more tensors.
std::string with(const std::string& tensors) {
  return R"({"__metadata__":{"sha256":"HASH"},)" + tensors + "}";
}

doctest::String refusal(const std::string& bytes) {
  return error_text([&] { from_safetensors(bytes, "m.safetensors"); });
}

State some_state() {
  State state;
  state.write("weights", torch::rand({2, 3}, nbs::make_generator(1)));
  state.write_integer("steps", 17);
  state.write("empty", torch::zeros({0, 4}));
  state.write("half", torch::rand({3}, nbs::make_generator(2)).to(torch::kFloat16));
  state.write("truth", torch::tensor({true, false}));
  return state;
}

}  // namespace

TEST_CASE("a safetensors file is laid out as its specification says") {
  State state;
  state.write("b", torch::tensor({1.0F, -2.0F}));
  state.write_integer("a", 258);
  // By hand: 1.0 is 0x3F800000, -2.0 is 0xC0000000, 258 is 0x0102; lowest byte first.
  const std::string data("\0\0\x80\x3F\0\0\0\xC0\x02\x01\0\0\0\0\0\0", 16);
  const auto bytes = to_safetensors(state);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  REQUIRE(bytes.size() == 8 + length + 16);
  CHECK(length % 8 == 0);
  CHECK(bytes.substr(8 + length) == data);
  auto header = bytes.substr(8, length);
  header.erase(header.find_last_not_of(' ') + 1);
  CHECK(header == R"({"__metadata__":{"format":"nbs","sha256":")" + nbs::sha256(data) +
                      R"("},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)" +
                      R"("a":{"dtype":"I64","shape":[],"data_offsets":[8,16]}})");
}

TEST_CASE("every type and shape comes back with every bit and in order") {
  const auto state = some_state();
  const auto back = from_safetensors(to_safetensors(state), "m.safetensors");
  CHECK(nbs::test::same(back, state));
  CHECK(back.origin() == "m.safetensors");
  CHECK(from_safetensors(to_safetensors(State()), "m").tensors().empty());
  // As another program might write it: another order of keys, more metadata, no filling.
  const auto foreign = file_of(
      R"({"x":{"shape":[1,2],"data_offsets":[0,8],"dtype":"F32"},"__metadata__":{"by":"hand","sha256":"HASH"}})",
      std::string(8, '\0'));
  CHECK(torch::equal(from_safetensors(foreign, "m").read("x", {1, 2}, torch::kFloat32), torch::zeros({1, 2})));
}

TEST_CASE("any single bit that flips and any end cut off is a sentence or is told by the names") {
  const auto state = some_state();
  const auto bytes = to_safetensors(state);
  // What a component does: it asks for each tensor by name, shape and type, and for no other.
  const auto read = [&](const std::string& changed) {
    const auto back = from_safetensors(changed, "m.safetensors");
    for (const auto& [name, value] : state.tensors())
      back.read(name, value.sizes(), value.scalar_type());
    back.require_all_read();
  };
  const auto unchanged = [&](const std::string& text) { return text == "no error"; };
  REQUIRE(unchanged(error_text([&] { read(bytes); }).c_str()));
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      const std::string said = error_text([&] { read(changed); }).c_str();
      // What names who wrote the file decides nothing.
      const bool label = i > bytes.find("format") - 2 && i < bytes.find("sha256") - 1;
      if (unchanged(said) && !label) ++accepted;
      if (said.find("frame #") != std::string::npos) ++accepted;
    }
  }
  CHECK(accepted == 0);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(refusal(bytes.substr(0, size)) == Contains("the model file m.safetensors is damaged"));
  CHECK(refusal(bytes + "x") == Contains("are there; copy it again, or train again"));
}

TEST_CASE("a header of anybody's making is checked before anything is read or taken from memory") {
  const std::string data(8, '\0');
  const std::string good = R"("x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  REQUIRE(refusal(file_of(with(good), data)) == "no error");
  CHECK(refusal("") == Contains("it has 0 bytes"));
  CHECK(refusal(std::string(8, '\xFF')) == Contains("should have 18446744073709551615 bytes, but only 0 are there"));
  CHECK(refusal(file_of("{", data)) == Contains("its header cannot be read"));
  CHECK(refusal(file_of("[]", data)) == Contains("its header is not a list of tensors"));
  CHECK(refusal(file_of(std::string(1000000, '['), data)) == Contains("header"));
  CHECK(refusal(file_of(with(good + "," + good), data)) == Contains("it has two tensors \"x\""));
  CHECK(refusal(file_of("{" + good + "}", data)) == Contains("has no SHA-256"));
  CHECK(refusal(file_of(R"({"__metadata__":{"sha256":"00"},)" + good + "}", data)) ==
        Contains("but its header says \"00\""));
  const auto tensor = [&](const std::string& fields) { return refusal(file_of(with("\"x\":" + fields), data)); };
  CHECK(tensor("5") == Contains("has no dtype"));
  CHECK(tensor(R"({"dtype":"F32","shape":[2]})") == Contains("has no data_offsets"));
  CHECK(tensor(R"({"dtype":"C64","shape":[1],"data_offsets":[0,8]})") == Contains("the unknown type \"C64\""));
  CHECK(tensor(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})") ==
        Contains("has 8 bytes, but its type and shape make 12"));
  CHECK(tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,9]})") == Contains("lies at bytes 0 to 9, but 8"));
  CHECK(tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})") == Contains("lies at bytes 8 to 0"));
  CHECK(tensor(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})") == Contains("is no integer from 0"));
  CHECK(tensor(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})") == Contains("is no integer from 0"));
  CHECK(tensor(R"({"dtype":"F32","shape":"2","data_offsets":[0,8]})") == Contains("no list"));
  CHECK(tensor(R"({"dtype":"F32","shape":[2],"data_offsets":8})") == Contains("no place"));
  CHECK(tensor(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]})") ==
        Contains("at most 16 integers"));
  // 2^62 x 4 is 2^64, which is 0 in 64 bits.
  CHECK(tensor(R"({"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]})") == Contains("any memory"));
  CHECK(tensor(R"({"dtype":"F32","shape":[0,4611686018427387904],"data_offsets":[0,0]})") == Contains("any memory"));
  CHECK(tensor(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]})") == Contains("any memory"));
  CHECK(tensor(R"({"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8]})") == Contains("no integer"));
  const std::string a = R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)";
  CHECK(refusal(file_of(with(a + R"("b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]})"), data)) ==
        Contains("the tensor \"b\" begins at byte 3, but the one before ends at 4"));
  CHECK(refusal(file_of(with(a + R"("b":{"dtype":"U8","shape":[3],"data_offsets":[5,8]})"), data)) ==
        Contains("begins at byte 5"));
  CHECK(refusal(file_of(with(a + R"("b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]})"), data)) ==
        Contains("its tensors have 7 bytes, but 8 are there"));
}

TEST_CASE("values that are no numbers are refused") {
  const std::string nan("\0\0\xC0\x7F", 4);
  CHECK(refusal(file_of(with(R"("x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})"), nan)) ==
        "the model file m.safetensors cannot be used: its tensor \"x\" holds a value that is not finite; train again");
  CHECK(refusal(file_of(with(R"("x":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]})"), "\x02")) ==
        Contains("neither 0 nor 1"));
}
