module @jit_main attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main() -> (tensor<2x4x6xbf16> {jax.result_info = "", mhlo.layout_mode = "default"}) {
    %0:2 = call @inputs() : () -> (tensor<2x1x6xbf16>, tensor<2x4x6xbf16>)
    %1 = call @expected() : () -> tensor<2x4x6xbf16>
    %cst = stablehlo.constant dense<0xFF80> : tensor<bf16>
    %2 = stablehlo.pad %0#1, %cst, low = [0, 0, 0], high = [0, 0, 0], interior = [0, 0, 0] : (tensor<2x4x6xbf16>, tensor<bf16>) -> tensor<2x4x6xbf16>
    %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<bf16>
    %3 = "stablehlo.select_and_scatter"(%2, %0#0, %cst_0) <{window_dimensions = array<i64: 1, 3, 1>, window_strides = array<i64: 1, 2, 1>}> ({
    ^bb0(%arg0: tensor<bf16>, %arg1: tensor<bf16>):
      %5 = stablehlo.compare  GE, %arg0, %arg1,  FLOAT : (tensor<bf16>, tensor<bf16>) -> tensor<i1>
      stablehlo.return %5 : tensor<i1>
    }, {
    ^bb0(%arg0: tensor<bf16>, %arg1: tensor<bf16>):
      %5 = stablehlo.add %arg0, %arg1 : tensor<bf16>
      stablehlo.return %5 : tensor<bf16>
    }) : (tensor<2x4x6xbf16>, tensor<2x1x6xbf16>, tensor<bf16>) -> tensor<2x4x6xbf16>
    %4 = stablehlo.slice %3 [0:2, 0:4, 0:6] : (tensor<2x4x6xbf16>) -> tensor<2x4x6xbf16>
    return %4 : tensor<2x4x6xbf16>
  }
  func.func private @inputs() -> (tensor<2x1x6xbf16> {mhlo.layout_mode = "default"}, tensor<2x4x6xbf16> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<2x1x6xbf16>
    %cst_0 = stablehlo.constant dense<1> : tensor<2x4x6xbf16>
    return %cst, %cst_0 : tensor<2x1x6xbf16>, tensor<2x4x6xbf16>
  }
  func.func private @expected() -> (tensor<2x4x6xbf16> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<2x4x6xbf16>
    return %cst : tensor<2x4x6xbf16>
  }
}
