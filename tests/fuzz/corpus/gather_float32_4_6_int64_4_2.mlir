module @jit_main attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main() -> (tensor<4x3xf32> {jax.result_info = "", mhlo.layout_mode = "default"}) {
    %0:2 = call @inputs() : () -> (tensor<4x6xf32>, tensor<4x2xi64>)
    %1 = call @expected() : () -> tensor<4x3xf32>
    %2 = "stablehlo.gather"(%0#0, %0#1) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0, 1], index_vector_dim = 1>, slice_sizes = array<i64: 1, 3>}> : (tensor<4x6xf32>, tensor<4x2xi64>) -> tensor<4x3xf32>
    return %2 : tensor<4x3xf32>
  }
  func.func private @inputs() -> (tensor<4x6xf32> {mhlo.layout_mode = "default"}, tensor<4x2xi64> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<4x6xf32>
    %c = stablehlo.constant dense<[[0, 1], [1, 2], [2, 3], [3, 2]]> : tensor<4x2xi64>
    return %cst, %c : tensor<4x6xf32>, tensor<4x2xi64>
  }
  func.func private @expected() -> (tensor<4x3xf32> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<4x3xf32>
    return %cst : tensor<4x3xf32>
  }
}
