module @m {
  func.func public @main(%arg0: tensor<3xf32>, %arg1: tensor<f32>) -> tensor<f32> {
    %0 = stablehlo.reduce(%arg0 init: %arg1) across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
     reducer(%arg3: tensor<f32>, %arg4: tensor<f32>) {
      %1 = stablehlo.divide %arg3, %arg4 : tensor<f32>
      stablehlo.return %1, %1 : tensor<f32>, tensor<f32>
    }
    return %0 : tensor<f32>
  }
}
