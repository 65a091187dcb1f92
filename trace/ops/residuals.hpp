// What a linear program reads of its forward program, sorted by where it comes from: inputs are not
// saved again, what depends on the loop's constants alone is computed once, the rest is saved by
// every step.
#pragma once
#include "trace/graph_transforms.hpp"

namespace fluxion::ops {

class Residuals {
 public:
  /// How a loop can give an input of its body to the linear loop.
  enum class Input {
    constant,  // the same at every step
    again,     // the linear loop has it at the same step
    changing,  // only by saving it
  };
  /// `results`: how many outputs of the forward program come before the residuals.
  Residuals(const LinearizedGraph&,
            std::size_t results,
            const std::function<Input(std::size_t)>& kind_of);

  /// Of the forward program's outputs, those that every step saves.
  ArrayList saved(Arrays outputs) const;
  const std::vector<std::size_t>& saved_outputs() const { return saved_; }
  /// What the linear loop gets as constants; `inputs`: the forward program's, of which only the
  /// constant ones are read.
  ArrayList constants(Arrays inputs) const;
  /// The inputs that are read again.
  const std::vector<std::size_t>& inputs() const { return inputs_; }
  /// All residuals in order; `again`: by input of the forward program.
  ArrayList together(Arrays constants, Arrays saved, Arrays again) const;

 private:
  enum class From { saved, constant, again };
  struct Place {
    From from;
    std::size_t number;
  };
  std::vector<Place> places_;        // of each residual
  std::vector<std::size_t> saved_;   // outputs of the forward program
  std::vector<std::size_t> inputs_;  // read again
  GraphRef hoisted_;                 // all constants' values, from the forward program's inputs
  std::vector<bool> constant_inputs_;
};

}  // namespace fluxion::ops
