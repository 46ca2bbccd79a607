#include "broker/storage/journal_contract.hpp"
#include "broker/storage/sqlite/sqlite_journal_rig.hpp"

namespace godwit {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, JournalContract, SqliteJournalRig);

}  // namespace
}  // namespace godwit
