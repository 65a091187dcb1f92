// The idx format of MNIST: a magic number with element type and rank, big-endian sizes, big-endian
// elements.
#include "fluxion/nn/files.hpp"
#include "interop/file.hpp"
#include "trace/error.hpp"
#include "trace/tensor.hpp"

#include <algorithm>

namespace fluxion::nn {
namespace {

bool dtype_of_code(unsigned char code, DType& out) {
  switch (code) {
    case 0x08:
      out = uint8;
      return true;
    case 0x09:
      out = int8;
      return true;
    case 0x0b:
      out = int16;
      return true;
    case 0x0c:
      out = int32;
      return true;
    case 0x0d:
      out = float32;
      return true;
    case 0x0e:
      out = float64;
      return true;
    default:
      return false;
  }
}

}  // namespace

Array load_idx(const std::string& path, Site site) {
  interop::InputFile file(path, interop::Compression::gzip_or_none, site);
  char magic[4];
  DType dtype{};
  if (file.read(magic) != 4 || magic[0] != 0 || magic[1] != 0 ||
      !dtype_of_code(static_cast<unsigned char>(magic[2]), dtype))
    fail("idx",
         site,
         "load_idx: " + path +
             " is not an idx file: it does not begin with 0, 0, a type and a rank");
  const auto rank = static_cast<std::size_t>(static_cast<unsigned char>(magic[3]));
  std::vector<char> sizes(rank * 4);
  if (file.read(sizes) != sizes.size())
    fail("idx", site, "load_idx: " + path + " ends inside its header");
  Shape shape;
  std::uint64_t bytes = size_of(dtype);
  for (std::size_t k = 0; k < rank; ++k) {
    std::uint32_t size = 0;
    for (std::size_t i = 0; i < 4; ++i)
      size = size << 8 | static_cast<unsigned char>(sizes[k * 4 + i]);
    if (size != 0 && bytes > (std::uint64_t{1} << 40) / size)
      fail("idx", site, "load_idx: " + path + " says that it holds more than 2^40 bytes");
    bytes *= size;
    shape.push_back(size);
  }
  std::vector<char> data = file.read_up_to(bytes);
  if (data.size() != bytes)
    fail("idx",
         site,
         "load_idx: " + path + " is too short",
         {"its header says " + to_string(Spec{shape, dtype}) + ", " + std::to_string(bytes) +
              " bytes",
          "it holds " + std::to_string(data.size())},
         "the file may be damaged: get it again");
  char more;
  if (file.read({&more, 1}) != 0)
    fail("idx",
         site,
         "load_idx: " + path + " goes on after its last element",
         {"its header says " + to_string(Spec{shape, dtype})});
  const std::size_t width = size_of(dtype);
  if (width > 1)
    for (std::size_t i = 0; i < data.size(); i += width)
      std::reverse(data.begin() + static_cast<std::ptrdiff_t>(i),
                   data.begin() + static_cast<std::ptrdiff_t>(i + width));
  return fluxion::detail::make_array(data.data(), shape, dtype, site);
}

}  // namespace fluxion::nn
