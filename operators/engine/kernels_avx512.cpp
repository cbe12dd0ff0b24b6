// The kernels for AVX-512 (F, DQ, BW, VL): see block_kernels.inc.
#define TORSOR_VECTOR_BYTES 64
#define TORSOR_PANEL_VECTORS 4
#define TORSOR_KERNELS(real) k_avx512_##real
#define TORSOR_KERNEL_NAME "avx512"
#include "operators/engine/block_kernels.inc"
