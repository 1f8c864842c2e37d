// SPDX-License-Identifier: Apache-2.0
#include <openssl/evp.h>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"
#include "nbs/error.h"

namespace nbs {

namespace {

[[noreturn]] void fail() {
  throw Error("OpenSSL could not compute a SHA-256; check that its default provider is available");
}

EVP_MD_CTX* context_of(void* context) {
  return static_cast<EVP_MD_CTX*>(context);
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr) fail();
  if (EVP_DigestInit_ex(context_of(context_), EVP_sha256(), nullptr) == 1) return;
  EVP_MD_CTX_free(context_of(context_));
  fail();
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(context_of(context_));
}

void Sha256::add(std::string_view bytes) {
  if (EVP_DigestUpdate(context_of(context_), bytes.data(), bytes.size()) != 1) fail();
}

std::string Sha256::hexadecimal() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_DigestFinal_ex(context_of(context_), digest, &length) != 1) fail();
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < length; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

std::string sha256(const std::string& bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hexadecimal();
}

std::string file_sha256(const std::filesystem::path& file) {
  try {
    return sha256(read_file(file));
  } catch (const Error&) {
    return "";
  }
}

}  // namespace nbs
