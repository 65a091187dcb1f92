// One operation on host data: through its reference, and through its kernel run instruction by
// instruction, without any fusion.
#pragma once
#include "codegen/interpret.hpp"
#include "tests/support/kernel_interpreter.hpp"
#include "trace/graph.hpp"

#include <numeric>
#include <vector>

namespace fluxion::test {

/// Row-major elements of any dtype.
struct HostArray {
  Type type;
  std::vector<unsigned char> bytes;

  explicit HostArray(Type t) : type(std::move(t)), bytes(bytes_of(type) + 1) {}
  template <class T> HostArray(Type t, const std::vector<T>& values) : HostArray(std::move(t)) {
    by_dtype(type.dtype, [&](auto tag) {
      using E = typename decltype(tag)::type;
      if constexpr (std::is_same_v<E, Complex64> || std::is_same_v<E, Complex128>) {
        using Part = decltype(E().real);  // parts take turns
        for (std::size_t i = 0; i < values.size(); ++i)
          element<Part>(i) = static_cast<Part>(values[i]);
      } else {
        for (std::size_t i = 0; i < values.size(); ++i) {
          if constexpr (std::is_same_v<E, Float16> || std::is_same_v<E, BFloat16>) {
            element<E>(i) = E(static_cast<float>(values[i]));
          } else {
            element<E>(i) = static_cast<E>(values[i]);
          }
        }
      }
    });
  }
  template <class E> E& element(std::size_t i) { return reinterpret_cast<E*>(bytes.data())[i]; }
  template <class E> E element(std::size_t i) const {
    return reinterpret_cast<const E*>(bytes.data())[i];
  }
  std::size_t count() const { return static_cast<std::size_t>(element_count(type.shape)); }
  /// How many numbers the elements are: two each for complex ones.
  std::size_t parts() const { return count() * (is_complex(type.dtype) ? 2 : 1); }
  /// The elements as doubles (64-bit integers may round); parts of complex ones take turns.
  std::vector<double> numbers() const {
    std::vector<double> out;
    by_dtype(type.dtype, [&](auto tag) {
      using E = typename decltype(tag)::type;
      for (std::size_t i = 0; i < count(); ++i) {
        if constexpr (std::is_same_v<E, Complex64> || std::is_same_v<E, Complex128>) {
          out.push_back(element<E>(i).real);
          out.push_back(element<E>(i).imag);
        } else if constexpr (std::is_same_v<E, Float16> || std::is_same_v<E, BFloat16>) {
          out.push_back(static_cast<float>(element<E>(i)));
        } else {
          out.push_back(static_cast<double>(element<E>(i)));
        }
      }
    });
    return out;
  }
};
using HostArrays = std::vector<HostArray>;

inline Types types_of(const HostArrays& arrays) {
  Types types;
  for (const HostArray& a : arrays) types.push_back(a.type);
  return types;
}
inline HostArrays arrays_of(const Types& types) {
  HostArrays arrays;
  for (const Type& type : types) arrays.emplace_back(type);
  return arrays;
}

inline HostArrays run_reference(const Op& op, const HostArrays& inputs) {
  const Types in = types_of(inputs);
  HostArrays outputs = arrays_of(op.types(in));
  std::vector<ConstTensor> from;
  std::vector<Tensor> to;
  for (const HostArray& a : inputs) from.push_back({a.type, a.bytes.data()});
  for (HostArray& a : outputs) to.push_back({a.type, a.bytes.data()});
  op.reference(from, to, [](const Graph& program, ConstTensors values) {
    return codegen::interpret(program, values);
  });
  return outputs;
}

/// A nest in which every read is a load and every write a store.
class PlainNest : public kernel::Nest {
  using Complex = kernel::Complex<kernel::Scalar>;

 public:
  PlainNest(Types in, Types out) : in_(std::move(in)), out_(std::move(out)), builder_("plain") {
    for (const Type& t : in_) inputs_.push_back(buffer(t, kernel::Role::input));
    for (const Type& t : out_) outputs_.push_back(buffer(t, kernel::Role::output));
  }
  /// Which part of complex results is written from here on.
  void write_part(int part) { part_ = part; }
  kernel::Builder& builder() override { return builder_; }
  const Spec& operand(int k) const override { return in_.at(static_cast<std::size_t>(k)); }
  const Spec& result(int k) const override { return out_.at(static_cast<std::size_t>(k)); }
  kernel::Scalar read(int k, const kernel::Index& index) override {
    return builder_.load(inputs_.at(static_cast<std::size_t>(k)), place(operand(k), index, part_));
  }
  kernel::Scalar read(int k,
                      const kernel::Index& index,
                      kernel::Scalar predicate,
                      kernel::Scalar otherwise) override {
    return builder_.load(inputs_.at(static_cast<std::size_t>(k)),
                         place(operand(k), index, part_),
                         predicate,
                         otherwise);
  }
  int part() const override { return part_; }
  Complex read_complex(int k, const kernel::Index& index) override {
    const auto from = inputs_.at(static_cast<std::size_t>(k));
    return {builder_.load(from, place(operand(k), index, 0)),
            builder_.load(from, place(operand(k), index, 1))};
  }
  Complex read_complex(int k,
                       const kernel::Index& index,
                       kernel::Scalar predicate,
                       Complex otherwise) override {
    const auto from = inputs_.at(static_cast<std::size_t>(k));
    return {builder_.load(from, place(operand(k), index, 0), predicate, otherwise.re),
            builder_.load(from, place(operand(k), index, 1), predicate, otherwise.im)};
  }
  kernel::Scalar part_of(const Complex& result) override { return part_ ? result.im : result.re; }
  void multiply_complex(int k,
                        const kernel::Index& index,
                        Complex value,
                        kernel::Scalar predicate) override {
    const auto into = outputs_.at(static_cast<std::size_t>(k));
    const kernel::Affine re = place(result(k), index, 0), im = place(result(k), index, 1);
    const kernel::Scalar zero = value.re.like(0);
    const Complex next = kernel::naive_product(
        {builder_.load(into, re, predicate, zero), builder_.load(into, im, predicate, zero)},
        value);
    builder_.store(into, re, next.re, predicate);
    builder_.store(into, im, next.im, predicate);
  }
  void phase(const Shape& domain, std::function<void(const kernel::Index&)> body) override {
    builder_.parallel(domain, body);
  }
  void write(int k, const kernel::Index& index, kernel::Scalar value) override {
    builder_.store(outputs_.at(static_cast<std::size_t>(k)), place(result(k), index, part_), value);
  }
  void write(int k,
             const kernel::Index& index,
             kernel::Scalar value,
             kernel::Scalar predicate) override {
    builder_.store(
        outputs_.at(static_cast<std::size_t>(k)), place(result(k), index, part_), value, predicate);
  }
  void update(int k,
              const kernel::Index& index,
              kernel::Combiner combiner,
              kernel::Scalar value,
              kernel::Promise promise,
              kernel::Scalar predicate) override {
    builder_.update(outputs_.at(static_cast<std::size_t>(k)),
                    place(result(k), index, part_),
                    combiner,
                    value,
                    promise,
                    predicate);
  }

 private:
  std::int32_t buffer(const Type& type, kernel::Role role) {
    const DType part = type.dtype == complex64    ? float32
                       : type.dtype == complex128 ? float64
                                                  : type.dtype;
    return builder_.buffer(
        part, role, element_count(type.shape) * (is_complex(type.dtype) ? 2 : 1));
  }
  static kernel::Affine place(const Spec& type, const kernel::Index& index, int part) {
    const kernel::Affine element = kernel::dot(index, kernel::row_major(type.shape));
    return is_complex(type.dtype) ? element * 2 + part : element;
  }
  Types in_, out_;
  kernel::Builder builder_;
  std::vector<std::int32_t> inputs_, outputs_;
  int part_ = 0;
};

/// The kernel that one operation is by itself.
inline kernel::Kernel plain_kernel(const Op& op, const Types& in) {
  PlainNest nest(in, op.types(in));
  const int parts = is_complex(nest.result(0).dtype) ? 2 : 1;
  for (int part = 0; part < parts; ++part) {
    nest.write_part(part);
    if (op.pointwise()) {
      nest.phase(nest.result(0).shape,
                 [&](const kernel::Index& index) { nest.write(0, index, op.at(nest, index)); });
    } else {
      op.body(nest);
    }
  }
  return nest.builder().finish();
}

inline HostArrays run_kernel(const Op& op, const HostArrays& inputs) {
  const kernel::Kernel kernel = plain_kernel(op, types_of(inputs));
  HostArrays from = inputs, outputs = arrays_of(op.types(types_of(inputs)));
  for (const InPlace& p : op.in_place())
    outputs[static_cast<std::size_t>(p.result)].bytes =
        inputs[static_cast<std::size_t>(p.operand)].bytes;
  std::vector<void*> buffers;
  for (HostArray& a : from) buffers.push_back(a.bytes.data());
  for (HostArray& a : outputs) buffers.push_back(a.bytes.data());
  KernelInterpreter(kernel, buffers).run();
  return outputs;
}

/// A program through the references of its operations.
inline HostArrays run_graph(const Graph& graph, const HostArrays& inputs) {
  HostArrays values = inputs;
  for (const Operation& operation : graph.operations()) {
    HostArrays operands;
    for (ValueId v : operation.operands) operands.push_back(values.at(static_cast<std::size_t>(v)));
    HostArrays results = run_reference(operation.op, operands);
    for (HostArray& r : results) values.push_back(std::move(r));
  }
  HostArrays outputs;
  for (ValueId v : graph.outputs()) outputs.push_back(values.at(static_cast<std::size_t>(v)));
  return outputs;
}

/// A program of one operation.
inline GraphRef graph_of(const Op& op, const Types& in) {
  GraphBuilder builder;
  std::vector<ValueId> operands, results;
  for (const Type& type : in) operands.push_back(builder.input(type));
  const ValueId first = builder.add(op, operands, Site::current());
  for (std::size_t k = 0; k < op.types(in).size(); ++k) {
    results.push_back(first + static_cast<ValueId>(k));
  }
  return builder.finish(results);
}

/// The operation that the parser finds in "neg" or "reduce[op=sum, ...]".
inline Op parse_operation(std::string_view text) {
  AttributeParser parser(text);
  const std::string name(parser.word());
  Op op;
  for (const Rules* rules : known_operations()) {
    if (rules->parse(name, parser, op)) return op;
  }
  throw std::logic_error("no operation reads '" + std::string(text) + "'");
}

}  // namespace fluxion::test
