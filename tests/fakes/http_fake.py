"""What the fake vendors share: an HTTP/1.1 server on asyncio whose vendor answers `route`, as (status, JSON or bytes or None, headers),
or None to close the connection."""

import asyncio
import json

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}


class Server:
    def __init__(self, vendor):
        self.vendor = vendor

    async def serve(self, reader, writer):
        try:
            while await self.one_request(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        finally:
            writer.close()

    async def one_request(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in head[1:] if ":" in line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        answer = await self.vendor.route(method, target.split("?")[0], headers, body)
        if answer is None:
            return False
        status, value, extra = answer
        content = value if isinstance(value, bytes) else b"" if value is None else json.dumps(value).encode()
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", "Content-Type: application/json", f"Content-Length: {len(content)}"]
        lines += [f"{k}: {v}" for k, v in extra.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        await writer.drain()
        return headers.get("connection", "").lower() != "close"


async def serve(vendor, port):
    """Prints "PORT n" when it listens, and serves for ever."""
    server = await asyncio.start_server(Server(vendor).serve, "127.0.0.1", port, backlog=1024, limit=1 << 20)
    print("PORT", server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()
