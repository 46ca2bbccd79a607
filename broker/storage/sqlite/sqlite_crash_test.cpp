// R1 in small: a broker that is killed at any moment has everything that it acknowledged, and its offsets have no hole.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "broker/base/random.hpp"
#include "broker/storage/group_commit.hpp"
#include "broker/storage/sqlite/sqlite_catalogue.hpp"
#include "broker/storage/sqlite/sqlite_journal.hpp"
#include "broker/storage/test_directory.hpp"

namespace godwit {
namespace {

struct Acknowledged {
  RecordRef ref;
  uint64_t sequence;
};

std::string body_of(uint64_t sequence) {
  return "#" + std::to_string(sequence) + std::string(sequence % 500, '.');
}

// The child: appends for ever, and tells each acknowledgement through the pipe before anybody could kill it for that.
[[noreturn]] void append_until_killed(const std::filesystem::path& directory, uint64_t sequence, int pipe) {
  SystemClock clock;
  SqliteJournal journal({directory / "journal", 256 << 10, {}}, clock);
  if (!journal.open()) _exit(2);
  auto catalogue = SqliteCatalogue::open(directory / "registry.db");
  if (!catalogue) _exit(3);
  GroupCommit commit(journal, clock);
  for (;; ++sequence) {
    std::string record;
    append_record(record, RecordType::accept, 0, body_of(sequence));
    const auto done = [=](Fate fate, RecordRef ref) {
      const Acknowledged told{ref, sequence};
      if (fate != Fate::ok || write(pipe, &told, sizeof told) != sizeof told) _exit(4);
    };
    while (!commit.submit(record, 1, done)) sched_yield();
    if (sequence % 64 == 0) {  // the registry's part, and now and then a wait so that batches have all sizes
      if ((*catalogue)->put_value("sequence", std::to_string(sequence)) != Fate::ok) _exit(5);
      const Acknowledged told{{~0ull, 0}, sequence};
      if (write(pipe, &told, sizeof told) != sizeof told) _exit(4);
    }
  }
}

TEST(Crash, WhatWasAcknowledgedBeforeAKillIsThereAfterIt) {
  constexpr int kKills = 20;
  TestDirectory directory;
  Random random(20);
  std::map<uint64_t, RecordRef> acknowledged;  // by sequence
  uint64_t next_sequence = 1, value = 0;
  for (int kill_number = 0; kill_number < kKills && !HasFatalFailure(); ++kill_number) {
    SCOPED_TRACE("kill " + std::to_string(kill_number));
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      append_until_killed(directory.path(), next_sequence, ends[1]);
    }
    close(ends[1]);
    // Killed after a random number of answers, then whatever still arrives counts too: it was told.
    uint64_t until_kill = 1 + random.below(3000);
    Acknowledged told;
    while (read(ends[0], &told, sizeof told) == sizeof told) {
      if (told.ref.offset == ~0ull) {
        value = told.sequence;
      } else {
        acknowledged[told.sequence] = told.ref;
      }
      next_sequence = std::max(next_sequence, told.sequence + 100'000);  // bodies are never repeated
      if (until_kill > 0 && --until_kill == 0) kill(child, SIGKILL);
    }
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);

    SystemClock clock;
    SqliteJournal journal({directory.path() / "journal", 256 << 10, {}}, clock);
    const auto opened = journal.open();
    ASSERT_TRUE(opened) << opened.error().where << ": " << opened.error().message;
    std::map<RecordRef, std::string> found;
    uint64_t next = 0;
    ASSERT_TRUE(journal.read(0, [&](RecordRef ref, const RecordView& record) {
      EXPECT_EQ(ref.offset + ref.index, next);
      next = ref.offset + ref.index + 1;
      found[ref] = record.body;
      return true;
    }));
    EXPECT_EQ(next, opened->head);
    for (const SegmentInfo& segment : journal.segments()) EXPECT_FALSE(segment.damaged);
    for (const auto& [sequence, ref] : acknowledged)
      ASSERT_EQ(found[ref], body_of(sequence)) << "acknowledged and lost";
    const auto catalogue = SqliteCatalogue::open(directory.path() / "registry.db");
    ASSERT_TRUE(catalogue) << catalogue.error().message;
    const auto stored = (*catalogue)->get_value("sequence");
    ASSERT_TRUE(stored);
    EXPECT_GE(*stored ? std::stoull(**stored) : 0, value);
  }
  EXPECT_GT(acknowledged.size(), 1000u);
}

}  // namespace
}  // namespace godwit
