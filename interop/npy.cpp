// NumPy's .npy format: a magic word, a Python dictionary as text, then the elements.
#include "fluxion/npy.hpp"

#include "fluxion/tree.hpp"
#include "interop/file.hpp"
#include "trace/error.hpp"
#include "trace/tensor.hpp"
#include "trace/write_file.hpp"

#include <algorithm>
#include <charconv>

namespace fluxion {
namespace {

struct Header {
  Spec type;
  bool big_endian = false, columns_first = false;
};

[[noreturn]] void malformed(const std::string& path, const std::string& what, const Site& site) {
  fail("npy", site, "load_npy: " + path + " " + what);
}

constexpr std::pair<std::string_view, DType> codes[] = {{"b1", bool_},
                                                        {"i1", int8},
                                                        {"i2", int16},
                                                        {"i4", int32},
                                                        {"i8", int64},
                                                        {"u1", uint8},
                                                        {"u2", uint16},
                                                        {"u4", uint32},
                                                        {"u8", uint64},
                                                        {"f2", float16},
                                                        {"f4", float32},
                                                        {"f8", float64},
                                                        {"c8", complex64},
                                                        {"c16", complex128},
                                                        {"V2", bfloat16}};

/// What stands behind 'key': in the dictionary.
std::string_view value_of(std::string_view text,
                          std::string_view key,
                          const std::string& path,
                          const Site& site) {
  std::size_t at = text.find("'" + std::string(key) + "'");
  if (at != text.npos) at = text.find(':', at);
  if (at == text.npos) malformed(path, "has no '" + std::string(key) + "' in its header", site);
  text.remove_prefix(at + 1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

Header parse(std::string_view text, const std::string& path, const Site& site) {
  Header out;
  std::string_view word = value_of(text, "descr", path, site);
  const std::size_t end = word.size() < 2 ? word.npos : word.find('\'', 1);
  if (word.empty() || word[0] != '\'' || end == word.npos)
    malformed(path, "has records, not numbers", site);
  word = word.substr(1, end - 1);
  out.big_endian = word.substr(0, 1) == ">";
  if (!word.empty() && std::string_view("<>|=").find(word[0]) != std::string_view::npos)
    word.remove_prefix(1);
  const auto code = std::find_if(
      std::begin(codes), std::end(codes), [&](const auto& c) { return c.first == word; });
  if (code == std::end(codes))
    malformed(
        path,
        "holds elements of type '" + std::string(word.substr(0, 20)) + "', which no array here has",
        site);
  out.type.dtype = code->second;
  out.columns_first = value_of(text, "fortran_order", path, site).starts_with("True");
  std::string_view sizes = value_of(text, "shape", path, site);
  const std::size_t close = sizes.find(')');
  if (!sizes.starts_with('(') || close == sizes.npos)
    malformed(path, "has no shape in its header", site);
  sizes = sizes.substr(1, close - 1);
  std::int64_t bytes = static_cast<std::int64_t>(size_of(out.type.dtype));
  while (!sizes.empty()) {
    if (sizes.front() == ' ' || sizes.front() == ',') {
      sizes.remove_prefix(1);
      continue;
    }
    std::int64_t n = 0;
    const auto [rest, error] = std::from_chars(sizes.data(), sizes.data() + sizes.size(), n);
    if (error != std::errc() || n < 0) malformed(path, "has no shape in its header", site);
    if (n != 0 && bytes > (std::int64_t{1} << 40) / n)
      malformed(path, "says that it holds more than 2^40 bytes", site);
    bytes *= n;
    out.type.shape.push_back(n);
    sizes.remove_prefix(static_cast<std::size_t>(rest - sizes.data()));
  }
  return out;
}

void swap_bytes(std::vector<char>& data, DType dtype) {
  const std::size_t width = size_of(dtype) / (is_complex(dtype) ? 2 : 1);
  for (std::size_t i = 0; width > 1 && i + width <= data.size(); i += width)
    std::reverse(data.begin() + static_cast<std::ptrdiff_t>(i),
                 data.begin() + static_cast<std::ptrdiff_t>(i + width));
}

/// From the first axis fastest to the last axis fastest.
std::vector<char> rows_first(const std::vector<char>& data, const Spec& type) {
  const std::size_t width = size_of(type.dtype), rank = type.shape.size();
  std::vector<char> out(data.size());
  std::vector<std::int64_t> index(rank, 0);
  for (std::size_t to = 0; to < data.size(); to += width) {
    std::int64_t from = 0;
    for (std::size_t k = rank; k-- > 0;) from = from * type.shape[k] + index[k];
    std::copy_n(
        data.begin() + static_cast<std::ptrdiff_t>(from) * static_cast<std::ptrdiff_t>(width),
        width,
        out.begin() + static_cast<std::ptrdiff_t>(to));
    next_index(index, type.shape);
  }
  return out;
}

}  // namespace

Array load_npy(const std::string& path, Site site) {
  interop::InputFile file(path, interop::Compression::none, site);
  char magic[10];
  if (file.read(magic) != 10 || std::string_view(magic, 6) != "\x93NUMPY")
    malformed(path, "is not an .npy file: it does not begin with \\x93NUMPY", site);
  const auto byte = [&](int k) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(magic[k]));
  };
  std::uint64_t length = byte(8) | byte(9) << 8;
  if (byte(6) > 1) {
    char more[2];
    if (file.read(more) != 2) malformed(path, "ends inside its header", site);
    length |= static_cast<std::uint64_t>(static_cast<unsigned char>(more[0])) << 16 |
              static_cast<std::uint64_t>(static_cast<unsigned char>(more[1])) << 24;
  }
  if (length > 1000000)
    malformed(path, "says that its header is " + std::to_string(length) + " bytes long", site);
  const std::vector<char> text = file.read_up_to(length);
  if (text.size() != length) malformed(path, "ends inside its header", site);
  const Header header = parse({text.data(), text.size()}, path, site);
  const std::size_t bytes = bytes_of(header.type);
  std::vector<char> data = file.read_up_to(bytes);
  if (data.size() != bytes)
    malformed(path,
              "ends after " + std::to_string(data.size()) + " of " + std::to_string(bytes) +
                  " bytes of elements",
              site);
  if (header.big_endian) swap_bytes(data, header.type.dtype);
  if (header.columns_first) data = rows_first(data, header.type);
  if (header.type.dtype == bool_)
    for (char& c : data) c = c != 0;
  return detail::make_array(data.data(), header.type.shape, header.type.dtype, site);
}

void save_npy(const std::string& path, const Array& array, Site site) {
  const Spec type{array.shape(site), array.dtype(site)};
  const auto code = std::find_if(
      std::begin(codes), std::end(codes), [&](const auto& c) { return c.second == type.dtype; });
  std::string head = "{'descr': '" + std::string(size_of(type.dtype) == 1 ? "|" : "<") +
                     std::string(code->first) + "', 'fortran_order': False, 'shape': (";
  for (std::int64_t n : type.shape) head += std::to_string(n) + ",";
  head += "), }";
  head.append(63 - (10 + head.size()) % 64, ' ');
  head += '\n';
  std::string magic = "\x93NUMPY\x01";
  magic += '\0';
  magic += static_cast<char>(head.size());
  magic += static_cast<char>(head.size() >> 8);
  detail::eval_flat({array}, site);
  const std::span<const char> pieces[] = {
      magic, head, {static_cast<const char*>(detail::host_bytes(array, site)), bytes_of(type)}};
  write_atomically(path, pieces, site);
}

}  // namespace fluxion
