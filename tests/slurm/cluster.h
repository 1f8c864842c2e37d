// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <sys/types.h>

#include "background.h"
#include "scratch.h"

namespace nbs::test {

/// A Slurm cluster on this machine while the object lives: munged, slurmctld and the nodes n1 and n2, two cores each,
/// in a temporary folder and on ports of their own. SLURM_CONF is set for this process. Arrays have at most three
/// tasks; the partition "low" is preempted by "high", and its jobs are then requeued.
class Cluster {
 public:
  /// Why it cannot be started here; empty if it is up.
  const std::string& problem() const { return problem_; }
  Cluster();
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  const Scratch& folder() const { return folder_; }
  void start_controller();
  /// As if its machine had lost its power.
  void kill_controller();
  void start_node(const std::string& node);
  /// The same, with everything that runs on the node.
  void kill_node(const std::string& node);

 private:
  void write_configuration() const;
  std::string start();
  void start_daemon(const std::string& name, const std::vector<std::string>& words);

  Scratch folder_;
  std::string problem_;
  std::map<std::string, std::unique_ptr<Background>> daemons_;
};

/// What a shell line prints.
std::string shell(const std::string& line);

}  // namespace nbs::test
