// An HTTP/2 server on Node's own stack that misbehaves on purpose and keeps count of what it has seen, per apns-id.
//   scripted_peer.mjs MODE CERT KEY      prints "PORT n CONTROL m"; GET http://127.0.0.1:m/ answers its counts
// MODE: goaway (every 7,000 requests all sessions are closed gracefully), reset / refuse (every 97th stream), hang (every 501st request
// is never answered), shrink (one stream at a time from request 1,000 to 1,500), cut (every 25,000 requests the sockets are destroyed),
// half_close (the same, but only our side of the socket ends), none.
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';

const [mode, cert, key] = process.argv.slice(2);
const seen = new Map();
let total = 0, refused = 0, open = 0, mostWhileTight = 0, tight = false, settled = false, goaways = 0;
const sessions = new Set(), sockets = new Set();

const server = http2.createSecureServer({cert: fs.readFileSync(cert), key: fs.readFileSync(key), settings: {maxConcurrentStreams: 200}});
server.on('secureConnection', (socket) => { sockets.add(socket); socket.on('close', () => sockets.delete(socket)); socket.on('error', () => {}); });
server.on('session', (session) => { sessions.add(session); session.on('close', () => sessions.delete(session)); session.on('error', () => {}); });
server.on('sessionError', () => {});
server.on('tlsClientError', () => {});
process.on('uncaughtException', (error) => console.error(error));  // sockets that are torn down under a stream

server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  ++total;
  if (mode === 'refuse' && total % 97 === 0) { ++refused; return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM); }
  const id = headers['apns-id'];
  seen.set(id, (seen.get(id) ?? 0) + 1);
  ++open;
  stream.on('close', () => { --open; });
  if (tight && open <= 1) settled = true;  // what was out when the limit came may still come to its end
  if (tight && settled) mostWhileTight = Math.max(mostWhileTight, open);
  stream.resume();
  const first = seen.get(id) === 1;  // nobody is struck three times: then the engine would give up
  if (mode === 'reset' && first && total % 97 === 0) return stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  if (mode === 'hang' && first && total % 501 === 0) return;
  if (!stream.destroyed) stream.respond({':status': 200, 'apns-id': id}, {endStream: true});
  if (mode === 'goaway' && total % 7000 === 0) for (const session of sessions) { ++goaways; session.close(); }
  if (mode === 'cut' && total % 25000 === 0) for (const socket of sockets) socket.destroy();
  if (mode === 'half_close' && total % 25000 === 0) for (const socket of sockets) socket.end();
  if (mode === 'shrink' && total === 1000) for (const session of sessions) session.settings({maxConcurrentStreams: 1}, () => { tight = total < 1500; });
  if (mode === 'shrink' && total === 1500) { tight = false; for (const session of sessions) session.settings({maxConcurrentStreams: 200}); }
});

const control = http.createServer((request, response) => {
  let repeats = 0;
  for (const count of seen.values()) repeats += count - 1;
  response.end(JSON.stringify({messages: seen.size, total, repeats, refused, goaways, mostWhileTight}));
});
server.listen(0, '127.0.0.1', () => control.listen(0, '127.0.0.1', () => console.log(`PORT ${server.address().port} CONTROL ${control.address().port}`)));
