// Trains two networks on the 70,000 pictures of clothes of Fashion-MNIST (Debian:
// dataset-fashion-mnist), tests them on pictures that they have not seen, and checks that a saved
// and reloaded network predicts the same.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fluxion/nn.hpp>
#include <iostream>
#include <string>
#include <unistd.h>

namespace fx = fluxion;
namespace nn = fluxion::nn;
using fx::Array;

namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Mlp {
  static constexpr const char* name = "MLP";
  nn::Linear in, out;
  static Mlp init(Array key) {
    auto [a, b] = fx::random::split<2>(key);
    return {nn::Linear::init(a, 784, 256), nn::Linear::init(b, 256, 10)};
  }
  Array operator()(Array x) const { return out(fx::relu(in(x.reshape({-1, 784})))); }
};

struct Cnn {
  static constexpr const char* name = "CNN";
  nn::Conv2d first, second;
  nn::Linear in, out;
  nn::MaxPool2d pool = {};
  static Cnn init(Array key) {
    auto [a, b, c, d] = fx::random::split<4>(key);
    return {nn::Conv2d::init(a, 1, 16),
            nn::Conv2d::init(b, 16, 32),
            nn::Linear::init(c, 7 * 7 * 32, 128),
            nn::Linear::init(d, 128, 10)};
  }
  Array operator()(Array x) const {
    x = pool(fx::relu(first(x)));
    x = pool(fx::relu(second(x)));
    return out(fx::relu(in(x.reshape({-1, 7 * 7 * 32}))));
  }
};

struct Data {
  Array images, labels;  // float32[n, 28, 28, 1] in 0..1, int32[n]
  std::int64_t size() const { return labels.size(); }
};

Data load(const std::string& folder, const std::string& part) {
  const Array images = nn::load_idx(folder + "/" + part + "-images-idx3-ubyte.gz");
  const Array labels = nn::load_idx(folder + "/" + part + "-labels-idx1-ubyte.gz");
  if (images.ndim() != 3 || labels.ndim() != 1 || images.shape()[0] != labels.shape()[0])
    throw std::runtime_error("the images and labels of " + part + " do not belong together");
  Data d{fx::expand_dims(images.astype(fx::float32) / 255, -1), labels.astype(fx::int32)};
  fx::eval(d.images, d.labels);
  return d;
}

/// A line that rewrites itself on a terminal, and nine plain lines an epoch elsewhere.
class Progress {
 public:
  Progress(int epoch, int epochs, std::int64_t total)
      : epoch_(epoch), epochs_(epochs), total_(total) {}
  void show(std::int64_t done, float loss) {
    const double seconds = since(start_), rate = static_cast<double>(done) / seconds,
                 left = static_cast<double>(total_ - done) / rate;
    const int tenths = static_cast<int>(10 * done / total_);
    if (terminal_) {
      std::string bar(30, '.');
      bar.replace(0,
                  static_cast<std::size_t>(30 * done / total_),
                  static_cast<std::size_t>(30 * done / total_),
                  '#');
      rewriting_ = true;
      std::printf("\r  epoch %2d/%d [%s] %7.0f images/s  loss %.4f  %3.0f s left ",
                  epoch_,
                  epochs_,
                  bar.c_str(),
                  rate,
                  static_cast<double>(loss),
                  left);
    } else if (tenths > shown_ && tenths % 5 == 0) {
      shown_ = tenths;
      std::printf("  epoch %2d/%d  %3d %%  %7.0f images/s  loss %.4f  %3.0f s left\n",
                  epoch_,
                  epochs_,
                  tenths * 10,
                  rate,
                  static_cast<double>(loss),
                  left);
    }
    std::fflush(stdout);
  }
  double finish() {
    const double seconds = since(start_);
    if (rewriting_) std::printf("\n");
    return seconds;
  }

 private:
  int epoch_, epochs_;
  std::int64_t total_;
  bool terminal_ = isatty(STDOUT_FILENO) == 1;
  bool rewriting_ = false;
  int shown_ = 0;
  Clock::time_point start_ = Clock::now();
};

template <class Model> Array predictions(const Model& model, const Data& data) {
  auto forward = fx::jit([](Model m, Array x) { return fx::argmax(m(x), -1); });
  std::vector<Array> parts;
  for (std::int64_t i = 0; i < data.size(); i += 1000)
    parts.push_back(forward(model, data.images[{fx::slice(i, std::min(i + 1000, data.size()))}]));
  return fx::concatenate(parts);
}

struct Options {
  std::string model = "both", folder = "/usr/share/datasets/fashion-mnist";
  int mlp_epochs = 12, cnn_epochs = 10;
  std::int64_t batch = 128;
  bool timing = false;  // only print the seconds of the faster of two epochs
};

/// Trains, tests, saves, reloads; whether all is well.
template <class Model>
bool run(const Data& train,
         const Data& test,
         int epochs,
         std::int64_t batch,
         double wanted,
         bool timing) {
  if (!timing) std::cout << Model::name << ":\n";
  auto model = Model::init(fx::random::key(0));
  if (!timing) std::cout << nn::summary(model);
  const std::int64_t steps = train.size() / batch;
  const auto optimizer = nn::adam({.learning_rate = nn::Schedule::cosine(1.5e-3, steps * epochs)});
  auto state = optimizer.init(model);

  auto step = fx::jit([optimizer](Model m,
                                  decltype(state) s,
                                  Array images,
                                  Array labels,
                                  Array order,
                                  Array i,
                                  std::int64_t size) {
    const Array rows = fx::lax::dynamic_slice(order, {i * static_cast<int>(size)}, {size});
    const Array x = fx::take(images, rows, 0), y = fx::take(labels, rows, 0);
    auto [loss, grads] =
        fx::value_and_grad([&](Model m) { return nn::softmax_cross_entropy(m(x), y); })(m);
    auto [updates, next] = optimizer.update(grads, s, m);
    return std::tuple{nn::apply_updates(m, updates), next, loss};
  });

  double seconds = 0, fastest = 1e9;
  std::vector<std::int32_t> order(static_cast<std::size_t>(train.size()));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int32_t>(i);
  std::uint64_t random = 1;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (std::size_t i = order.size() - 1; i > 0; --i) {  // Fisher-Yates
      random = random * 6364136223846793005u + 1442695040888963407u;
      std::swap(order[i], order[(random >> 33) % (i + 1)]);
    }
    const Array shuffled = fx::array(order);
    Progress progress(epoch, epochs, steps * batch);
    Array loss;
    for (std::int64_t i = 0; i < steps; ++i) {
      std::tie(model, state, loss) = step(std::move(model),
                                          std::move(state),
                                          train.images,
                                          train.labels,
                                          shuffled,
                                          Array(static_cast<std::int32_t>(i)),
                                          batch);
      if (!timing && (i % 20 == 19 || i + 1 == steps))
        progress.show((i + 1) * batch, loss.item<float>());
    }
    if (timing) fx::eval(model, state);
    const double took = progress.finish();
    seconds += took;
    fastest = std::min(fastest, took);
  }
  if (timing) {
    std::printf("%.3f\n", fastest);
    return true;
  }
  std::printf("  %.2f seconds per epoch\n", seconds / epochs);

  const Array before = predictions(model, test);
  const double accuracy =
      100 * fx::mean((before == test.labels).astype(fx::float64)).template item<double>();
  std::printf("  test accuracy %.2f %% (%s %.1f %%)\n",
              accuracy,
              accuracy >= wanted ? "at least" : "BELOW",
              wanted);

  const std::string path = std::string("fashion_mnist_") + Model::name + ".safetensors";
  nn::save(path, model);
  auto again = Model::init(fx::random::key(1));  // other weights, to be overwritten
  nn::load(path, again);
  const bool same = fx::all(predictions(again, test) == before).template item<bool>();
  std::printf("  saved to %s and reloaded: predictions are %s\n\n",
              path.c_str(),
              same ? "identical" : "NOT identical");
  return accuracy >= wanted && same;
}

Options parse(int count, char** words) {
  Options o;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--timing") {
      o.timing = true;
      continue;
    }
    if (word == "--help" || i + 1 == count) {
      std::cout << "fashion_mnist [--model mlp|cnn|both] [--epochs N] [--batch N] [--data FOLDER] "
                   "[--timing]\n";
      std::exit(word == "--help" ? 0 : 2);
    }
    const std::string value = words[++i];
    if (word == "--model")
      o.model = value;
    else if (word == "--epochs")
      o.mlp_epochs = o.cnn_epochs = std::stoi(value);
    else if (word == "--batch")
      o.batch = std::stoll(value);
    else if (word == "--data")
      o.folder = value;
    else {
      std::cerr << "fashion_mnist: there is no option " << word << " (see --help)\n";
      std::exit(2);
    }
  }
  return o;
}

}  // namespace

int main(int count, char** words) try {
  const Options o = parse(count, words);
  const auto start = Clock::now();
  const Data train = load(o.folder, "train"), test = load(o.folder, "t10k");
  if (!o.timing)
    std::printf("%lld training and %lld test images read in %.1f s\n\n",
                static_cast<long long>(train.size()),
                static_cast<long long>(test.size()),
                since(start));
  bool fine = true;
  if (o.model != "cnn")
    fine &= run<Mlp>(train, test, o.timing ? 2 : o.mlp_epochs, o.batch, 88, o.timing);
  if (o.model != "mlp")
    fine &= run<Cnn>(train, test, o.timing ? 2 : o.cnn_epochs, o.batch, 91, o.timing);
  return fine ? 0 : 1;
} catch (const std::exception& e) {
  std::cerr << e.what() << "\n";
  return 1;
}
