#include "plugins/xmpp/push/inbound.hpp"

#include <godwit/abi.h>

namespace xmpp {
namespace {

StanzaError error_of(const Element& stanza) {
  StanzaError out;
  for (const Element& e : stanza.children) {
    if (e.name != "error") continue;
    out.type = e.attribute("type");
    for (const Element& c : e.children)
      if (c.ns == ns::kStanzaErrors) (c.name == "text" ? out.text : out.condition) = c.name == "text" ? c.text : c.name;
  }
  if (out.condition.empty()) out.condition = "undefined-condition";
  return out;
}

uint32_t subkind_of(std::string_view event) {
  if (event == "delivered") return GW_RECEIPT_DELIVERED;
  if (event == "displayed") return GW_RECEIPT_DISPLAYED;
  if (event == "opened") return GW_RECEIPT_OPENED;
  if (event == "dismissed") return GW_RECEIPT_DISMISSED;
  return 0;
}

void read_message(const Element& stanza, Inbound& out) {
  if (out.type == "error") {
    if (out.id.empty()) return;
    out.kind = Inbound::Kind::refused;
    out.error = error_of(stanza);
    return;
  }
  const auto receipt = [&](const Element* e, uint32_t subkind) {
    if (!e || subkind == 0 || e->attribute("id").empty()) return;
    out.kind = Inbound::Kind::receipt;
    out.id = e->attribute("id");
    out.subkind = subkind;
  };
  receipt(stanza.child("received", ns::kReceipts), GW_RECEIPT_DELIVERED);
  receipt(stanza.child("displayed", ns::kMarkers), GW_RECEIPT_DISPLAYED);
  if (const Element* event = stanza.child("event", ns::kPush)) receipt(event, subkind_of(event->attribute("event")));
}

void read_answer(const Element& stanza, Inbound& out) {
  out.is_error = out.type == "error";
  if (out.is_error) out.error = error_of(stanza);
  if (out.id.starts_with(kCheckId))
    out.kind = Inbound::Kind::check;
  else
    out.kind = out.is_error ? Inbound::Kind::refused : Inbound::Kind::answer;
}

void read_question(const Element& stanza, Inbound& out) {
  out.kind = Inbound::Kind::question;
  out.iq_id = out.id;
  out.wants = Inbound::Wants::unknown;
  if (out.type == "get" && stanza.child("ping", ns::kPing)) out.wants = Inbound::Wants::pong;
  if (out.type == "get" && stanza.child("query", ns::kDisco)) out.wants = Inbound::Wants::disco;
  if (const Element* confirm = stanza.child("deliverconfirm", ns::kConfirm); confirm && out.type == "set") {
    // The forks disagree on the child's name (uuid; notificationId in one of them).
    out.wants = Inbound::Wants::confirm;
    out.id = confirm->child_text("uuid", ns::kConfirm);
    if (out.id.empty()) out.id = confirm->child_text("notificationId", ns::kConfirm);
    out.subkind = GW_RECEIPT_DELIVERED;
  }
}

}  // namespace

Inbound read_stanza(const Element& stanza) {
  Inbound out;
  out.from = stanza.attribute("from");
  out.id = stanza.attribute("id");
  out.type = stanza.attribute("type");
  if (stanza.name == "presence") {
    out.kind = Inbound::Kind::presence;
    for (const Element& c : stanza.children)
      out.has_negative_priority = out.has_negative_priority || (c.name == "priority" && c.text.starts_with("-"));
  } else if (stanza.name == "message") {
    read_message(stanza, out);
  } else if (stanza.name == "iq") {
    if (out.id.starts_with(kBarrierId))
      out.kind = Inbound::Kind::barrier;
    else if (out.type == "result" || out.type == "error")
      read_answer(stanza, out);
    else if (out.type == "get" || out.type == "set")
      read_question(stanza, out);
  }
  return out;
}

}  // namespace xmpp
