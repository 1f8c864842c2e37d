// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/base/number.h"
#include "nbs/error.h"
#include "nbs/launch/worker_process.h"

#include "commands.h"
#include "run_plugins.h"

namespace nbs::cli {

void add_predict(CLI::App& app, Action& action) {
  struct PredictArguments {
    std::string run;
    std::vector<std::string> images;
    std::string out = "predictions";
    std::string size = "native";
    std::string threshold;
    RunPlugins plugins;
  };
  auto* const command = app.add_subcommand("predict", "Mask new images with the model of a run");
  const auto arguments = std::make_shared<PredictArguments>();
  command->add_option("RUN", arguments->run, "Folder of a finished run")->required()->check(CLI::ExistingDirectory);
  command->add_option("IMAGE", arguments->images, "Images, or folders of images")->required();
  command->add_option("-o,--out", arguments->out, "Folder for the masks")->capture_default_str();
  command->add_option("--size", arguments->size, "native: each image's own size; model: the size of the run's images")
      ->check(CLI::IsMember({"native", "model"}))
      ->capture_default_str();
  command
      ->add_option("--threshold", arguments->threshold,
                   "Probability from which a pixel is anomalous; without it, the run's own threshold")
      ->check([](const std::string& text) -> std::string {
        try {
          parse_number(text, "the value", 0, 1);  // the option is named in front of it
        } catch (const Error& error) {
          return error.what();
        }
        return "";
      });
  arguments->plugins.add_to(*command);
  command->footer(
      "For NAME.jpg it writes NAME.mask.png (0 or 255), NAME.probability.png (16 bit, 65535 = 1) and "
      "NAME.overlay.png.\n"
      "Example: nbs predict runs/crackforest-0123abcd --out masks -- new/*.jpg\n"
      "After -- every word is an image, also one that begins with a dash.");
  command->callback([arguments, &action] {
    action = [arguments] {
      std::vector<std::string> words = {"predict", "--out", arguments->out, "--size", arguments->size};
      if (!arguments->threshold.empty()) words.insert(words.end(), {"--threshold", arguments->threshold});
      const auto plugins = arguments->plugins.words();
      words.insert(words.end(), plugins.begin(), plugins.end());
      // After "--" no file's name is taken for an option.
      words.insert(words.end(), {"--", arguments->run});
      words.insert(words.end(), arguments->images.begin(), arguments->images.end());
      const int code = launch::run_worker(words);
      if (code == kGood) fmt::print("{}\n", arguments->out);
      return code;
    };
  });
}

}  // namespace nbs::cli
