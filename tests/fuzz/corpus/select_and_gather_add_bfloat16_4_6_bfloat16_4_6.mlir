module @jit_main attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main() -> (tensor<3x5xbf16> {jax.result_info = "", mhlo.layout_mode = "default"}) {
    %0:2 = call @inputs() : () -> (tensor<4x6xbf16>, tensor<4x6xbf16>)
    %1 = call @expected() : () -> tensor<3x5xbf16>
    %cst = stablehlo.constant dense<0x7F80> : tensor<bf16>
    %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<bf16>
    %2:2 = "stablehlo.reduce_window"(%0#1, %0#0, %cst, %cst_0) <{window_dimensions = array<i64: 2, 2>}> ({
    ^bb0(%arg0: tensor<bf16>, %arg1: tensor<bf16>, %arg2: tensor<bf16>, %arg3: tensor<bf16>):
      %3 = stablehlo.compare  LE, %arg0, %arg2,  FLOAT : (tensor<bf16>, tensor<bf16>) -> tensor<i1>
      %4 = stablehlo.select %3, %arg0, %arg2 : tensor<i1>, tensor<bf16>
      %5 = stablehlo.select %3, %arg1, %arg3 : tensor<i1>, tensor<bf16>
      stablehlo.return %4, %5 : tensor<bf16>, tensor<bf16>
    }) : (tensor<4x6xbf16>, tensor<4x6xbf16>, tensor<bf16>, tensor<bf16>) -> (tensor<3x5xbf16>, tensor<3x5xbf16>)
    return %2#1 : tensor<3x5xbf16>
  }
  func.func private @inputs() -> (tensor<4x6xbf16> {mhlo.layout_mode = "default"}, tensor<4x6xbf16> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<4x6xbf16>
    %cst_0 = stablehlo.constant dense<1> : tensor<4x6xbf16>
    return %cst, %cst_0 : tensor<4x6xbf16>, tensor<4x6xbf16>
  }
  func.func private @expected() -> (tensor<3x5xbf16> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<3x5xbf16>
    return %cst : tensor<3x5xbf16>
  }
}
