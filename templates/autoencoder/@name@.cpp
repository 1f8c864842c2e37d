#include "@name@.h"

NBS_PLUGIN("@name@", "0.1.0") {
  registrar.add<@name@_plugin::@type@>("@name@", "Convolutions through a bottleneck; the loss is the squared error.");
}
