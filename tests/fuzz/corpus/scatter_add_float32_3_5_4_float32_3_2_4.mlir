module @jit_main attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main() -> (tensor<3x5x4xf32> {jax.result_info = "", mhlo.layout_mode = "default"}) {
    %c = stablehlo.constant dense<1> : tensor<2x1xi64>
    %0:2 = call @inputs() : () -> (tensor<3x5x4xf32>, tensor<3x2x4xf32>)
    %1 = call @expected() : () -> tensor<3x5x4xf32>
    %2 = "stablehlo.scatter"(%0#0, %c, %0#1) <{scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [0, 2], inserted_window_dims = [1], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>}> ({
    ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
      %3 = stablehlo.add %arg0, %arg1 : tensor<f32>
      stablehlo.return %3 : tensor<f32>
    }) : (tensor<3x5x4xf32>, tensor<2x1xi64>, tensor<3x2x4xf32>) -> tensor<3x5x4xf32>
    return %2 : tensor<3x5x4xf32>
  }
  func.func private @inputs() -> (tensor<3x5x4xf32> {mhlo.layout_mode = "default"}, tensor<3x2x4xf32> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<3x5x4xf32>
    %cst_0 = stablehlo.constant dense<1> : tensor<3x2x4xf32>
    return %cst, %cst_0 : tensor<3x5x4xf32>, tensor<3x2x4xf32>
  }
  func.func private @expected() -> (tensor<3x5x4xf32> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<3x5x4xf32>
    return %cst : tensor<3x5x4xf32>
  }
}
