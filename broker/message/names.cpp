#include <array>

#include "broker/message/message.hpp"

namespace godwit {
namespace {

template <class E, size_t N>
std::optional<E> find(const std::array<std::string_view, N>& names, std::string_view name) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<E>(i);
  return std::nullopt;
}

constexpr std::array<std::string_view, 4> kPriorities{"critical", "high", "normal", "low"};
constexpr std::array<std::string_view, 2> kClasses{"transactional", "marketing"};
constexpr std::array<std::string_view, 3> kModes{"best", "all", "ordered"};
constexpr std::array<std::string_view, 7> kAudiences{"user", "users", "device", "devices", "token", "topic", "all"};
constexpr std::array<std::string_view, 9> kStates{"planned",    "attempted", "sent",    "delivered", "opened",
                                                  "suppressed", "failed",    "expired", "cancelled"};
constexpr std::array<std::string_view, 4> kEvents{"delivered", "displayed", "opened", "dismissed"};
constexpr std::array<std::string_view, 3> kSources{"accepted", "vendor", "device"};

// A value added to an enum without its name here fails to compile.
static_assert(kPriorities.size() == static_cast<size_t>(Priority::low) + 1);
static_assert(kClasses.size() == static_cast<size_t>(MessageClass::marketing) + 1);
static_assert(kModes.size() == static_cast<size_t>(RoutingMode::ordered) + 1);
static_assert(kAudiences.size() == static_cast<size_t>(AudienceKind::all) + 1);
static_assert(kStates.size() == static_cast<size_t>(DeliveryState::cancelled) + 1);
static_assert(kEvents.size() == static_cast<size_t>(ReceiptEvent::dismissed) + 1);
static_assert(kSources.size() == static_cast<size_t>(ReceiptSource::device) + 1);

}  // namespace

std::string_view to_string(Priority v) {
  return kPriorities[static_cast<size_t>(v)];
}
std::string_view to_string(MessageClass v) {
  return kClasses[static_cast<size_t>(v)];
}
std::string_view to_string(RoutingMode v) {
  return kModes[static_cast<size_t>(v)];
}
std::string_view to_string(AudienceKind v) {
  return kAudiences[static_cast<size_t>(v)];
}
std::string_view to_string(DeliveryState v) {
  return kStates[static_cast<size_t>(v)];
}
std::string_view to_string(ReceiptEvent v) {
  return kEvents[static_cast<size_t>(v)];
}
std::string_view to_string(ReceiptSource v) {
  return kSources[static_cast<size_t>(v)];
}
std::optional<Priority> priority_from(std::string_view s) {
  return find<Priority>(kPriorities, s);
}
std::optional<MessageClass> message_class_from(std::string_view s) {
  return find<MessageClass>(kClasses, s);
}
std::optional<RoutingMode> routing_mode_from(std::string_view s) {
  return find<RoutingMode>(kModes, s);
}
std::optional<ReceiptEvent> receipt_event_from(std::string_view s) {
  return find<ReceiptEvent>(kEvents, s);
}

}  // namespace godwit
