#include "plugins/xmpp/push/inbound.hpp"

#include <godwit/abi.h>
#include <gtest/gtest.h>

#include "plugins/xmpp/xml/stream_parser.hpp"

namespace xmpp {
namespace {

using Kind = Inbound::Kind;
using Wants = Inbound::Wants;

struct Heard {
  explicit Heard(const std::string& xml) {
    StreamParser parser;
    std::vector<StreamEvent> events;
    EXPECT_TRUE(parser.feed("<s xmlns='jabber:component:accept'>" + xml, events)) << parser.fault();
    stanza = std::move(events.at(1).element);
    in = read_stanza(stanza);
  }
  Element stanza;
  Inbound in;
};

TEST(Inbound, AReceiptNamesTheMessageAndItsDevice) {
  const Heard h(
      "<message from='bob@example.org/phone' to='push.example' id='own'><received xmlns='urn:xmpp:receipts' "
      "id='01JD7'/></message>");
  EXPECT_EQ(h.in.kind, Kind::receipt);
  EXPECT_EQ(h.in.id, "01JD7");
  EXPECT_EQ(h.in.from, "bob@example.org/phone");
  EXPECT_EQ(h.in.subkind, GW_RECEIPT_DELIVERED);
}

TEST(Inbound, DisplayedMarkersAndOurOwnEventsAreReceiptsToo) {
  EXPECT_EQ(Heard("<message from='a@x'><displayed xmlns='urn:xmpp:chat-markers:0' id='m'/></message>").in.subkind,
            GW_RECEIPT_DISPLAYED);
  EXPECT_EQ(Heard("<message from='a@x'><event xmlns='urn:godwit:push:1' id='m' event='opened'/></message>").in.subkind,
            GW_RECEIPT_OPENED);
  EXPECT_EQ(Heard("<message from='a@x'><event xmlns='urn:godwit:push:1' id='m' event='eaten'/></message>").in.kind,
            Kind::nothing);
  EXPECT_EQ(Heard("<message from='a@x'><received xmlns='urn:xmpp:receipts'/></message>").in.kind, Kind::nothing);
}

// ejabberd sends back what was sent and puts the error anywhere in it, Prosody sends the error alone.
TEST(Inbound, AStanzaErrorIsFoundWhereverItStands) {
  const Heard h(
      "<message type='error' id='01JD7' from='bob@example.org'><request xmlns='urn:xmpp:receipts'/><error "
      "type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text "
      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>User session not found</text></error><body>hi</body></message>");
  EXPECT_EQ(h.in.kind, Kind::refused);
  EXPECT_EQ(h.in.error.condition, "service-unavailable");
  EXPECT_EQ(h.in.error.type, "cancel");
  EXPECT_EQ(h.in.error.text, "User session not found");
  EXPECT_EQ(Heard("<message type='error' id='m'/>").in.error.condition, "undefined-condition");
}

TEST(Inbound, TheForksConfirmationIsAQuestionThatCarriesAReceipt) {
  for (const std::string child : {"uuid", "notificationId"}) {
    const Heard h(
        "<iq type='set' id='c1' from='bob@x/AndroidpnClient'><deliverconfirm xmlns='androidpn:iq:deliverconfirm'><" +
        child + ">01JD7</" + child + "></deliverconfirm></iq>");
    EXPECT_EQ(h.in.kind, Kind::question);
    EXPECT_EQ(h.in.wants, Wants::confirm);
    EXPECT_EQ(h.in.id, "01JD7");
    EXPECT_EQ(h.in.iq_id, "c1");
  }
}

TEST(Inbound, AnswersAreToldApartByTheirIds) {
  EXPECT_EQ(Heard("<iq type='result' id='01JD7' from='a@x/r'/>").in.kind, Kind::answer);
  EXPECT_EQ(Heard("<iq type='error' id='01JD7' from='a@x/r'/>").in.kind, Kind::refused);
  EXPECT_EQ(Heard("<iq type='result' id='gwc-3' from='a@x/r'/>").in.kind, Kind::check);
  EXPECT_TRUE(Heard("<iq type='error' id='gwc-3' from='a@x/r'/>").in.is_error);
  for (const std::string type : {"result", "error", "get"})  // a server without XEP-0199, and one that sends it back
    EXPECT_EQ(Heard("<iq type='" + type + "' id='gwb-ab-64'><ping xmlns='urn:xmpp:ping'/></iq>").in.kind,
              Kind::barrier);
}

TEST(Inbound, QuestionsAreAnsweredWhateverTheyAre) {
  EXPECT_EQ(Heard("<iq type='get' id='1' from='x'><ping xmlns='urn:xmpp:ping'/></iq>").in.wants, Wants::pong);
  EXPECT_EQ(
      Heard("<iq type='get' id='1' from='x'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>").in.wants,
      Wants::disco);
  EXPECT_EQ(Heard("<iq type='set' id='1' from='x'><anything xmlns='urn:x'/></iq>").in.wants, Wants::unknown);
}

TEST(Inbound, PresenceTellsWhetherMessagesToTheAccountReachIt) {
  EXPECT_TRUE(Heard("<presence from='a@x/r'><priority>-1</priority></presence>").in.has_negative_priority);
  EXPECT_FALSE(Heard("<presence from='a@x/r'><priority>5</priority></presence>").in.has_negative_priority);
}

}  // namespace
}  // namespace xmpp
