module @jit_main attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main() -> (tensor<7x5x3xf32> {jax.result_info = "", mhlo.layout_mode = "default"}) {
    %0:3 = call @inputs() : () -> (tensor<7x5x3xf32>, tensor<2x0x1xf32>, tensor<3xi64>)
    %1 = call @expected() : () -> tensor<7x5x3xf32>
    %2 = stablehlo.slice %0#2 [0:1] : (tensor<3xi64>) -> tensor<1xi64>
    %3 = stablehlo.reshape %2 : (tensor<1xi64>) -> tensor<i64>
    %4 = stablehlo.slice %0#2 [1:2] : (tensor<3xi64>) -> tensor<1xi64>
    %5 = stablehlo.reshape %4 : (tensor<1xi64>) -> tensor<i64>
    %6 = stablehlo.slice %0#2 [2:3] : (tensor<3xi64>) -> tensor<1xi64>
    %7 = stablehlo.reshape %6 : (tensor<1xi64>) -> tensor<i64>
    %c = stablehlo.constant dense<0> : tensor<i64>
    %8 = stablehlo.compare  LT, %3, %c,  SIGNED : (tensor<i64>, tensor<i64>) -> tensor<i1>
    %c_0 = stablehlo.constant dense<7> : tensor<i64>
    %9 = stablehlo.add %3, %c_0 : tensor<i64>
    %10 = stablehlo.select %8, %9, %3 : tensor<i1>, tensor<i64>
    %c_1 = stablehlo.constant dense<0> : tensor<i64>
    %11 = stablehlo.compare  LT, %5, %c_1,  SIGNED : (tensor<i64>, tensor<i64>) -> tensor<i1>
    %c_2 = stablehlo.constant dense<5> : tensor<i64>
    %12 = stablehlo.add %5, %c_2 : tensor<i64>
    %13 = stablehlo.select %11, %12, %5 : tensor<i1>, tensor<i64>
    %c_3 = stablehlo.constant dense<0> : tensor<i64>
    %14 = stablehlo.compare  LT, %7, %c_3,  SIGNED : (tensor<i64>, tensor<i64>) -> tensor<i1>
    %c_4 = stablehlo.constant dense<3> : tensor<i64>
    %15 = stablehlo.add %7, %c_4 : tensor<i64>
    %16 = stablehlo.select %14, %15, %7 : tensor<i1>, tensor<i64>
    %17 = stablehlo.dynamic_update_slice %0#0, %0#1, %10, %13, %16 : (tensor<7x5x3xf32>, tensor<2x0x1xf32>, tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<7x5x3xf32>
    return %17 : tensor<7x5x3xf32>
  }
  func.func private @inputs() -> (tensor<7x5x3xf32> {mhlo.layout_mode = "default"}, tensor<2x0x1xf32> {mhlo.layout_mode = "default"}, tensor<3xi64> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<7x5x3xf32>
    %cst_0 = stablehlo.constant dense<> : tensor<2x0x1xf32>
    %c = stablehlo.constant dense<[4, 1, 0]> : tensor<3xi64>
    return %cst, %cst_0, %c : tensor<7x5x3xf32>, tensor<2x0x1xf32>, tensor<3xi64>
  }
  func.func private @expected() -> (tensor<7x5x3xf32> {mhlo.layout_mode = "default"}) {
    %cst = stablehlo.constant dense<1> : tensor<7x5x3xf32>
    return %cst : tensor<7x5x3xf32>
  }
}
