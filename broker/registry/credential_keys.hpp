// Where the keys that sign device credentials come from: made at the first start, kept in the catalogue, rotated on
// request.
#pragma once

#include <vector>

#include "broker/base/result.hpp"
#include "broker/registry/credential.hpp"
#include "broker/storage/catalogue.hpp"

namespace godwit {

// The keys of the catalogue, newest last; makes the first one when there is none. Damaged keys are an error and are
// never replaced in silence: new ones would lock every device out until it registers again.
Result<std::vector<CredentialSigner::Key>> load_or_create_credential_keys(Catalogue& catalogue);

// Adds a key that signs from now on, and forgets the oldest beyond `keep`: credentials signed with it are refused.
// Answers the keys to make a new CredentialSigner of. REQUIRES: 1 <= keep <= 100.
Result<std::vector<CredentialSigner::Key>> rotate_credential_keys(Catalogue& catalogue, size_t keep = 2);

}  // namespace godwit
