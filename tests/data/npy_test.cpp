// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/npy.h"

#include <string>

#include <doctest/doctest.h>

#include "error_text.h"
#include "mutation.h"
#include "scratch.h"

using namespace nbs;
using doctest::Contains;

namespace {

// A .npy file as NumPy writes it: the header's dictionary padded with spaces to a multiple of 64 bytes.
std::string numpy_file(const std::string& dictionary, const std::string& values, char major = 1) {
  std::string header = dictionary;
  while ((10 + header.size() + 1) % 64 != 0)
    header += ' ';
  header += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += major;
  bytes += '\0';
  bytes += static_cast<char>(header.size() % 256);
  bytes += static_cast<char>(header.size() / 256);
  return bytes + header + values;
}

}  // namespace

TEST_CASE("what is written is, byte for byte, a .npy file of format 1.0") {
  const std::string golden = std::string("\x93NUMPY\x01\x00\x76\x00", 10) +
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1,2,), }" + std::string(58, ' ') +
                             "\n" + std::string("\x00\x00\x80\x3f\x00\x00\x00\xbf", 8);  // 1.0, -0.5
  const auto bytes = data::npy_bytes({1.0F, -0.5F}, {1, 2});
  CHECK(bytes.size() == 128 + 8);
  CHECK(bytes == golden);
}

TEST_CASE("what is written is read back, for any rank") {
  const test::Scratch scratch;
  for (const auto& shape : {std::vector<std::int64_t>{6}, {2, 3}, {1, 2, 3}, {3, 1, 2, 1}}) {
    const auto file = scratch.write("a.npy", data::npy_bytes({0.0F, 1.0F, -2.5F, 1e-30F, 3e38F, 0.1F}, shape));
    const auto array = data::read_npy(file);
    CHECK(array.shape == shape);
    REQUIRE(array.values.size() == 6);
    CHECK(array.values[2] == -2.5);
    CHECK(array.values[4] == static_cast<double>(3e38F));
    CHECK(array.values[5] == static_cast<double>(0.1F));
  }
  const auto empty = data::read_npy(scratch.write("b.npy", data::npy_bytes({}, {0, 4})));
  CHECK(empty.shape == std::vector<std::int64_t>{0, 4});
  CHECK(empty.values.empty());
}

TEST_CASE("NumPy's own float32, float64 and uint8 files are read") {
  const test::Scratch scratch;
  const auto f4 = scratch.write("f4.npy", numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
                                                     std::string("\x00\x00\x80\x3f\x00\x00\x00\xbf", 8)));
  CHECK(data::read_npy(f4).values == std::vector<double>{1.0, -0.5});
  CHECK(data::read_npy(f4).shape == std::vector<std::int64_t>{2});
  const auto f8 = scratch.write("f8.npy", numpy_file("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }",
                                                     std::string("\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\xe0\xbf", 16)));
  CHECK(data::read_npy(f8).values == std::vector<double>{1.0, -0.5});
  CHECK(data::read_npy(f8).shape == std::vector<std::int64_t>{1, 2});
  const auto u1 = scratch.write("u1.npy", numpy_file("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }",
                                                     std::string("\x00\x7f\xff", 3)));
  CHECK(data::read_npy(u1).values == std::vector<double>{0, 127, 255});
}

TEST_CASE("a file that is no usable .npy file is refused with the reason") {
  const test::Scratch scratch;
  const auto refusal = [&](const std::string& bytes) {
    const auto file = scratch.write("bad.npy", bytes);
    return test::error_text([&] { data::read_npy(file); });
  };
  const std::string four(4, '\0');
  CHECK(test::error_text([&] { data::read_npy(scratch / "none.npy"); }) == Contains("none.npy cannot be opened"));
  CHECK(refusal("") == Contains("is not a .npy file of format 1.0"));
  CHECK(refusal("PK\x03\x04 and more of a zip archive") == Contains("is not a .npy file"));
  CHECK(refusal(numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", four, 2)) ==
        Contains("format 1.0"));
  CHECK(refusal(numpy_file("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", four)) ==
        Contains("save it in C order"));
  CHECK(refusal(numpy_file("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", four)) ==
        Contains("another type than float32, float64 or uint8"));
  CHECK(refusal(numpy_file("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }", four)) ==
        Contains("another type"));
  CHECK(refusal(numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", four)) ==
        Contains("cut short"));
  CHECK(refusal(numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (70000, 70000), }", four)) ==
        Contains("more values than can be read"));
  CHECK(refusal(numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,), }", four)) ==
        Contains("more values than can be read"));
  CHECK(refusal(numpy_file("{'descr': '<f4', 'fortran_order': False, }", four)) == Contains("'shape'"));
  const auto whole = numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", four);
  CHECK(refusal(whole.substr(0, 40)) == Contains("cut short"));
}

TEST_CASE("a shape that is no tuple of extents from 0 is refused, and so are more values than it says") {
  const test::Scratch scratch;
  const auto file_with = [&](const std::string& shape, std::size_t values) {
    return scratch.write("a.npy", numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }",
                                             std::string(values * 4, '\0')));
  };
  const auto refusal = [&](const std::string& shape, std::size_t values) {
    const auto file = file_with(shape, values);
    return test::error_text([&] { data::read_npy(file); });
  };
  CHECK(refusal("(-3, 4)", 12) == Contains("states the shape (-3, 4), which has a negative extent"));
  CHECK(refusal("(3, -4)", 12) == Contains("has a negative extent"));
  CHECK(refusal("(-3, -4)", 12) == Contains("has a negative extent"));
  for (const char* shape :
       {"3, 4", "(3 4)", "(3; 4)", "(3.0, 4)", "(0x3, 4)", "(3, 4", "(a)", "(,)", "[3, 4]", "(3,, 4)"}) {
    CAPTURE(shape);
    CHECK(refusal(shape, 12) == Contains("tuple"));
  }
  CHECK(refusal("(3000000000, 0)", 0) == Contains("more values than can be read"));
  CHECK(refusal("(3, 4)", 13) == Contains("has 4 bytes more than its shape says"));
  CHECK(data::read_npy(file_with("(3, 4)", 12)).shape == std::vector<std::int64_t>{3, 4});
  CHECK(data::read_npy(file_with("( 3L , 4L )", 12)).shape == std::vector<std::int64_t>{3, 4});
  CHECK(data::read_npy(file_with("(12,)", 12)).shape == std::vector<std::int64_t>{12});
  CHECK(data::read_npy(file_with("()", 1)).values.size() == 1);
}

TEST_CASE("mutated .npy files are read or refused, never more") {
  const test::Scratch scratch;
  const auto whole = numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", std::string(48, 'x'));
  for (std::int64_t k = 0; k < test::mutations(3000); ++k) {
    CAPTURE(k);
    // Half of the mutations hit the header, where it matters.
    auto bytes = test::mutated(k % 2 == 0 ? whole : whole.substr(0, 80), static_cast<std::uint64_t>(k));
    if (k % 2 != 0) bytes += whole.substr(80);
    const auto file = scratch.write("a.npy", bytes);
    try {
      const auto array = data::read_npy(file);
      std::int64_t count = 1;
      for (const auto extent : array.shape) {
        REQUIRE(extent >= 0);
        count *= extent;
      }
      REQUIRE(count == static_cast<std::int64_t>(array.values.size()));
    } catch (const Error& error) {
      REQUIRE(std::string(error.what()).find("a.npy") != std::string::npos);
    }
  }
}
