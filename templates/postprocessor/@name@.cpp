#include "@name@.h"

NBS_PLUGIN("@name@", "0.1.0") {
  registrar.add<@name@_plugin::@type@>("@name@", "The mean of the probabilities around each pixel.");
}
