// NumPy's files of one array.
#include "fluxion/npy.hpp"

#include "fluxion/fluxion.hpp"
#include "tests/support/catch.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace fluxion;

namespace {

class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("fluxion_npy_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

std::string written(const std::string& path, const std::string& header, const std::string& data) {
  std::ofstream out(path, std::ios::binary);
  out << "\x93NUMPY\x01" << '\0' << static_cast<char>(header.size()) << '\0' << header << data;
  return path;
}

}  // namespace

TEST_CASE("an array that was saved is loaded again") {
  const Folder folder;
  for (const Array& x : {arange(6, float32).reshape({2, 3}),
                         array({true, false}).reshape({2, 1}),
                         Array(3.5),
                         zeros({0, 4}, int8),
                         ones({3}, bfloat16)}) {
    save_npy(folder / "x.npy", x);
    const Array y = load_npy(folder / "x.npy");
    CHECK(y.shape() == x.shape());
    CHECK(y.dtype() == x.dtype());
    if (x.size() > 0) CHECK(bool(fluxion::all(y == x)));
  }
}

// The bytes that numpy.save writes, version 1.26: np.array([[1, 2], [3, 4]], '>i2', order='F').
TEST_CASE("byte order and the order of axes are those of the header") {
  const Folder folder;
  const std::string header =
      "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2), }                                  "
      "                       \n";
  const Array x = load_npy(written(folder / "x.npy", header, std::string("\0\1\0\3\0\2\0\4", 8)));
  CHECK(x.to_vector<std::int16_t>() == std::vector<std::int16_t>{1, 2, 3, 4});
}

TEST_CASE("a file that is no array says why") {
  const Folder folder;
  const auto refused = [&](const std::string& header, const std::string& data) {
    try {
      load_npy(written(folder / "x.npy", header, data));
    } catch (const Error& e) {
      return std::string(e.code()) + ": " + e.what();
    }
    return std::string("no error");
  };
  CHECK(refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n", "1234")
            .find("ends after 4 of 12 bytes of elements") != std::string::npos);
  CHECK(refused("{'descr': '<M8', 'fortran_order': False, 'shape': (3,), }\n", "")
            .find("holds elements of type 'M8', which no array here has") != std::string::npos);
  CHECK(refused("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }\n",
                "")
            .find("says that it holds more than 2^40 bytes") != std::string::npos);
  CHECK(refused("{'descr': [('a', '<f4')], 'shape': (3,), }\n", "")
            .find("has records, not numbers") != std::string::npos);
  CHECK(refused("{}\n", "").find("has no 'descr' in its header") != std::string::npos);
  CHECK_THROWS_WITH(load_npy(folder / "none.npy"), Catch::Contains("none.npy"));
}
