// MQTT.js as a device. argv[2]: JSON with url, client_id, credential, version, count, ca. Prints one JSON line for each
// thing that happens; acknowledges by itself, reports each message as opened, and ends after `count` messages.
const fs = require("fs");
const mqtt = require("mqtt");

const order = JSON.parse(process.argv[2]);
const say = (what) => console.log(JSON.stringify(what));
const client = mqtt.connect(order.url, {
  clientId: order.client_id,
  username: "app",
  password: order.credential,
  protocolVersion: order.version,
  clean: true,
  reconnectPeriod: 0,
  connectTimeout: 10000,
  ...(order.ca ? { ca: fs.readFileSync(order.ca) } : {}),
});

let left = order.count;
client.on("connect", (connack) => {
  say({ connect: connack.sessionPresent });
  client.subscribe("godwit/inbox", { qos: 1 }, (error, granted) => say({ subscribed: granted && granted[0].qos }));
});
client.on("message", (topic, payload, packet) => {
  const message = JSON.parse(payload.toString());
  say({ topic, qos: packet.qos, message_id: message.message_id, title: message.notification.title });
  const event = JSON.stringify({ message_id: message.message_id, event: "opened" });
  client.publish("godwit/events", event, { qos: 1 }, (error) => {
    if (error) return say({ error: error.message });
    if (--left === 0) client.end(false, () => process.exit(0));
  });
});
client.on("error", (error) => {
  say({ error: error.message, code: error.code });
  process.exit(1);
});
client.on("close", () => say({ close: true }));
