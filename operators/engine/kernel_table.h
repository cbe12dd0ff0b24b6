// The interface between the block schedule (jet_engine.cpp) and the kernels compiled once for each
// instruction set (block_kernels.inc). Plain data only: no code that a linker could share between instruction
// sets.
//
// A block of n points with C channels is a row-major matrix of n C rows; row p C + c holds channel c (value,
// partial derivative or Laplacian) of point p, the features of a layer lie along the row. Rows start at
// multiples of 64 bytes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace torsor::engine {

using Count = std::ptrdiff_t;

/// Which channels a block carries and how an activation couples them. Channel 0 is the value; channels 1 ...
/// firsts are first partial derivatives, those that the Laplacian sums over in front.
struct ChannelPlan {
  /// d_i d_j: its channel and the channels of d_i and d_j.
  struct Second {
    int channel, first_i, first_j;
  };
  /// d_i^3 and, unless `fourth` < 0, d_i^4: their channels and those of d_i and d_i^2.
  struct Pure {
    int first, second, third, fourth;
  };
  static constexpr int kMaxFirsts = 4, kMaxSeconds = 10, kMaxChannels = 24;

  int channels = 1;
  int order = 0;             ///< greatest order of a derivative; the Laplacian has order 2
  int firsts = 0;            ///< number of first partial derivatives
  int laplacian = -1;        ///< channel of the collapsed Laplacian, or -1
  int laplacian_firsts = 0;  ///< the Laplacian sums over channels 1 ... laplacian_firsts
  int seconds_count = 0;
  Second seconds[kMaxSeconds] = {};
  int pures_count = 0;
  Pure pures[kMaxFirsts] = {};
};

/// One layer of one block as the activation kernels see it.
template <class Real>
struct ActivationBlock {
  Count points;
  Count vectors;  ///< of a row, ceil(width / lanes)
  Count ld;       ///< from row to row
  Real* z;        ///< points C rows: in, W h; the reverse pass finds what s' needs in the rows of the value
  Real* state;    ///< points rows: what s' needs besides, for sine and swish
};

/// Kernels of one instruction set. Matrices are row-major with 64-byte aligned rows; `vectors` counts vectors
/// of `lanes` numbers along a row, the last of which may run over the row's end into its padding.
template <class Real>
struct KernelTable {
  const char* name;
  Count lanes;          ///< numbers in a vector
  Count panel_vectors;  ///< greatest width of a packed panel, see panel_begin

  /// C = A B, or C += A B: A rows x depth, B packed by panels (network_layout.h), C rows x vectors.
  void (*multiply)(Count rows, Count depth, const Real* a, Count lda, const Real* packed, Count vectors,
                   Real* c, Count ldc, bool accumulate);
  /// G += A^T B: A rows x columns, B rows x vectors, G columns x vectors.
  void (*multiply_transposed)(Count rows, Count columns, const Real* a, Count lda, const Real* b, Count ldb,
                              Count vectors, Real* g, Count ldg);
  /// sum += sum of the rows of A.
  void (*add_rows)(Count rows, const Real* a, Count lda, Count vectors, Real* sum);
  /// h = s(z + bias) (+ skip) in all channels; replaces the rows of z's value by what the reverse pass needs.
  void (*activate[4])(const ChannelPlan& plan, const ActivationBlock<Real>& block, const Real* bias,
                      const Real* skip, Real* h);
  /// dz from dh, the adjoints of z and of s(z).
  void (*activate_reverse[4])(const ChannelPlan& plan, const ActivationBlock<Real>& block, const Real* dh,
                              Real* dz);
  /// out[o * stride + i] = sum_c dz[c * ldz + o] h[c * ldh + i]: the weights' part of one Jacobian row; out
  /// unaligned.
  void (*outer_product)(Count channels, Count outputs, const Real* dz, Count ldz, Count inputs, const Real* h,
                        Count ldh, Real* out, Count stride);
  /// sines[k] = sin(x[k]), cosines[k] = cos(x[k]) for whole vectors.
  void (*sine_cosine)(Count vectors, const Real* x, Real* sines, Real* cosines);
};

/// Number of panels, and first vector of panel p, when `vectors` are cut into the fewest panels of at most
/// `widest`, as equal as possible.
static constexpr Count panel_count(Count vectors, Count widest) {
  return (vectors + widest - 1) / widest;
}
static constexpr Count panel_begin(Count p, Count panels, Count vectors) {
  return p * vectors / panels;
}

/// The kernels in use: those of the best instruction set of this processor, unless force_instruction_set or
/// the environment variable TORSOR_INSTRUCTION_SET names another.
template <class Real>
const KernelTable<Real>& kernels();

/// Those that this processor runs, slowest first: "baseline", "avx2", "avx512".
std::vector<std::string> instruction_sets();

/// The name of the one in use.
std::string instruction_set();

/// Uses kernels of that instruction set from now on; "" goes back to the best. Throws InputError for a name
/// that is not in instruction_sets(). Not to be called while an engine computes.
void force_instruction_set(const std::string& name);

}  // namespace torsor::engine
