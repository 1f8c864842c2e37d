// SPDX-License-Identifier: Apache-2.0
#include <openssl/evp.h>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"
#include "nbs/error.h"

namespace nbs {

std::string sha256(const std::string& bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_sha256(), nullptr) != 1)
    throw Error("OpenSSL could not compute a SHA-256; check that its default provider is available");
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < length; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

std::string file_sha256(const std::filesystem::path& file) {
  try {
    return sha256(read_file(file));
  } catch (const Error&) {
    return "";
  }
}

}  // namespace nbs
