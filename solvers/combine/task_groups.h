// Graph-coloured task groups (SON-GOKU, "Graph coloring for multi-task learning", 2025) around any combiner: tasks that
// disagree take turns.
//
//   m_i <- b m_i + (1 - b) g_i for the tasks of the active group;
//   every `period` steps: tasks i, j with cos(m_i, m_j) < threshold share an edge; greedy colouring in the order of
//   falling degree (Welsh and Powell) makes groups without edges; from then on step t activates group t mod (their number).
//
// Until the first colouring all tasks are active. The tasks of other groups have zero gradients in the combiner. From
// the authors' code: averages of gradients instead of cosines, for cosines of tasks in different groups are never seen
// in one step. Ours: nothing else of it (their annealed threshold and repeated tasks).
#pragma once

#include <memory>
#include <vector>

#include "solvers/combine/combiner.h"

namespace torsor {

/// period, threshold and beta, for the configuration.
const std::vector<Option>& task_group_options();

/// `inner` must take all tasks (no schedule of its own, as M-ConFIG has); combine() throws InputError otherwise.
std::unique_ptr<Combiner> with_task_groups(std::unique_ptr<Combiner> inner, const OptionValues& options);

/// Colours 0, 1, ... of the nodes of a graph with this adjacency matrix, such that neighbours differ.
std::vector<Index> greedy_colouring(const Eigen::Ref<const Eigen::Matrix<bool, -1, -1>>& adjacent);

}  // namespace torsor
