// SPDX-License-Identifier: Apache-2.0
#include "png_file.h"

#include <exception>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <png.h>

#include "nbs/base/files.h"
#include "nbs/error.h"

namespace nbs::worker {

// libpng reports errors by a jump, over which no object with a destructor may live: so what it calls keeps what went
// wrong, and the calls to it stand alone in small functions.
class PngFile::Encoder {
 public:
  Encoder(const std::filesystem::path& file, std::int64_t width, std::int64_t height, Pixel pixel)
      : name_(file.string()), file_(file, 0), missing_(height) {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, &Encoder::note_error, nullptr);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) throw Error(fmt::format("the picture {} cannot be written: there is no memory", name_));
    require(begin(width, height, pixel));
  }
  ~Encoder() { png_destroy_write_struct(&png_, &info_); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  void add_row(const void* pixels) {
    require(write_row(static_cast<png_const_bytep>(pixels)));
    --missing_;
  }
  void finish() {
    if (missing_ != 0)
      throw Error(fmt::format("the picture {} was not finished: {} rows are missing", name_, missing_));
    require(end());
    flush();
    file_.finish();
  }

 private:
  static constexpr std::size_t kBuffer = std::size_t{1} << 20U;

  static void note_error(png_structp png, png_const_charp text) {
    static_cast<Encoder*>(png_get_error_ptr(png))->reason_ = text;
    png_longjmp(png, 1);
  }
  static void write(png_structp png, png_bytep bytes, std::size_t count) {
    auto* const self = static_cast<Encoder*>(png_get_io_ptr(png));
    try {
      self->buffer_.append(reinterpret_cast<const char*>(bytes), count);
      if (self->buffer_.size() >= kBuffer) self->flush();
      return;
    } catch (...) {
      self->thrown_ = std::current_exception();
    }
    png_longjmp(png, 1);
  }

  void flush() {
    file_.write_at(written_, buffer_);
    written_ += buffer_.size();
    buffer_.clear();
  }

  // Filter, level and strategy are those of OpenCV, which writes smaller pictures.
  bool begin(std::int64_t width, std::int64_t height, Pixel pixel) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_write_fn(png_, this, &Encoder::write, nullptr);
    png_set_compression_level(png_, 3);
    png_set_compression_strategy(png_, 3);  // Z_RLE
    png_set_filter(png_, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
    png_set_IHDR(png_, info_, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height),
                 pixel == Pixel::gray16 ? 16 : 8, pixel == Pixel::rgb8 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png_, info_);
    if (pixel == Pixel::gray16) png_set_swap(png_);  // the machine's order, least significant byte first
    return true;
  }
  bool write_row(png_const_bytep pixels) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_write_row(png_, pixels);
    return true;
  }
  bool end() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_write_end(png_, info_);
    return true;
  }
  void require(bool done) {
    if (done) return;
    if (thrown_) std::rethrow_exception(thrown_);
    throw Error(fmt::format("the picture {} cannot be written: {}", name_, reason_));
  }

  std::string name_;
  NewFile file_;
  std::int64_t missing_;  // rows
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::string buffer_;
  std::uint64_t written_ = 0;
  std::string reason_;
  std::exception_ptr thrown_;
};

PngFile::PngFile(const std::filesystem::path& file, std::int64_t width, std::int64_t height, Pixel pixel)
    : encoder_(std::make_unique<Encoder>(file, width, height, pixel)) {}

PngFile::~PngFile() = default;

void PngFile::add_row(const void* pixels) {
  encoder_->add_row(pixels);
}

void PngFile::finish() {
  encoder_->finish();
}

}  // namespace nbs::worker
