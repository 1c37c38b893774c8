"""Algorithms of convolution, one idea a file. `convcost.engine.kernels.conv` is the door to them."""
