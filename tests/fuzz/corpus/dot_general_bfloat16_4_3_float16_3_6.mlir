module @jit_main attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main() -> (tensor<4x6xbf16> {jax.result_info = "", mhlo.layout_mode = "default"}) {
    %0:2 = call @inputs() : () -> (tensor<4x3xbf16>, tensor<3x6xf16>)
    %1 = call @expected() : () -> tensor<4x6xbf16>
    %2 = stablehlo.convert %0#0 : tensor<4x3xbf16>
    %3 = stablehlo.convert %0#1 : (tensor<3x6xf16>) -> tensor<3x6xbf16>
    %4 = stablehlo.dot_general %2, %3, contracting_dims = [1] x [0] : (tensor<4x3xbf16>, tensor<3x6xbf16>) -> tensor<4x6xbf16>
    return %4 : tensor<4x6xbf16>
  }
  func.func private @inputs() -> (tensor<4x3xbf16> {mhlo.layout_mode = "default"}, tensor<3x6xf16> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<4x3xbf16>
    %cst_0 = stablehlo.constant dense<1> : tensor<3x6xf16>
    return %cst, %cst_0 : tensor<4x3xbf16>, tensor<3x6xf16>
  }
  func.func private @expected() -> (tensor<4x6xbf16> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<4x6xbf16>
    return %cst : tensor<4x6xbf16>
  }
}
