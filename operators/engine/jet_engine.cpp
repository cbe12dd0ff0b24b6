// The schedule of the derivative engine: see jet_engine.h. A thread computes consecutive points, the same
// ones at every call, and its sums are added to those of the others in the order of the threads, so that the
// bits do not change.
#include "operators/engine/jet_engine.h"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "operators/engine/block_pass.h"
#include "physics/error.h"

namespace torsor {
namespace {

using engine::Arena;
using engine::BlockPass;
using engine::KernelTable;
using engine::NetworkLayout;
using engine::Segment;

/// The memory of a thread, kept between calls.
struct ThreadMemory {
  Arena packed, block, gradients;
};
ThreadMemory& thread_memory() {
  thread_local ThreadMemory memory;
  return memory;
}

/// The points of a batch in the order in which they are computed: by group, and as given within one.
class PointOrder {
 public:
  template <class Real>
  explicit PointOrder(const JetBatch<Real>& batch) : count_(batch.count), groups_(batch.groups) {
    if (count_ < 0) throw InputError("points: count = " + std::to_string(count_) + " must be >= 0");
    if (batch.group_count < 1)
      throw InputError("groups: count = " + std::to_string(batch.group_count) + " must be >= 1");
    if (groups_) sort(batch.group_count);
  }

  Index count() const { return count_; }
  Index point(Index position) const {
    return order_.empty() ? position : order_[static_cast<size_t>(position)];
  }
  Index group(Index position) const { return groups_ ? groups_[point(position)] : 0; }

 private:
  void sort(Index group_count) {
    std::vector<Index> begin(static_cast<size_t>(group_count) + 1, 0);
    bool sorted = true;
    for (Index k = 0; k < count_; ++k) {
      if (groups_[k] < 0 || groups_[k] >= group_count)
        throw InputError("groups: that of point " + std::to_string(k) + " = " + std::to_string(groups_[k]) +
                         " must be 0 ... " + std::to_string(group_count - 1));
      ++begin[static_cast<size_t>(groups_[k]) + 1];
      sorted = sorted && (k == 0 || groups_[k - 1] <= groups_[k]);
    }
    if (sorted) return;
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    order_.resize(static_cast<size_t>(count_));
    for (Index k = 0; k < count_; ++k)
      order_[static_cast<size_t>(begin[static_cast<size_t>(groups_[k])]++)] = k;
  }

  Index count_;
  const Index* groups_;
  std::vector<Index> order_;
};

/// Keeps the first exception of a parallel region, which none may leave.
class FirstError {
 public:
  template <class Action>
  void guard(const Action& action) {
    try {
      action();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr error_;
};

/// Gradient buffers and losses of one thread, for the consecutive groups first ... last that its points
/// belong to.
template <class Real>
struct ThreadSums {
  Index first = 0, last = -1;
  Real* gradients = nullptr;  // [last - first + 1][layout.gradient_size]
  std::vector<double> losses;

  bool has(Index group) const { return first <= group && group <= last; }
};

/// One call: the threads' parts of a batch.
template <class Real>
class Call {
 public:
  Call(const NetworkLayout<Real>& layout, const JetBatch<Real>& batch, const Real* parameters, int threads)
      : layout_(layout),
        batch_(batch),
        parameters_(parameters),
        kernel_(engine::kernels<Real>()),
        order_(batch),
        threads_(static_cast<int>(std::clamp<Index>(batch.count / kLeastPoints, 1, threads))),
        packed_(static_cast<Real*>(
            thread_memory().packed.reserve(static_cast<size_t>(layout.packed_size) * sizeof(Real)))) {
    if (layout.shape.constants > 0 && batch.count > 0 && !batch.constants)
      throw InputError("constants: " + std::to_string(layout.shape.constants) +
                       " for each point must be given");
  }

  /// In every thread with points: prepare(thread, begin, end) for its range of positions in the order, then
  /// visit(pass, first, count, thread) for every block of them, forward pass done. When all are through, in
  /// every thread: finish().
  template <class Prepare, class Visit, class Finish>
  void run(const Prepare& prepare, const Visit& visit, const Finish& finish) {
    pack();
    FirstError error;
#pragma omp parallel num_threads(threads_)
    {
      const int thread = omp_get_thread_num(), team = omp_get_num_threads();
      error.guard([&] {
        const Index begin = order_.count() * thread / team, end = order_.count() * (thread + 1) / team;
        if (begin == end) return;
        prepare(thread, begin, end);
        run_blocks(begin, end, visit, thread);
      });
#pragma omp barrier
      finish();
    }
    error.rethrow();
  }

  int threads() const {
    return threads_;
  }
  const PointOrder& order() const {
    return order_;
  }

 private:
  // Of a thread: fewer points, or numbers to pack, cost more to hand over than to compute.
  static constexpr Index kLeastPoints = 16, kLeastPacked = 1 << 16;

  void pack() {
    const Index layers = layout_.shape.layers();
    const int threads = static_cast<int>(std::clamp<Index>(layout_.packed_size / kLeastPacked, 1, threads_));
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (Index l = 0; l < layers; ++l) layout_.pack_layer(kernel_, l, parameters_, packed_);
  }

  template <class Visit>
  void run_blocks(Index begin, Index end, const Visit& visit, int thread) const {
    BlockPass<Real> pass(layout_, kernel_, packed_, thread_memory().block);
    const Index blocks = (end - begin + layout_.block - 1) / layout_.block;
    for (Index b = 0; b < blocks; ++b) {
      const Index first = begin + (end - begin) * b / blocks, last = begin + (end - begin) * (b + 1) / blocks;
      pass.begin(last - first);
      for (Index k = first; k < last; ++k) {
        const Index point = order_.point(k);
        pass.set_point(k - first, batch_.points + point * layout_.shape.coordinates,
                       batch_.constants + point * layout_.shape.constants);
      }
      pass.forward();
      visit(pass, first, last - first, thread);
    }
  }

  const NetworkLayout<Real>& layout_;
  const JetBatch<Real>& batch_;
  const Real* parameters_;
  const KernelTable<Real>& kernel_;
  PointOrder order_;
  int threads_;
  Real* packed_;
};

/// The reverse pass of all points into one gradient for each group.
template <class Real>
class GradientSums {
 public:
  GradientSums(const NetworkLayout<Real>& layout, const JetBatch<Real>& batch, const Call<Real>& call,
               double* losses, Real* gradients, Real* constant_gradients)
      : layout_(layout),
        batch_(batch),
        order_(call.order()),
        sums_(static_cast<size_t>(call.threads())),
        losses_(losses),
        gradients_(gradients),
        constant_gradients_(layout.shape.constants > 0 ? constant_gradients : nullptr) {}

  void prepare(int thread, Index begin, Index end) {
    ThreadSums<Real>& sums = sums_[static_cast<size_t>(thread)];
    const Index first = order_.group(begin), last = order_.group(end - 1);
    const auto size = static_cast<size_t>((last - first + 1) * layout_.gradient_size);
    sums.gradients = static_cast<Real*>(thread_memory().gradients.reserve(size * sizeof(Real)));
    std::fill_n(sums.gradients, size, Real(0));
    sums.losses.assign(static_cast<size_t>(last - first + 1), 0.0);
    sums.first = first;
    sums.last = last;
  }

  void add_loss(int thread, Index position, double loss) {
    ThreadSums<Real>& sums = sums_[static_cast<size_t>(thread)];
    sums.losses[static_cast<size_t>(order_.group(position) - sums.first)] += loss;
  }

  /// The reverse pass of a block whose adjoints are set.
  void add(BlockPass<Real>& pass, Index first, Index count, int thread) {
    const ThreadSums<Real>& sums = sums_[static_cast<size_t>(thread)];
    pass.reverse([&](Index l) {
      for (Index k = 0; k < count;) {
        const Index group = order_.group(first + k);
        Index end = batch_.groups ? k + 1 : count;
        while (end < count && order_.group(first + end) == group) ++end;
        pass.add_gradient(l, Segment{k, end - k},
                          sums.gradients + (group - sums.first) * layout_.gradient_size);
        k = end;
      }
    });
    if (constant_gradients_) write_constants(pass, first, count);
  }

  /// To be called by all threads of the team when all blocks are through.
  void finish() {
    const Index layers = layout_.shape.layers(), parameters = layout_.shape.parameters();
#pragma omp for schedule(static, 1) nowait
    for (Index task = 0; task < batch_.group_count * layers; ++task) {
      const Index group = task / layers, l = task % layers;
      layout_.reduce_layer(l, buffers(group), gradients_ + group * parameters);
    }
  }

  /// To be called by one thread in the end.
  void finish_losses() const {
    std::fill_n(losses_, batch_.group_count, 0.0);
    for (const ThreadSums<Real>& sums : sums_)
      for (Index group = sums.first; group <= sums.last; ++group)
        losses_[group] += sums.losses[static_cast<size_t>(group - sums.first)];
  }

 private:
  std::vector<const Real*> buffers(Index group) const {
    std::vector<const Real*> result;
    for (const ThreadSums<Real>& sums : sums_)
      if (sums.has(group)) result.push_back(sums.gradients + (group - sums.first) * layout_.gradient_size);
    return result;
  }

  void write_constants(BlockPass<Real>& pass, Index first, Index count) {
    const Index constants = layout_.shape.constants;
    const Real* adjoints = pass.constant_adjoints();
    for (Index k = 0; k < count; ++k)
      std::copy_n(adjoints + k * engine::padded<Real>(constants), constants,
                  constant_gradients_ + order_.point(first + k) * constants);
  }

  const NetworkLayout<Real>& layout_;
  const JetBatch<Real>& batch_;
  const PointOrder& order_;
  std::vector<ThreadSums<Real>> sums_;
  double* losses_;
  Real *gradients_, *constant_gradients_;
};

int team_size(int threads) {
  if (omp_in_parallel()) return 1;
  return threads > 0 ? threads : omp_get_max_threads();
}

}  // namespace

template <class Real>
JetEngine<Real>::JetEngine(NetworkShape shape, JetRequest request, int threads)
    : layout_(std::make_unique<const NetworkLayout<Real>>(std::move(shape), std::move(request))),
      threads_(threads) {
  if (threads < 0) throw InputError("threads = " + std::to_string(threads) + " must be >= 0");
}
template <class Real>
JetEngine<Real>::~JetEngine() = default;
template <class Real>
JetEngine<Real>::JetEngine(JetEngine&&) noexcept = default;
template <class Real>
JetEngine<Real>& JetEngine<Real>::operator=(JetEngine&&) noexcept = default;

template <class Real>
const NetworkShape& JetEngine<Real>::shape() const {
  return layout_->shape;
}
template <class Real>
const JetRequest& JetEngine<Real>::request() const {
  return layout_->request;
}
template <class Real>
Index JetEngine<Real>::block_points() const {
  return layout_->block;
}

template <class Real>
void JetEngine<Real>::jets(const JetBatch<Real>& batch, const Real* parameters, Real* jets) const {
  JetBatch<Real> ungrouped = batch;
  ungrouped.groups = nullptr;
  Call<Real> call(*layout_, ungrouped, parameters, team_size(threads_));
  const Index size = layout_->request.channels() * layout_->shape.outputs;
  call.run([](int, Index, Index) {},
           [&](const BlockPass<Real>& pass, Index first, Index count, int) {
             for (Index k = 0; k < count; ++k) pass.get_jets(k, parameters, jets + (first + k) * size);
           },
           [] {});
}

template <class Real>
void JetEngine<Real>::gradients(const JetBatch<Real>& batch, const Real* parameters, const Real* adjoints,
                                Real* gradients, Real* constant_gradients) const {
  Call<Real> call(*layout_, batch, parameters, team_size(threads_));
  GradientSums<Real> sums(*layout_, batch, call, nullptr, gradients, constant_gradients);
  const Index size = layout_->request.channels() * layout_->shape.outputs;
  std::fill_n(gradients, batch.group_count * layout_->shape.parameters(), Real(0));
  call.run([&](int thread, Index begin, Index end) { sums.prepare(thread, begin, end); },
           [&](BlockPass<Real>& pass, Index first, Index count, int thread) {
             for (Index k = 0; k < count; ++k)
               pass.set_adjoints(k, adjoints + call.order().point(first + k) * size);
             sums.add(pass, first, count, thread);
           },
           [&] { sums.finish(); });
}

template <class Real>
void JetEngine<Real>::value_and_gradients(const JetBatch<Real>& batch, const Real* parameters,
                                          const Residual& residual, double* losses, Real* gradients,
                                          Real* constant_gradients) const {
  struct Exchange {  // what a thread and the residual hand each other
    std::vector<Index> points;
    std::vector<Real> jets, adjoints;
    std::vector<double> losses;
  };
  Call<Real> call(*layout_, batch, parameters, team_size(threads_));
  GradientSums<Real> sums(*layout_, batch, call, losses, gradients, constant_gradients);
  std::vector<Exchange> exchanges(static_cast<size_t>(call.threads()));
  const Index size = layout_->request.channels() * layout_->shape.outputs;
  std::fill_n(gradients, batch.group_count * layout_->shape.parameters(), Real(0));
  call.run(
      [&](int thread, Index begin, Index end) {
        sums.prepare(thread, begin, end);
        const auto block = static_cast<size_t>(layout_->block), numbers = block * static_cast<size_t>(size);
        exchanges[static_cast<size_t>(thread)] = {std::vector<Index>(block), std::vector<Real>(numbers),
                                                  std::vector<Real>(numbers), std::vector<double>(block)};
      },
      [&](BlockPass<Real>& pass, Index first, Index count, int thread) {
        Exchange& own = exchanges[static_cast<size_t>(thread)];
        for (Index k = 0; k < count; ++k) {
          own.points[static_cast<size_t>(k)] = call.order().point(first + k);
          pass.get_jets(k, parameters, own.jets.data() + k * size);
        }
        residual({count, own.points.data(), own.jets.data(), own.adjoints.data(), own.losses.data()});
        for (Index k = 0; k < count; ++k) {
          pass.set_adjoints(k, own.adjoints.data() + k * size);
          sums.add_loss(thread, first + k, own.losses[static_cast<size_t>(k)]);
        }
        sums.add(pass, first, count, thread);
      },
      [&] { sums.finish(); });
  sums.finish_losses();
}

template <class Real>
void JetEngine<Real>::jacobian(const JetBatch<Real>& batch, const Real* parameters, const Real* adjoints,
                               Real* rows) const {
  JetBatch<Real> ungrouped = batch;
  ungrouped.groups = nullptr;
  Call<Real> call(*layout_, ungrouped, parameters, team_size(threads_));
  const Index size = layout_->request.channels() * layout_->shape.outputs,
              width = layout_->shape.parameters();
  call.run([](int, Index, Index) {},
           [&](BlockPass<Real>& pass, Index first, Index count, int) {
             for (Index k = 0; k < count; ++k) pass.set_adjoints(k, adjoints + (first + k) * size);
             pass.reverse([&](Index l) {
               for (Index k = 0; k < count; ++k) pass.write_jacobian(l, k, rows + (first + k) * width);
             });
           },
           [] {});
}

template class JetEngine<double>;
template class JetEngine<float>;

}  // namespace torsor
