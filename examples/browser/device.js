// A Godwit device in a web page: MQTT 5.0 over a WebSocket in the few packets that a device needs, without a library.
//
//   const device = new GodwitDevice({url: "wss://push.example:8485/mqtt", app, deviceId, credential,
//                                    onMessage: (push) => show(push), onState: (state) => …});
//   device.report(push.message_id, "opened");
//
// Shows each message once (ids are kept in localStorage), comes back with jitter, keeps reports until the broker has them.
class GodwitDevice {
  constructor(options) {
    Object.assign(this, { app: "", onState: () => {} }, options);
    this.key = `godwit/${this.app}/${this.deviceId}`;
    const kept = JSON.parse(localStorage.getItem(this.key) || "{}");
    this.shown = kept.shown || [];
    this.events = kept.events || []; // not taken by the broker yet
    this.attempts = 0;
    this.connect();
  }

  report(messageId, event) {
    this.events.push({ message_id: messageId, event, at: Date.now() });
    this.remember();
    this.sendEvents();
  }

  // ---- the connection ----
  connect() {
    this.onState("connecting");
    this.bytes = new Uint8Array(0);
    this.sent = new Map(); // packet id -> event
    this.isUp = false;
    this.socket = new WebSocket(this.url, "mqtt");
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.send(0x10, this.hello());
    this.socket.onmessage = (message) => this.take(new Uint8Array(message.data));
    this.socket.onclose = () => this.lost();
  }
  lost() {
    clearInterval(this.heartbeat);
    this.isUp = false;
    if (this.isRefused) return this.onState("refused: app, device and credential do not fit; register the device again");
    this.onState("waiting");
    const bound = Math.min(60000, 1000 * 2 ** this.attempts++);
    setTimeout(() => this.connect(), Math.random() * bound);
  }
  up(keepAlive) {
    this.isUp = true;
    this.attempts = 0;
    this.onState("connected");
    this.heartbeat = setInterval(() => this.send(0xc0, []), keepAlive * 1000);
    this.sendEvents();
  }

  // ---- packets ----
  hello() {
    const properties = [0x11, ...u32(7 * 24 * 3600)]; // Session Expiry Interval
    return [...text("MQTT"), 5, 0xc0, ...u16(60), properties.length, ...properties,
      ...text(this.deviceId), ...text(this.app), ...text(this.credential)];
  }
  send(first, body) {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    const length = [];
    for (let rest = body.length; ; ) {
      const low = rest & 0x7f;
      rest >>>= 7;
      length.push(rest ? low | 0x80 : low);
      if (!rest) break;
    }
    this.socket.send(new Uint8Array([first, ...length, ...body]));
  }
  sendEvents() {
    if (!this.isUp) return;
    for (const event of this.events) {
      if (this.sent.size >= 8) return;
      if ([...this.sent.values()].includes(event)) continue;
      this.packetId = ((this.packetId || 0) % 65535) + 1;
      this.sent.set(this.packetId, event);
      this.send(0x32, [...text("godwit/events"), ...u16(this.packetId), 0, ...utf8(JSON.stringify(event))]);
    }
  }
  take(more) {
    const all = new Uint8Array(this.bytes.length + more.length);
    all.set(this.bytes);
    all.set(more, this.bytes.length);
    this.bytes = all;
    for (let packet; (packet = this.next()); ) this.handle(packet[0], packet[1]);
  }
  next() {
    let length = 0;
    for (let i = 1; i < Math.min(5, this.bytes.length); ++i) {
      length |= (this.bytes[i] & 0x7f) << (7 * (i - 1));
      if (this.bytes[i] & 0x80) continue;
      if (this.bytes.length < i + 1 + length) return null;
      const packet = [this.bytes[0], this.bytes.slice(i + 1, i + 1 + length)];
      this.bytes = this.bytes.slice(i + 1 + length);
      return packet;
    }
    return null;
  }
  handle(first, body) {
    switch (first >> 4) {
      case 2: // CONNACK
        if (body[1] < 0x80) return this.up(30);
        this.isRefused = [0x84, 0x85, 0x86, 0x87].includes(body[1]);
        return this.socket.close();
      case 3: // PUBLISH, QoS 1
        return this.message(body);
      case 4: { // PUBACK
        const id = (body[0] << 8) | body[1];
        const event = this.sent.get(id);
        this.sent.delete(id);
        this.events = this.events.filter((e) => e !== event);
        this.remember();
        return this.sendEvents();
      }
      case 14: // DISCONNECT
        return this.socket.close();
    }
  }
  message(body) {
    let at = 2 + ((body[0] << 8) | body[1]); // behind the topic
    const packetId = body.slice(at, at + 2);
    at += 2;
    let properties = 0;
    for (let shift = 0; ; shift += 7) {
      properties |= (body[at] & 0x7f) << shift;
      if (!(body[at++] & 0x80)) break;
    }
    const push = JSON.parse(new TextDecoder().decode(body.slice(at + properties)));
    if (!this.shown.includes(push.message_id)) {
      this.onMessage(push);
      this.shown = [...this.shown.slice(-999), push.message_id];
      this.remember();
    }
    this.send(0x40, [...packetId]);
  }
  remember() {
    localStorage.setItem(this.key, JSON.stringify({ shown: this.shown, events: this.events }));
  }
}

const utf8 = (value) => [...new TextEncoder().encode(value)];
const u16 = (value) => [(value >> 8) & 0xff, value & 0xff];
const u32 = (value) => [...u16(value >>> 16), ...u16(value & 0xffff)];
const text = (value) => [...u16(utf8(value).length), ...utf8(value)];
