module @m {
  func.func public @main(%arg0: tensor<3xf32>, %arg1: tensor<2x1xi32>, %arg2: tensor<2xf32>) -> tensor<3xf32> {
    %0 = "stablehlo.scatter"(%arg0, %arg1, %arg2) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>, unique_indices = false}> ({
    ^bb0(%arg3: tensor<f32>, %arg4: tensor<f32>):
      stablehlo.return %arg3, %arg4 : tensor<f32>, tensor<f32>
    }) : (tensor<3xf32>, tensor<2x1xi32>, tensor<2xf32>) -> tensor<3xf32>
    return %0 : tensor<3xf32>
  }
}
