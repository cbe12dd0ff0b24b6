// From requests to channels: see jet_request.h.
#include "operators/engine/jet_request.h"

#include <algorithm>
#include <array>
#include <string>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr int kMaxMixedOrder = 2, kMaxPureOrder = 4;

std::string to_text(const MultiIndex& a) {
  std::string text = "(";
  for (size_t i = 0; i < a.size(); ++i) text += (i ? ", " : "") + std::to_string(a[i]);
  return text + ")";
}

std::vector<Index> directions_of(const MultiIndex& a) {
  std::vector<Index> result;
  for (size_t i = 0; i < a.size(); ++i)
    result.insert(result.end(), static_cast<size_t>(a[i]), static_cast<Index>(i));
  return result;
}

void check_index(const MultiIndex& a, Index coordinates) {
  if (static_cast<Index>(a.size()) != coordinates ||
      std::any_of(a.begin(), a.end(), [](int k) { return k < 0; }))
    throw InputError("derivative " + to_text(a) + " is not a multi-index of " + std::to_string(coordinates) +
                     " coordinates");
  const bool pure = std::count_if(a.begin(), a.end(), [](int order) { return order != 0; }) <= 1;
  if (total_order(a) > (pure ? kMaxPureOrder : kMaxMixedOrder))
    throw InputError(
        "derivative " + to_text(a) +
        " is not supported by the derivative engine: mixed ones go to order 2, pure ones to order 4");
}

void check_laplacian(const std::vector<Index>& laplacian, Index coordinates) {
  for (size_t k = 0; k < laplacian.size(); ++k) {
    if (laplacian[k] < 0 || laplacian[k] >= coordinates)
      throw InputError("laplacian: coordinate = " + std::to_string(laplacian[k]) + " must be 0 ... " +
                       std::to_string(coordinates - 1));
    if (std::count(laplacian.begin(), laplacian.end(), laplacian[k]) > 1)
      throw InputError("laplacian: coordinate " + std::to_string(laplacian[k]) + " is named twice");
  }
}

/// What has to be known of every coordinate and pair.
struct Closure {
  std::array<bool, 4> first{}, third{}, fourth{};
  std::array<std::array<bool, 4>, 4> second{};  // [i][j], i <= j

  void add(const std::vector<Index>& along) {
    for (const Index i : along) first[static_cast<size_t>(i)] = true;
    if (along.size() < 2) return;
    second[static_cast<size_t>(along.front())][static_cast<size_t>(along[1])] = true;
    if (along.size() >= 3) third[static_cast<size_t>(along.front())] = true;
    if (along.size() >= 4) fourth[static_cast<size_t>(along.front())] = true;
  }
};

}  // namespace

JetPlan::JetPlan(const JetRequest& request, Index coordinates) {
  if (request.channels() == 0)
    throw InputError("derivatives: at least one, or a Laplacian, must be asked for");
  check_laplacian(request.laplacian, coordinates);
  Closure needed;
  for (const auto& a : request.derivatives) {
    check_index(a, coordinates);
    needed.add(directions_of(a));
  }
  for (const Index i : request.laplacian) needed.add({i});

  const auto d = static_cast<size_t>(coordinates);
  const auto add = [&](std::vector<Index> along) {
    channels.order = std::max(channels.order, static_cast<int>(along.size()));
    directions.push_back(std::move(along));
    return static_cast<int>(directions.size()) - 1;
  };
  const auto find = [&](const std::vector<Index>& along) {
    return static_cast<int>(std::find(directions.begin(), directions.end(), along) - directions.begin());
  };
  add({});
  for (const Index i : request.laplacian) add({i});
  for (size_t i = 0; i < d; ++i)
    if (const std::vector<Index> along{static_cast<Index>(i)};
        needed.first[i] && find(along) == static_cast<int>(directions.size()))
      add(along);
  channels.firsts = static_cast<int>(directions.size()) - 1;
  for (size_t i = 0; i < d; ++i)
    for (size_t j = i; j < d; ++j)
      if (needed.second[i][j]) {
        const auto a = static_cast<Index>(i), b = static_cast<Index>(j);
        const int channel = add({a, b});
        channels.seconds[channels.seconds_count++] = {channel, find({a}), find({b})};
      }
  for (size_t i = 0; i < d; ++i)
    if (needed.third[i]) {
      const auto a = static_cast<Index>(i);
      const int third = add({a, a, a}), fourth = needed.fourth[i] ? add({a, a, a, a}) : -1;
      channels.pures[channels.pures_count++] = {find({a}), find({a, a}), third, fourth};
    }
  for (const auto& a : request.derivatives) outputs.push_back(find(directions_of(a)));
  channels.channels = static_cast<int>(directions.size());
  if (!request.laplacian.empty()) {
    channels.laplacian = channels.channels++;
    channels.laplacian_firsts = static_cast<int>(request.laplacian.size());
    channels.order = std::max(channels.order, 2);
    directions.push_back(request.laplacian);
    outputs.push_back(channels.laplacian);
  }
}

}  // namespace torsor
