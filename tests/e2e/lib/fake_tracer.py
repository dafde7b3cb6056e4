"""A tracer that traces nothing: it answers what processes of a run say, and keeps it.

Must never attach to anybody. Its words are those of preload/trace/hand_over.h.
"""

import collections
import contextlib
import os
import select
import socket
import struct
import threading

KINDS = {1: "take_exec", 2: "follow_child", 3: "take_process", 4: "call_returned"}
REQUEST = struct.Struct("<IIIIIIII")  # version, kind, pid, tid, scope, reserved
ANSWER = struct.Struct("<iI")
VERSION = 1
DIES, KEEPS_SILENT, OTHER_WORDS = "dies", "keeps silent", "other words"

Request = collections.namedtuple("Request", "kind pid tid scope peer")


class FakeTracer:
    """While it is entered, it listens. `answer`: an errno for each request but `call_returned`, 0
    is done; or DIES: the connection ends without one; or KEEPS_SILENT, or OTHER_WORDS.
    """

    names = 0

    def __init__(self, answer=0):
        FakeTracer.names += 1
        self.name = f"umaskaudit-test-{os.getpid()}-{FakeTracer.names}.{os.getpid()}"
        self.answer = answer
        self.requests = []
        self.faults = []  # what a tracer must never be sent
        self.socket = None
        self.stop, self.stopped = None, None

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind("\0" + self.name)
        self.socket.listen(8)
        self.stopped, self.stop = os.pipe()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def __exit__(self, *_):
        os.close(self.stop)
        self.thread.join()
        self.socket.close()
        os.close(self.stopped)

    def serve(self):
        with contextlib.ExitStack() as kept:
            while self.stopped not in select.select([self.socket, self.stopped], [], [])[0]:
                connection, _ = self.socket.accept()
                if self.talk(connection):
                    kept.enter_context(connection)
                else:
                    connection.close()

    def talk(self, connection):
        """True: the connection stays open."""
        words = connection.recv(4096)
        peer = struct.unpack("<iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED,
                                                           12))[0]
        if len(words) != REQUEST.size:
            self.faults.append(f"{len(words)} bytes")
            return False
        version, kind, pid, tid, scope, *reserved = REQUEST.unpack(words)
        if version != VERSION or kind not in KINDS or any(reserved):
            self.faults.append(f"{words}")
        request = Request(KINDS.get(kind), pid, tid, scope, peer)
        self.requests.append(request)
        if self.answer == DIES:
            return False
        if self.answer == KEEPS_SILENT:
            return True
        error = 0 if request.kind == "call_returned" else self.answer
        connection.send(b"?" if self.answer == OTHER_WORDS else ANSWER.pack(error, 0))
        return False

    def kinds(self):
        return [request.kind for request in self.requests]
