#include "broker/engine/core.hpp"

namespace godwit::engine {

void Core::checkpoint(Callback<void()> done) {
  done();
}
void Core::maybe_checkpoint() {}

}  // namespace godwit::engine
