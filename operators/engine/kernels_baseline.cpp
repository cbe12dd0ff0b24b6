// The kernels for any processor: vectors of 16 bytes, which x86-64 and 64-bit ARM have and others emulate:
// see block_kernels.inc.
#define TORSOR_VECTOR_BYTES 16
#define TORSOR_PANEL_VECTORS 2
#define TORSOR_KERNELS(real) k_baseline_##real
#define TORSOR_KERNEL_NAME "baseline"
#include "operators/engine/block_kernels.inc"
