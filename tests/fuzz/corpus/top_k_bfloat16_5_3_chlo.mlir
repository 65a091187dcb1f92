module @jit_main attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main() -> (tensor<5x2xbf16> {jax.result_info = "[0]", mhlo.layout_mode = "default"}, tensor<5x2xi32> {jax.result_info = "[1]", mhlo.layout_mode = "default"}) {
    %0 = call @inputs() : () -> tensor<5x3xbf16>
    %1:2 = call @expected() : () -> (tensor<5x2xbf16>, tensor<5x2xi32>)
    %values, %indices = chlo.top_k(%0, k = 2) : tensor<5x3xbf16> -> (tensor<5x2xbf16>, tensor<5x2xi32>)
    return %values, %indices : tensor<5x2xbf16>, tensor<5x2xi32>
  }
  func.func private @inputs() -> (tensor<5x3xbf16> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<5x3xbf16>
    return %cst : tensor<5x3xbf16>
  }
  func.func private @expected() -> (tensor<5x2xbf16> {mhlo.layout_mode = "default"}, tensor<5x2xi32> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<5x2xbf16>
    %c = stablehlo.constant dense<[[0, 1], [2, 1], [0, 1], [1, 2], [1, 0]]> : tensor<5x2xi32>
    return %cst, %c : tensor<5x2xbf16>, tensor<5x2xi32>
  }
}
