#include <algorithm>

#include "plugins/selfconn/gateway/steps.hpp"

namespace selfconn {
namespace {

using mqtt::ConnectReturn;
using mqtt::Property;
using mqtt::Reason;

// What the standard allows and a push gateway does not. Null when there is nothing.
const Refusal* policy_refusal(const mqtt::Connect& connect) {
  static constexpr Refusal no_id{Reason::client_identifier_not_valid, ConnectReturn::identifier_rejected,
                                 "the client id must be the device id, 1 to 64 bytes"};
  static constexpr Refusal method{Reason::bad_authentication_method, ConnectReturn::not_authorized,
                                  "no authentication method is offered; the password is the device credential"};
  static constexpr Refusal retain{Reason::retain_not_supported, ConnectReturn::not_authorized,
                                  "retained wills are not offered"};
  if (connect.client_id.empty() || connect.client_id.size() > kMaxClientId) return &no_id;
  if (connect.properties.has(Property::authentication_method)) return &method;
  if (connect.version == mqtt::Version::v5 && connect.has_will && connect.will.retain) return &retain;
  return nullptr;
}

// The credential says whose it is; client id and user name must say the same.
const Refusal* check_credential(Shard& shard, const mqtt::Connect& connect, Admission& admission) {
  static constexpr Refusal bad{Reason::bad_user_name_or_password, ConnectReturn::bad_user_name_or_password,
                               "the password is not a valid device credential"};
  static constexpr Refusal other{Reason::not_authorized, ConnectReturn::not_authorized,
                                 "the credential belongs to another device or app"};
  if (!connect.has_password || !connect.has_user_name) return &bad;
  const std::string_view password(reinterpret_cast<const char*>(connect.password.data()), connect.password.size());
  auto credential = shard.fleet.credentials.verify(password);
  if (!credential) {
    if (shard.logs(GW_LOG_DEBUG))
      shard.fleet.host.debug("credential refused",
                             {{"client_id", connect.client_id}, {"why", credential.error().message}});
    return &bad;
  }
  if (credential->device_id != connect.client_id || credential->app_id != connect.user_name) return &other;
  admission.address = std::move(credential->address);
  admission.credential_generation = static_cast<uint32_t>(credential->generation);
  admission.expires_wall_s = static_cast<uint32_t>(std::min<uint64_t>(credential->expires_wall_ms / 1000, 0xFFFFFFFF));
  return nullptr;
}

void copy_wishes(const mqtt::Connect& connect, Admission& admission) {
  admission.version = connect.version;
  admission.clean_start = connect.clean_start;
  admission.keep_alive_s = connect.keep_alive_s;
  const mqtt::Properties& p = connect.properties;
  admission.receive_maximum = static_cast<uint16_t>(p.number(Property::receive_maximum, 65'535));
  admission.topic_alias_maximum = static_cast<uint16_t>(p.number(Property::topic_alias_maximum, 0));
  admission.max_packet = p.number(Property::maximum_packet_size, 0);
  admission.session_expiry_s = p.number(Property::session_expiry_interval, 0);
  // 3.1.1 has no number: a session that is not cleaned is to be kept.
  if (connect.version == mqtt::Version::v3_1_1 && !connect.clean_start) admission.session_expiry_s = 0xFFFFFFFF;
}

// The socket goes to the device's own shard; here nothing of it is left.
void send_home(Shard& shard, Connection& c, uint32_t home, std::unique_ptr<Admission> admission, mqtt::Bytes behind) {
  shard.unwatch(c);
  admission->fd = std::exchange(c.fd, -1);
  admission->stream = std::move(c.stream);
  admission->behind.assign(behind.begin(), behind.end());
  shard.fleet.mailboxes[home]->put([&](Mail& mail) { mail.admissions.push_back(std::move(admission)); });
  shard.forget(c);
}

}  // namespace

void handle_connect(Shard& shard, Connection& c, const mqtt::Frame& frame, mqtt::Bytes behind) {
  mqtt::Connect connect;
  const mqtt::Fault fault = parse_connect(frame, connect);
  c.version = connect.version;
  c.max_packet = 0;
  if (fault) {
    const bool nothing_to_say =
        fault.silent || (c.version == mqtt::Version::v3_1_1 && fault.connack == ConnectReturn::accepted);
    shard.counters.faults.add();
    if (nothing_to_say) return drop(shard, c, fault.text);
    return not_let_in(shard, c, {fault.reason, fault.connack, fault.text});
  }
  c.max_packet = connect.properties.number(Property::maximum_packet_size, 0);
  if (const Refusal* no = policy_refusal(connect)) return not_let_in(shard, c, *no);
  auto admission = std::make_unique<Admission>();
  if (const Refusal* no = check_credential(shard, connect, *admission)) return not_let_in(shard, c, *no);
  copy_wishes(connect, *admission);
  admission->network = c.network;
  admission->hash = shard.fleet.hash_of(admission->address);
  const uint32_t home = shard.fleet.home_of(admission->hash);
  if (home != shard.number) return send_home(shard, c, home, std::move(admission), behind);
  admit(shard, c, *admission);
}

}  // namespace selfconn
