// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nbs::cli {

/// Something that has a name and a value: an option, a flag, a word of a command line.
struct ManualEntry {
  std::string term;     ///< "-o, --out TEXT"
  std::string values;   ///< type and range, "" for a flag
  std::string initial;  ///< the default, "" if there is none
  std::string text;     ///< what it means, one paragraph
};

/// A part of a page, in the order in which it is shown: heading, text, entries, example.
struct ManualPart {
  std::string heading;  ///< "" goes on with the part before
  std::string text;     ///< paragraphs, separated by an empty line
  std::vector<ManualEntry> entries;
  std::string example;  ///< shown as it is, line by line
};

/// A page of the reference, whatever it is written as.
struct ManualPage {
  std::string name;   ///< "nbs-pipeline"
  int section = 1;    ///< of the manual: 1 commands, 5 files, 7 other
  std::string title;  ///< one line without a period
  std::vector<ManualPart> parts;
};

/// The page as Markdown.
std::string to_markdown(const ManualPage& page);

/// The page for man(1). `version` is shown at its foot.
std::string to_man(const ManualPage& page, const std::string& version);

}  // namespace nbs::cli
