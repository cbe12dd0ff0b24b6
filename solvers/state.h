// What a method remembers between steps, as named arrays and texts: what a checkpoint stores of an optimiser, a
// combiner, a sampler. Restoring it gives the same bits.
#pragma once

#include <Eigen/Core>
#include <map>
#include <string>

#include "physics/error.h"

namespace torsor {

class State {
 public:
  void set(const std::string& name, Eigen::MatrixXd values) { arrays_[name] = std::move(values); }
  void set(const std::string& name, double value) { arrays_[name] = Eigen::MatrixXd::Constant(1, 1, value); }
  void set_text(const std::string& name, std::string text) { texts_[name] = std::move(text); }
  /// All of `part` below "prefix.".
  void set(const std::string& prefix, const State& part) {
    for (const auto& [name, values] : part.arrays_) arrays_[prefix + "." + name] = values;
    for (const auto& [name, text] : part.texts_) texts_[prefix + "." + name] = text;
  }

  /// Throw InputError for a name that is not there.
  const Eigen::MatrixXd& matrix(const std::string& name) const { return found(arrays_, name); }
  Eigen::VectorXd vector(const std::string& name) const { return matrix(name).reshaped(); }
  double number(const std::string& name) const { return matrix(name)(0, 0); }
  const std::string& text(const std::string& name) const { return found(texts_, name); }
  /// What was set below "prefix.".
  State part(const std::string& prefix) const {
    State result;
    const std::string start = prefix + ".";
    for (const auto& [name, values] : arrays_)
      if (name.starts_with(start)) result.arrays_[name.substr(start.size())] = values;
    for (const auto& [name, text] : texts_)
      if (name.starts_with(start)) result.texts_[name.substr(start.size())] = text;
    return result;
  }

  const std::map<std::string, Eigen::MatrixXd>& arrays() const { return arrays_; }
  const std::map<std::string, std::string>& texts() const { return texts_; }

 private:
  template <class Map>
  static const typename Map::mapped_type& found(const Map& map, const std::string& name) {
    const auto entry = map.find(name);
    if (entry == map.end()) throw InputError("the checkpoint has no '" + name + "'");
    return entry->second;
  }

  std::map<std::string, Eigen::MatrixXd> arrays_;
  std::map<std::string, std::string> texts_;
};

}  // namespace torsor
