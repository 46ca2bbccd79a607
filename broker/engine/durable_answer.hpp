// A caller who is answered, on the engine's thread, once what the answer reports is durable.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "broker/engine/broker.hpp"
#include "broker/engine/journal_error.hpp"
#include "broker/storage/ledger.hpp"

namespace godwit::engine {

// `done` gets `answer`, or why `records` could not be written. `post` brings a closure to the engine's thread, from
// any.
template <class T, class Post>
void answer_when_durable(Ledger& ledger, Post post, std::string records, uint32_t count, Done<T> done, T answer) {
  // Shared with the completion, because a submit that is refused leaves the answer to us.
  auto shared = std::make_shared<std::pair<Done<T>, T>>(std::move(done), std::move(answer));
  auto committed = [post = std::move(post), shared](Fate fate, RecordRef) {
    post([shared, fate] {
      if (fate == Fate::ok) return shared->first(std::move(shared->second));
      shared->first(journal_error(fate));
    });
  };
  if (!ledger.submit(std::move(records), count, std::move(committed))) shared->first(journal_behind());
}

}  // namespace godwit::engine
