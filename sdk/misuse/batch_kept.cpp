// EXPECT: use of deleted function .*Batch
#include "common.hpp"
void keep(godwit::Batch& batch) { godwit::Batch kept = batch; }
