// Section 4 of the tour: trace, lower, eval_shape, stop_gradient.
#include "expect.hpp"

#include <cstdio>
#include <fluxion/fluxion.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace fx = fluxion;
using fx::Array;

struct Two {
  Array mean;
  std::vector<Array> more;
};

int main() {
  Array x = fx::ones({8, 3});
  const std::string place = "inspection.cpp:" + std::to_string(__LINE__ + 1);
  auto f = [](Array x) { return fx::sum(fx::tanh(x) * x); };

  fx::Function ir = fx::trace(f, x);
  std::ostringstream text;
  text << ir;
  EXPECT(text.str().find("tanh") != std::string::npos);
  EXPECT(text.str().find("f32[8,3]") != std::string::npos);
  EXPECT(text.str().find(place) != std::string::npos);

  auto spec = fx::eval_shape(f, fx::Spec{{8, 3}, fx::float32});
  EXPECT(spec.shape() == fx::Shape() && spec.dtype() == fx::float32);
  auto shapes =
      fx::eval_shape([](Array x, int n) { return Two{fx::mean(x, 0), std::vector<Array>(n, x)}; },
                     fx::Spec{{8, 3}, fx::float32},
                     4);
  EXPECT(shapes.more.size() == 4 && shapes.more[0].shape() == fx::Shape({8, 3}));
  EXPECT(shapes.mean.shape() == fx::Shape({3}));

  auto exe = fx::lower(f, fx::Spec{{8, 3}, fx::float32}).compile();
  EXPECT(near(exe(x).item<float>(), 24 * std::tanh(1.0)));
  EXPECT(exe.cost().flops >= 24 && exe.cost().bytes >= 96);
  EXPECT(exe.memory().arguments == 96 && exe.memory().results == 4);
  EXPECT(fx::explain(exe).find("inspection.cpp:") != std::string::npos);
  {
    auto profile = fx::profile("inspection_trace.json");
    fx::eval(exe(x));
    profile.stop();
  }
  std::ifstream trace("inspection_trace.json");
  const std::string events((std::istreambuf_iterator<char>(trace)), {});
  EXPECT(events.find("\"kernel ") != std::string::npos);
  std::remove("inspection_trace.json");

  auto g = fx::grad([](Array x) { return x * fx::stop_gradient(x); })(Array(3.0));
  EXPECT(g.item<double>() == 3.0);
  EXPECT(fx::trace(fx::eye(3)).item<float>() == 3.f);
  return failures;
}
