// The tables of the extensions that a channel class implements, found by its members' names.
#pragma once

#include <string_view>
#include <utility>

#include <godwit/ext/address.h>
#include <godwit/ext/preview.h>
#include <godwit/ext/recall.h>
#include <godwit/preview.hpp>
#include <godwit/report.hpp>
#include <godwit/webhook.hpp>

namespace godwit {
inline namespace sdk {

template <class T>
class Export;

// The answer to a recall; exactly once, on the lane, before stop. One that dies unused says GW_E_INTERNAL.
class RecallDone {
 public:
  RecallDone(gw_recall_done done, void* arg) : done_(done), arg_(arg) {}
  RecallDone(RecallDone&& o) noexcept : done_(std::exchange(o.done_, nullptr)), arg_(o.arg_) {}
  RecallDone& operator=(RecallDone&&) = delete;
  ~RecallDone() { (*this)(GW_E_INTERNAL, "forgotten by plugin"); }
  void operator()(int32_t status, std::string_view detail = {}) {
    if (auto done = std::exchange(done_, nullptr)) done(arg_, status, str(detail));
  }

 private:
  gw_recall_done done_;
  void* arg_;
};

template <class T>
concept NamesWebhook = requires {
  &T::parse_webhook;
};
template <class T>
concept HasWebhook = requires(const T& t, const WebhookRequest& r, WebhookSink& s) {
  { t.parse_webhook(r, s) } -> std::same_as<Result<void>>;
};
template <class T>
concept NamesPreview = requires {
  &T::preview;
};
template <class T>
concept HasPreview = requires(const T& t, Message m, PreviewSink& s) {
  { t.preview(m, s) } -> std::same_as<Result<void>>;
};
template <class T>
concept NamesRecall = requires {
  &T::recall;
};
template <class T>
concept HasRecall = requires(T& t, const gw_recall_request& r, RecallDone d) {
  t.recall(r, std::move(d));
};
template <class T>
concept HasAddress = requires(std::string_view a, Report& r) {
  T::check_address(a, r);
};
template <class T>
concept HasOtherExtensions = requires(std::string_view id) {
  { T::extension(id) } -> std::convertible_to<const void*>;
};

template <class T>
struct Extensions {
  static_assert(!NamesWebhook<T> || HasWebhook<T>,
                "parse_webhook must be `godwit::Result<void> parse_webhook(const godwit::WebhookRequest&, "
                "godwit::WebhookSink&) const`");
  static_assert(!NamesPreview<T> || HasPreview<T>,
                "preview must be `godwit::Result<void> preview(godwit::Message, godwit::PreviewSink&) const`");
  static_assert(!NamesRecall<T> || HasRecall<T>,
                "recall must be `void recall(const gw_recall_request&, godwit::RecallDone)`");

  static const void* get(gw_str id) {
    std::string_view name = view(id);
    if constexpr (HasWebhook<T>)
      if (name == GW_EXT_WEBHOOK) return &webhook;
    if constexpr (HasPreview<T>)
      if (name == GW_EXT_PREVIEW) return &preview;
    if constexpr (HasRecall<T>)
      if (name == GW_EXT_RECALL) return &recall;
    if constexpr (HasAddress<T>)
      if (name == GW_EXT_ADDRESS) return &address;
    if constexpr (HasOtherExtensions<T>) return T::extension(name);
    return nullptr;
  }

 private:
  static int32_t run_webhook(void* self, const gw_webhook_request* request, const gw_webhook_sink* sink) {
    return Export<T>::with_channel(self, sink->diag, "parse_webhook", [&](const T& channel) -> int32_t {
      WebhookSink out(sink);
      auto done = channel.parse_webhook(WebhookRequest(request), out);
      return done ? GW_OK : Export<T>::fail(sink->diag, done.error());
    });
  }
  static int32_t run_preview(void* self, const gw_msg* message, const gw_preview_sink* sink) {
    return Export<T>::with_channel(self, sink->diag, "preview", [&](const T& channel) -> int32_t {
      PreviewSink out(sink);
      auto done = channel.preview(Message(message), out);
      return done ? GW_OK : Export<T>::fail(sink->diag, done.error());
    });
  }
  static int32_t run_recall(void* self, const gw_recall_request* request, gw_recall_done done, void* arg) {
    auto& s = Export<T>::shell(self);
    if (!s.channel) return GW_E_CLOSED;
    s.instance.guard("recall", [&] { s.channel->recall(*request, RecallDone(done, arg)); });
    return GW_OK;
  }
  static int32_t run_address(gw_str address, const gw_diag* diag) {
    return Export<T>::edge(diag, nullptr, "check_address", [&]() -> int32_t {
      Report report(diag);
      T::check_address(view(address), report);
      return report.failed() ? GW_E_INVALID : GW_OK;
    });
  }

  // Tables are built only for what the class has; the functions above are instantiated only then.
  static constexpr gw_webhook webhook = [] {
    gw_webhook t{};
    if constexpr (HasWebhook<T>)
      t = {sizeof t, Export<T>::info.webhook_methods_, Export<T>::info.webhook_max_body_, 0, run_webhook};
    return t;
  }();
  static constexpr gw_preview preview = [] {
    gw_preview t{};
    if constexpr (HasPreview<T>) t = {sizeof t, 0, run_preview};
    return t;
  }();
  static constexpr gw_recall recall = [] {
    gw_recall t{};
    if constexpr (HasRecall<T>) t = {sizeof t, 0, run_recall};
    return t;
  }();
  static constexpr gw_address address = [] {
    gw_address t{};
    if constexpr (HasAddress<T>) t = {sizeof t, 0, run_address};
    return t;
  }();
};

}  // namespace sdk
}  // namespace godwit
