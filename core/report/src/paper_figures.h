// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nbs::report {

/// Precision, recall, F1 as printed in the paper; none where it prints N/A.
using Printed = std::optional<std::array<double, 3>>;

struct PaperMethod {
  std::string method;  ///< as in experiment.method
  std::string name;
};

struct PaperRow {
  std::string dataset;  ///< as in experiment.dataset
  std::string name;
  std::vector<Printed> printed;  ///< one for each method
};

struct PaperTable {
  std::string title;
  std::vector<PaperRow> rows;
};

struct PaperFigures {
  std::string source;
  std::vector<PaperMethod> methods;
  std::vector<PaperTable> tables;
};

/// Reads pipelines/paper_tables.json. Throws nbs::Error that names the file and what is wrong in it.
PaperFigures read_paper_figures(const std::filesystem::path& file);

}  // namespace nbs::report
