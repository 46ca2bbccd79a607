#include "broker/storage/catalogue_contract.hpp"
#include "broker/storage/journal_contract.hpp"
#include "broker/storage/memory/memory_catalogue.hpp"
#include "broker/storage/memory/memory_journal.hpp"

namespace godwit {
namespace {

class MemoryJournalRig {
 public:
  explicit MemoryJournalRig(uint64_t segment_bytes) : journal_(segment_bytes) {}
  Journal& journal() { return journal_; }
  void restart() {}
  void damage(uint64_t offset, std::string_view) { journal_.damage(offset); }

 private:
  MemoryJournal journal_;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, JournalContract, MemoryJournalRig);

class MemoryCatalogueRig {
 public:
  static constexpr bool kSurvives = false;
  Catalogue& catalogue() { return catalogue_; }
  void restart() {}

 private:
  MemoryCatalogue catalogue_;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, CatalogueContract, MemoryCatalogueRig);

}  // namespace
}  // namespace godwit
