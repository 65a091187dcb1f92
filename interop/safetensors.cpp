// The safetensors format: eight bytes of header length, a JSON header with type, shape and place of
// every array, the arrays' bytes.
#include "fluxion/nn/files.hpp"
#include "interop/file.hpp"
#include "trace/error.hpp"
#include "trace/tensor.hpp"
#include "trace/write_file.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace fluxion::nn {
namespace {

using nlohmann::ordered_json;

constexpr std::pair<std::string_view, DType> words[] = {{"BOOL", bool_},
                                                        {"I8", int8},
                                                        {"I16", int16},
                                                        {"I32", int32},
                                                        {"I64", int64},
                                                        {"U8", uint8},
                                                        {"U16", uint16},
                                                        {"U32", uint32},
                                                        {"U64", uint64},
                                                        {"F16", float16},
                                                        {"BF16", bfloat16},
                                                        {"F32", float32},
                                                        {"F64", float64},
                                                        {"C64", complex64}};
constexpr std::uint64_t most_header = 100'000'000;  // the format's own limit

std::string_view word_of(DType d, const std::string& name, const Site& site) {
  for (auto [word, dtype] : words)
    if (dtype == d) return word;
  fail("safetensors",
       site,
       "save: the format has no type for " + name + ", which is " + to_string(d));
}

[[noreturn]] void malformed(const std::string& path, const std::string& what, const Site& site) {
  fail("safetensors",
       site,
       "load: " + path + " is not a well-formed safetensors file: " + what,
       {},
       "the file may be damaged, or of another format");
}

struct Entry {
  std::string name;
  Spec type;
  std::uint64_t begin, end;
};

/// Reads JSON that holds no key twice (the library would keep the last).
ordered_json parse_header(const std::vector<char>& text,
                          const std::string& path,
                          const Site& site) {
  std::vector<std::set<std::string>> keys;
  std::string twice;
  int depth = 0;
  const ordered_json::parser_callback_t watch =
      [&](int, ordered_json::parse_event_t event, ordered_json& value) {
        if (event == ordered_json::parse_event_t::object_start) {
          keys.emplace_back();
          if (++depth > 8) twice = "(nested too deeply)";
        } else if (event == ordered_json::parse_event_t::object_end) {
          keys.pop_back();
          --depth;
        } else if (event == ordered_json::parse_event_t::key &&
                   !keys.back().insert(value.get<std::string>()).second)
          twice = value.get<std::string>();
        return true;
      };
  ordered_json header = ordered_json::parse(text.begin(), text.end(), watch, false);
  if (header.is_discarded() || !header.is_object())
    malformed(path, "its header is not a JSON object", site);
  if (!twice.empty()) malformed(path, "a key stands twice: " + twice, site);
  return header;
}

Entry read_entry(const std::string& name,
                 const ordered_json& json,
                 const std::string& path,
                 const Site& site) {
  Entry e{name, {}, 0, 0};
  const auto bad = [&](const std::string& what) {
    malformed(path, what + " of \"" + name + "\"", site);
  };
  if (!json.is_object() || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets"))
    bad("dtype, shape or data_offsets are missing");
  if (!json["dtype"].is_string()) bad("the dtype is no text");
  const auto word = json["dtype"].get<std::string>();
  const auto* known = std::find_if(
      std::begin(words), std::end(words), [&](const auto& w) { return w.first == word; });
  if (known == std::end(words)) bad("there is no dtype " + word);
  e.type.dtype = known->second;
  if (!json["shape"].is_array() || json["shape"].size() > 64) bad("the shape is no list of sizes");
  std::uint64_t bytes = size_of(e.type.dtype);
  for (const auto& size : json["shape"]) {
    if (!size.is_number_unsigned()) bad("the shape is no list of sizes");
    const auto n = size.get<std::uint64_t>();
    if (n != 0 && bytes > (std::uint64_t{1} << 48) / n) bad("the size is beyond reason");
    bytes *= n;
    e.type.shape.push_back(static_cast<std::int64_t>(n));
  }
  const auto& at = json["data_offsets"];
  if (!at.is_array() || at.size() != 2 || !at[0].is_number_unsigned() ||
      !at[1].is_number_unsigned())
    bad("data_offsets are no two offsets");
  e.begin = at[0].get<std::uint64_t>();
  e.end = at[1].get<std::uint64_t>();
  if (e.end < e.begin || e.end - e.begin != bytes)
    bad("data_offsets do not span the array's " + std::to_string(bytes) + " bytes");
  return e;
}

struct Contents {
  std::vector<Entry> entries;  // in the order of the header
  std::vector<char> data;
};

Contents read_file(const std::string& path, const Site& site) {
  interop::InputFile file(path, interop::Compression::none, site);
  unsigned char length_bytes[8];
  if (file.read({reinterpret_cast<char*>(length_bytes), 8}) != 8)
    malformed(path, "it ends inside its first eight bytes", site);
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | length_bytes[i];
  if (length > most_header)
    malformed(path, "its header would be " + std::to_string(length) + " bytes long", site);
  const std::vector<char> text = file.read_up_to(length);
  if (text.size() != length) malformed(path, "it ends inside its header", site);
  const ordered_json header = parse_header(text, path, site);
  Contents out;
  for (const auto& [name, json] : header.items())
    if (name != "__metadata__") out.entries.push_back(read_entry(name, json, path, site));
  std::vector<const Entry*> by_place;
  for (const Entry& e : out.entries) by_place.push_back(&e);
  std::sort(by_place.begin(), by_place.end(), [](const Entry* a, const Entry* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::uint64_t at = 0;
  for (const Entry* e : by_place) {
    if (e->begin != at)
      malformed(path, "the bytes of \"" + e->name + "\" overlap others or leave a hole", site);
    at = e->end;
  }
  out.data = file.read_up_to(at);
  if (out.data.size() != at)
    malformed(path,
              "it ends after " + std::to_string(out.data.size()) + " of " + std::to_string(at) +
                  " bytes of data",
              site);
  char more;
  if (file.read({&more, 1}) != 0) malformed(path, "it goes on after its last array", site);
  for (const Entry& e : out.entries) {
    const auto truth = [](char c) { return c == 0 || c == 1; };
    if (e.type.dtype == bool_ &&
        !std::all_of(out.data.begin() + static_cast<std::ptrdiff_t>(e.begin),
                     out.data.begin() + static_cast<std::ptrdiff_t>(e.end),
                     truth))
      malformed(path, "\"" + e.name + "\" is BOOL and holds bytes other than 0 and 1", site);
  }
  return out;
}

Array array_of(const Contents& file, const Entry& e, const Site& site) {
  return fluxion::detail::make_array(file.data.data() + e.begin, e.type.shape, e.type.dtype, site);
}

}  // namespace

std::vector<std::pair<std::string, Array>> load_safetensors(const std::string& path, Site site) {
  const Contents file = read_file(path, site);
  std::vector<std::pair<std::string, Array>> out;
  for (const Entry& e : file.entries) out.emplace_back(e.name, array_of(file, e, site));
  return out;
}

namespace detail {

void save_arrays(const std::string& path,
                 const std::vector<std::string>& names,
                 const std::vector<Array>& arrays,
                 Site site) {
  fluxion::detail::eval_flat(arrays, site);
  ordered_json header = ordered_json::object();
  std::vector<std::span<const char>> pieces(1);  // the header's place
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (fluxion::detail::is_empty(arrays[i]))
      fail("empty-array", site, "save: " + names[i] + " is an empty Array");
    const Spec type{arrays[i].shape(), arrays[i].dtype()};
    if (header.contains(names[i]))
      fail("safetensors", site, "save: two arrays are called \"" + names[i] + "\"");
    const std::uint64_t bytes = bytes_of(type);
    std::vector<std::int64_t> shape(type.shape.begin(), type.shape.end());
    header[names[i]] = {{"dtype", word_of(type.dtype, names[i], site)},
                        {"shape", shape},
                        {"data_offsets", {at, at + bytes}}};
    pieces.emplace_back(static_cast<const char*>(fluxion::detail::host_bytes(arrays[i], site)),
                        bytes);
    at += bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // so that the data is aligned
  std::string head;
  for (int i = 0; i < 8; ++i) head += static_cast<char>(text.size() >> (8 * i));
  head += text;
  pieces[0] = head;
  write_atomically(path, pieces, site);
}

std::vector<Array> load_arrays(const std::string& path,
                               const std::vector<std::string>& names,
                               const std::vector<Array>& like,
                               Site site) {
  const Contents file = read_file(path, site);
  std::map<std::string, const Entry*> by_name;
  for (const Entry& e : file.entries) by_name.emplace(e.name, &e);
  std::vector<Array> out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = by_name.find(names[i]);
    if (found == by_name.end())
      fail("checkpoint",
           site,
           "load: " + path + " has no array called \"" + names[i] + "\"",
           {},
           "was it saved from another model?");
    const Entry& e = *found->second;
    if (!fluxion::detail::is_empty(like[i])) {
      const Spec wanted{like[i].shape(), like[i].dtype()};
      if (!(wanted == e.type))
        fail("checkpoint",
             site,
             "load: \"" + names[i] + "\" has another type in " + path,
             {"the model has " + to_string(wanted), "the file has " + to_string(e.type)},
             "was it saved from another model?");
    }
    out.push_back(array_of(file, e, site));
  }
  return out;
}

}  // namespace detail
}  // namespace fluxion::nn
