// SOAP: Adam in the eigenbasis of Shampoo's preconditioner, for each weight matrix W (m x n) with gradient G by itself.
//
//     L <- bs L + (1 - bs) G G^T,   R <- bs R + (1 - bs) G^T G,      L = Q_L D_L Q_L^T,   R = Q_R D_R Q_R^T,
//     M <- b1 M + (1 - b1) G,       V <- b2 V + (1 - b2) (Q_L^T G Q_R)^2     (entry by entry)
//     W <- W - rate ( Q_L [ Q_L^T M Q_R / (sqrt(V) + epsilon) ] Q_R^T + decay W ),     M, V corrected for their start.
//
// Every `frequency` steps the bases follow by one step of orthogonal iteration, Q_L <- qr(L Q_L), columns sorted by
// the Rayleigh quotients q^T L q and the rows and columns of V with them.
//
// Source: Vyas, Morwani, Zhao, Shapira, Brandfonbrener, Janson, Kakade, "SOAP: improving and stabilizing Shampoo
// using Adam", ICLR 2025 (arXiv 2409.11321), algorithm 3; for PINNs: Wang, Bhartari, Li, Perdikaris, "Gradient
// alignment in physics-informed neural networks", arXiv 2502.00604.
#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "solvers/optimise/first_order.h"

namespace torsor {
namespace {

// Weight matrices lie row by row in the vector of parameters.
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Eigen::MatrixXd;
using Eigen::VectorXd;

struct SoapOptions {
  double b1, b2, shampoo_beta, epsilon, weight_decay;
  long frequency;
  Index max_size;
  bool vectors;
};

// One side of a block: the average of G G^T (or G^T G) and its eigenbasis; empty where the side is not rotated.
class Side {
 public:
  explicit Side(Index size) : average_(MatrixXd::Zero(size, size)), basis_(MatrixXd::Identity(size, size)) {}

  bool rotates() const { return basis_.size() > 0; }
  const MatrixXd& basis() const { return basis_; }

  void average(const MatrixXd& product, double beta) { average_ = beta * average_ + (1 - beta) * product; }

  void set_eigenbasis() { basis_ = Eigen::SelfAdjointEigenSolver<MatrixXd>(average_).eigenvectors().rowwise().reverse(); }

  // Returns the order in which the old columns were sorted before the step.
  std::vector<Index> follow() {
    const VectorXd quotients = basis_.cwiseProduct(average_ * basis_).colwise().sum();
    std::vector<Index> order(static_cast<size_t>(basis_.cols()));
    std::iota(order.begin(), order.end(), Index{0});
    std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return quotients[a] > quotients[b]; });
    const MatrixXd image = average_ * basis_(Eigen::all, order);
    basis_ = Eigen::HouseholderQR<MatrixXd>(image).householderQ() * MatrixXd::Identity(image.rows(), image.cols());
    return order;
  }

  State state() const {
    State state;
    state.set("average", average_);
    state.set("basis", basis_);
    return state;
  }
  void restore(const State& state) {
    average_ = state.matrix("average");
    basis_ = state.matrix("basis");
  }

 private:
  MatrixXd average_, basis_;
};

class Block {
 public:
  Block(Index rows, Index columns, const SoapOptions& options)
      : left_(rotated_size(rows, columns, options)),
        right_(rotated_size(columns, rows, options)),
        mean_(RowMatrix::Zero(rows, columns)),
        square_(RowMatrix::Zero(rows, columns)) {}

  Index rows() const { return mean_.rows(); }
  Index columns() const { return mean_.cols(); }
  Index size() const { return mean_.size(); }

  // Adam's move without the rate, for step k = 1, 2, ... .
  RowMatrix move(const RowMatrix& gradient, long k, const SoapOptions& options) {
    if (k == 1) start_bases(gradient, options);
    mean_ = options.b1 * mean_ + (1 - options.b1) * gradient;
    square_ = options.b2 * square_ + (1 - options.b2) * into_basis(gradient).cwiseAbs2();
    const double mean_weight = 1 - std::pow(options.b1, k), square_weight = 1 - std::pow(options.b2, k);
    const RowMatrix scaled = (into_basis(mean_).array() / mean_weight /
                              ((square_.array() / square_weight).sqrt() + options.epsilon)).matrix();
    const RowMatrix result = out_of_basis(scaled);
    if (k > 1) average(gradient, options.shampoo_beta);
    if (k % options.frequency == 0) follow();
    return result;
  }

  State state() const {
    State state;
    state.set("left", left_.state());
    state.set("right", right_.state());
    state.set("mean", MatrixXd(mean_));
    state.set("square", MatrixXd(square_));
    return state;
  }
  void restore(const State& state) {
    left_.restore(state.part("left"));
    right_.restore(state.part("right"));
    mean_ = state.matrix("mean");
    square_ = state.matrix("square");
  }

 private:
  // A side of length one has nothing to rotate, and long ones would cost too much.
  static Index rotated_size(Index size, Index other, const SoapOptions& options) {
    const bool wanted = size > 1 && size <= options.max_size && (other > 1 || options.vectors);
    return wanted ? size : 0;
  }

  void average(const RowMatrix& gradient, double beta) {
    if (left_.rotates()) left_.average(gradient * gradient.transpose(), beta);
    if (right_.rotates()) right_.average(gradient.transpose() * gradient, beta);
  }

  void start_bases(const RowMatrix& gradient, const SoapOptions& options) {
    average(gradient, options.shampoo_beta);
    if (left_.rotates()) left_.set_eigenbasis();
    if (right_.rotates()) right_.set_eigenbasis();
  }

  void follow() {
    if (left_.rotates()) square_ = RowMatrix(square_(left_.follow(), Eigen::all));
    if (right_.rotates()) square_ = RowMatrix(square_(Eigen::all, right_.follow()));
  }

  RowMatrix into_basis(const RowMatrix& g) const {
    RowMatrix rotated = g;
    if (left_.rotates()) rotated = left_.basis().transpose() * rotated;
    if (right_.rotates()) rotated = rotated * right_.basis();
    return rotated;
  }

  RowMatrix out_of_basis(const RowMatrix& g) const {
    RowMatrix rotated = g;
    if (left_.rotates()) rotated = left_.basis() * rotated;
    if (right_.rotates()) rotated = rotated * right_.basis().transpose();
    return rotated;
  }

  Side left_, right_;
  RowMatrix mean_;    // in the basis of the parameters, so that it need not be turned when the bases move
  RowMatrix square_;  // in the eigenbasis
};

class Soap final : public Optimiser {
 public:
  Soap(const SoapOptions& options, const std::vector<std::pair<Index, Index>>& sizes) : options_(options) {
    for (const auto& [rows, columns] : sizes) blocks_.emplace_back(rows, columns, options);
  }

  bool first_order() const override { return true; }

  StepReport update(const VectorXd& direction, double learning_rate, VectorXd& x) override {
    check_direction(direction, x, {});
    if (blocks_.empty()) blocks_.emplace_back(x.size(), 1, options_);
    check_sizes(x.size());
    ++steps_;
    VectorXd move = options_.weight_decay * x;
    Index first = 0;
    for (Block& block : blocks_) {
      block_move(block, direction, first, move);
      first += block.size();
    }
    return move_against(direction, learning_rate * move, x);
  }

  State state() const override {
    State state;
    state.set("steps", static_cast<double>(steps_));
    state.set("blocks", static_cast<double>(blocks_.size()));
    for (size_t b = 0; b < blocks_.size(); ++b) state.set("block" + std::to_string(b), blocks_[b].state());
    return state;
  }

  void restore(const State& state) override {
    steps_ = static_cast<long>(state.number("steps"));
    // Without given sizes the one block is made in the first step, or here.
    blocks_.resize(static_cast<size_t>(state.number("blocks")), Block(0, 0, options_));
    for (size_t b = 0; b < blocks_.size(); ++b) blocks_[b].restore(state.part("block" + std::to_string(b)));
  }

 private:
  void block_move(Block& block, const VectorXd& direction, Index first, VectorXd& move) {
    const Index rows = block.rows(), columns = block.columns();
    const Eigen::Map<const RowMatrix> gradient(direction.data() + first, rows, columns);
    Eigen::Map<RowMatrix>(move.data() + first, rows, columns) += block.move(gradient, steps_, options_);
  }

  void check_sizes(Index parameters) const {
    Index total = 0;
    for (const Block& block : blocks_) total += block.size();
    if (total != parameters)
      throw std::logic_error("SOAP was given blocks of " + std::to_string(total) + " entries for " +
                             std::to_string(parameters) + " parameters");
  }

  SoapOptions options_;
  std::vector<Block> blocks_;
  long steps_ = 0;
};

const RegisterOptimiser registration({
    .name = "soap",
    .title = "SOAP: Adam in the eigenbasis of Shampoo's preconditioner",
    .formula = "for each weight matrix W with gradient G:\n"
               "L <- bs L + (1 - bs) G G^T = Q_L D_L Q_L^T,   R <- bs R + (1 - bs) G^T G = Q_R D_R Q_R^T\n"
               "M <- b1 M + (1 - b1) G,   V <- b2 V + (1 - b2) (Q_L^T G Q_R)^2   (entry by entry)\n"
               "W <- W - rate (Q_L [Q_L^T M Q_R / (sqrt(V) + epsilon)] Q_R^T + weight_decay W)",
    .source = "Vyas, Morwani, Zhao, Shapira, Brandfonbrener, Janson, Kakade, arXiv 2409.11321 (ICLR 2025), algorithm 3",
    .caveats = "The bases follow by one step of orthogonal iteration every `frequency` steps. Other than in the authors' "
               "code the first step is taken, in the eigenbasis of the first gradient, instead of being left out. "
               "Biases (n x 1) are treated by Adam unless vectors = yes.",
    .first_order = true,
    .options = {{"b1", "real", "0.95", "decay of the mean of gradients", "in [0, 1)"},
                {"b2", "real", "0.95", "decay of the mean of squared gradients", "in [0, 1)"},
                {"shampoo_beta", "real", "0.95", "decay of L and R", "in [0, 1)"},
                {"epsilon", "real", "1e-8", "added to the root of the mean square", "> 0"},
                {"weight_decay", "real", "0", "share of x, times the rate, taken off in each step", ">= 0"},
                {"frequency", "integer", "10", "steps between two refreshments of the bases", ">= 1"},
                {"max_size", "integer", "1024", "longer sides of a matrix are not rotated", ">= 1"},
                {"vectors", "boolean", "no", "rotate n x 1 blocks too, on their long side", ""}},
    .average = "b1",
    .make = [](const OptionValues& values,
               const std::vector<std::pair<Index, Index>>& blocks) -> std::unique_ptr<Optimiser> {
      const SoapOptions chosen{.b1 = values.real("b1"),
                               .b2 = values.real("b2"),
                               .shampoo_beta = values.real("shampoo_beta"),
                               .epsilon = values.real("epsilon"),
                               .weight_decay = values.real("weight_decay"),
                               .frequency = values.integer("frequency"),
                               .max_size = values.integer("max_size"),
                               .vectors = values.boolean("vectors")};
      return std::make_unique<Soap>(chosen, blocks);
    },
});

}  // namespace
}  // namespace torsor
