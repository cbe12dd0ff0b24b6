// The kernels for AVX2 and FMA: see block_kernels.inc.
#define TORSOR_VECTOR_BYTES 32
#define TORSOR_PANEL_VECTORS 2
#define TORSOR_KERNELS(real) k_avx2_##real
#define TORSOR_KERNEL_NAME "avx2"
#include "operators/engine/block_kernels.inc"
