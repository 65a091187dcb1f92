// Checkpoints and data sets: what is written reads back; what is damaged is refused.
#include "tests/support/catch.hpp"

#include <filesystem>
#include <fluxion/nn.hpp>
#include <fstream>
#include <map>
#include <random>
#include <zlib.h>

namespace fx = fluxion;
namespace nn = fluxion::nn;
using fx::Array;

namespace {

std::string temporary(const std::string& name) {
  static const std::filesystem::path folder = [] {
    std::string text = (std::filesystem::temp_directory_path() / "fluxion-XXXXXX").string();
    return std::filesystem::path(mkdtemp(text.data()));
  }();
  return (folder / name).string();
}
std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void spill(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}
std::string length_bytes(std::uint64_t n) {
  std::string s;
  for (int i = 0; i < 8; ++i) s += static_cast<char>(n >> (8 * i));
  return s;
}
std::string container(const std::string& json, const std::string& data) {
  return length_bytes(json.size()) + json + data;
}
std::string refusal(auto f) {
  try {
    f();
  } catch (const fx::Error& e) {
    return std::string(e.what()).substr(0, std::string(e.what()).find('\n'));
  }
  return "nothing was refused";
}
struct Layer {
  Array weight, bias;
};
struct Model {
  std::vector<Layer> layers;
  Array scale;
};

}  // namespace

TEST_CASE("every dtype survives a checkpoint, bit for bit, by the names of the members") {
  std::map<std::string, Array> all;
  for (fx::DType d : {fx::bool_,
                      fx::int8,
                      fx::int16,
                      fx::int32,
                      fx::int64,
                      fx::uint8,
                      fx::uint16,
                      fx::uint32,
                      fx::uint64,
                      fx::float16,
                      fx::bfloat16,
                      fx::float32,
                      fx::float64})
    all["a" + std::to_string(static_cast<int>(d))] =
        (fx::arange(7, fx::float32) - (d >= fx::uint8 && d <= fx::uint64 ? 0.f : 3.f)).astype(d);
  all["empty"] = fx::zeros({0, 3});
  all["scalar"] = Array(2.5);
  const std::string path = temporary("all.safetensors");
  nn::save(path, all);
  auto again = all;
  for (auto& [name, a] : again) a = fx::zeros_like(a);
  nn::load(path, again);
  for (const auto& [name, a] : all) {
    INFO(name);
    CHECK(again.at(name).dtype() == a.dtype());
    CHECK(again.at(name).shape() == a.shape());
    CHECK(fx::all(again.at(name) == a).item<bool>());
  }
  Model m{{{fx::ones({2, 3}), fx::zeros({3})}}, Array(1.f)};
  nn::save(temporary("m.safetensors"), m);
  const auto file = nn::load_safetensors(temporary("m.safetensors"));
  REQUIRE(file.size() == 3);
  CHECK(file[0].first == "layers.0.weight");
  CHECK(file[2].first == "scale");
}

TEST_CASE("the bytes are those of the format's own library") {
  // safetensors.numpy.save({"b": np.array([1, 2], np.float32)}) of the Python package safetensors
  // 0.4
  const std::string json = R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const std::string floats("\0\0\x80\x3f\0\0\0\x40", 8);
  const std::string padded = json + std::string((8 - json.size() % 8) % 8, ' ');
  const std::map<std::string, Array> tree{{"b", fx::array({1.f, 2.f})}};
  nn::save(temporary("b.safetensors"), tree);
  CHECK(slurp(temporary("b.safetensors")) == container(padded, floats));
  spill(
      temporary("c.safetensors"),
      container(
          R"({"__metadata__":{"format":"np"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
          floats));
  std::map<std::string, Array> read{{"b", fx::zeros({2})}};
  nn::load(temporary("c.safetensors"), read);
  CHECK(read.at("b").to_vector<float>() == std::vector<float>{1, 2});
}

TEST_CASE("a checkpoint that does not fit changes nothing and says why") {
  Model m{{{fx::ones({2, 3}), fx::zeros({3})}}, Array(1.f)};
  const std::string path = temporary("fit.safetensors");
  nn::save(path, m);
  Model other{{{fx::full({2, 4}, 9.f), fx::zeros({4})}}, Array(5.f)};
  CHECK(refusal([&] { nn::load(path, other); }) ==
        "error[checkpoint]: load: \"layers.0.weight\" has another type in " + path);
  CHECK(other.layers[0].weight.to_vector<float>()[0] == 9.f);
  Model deeper{{m.layers[0], m.layers[0]}, Array(5.f)};
  CHECK(refusal([&] { nn::load(path, deeper); }) ==
        "error[checkpoint]: load: " + path + " has no array called \"layers.1.weight\"");
  CHECK(refusal([&] { nn::load(temporary("nowhere"), m); }) ==
        "error[file]: cannot open " + temporary("nowhere") + ": No such file or directory");
  CHECK(
      refusal([&] { nn::save("/nonexistent/folder/x", m); }) ==
      "error[file]: cannot create a file beside /nonexistent/folder/x: No such file or directory");
}

TEST_CASE("hostile checkpoints are refused without large allocations") {
  std::map<std::string, Array> tree{{"b", fx::zeros({2})}};
  const std::string path = temporary("hostile.safetensors");
  auto verdict = [&](const std::string& bytes) {
    spill(path, bytes);
    const std::string said = refusal([&] { nn::load(path, tree); }),
                      prefix = "error[safetensors]: load: " + path +
                               " is not a well-formed safetensors file: ";
    return said.substr(0, prefix.size()) == prefix ? said.substr(prefix.size()) : said;
  };
  const std::string eight(8, '\0');
  CHECK(verdict("") == "it ends inside its first eight bytes");
  CHECK(verdict(length_bytes(~std::uint64_t{0})) ==
        "its header would be 18446744073709551615 bytes long");
  CHECK(verdict(length_bytes(99'000'000) + "{}") == "it ends inside its header");
  CHECK(verdict(container("[1]", "")) == "its header is not a JSON object");
  CHECK(verdict(container("{", "")) == "its header is not a JSON object");
  CHECK(verdict(container(std::string(100000, '['), "")) == "its header is not a JSON object");
  CHECK(
      verdict(container(
          R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
          eight)) == "a key stands twice: b");
  CHECK(verdict(container(R"({"b":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", eight)) ==
        "there is no dtype F33 of \"b\"");
  CHECK(verdict(container(R"({"b":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", eight)) ==
        "the shape is no list of sizes of \"b\"");
  CHECK(verdict(container(
            R"({"b":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})",
            eight)) == "the size is beyond reason of \"b\"");
  CHECK(verdict(container(R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}})",
                          eight + "x")) == "data_offsets do not span the array's 8 bytes of \"b\"");
  CHECK(verdict(container(R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", eight)) ==
        "data_offsets do not span the array's 8 bytes of \"b\"");
  CHECK(
      verdict(container(
          R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
          eight + eight)) == "the bytes of \"b\" overlap others or leave a hole");
  CHECK(verdict(container(R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "1234")) ==
        "it ends after 4 of 8 bytes of data");
  CHECK(verdict(container(R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                          eight + "more")) == "it goes on after its last array");
  CHECK(verdict(container(R"({"b":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", "\x07")) ==
        "\"b\" is BOOL and holds bytes other than 0 and 1");
}

TEST_CASE("thousands of random damages give an error or a well-formed file, never a crash") {
  const std::map<std::string, Array> tree{{"a", fx::arange(5, fx::float32)},
                                          {"b", fx::zeros({2, 2}, fx::int16)}};
  const std::string path = temporary("fuzz.safetensors");
  nn::save(path, tree);
  const std::string good = slurp(path);
  std::mt19937 random(12345);
  int refused = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string bad = good;
    for (unsigned k = random() % 3 + 1; k-- > 0;) {
      const std::size_t at = random() % bad.size();
      switch (random() % 4) {
        case 0:
          bad[at] = static_cast<char>(random());
          break;
        case 1:
          bad.erase(at, random() % 8 + 1);
          break;
        case 2:
          bad.insert(at, std::string(random() % 8 + 1, static_cast<char>(random())));
          break;
        default:
          bad.resize(at + 1);
          break;
      }
      if (bad.empty()) bad = "x";
    }
    spill(path, bad);
    try {
      nn::load_safetensors(path);
    } catch (const fx::Error&) {
      ++refused;
    }
  }
  CHECK(refused > 3000);  // the rest hit the arrays' own bytes, or names
}

TEST_CASE("saving replaces the file at once and leaves nothing beside it") {
  const std::string path = temporary("once/x.safetensors");
  std::filesystem::create_directory(temporary("once"));
  const std::map<std::string, Array> one{{"v", Array(1.f)}}, two{{"v", Array(2.f)}};
  nn::save(path, one);
  nn::save(path, two);
  CHECK(nn::load_safetensors(path)[0].second.item<float>() == 2.f);
  int files = 0;
  for ([[maybe_unused]] const auto& f : std::filesystem::directory_iterator(temporary("once")))
    ++files;
  CHECK(files == 1);
}

TEST_CASE("idx files, plain and gzipped, of every element type") {
  const std::string header("\0\0\x08\x02\0\0\0\x02\0\0\0\x03", 12),
      plain = header + "\x01\x02\x03\x04\x05\xff";
  spill(temporary("p.idx"), plain);
  const Array a = nn::load_idx(temporary("p.idx"));
  CHECK(a.dtype() == fx::uint8);
  CHECK(a.shape() == fx::Shape({2, 3}));
  CHECK(a.to_vector<std::uint8_t>() == std::vector<std::uint8_t>{1, 2, 3, 4, 5, 255});
  gzFile z = gzopen(temporary("z.idx").c_str(), "wb");
  gzwrite(z, plain.data(), static_cast<unsigned>(plain.size()));
  gzclose(z);
  CHECK(nn::load_idx(temporary("z.idx")).to_vector<std::uint8_t>() == a.to_vector<std::uint8_t>());
  spill(temporary("i.idx"), std::string("\0\0\x0c\x01\0\0\0\x01\xff\xff\xff\xfe", 12));
  CHECK(nn::load_idx(temporary("i.idx")).to_vector<std::int32_t>() ==
        std::vector<std::int32_t>{-2});
  const std::string zipped = slurp(temporary("z.idx"));
  auto said = [&](const std::string& bytes) {
    spill(temporary("bad.idx"), bytes);
    return refusal([&] { nn::load_idx(temporary("bad.idx")); });
  };
  const std::string bad = temporary("bad.idx");
  CHECK(said("hello") == "error[idx]: load_idx: " + bad +
                             " is not an idx file: it does not begin with 0, 0, a type and a rank");
  CHECK(said(plain.substr(0, 10)) == "error[idx]: load_idx: " + bad + " ends inside its header");
  CHECK(said(plain.substr(0, 15)) == "error[idx]: load_idx: " + bad + " is too short");
  CHECK(said(plain + "x") == "error[idx]: load_idx: " + bad + " goes on after its last element");
  CHECK(said(std::string("\0\0\x0e\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16)) ==
        "error[idx]: load_idx: " + bad + " says that it holds more than 2^40 bytes");
  CHECK(said(std::string("\0\0\x08\x01\x7f\xff\xff\xff", 8) + "abc") ==
        "error[idx]: load_idx: " + bad + " is too short");
  CHECK(said(zipped.substr(0, zipped.size() / 2)).substr(0, 30 + bad.size()).find("error[") == 0);
}
