#include "solvers/cli/checkpoint.h"

#include "solvers/store/model_file.h"

namespace torsor {
namespace {

Array<double> stored(const Eigen::MatrixXd& matrix) {
  return {{static_cast<long>(matrix.rows()), static_cast<long>(matrix.cols())},
          {matrix.data(), matrix.data() + matrix.size()}};
}

}  // namespace

std::string checkpoint_path(const std::string& folder) { return folder + "/checkpoint.h5"; }

// Arrays are stored column by column under their shape: what reads them is this file alone.
void write_checkpoint(const Checkpoint& checkpoint, const std::string& folder) {
  ModelNode root;
  root.set("config", checkpoint.config);
  root.set("command", checkpoint.command);
  ModelNode& arrays = root.child("arrays");
  for (const auto& [name, matrix] : checkpoint.state.arrays()) arrays.set(name, stored(matrix));
  ModelNode& texts = root.child("texts");
  for (const auto& [name, text] : checkpoint.state.texts()) texts.set(name, text);
  write_model(root, checkpoint_path(folder));
}

Checkpoint read_checkpoint(const std::string& folder) {
  const ModelNode root = read_model(checkpoint_path(folder));
  Checkpoint checkpoint;
  checkpoint.config = root.text("config");
  checkpoint.command = root.text("command");
  const ModelNode& arrays = root.at("arrays");
  for (const auto& entry : arrays.arrays()) {
    const Array<double>& array = arrays.numbers(entry.first);
    checkpoint.state.set(entry.first,
                         Eigen::MatrixXd(Eigen::Map<const Eigen::MatrixXd>(array.values.data(), array.shape[0], array.shape[1])));
  }
  const ModelNode& texts = root.at("texts");
  for (const auto& entry : texts.attributes()) checkpoint.state.set_text(entry.first, texts.text(entry.first));
  return checkpoint;
}

}  // namespace torsor
