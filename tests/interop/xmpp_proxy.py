"""A TCP relay that can be cut: what is on its way is lost, and both sides see the connection die."""

import selectors
import socket
import threading

from godwit_testing import free_port


class Proxy:
    """`with Proxy(server_port) as proxy:`; connect to `proxy.port`. `cut()` kills every connection; `is_open = False` refuses new ones."""

    def __init__(self, target):
        self.target, self.port, self.is_open, self.connections = target, free_port(), True, 0
        self._selector = selectors.DefaultSelector()
        self._links, self._lock, self._ends = {}, threading.Lock(), False

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._ends = True
        self._thread.join(5)
        self.cut()
        self._listener.close()

    def _run(self):
        while not self._ends:
            for key, _ in self._selector.select(0.05):
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._relay(key.fileobj)

    def _accept(self):
        client, _ = self._listener.accept()
        if not self.is_open:
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:  # the server is down: so are we
            client.close()
            return
        self.connections += 1
        with self._lock:
            self._links[client], self._links[server] = server, client
            for one in (client, server):
                self._selector.register(one, selectors.EVENT_READ)

    def _relay(self, source):
        try:
            data = source.recv(65536)
            if data:
                self._links[source].sendall(data)
                return
        except (OSError, KeyError):
            pass
        self._drop(source)

    def _drop(self, one):
        with self._lock:
            other = self._links.pop(one, None)
            self._links.pop(other, None)
            for end in (one, other):
                if end is not None:
                    try:
                        self._selector.unregister(end)
                    except (KeyError, ValueError):
                        pass
                    end.close()

    def cut(self):
        for one in list(self._links):
            self._drop(one)
