module @jit_main attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main() -> (tensor<2x10x8xf32> {jax.result_info = "", mhlo.layout_mode = "default"}) {
    %0:2 = call @inputs() : () -> (tensor<2x8x8xf32>, tensor<2x10x8xf32>)
    %1 = call @expected() : () -> tensor<2x10x8xf32>
    %2 = "stablehlo.triangular_solve"(%0#0, %0#1) <{left_side = false, lower = false, transpose_a = #stablehlo<transpose NO_TRANSPOSE>, unit_diagonal = false}> : (tensor<2x8x8xf32>, tensor<2x10x8xf32>) -> tensor<2x10x8xf32>
    return %2 : tensor<2x10x8xf32>
  }
  func.func private @inputs() -> (tensor<2x8x8xf32> {mhlo.layout_mode = "default"}, tensor<2x10x8xf32> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<2x8x8xf32>
    %cst_0 = stablehlo.constant dense<1> : tensor<2x10x8xf32>
    return %cst, %cst_0 : tensor<2x8x8xf32>, tensor<2x10x8xf32>
  }
  func.func private @expected() -> (tensor<2x10x8xf32> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<2x10x8xf32>
    return %cst : tensor<2x10x8xf32>
  }
}
