#include "@name@.h"

NBS_PLUGIN("@name@", "0.1.0") {
  registrar.add<@name@_plugin::@type@>("@name@", "Of a few random patches, the one with the highest loss.");
}
