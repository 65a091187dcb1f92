// Code without a linker: what the small linker takes and refuses, images as bytes, the processor.
#include "codegen/code_image.hpp"

#include "codegen/host.hpp"
#include "tests/support/compiled_kernel.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/structure.hpp"

#include <cstdio>
#include <fstream>

namespace fluxion::test {
namespace {

using codegen::CodeImage;
using kernel::Builder;
using kernel::Index;
using kernel::Role;

/// out[i] = in[i] * factor + 1
kernel::Kernel scaled(std::int64_t count, float factor, const char* name = "scaled") {
  Builder b(name);
  const auto in = b.buffer(float32, Role::input, count);
  const auto out = b.buffer(float32, Role::output, count);
  b.parallel({count}, [&](const Index& i) {
    b.store(out, i[0], b.load(in, i[0]) * b.constant(float32, factor) + b.constant(float32, 1.0));
  });
  return b.finish();
}

#ifdef __x86_64__
TEST_CASE("this processor is the same to us as to LLVM") {
  const codegen::Target& target = codegen::host_target();
  CHECK(codegen::host_supported() == target.supported);
  CHECK(codegen::host_vector().vector_bytes == target.vector.vector_bytes);
  CHECK(codegen::host_vector().masks == target.vector.masks);
  CHECK(codegen::host_identification().size() > 100);
}

TEST_CASE("loaded code tells its kernel, mapping, object and text") {
  const kernel::Kernel kernel = scaled(1000, 3);
  const auto compiled = codegen::compile(kernel);
  const auto loaded = codegen::load(kernel, compiled->image().value());
  REQUIRE(loaded);
  CHECK(to_string(loaded->kernel()) == to_string(compiled->kernel()));
  CHECK(to_string(loaded->mapping(), loaded->kernel()) ==
        to_string(compiled->mapping(), compiled->kernel()));
  CHECK(loaded->llvm_ir() == compiled->llvm_ir());
  CHECK(loaded->assembly() == compiled->assembly());
  CHECK(loaded->scratch_bytes() == compiled->scratch_bytes());
  REQUIRE(loaded->phases().size() == compiled->phases().size());
  CHECK(loaded->phases()[0].units == compiled->phases()[0].units);
  CHECK(loaded->phases()[0].grain == compiled->phases()[0].grain);
  CHECK(undefined_symbols(loaded->object()).empty());
  CHECK(loaded->image()->code == compiled->image()->code);
}

TEST_CASE("a kernel that does nothing has an image, too") {
  Builder b("nothing");
  b.buffer(float32, Role::output, 0);
  const kernel::Kernel kernel = b.finish();
  const auto image = codegen::compile(kernel)->image();
  REQUIRE(image);
  const auto loaded = codegen::load(kernel, codegen::unpack(codegen::pack(*image)).value());
  REQUIRE(loaded);
  CHECK(loaded->phases().empty());
}

TEST_CASE("an object that is cut off anywhere is refused or links to the same code") {
  const auto compiled = codegen::compile(scaled(1000, 3));
  const std::string& object = compiled->object();
  const std::string name = [&] {
    const std::size_t at = object.find("fluxion_");
    return object.substr(at, object.find('\0', at) - at);
  }();
  const auto whole = codegen::link_object(object, {name});
  REQUIRE(whole);
  CHECK(whole->code == compiled->image()->code);
  for (std::size_t size = 0; size < object.size(); ++size) {
    // On memory of exactly that size, so that a sanitizer sees a read behind it.
    const std::vector<char> part(object.begin(), object.begin() + static_cast<long>(size));
    const auto linked = codegen::link_object({part.data(), part.size()}, {name});
    if (linked && linked->code != whole->code) FAIL("cut at " << size);
  }
  CHECK(!codegen::link_object(object, {"another_name"}));
}

TEST_CASE("no damaged object makes the linker read or write outside") {
  const auto compiled = codegen::compile(scaled(1000, 3));
  const std::string& object = compiled->object();
  std::size_t linked = 0;
  for (std::size_t k = 0; k < object.size(); ++k) {
    for (const unsigned char with : {0x00, 0x7f, 0xff}) {
      std::vector<char> damaged(object.begin(), object.end());
      damaged[k] = static_cast<char>(with);
      linked += codegen::link_object({damaged.data(), damaged.size()}, {}).has_value();
    }
  }
  CHECK(linked > 0);
  CHECK(linked < 3 * object.size());
}

TEST_CASE("executable memory cannot be written") {
  const auto compiled = codegen::compile(scaled(1000, 3));
  const auto code = codegen::executable_copy(compiled->image()->code);
  REQUIRE(code);
  const auto address = reinterpret_cast<std::uintptr_t>(code.get());
  std::ifstream maps("/proc/self/maps");
  std::string line, rights;
  while (std::getline(maps, line)) {
    std::uintptr_t begin = 0, end = 0;
    char flags[5] = {};
    REQUIRE(std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, flags) == 3);
    if (begin <= address && address < end) rights = flags;
  }
  CHECK(rights == "r-xp");
  CHECK(!codegen::executable_copy(""));
}
#endif

TEST_CASE("an image is the same after it was bytes, and other bytes are refused") {
  const CodeImage image{{{0, 10, 2}, {5, 1, 1}}, 4096, 7, "code and constants"};
  const std::string bytes = codegen::pack(image);
  const auto again = codegen::unpack(bytes);
  REQUIRE(again);
  CHECK(again->phases == image.phases);
  CHECK(again->scratch_bytes == 4096);
  CHECK(again->quick == 7);
  CHECK(again->code == image.code);
  for (std::size_t size = 0; size < bytes.size() - image.code.size() + 6; ++size)
    CHECK(!codegen::unpack(std::string_view(bytes).substr(0, size)));
  // A count of phases that would overflow, an entry behind the code, negative units.
  for (std::size_t word : {0, 3, 6}) {
    std::string hostile = bytes;
    hostile.replace(word * 8, 8, 8, '\xff');
    CHECK(!codegen::unpack(hostile));
  }
  CodeImage negative = image;
  negative.phases[1].units = -1;
  CHECK(!codegen::unpack(codegen::pack(negative)));
}

TEST_CASE("a kernel's bytes are equal where its structure is, whatever its name") {
  const kernel::Kernel a = scaled(1000, 3), b = scaled(1000, 3, "other"), c = scaled(1000, 4),
                       d = scaled(1001, 3);
  CHECK(same_structure(a, b));
  CHECK(structure_bytes(a) == structure_bytes(b));
  CHECK(structure_bytes(a) != structure_bytes(c));
  CHECK(structure_bytes(a) != structure_bytes(d));
}

TEST_CASE("every part of a kernel counts among its bytes") {
  Builder b("parts");
  const auto in = b.buffer(float32, Role::input, 64 * 8);
  const auto out = b.buffer(float32, Role::output, 64);
  b.parallel({64}, [&](const Index& i) { b.store(out, i[0], b.load(in, i[0] * 8)); });
  const kernel::Kernel whole = b.finish();
  const auto differs = [&](auto&& change) {
    kernel::Kernel changed = whole;
    change(changed);
    CHECK(!same_structure(changed, whole));
    CHECK(structure_bytes(changed) != structure_bytes(whole));
  };
  using kernel::Kernel;
  differs([](Kernel& k) { k.buffers[0].count += 1; });
  differs([](Kernel& k) { k.buffers[0].dtype = int32; });
  differs([](Kernel& k) { k.buffers[0].role = Role::scratch; });
  differs([](Kernel& k) { k.variables[0].extent += 1; });
  differs([](Kernel& k) { k.variables.push_back({1}); });
  differs([](Kernel& k) { k.instructions[0].bits += 1; });
  differs([](Kernel& k) { k.instructions[0].type = float64; });
  differs([](Kernel& k) { k.instructions[0].verb = kernel::Verb::neg; });
  differs([](Kernel& k) { k.instructions[0].a += 1; });
  differs([](Kernel& k) { k.instructions[0].b += 1; });
  differs([](Kernel& k) { k.instructions[0].c += 1; });
  differs([](Kernel& k) { k.accesses[0].buffer += 1; });
  differs([](Kernel& k) { k.accesses[0].offset.constant -= 1; });
  differs([](Kernel& k) { k.accesses[0].offset *= 2; });
  differs(
      [](Kernel& k) { std::swap(k.accesses[0].offset.variables, k.accesses[0].offset.opaque); });
  differs([](Kernel& k) { k.accesses[0].predicate += 1; });
  differs([](Kernel& k) { k.accesses[0].otherwise += 1; });
  differs([](Kernel& k) { k.tables.push_back({float32, {1, 2}}); });
  differs([](Kernel& k) { k.loops[0].kind = kernel::LoopKind::serial; });
  differs([](Kernel& k) { k.loops[0].tree = kernel::Tree::lanes; });
  differs([](Kernel& k) { k.loops[0].variables.push_back(0); });
  differs([](Kernel& k) { k.loops[0].trip_count += 1; });
  differs([](Kernel& k) { k.loops[0].carries.emplace_back(); });
  differs([](Kernel& k) { k.loops[0].condition_block.push_back({false, 0}); });
  differs([](Kernel& k) { k.loops[0].condition += 1; });
  differs([](Kernel& k) { k.loops[0].body.pop_back(); });
  differs([](Kernel& k) { k.top[0].is_loop = !k.top[0].is_loop; });
  differs([](Kernel& k) { k.top[0].index += 1; });
}

}  // namespace
}  // namespace fluxion::test
