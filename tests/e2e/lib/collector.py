"""A collector of OpenTelemetry on loopback, which answers as a test wants, and what OTLP's JSON is.

Must never outlive its test, nor take what it was not told to: whatever a request says is kept as it
came. Called by the tests of OTLP.
"""

import base64
import gzip
import http.server
import json
import re
import socket
import ssl
import threading

UID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
LEVELS = {9: "INFO", 13: "WARN", 17: "ERROR"}


class Request:
    def __init__(self, path, headers, body):
        self.path = path
        self.headers = headers
        self.body = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body


class Answer:
    """A status, headers and a body; `hold`: an event that must be set before it is given."""

    def __init__(self, status=200, body="{}", hold=None, **headers):
        self.status = status
        self.body = body.encode() if isinstance(body, str) else body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.hold = hold


class Collector:
    """Answers the first requests by `answers`, in order, and all others with success.

    `certificate`: a PEM file with its key, for https.
    """

    def __init__(self, test, *answers, certificate=None):
        self.requests = []  # all that came
        self.taken = []  # those that were answered with success
        self.answers = list(answers)
        self.news = threading.Condition()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.answer(self, Request(self.path, dict(self.headers), body))

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # of a client that did not wait for its answer

        self.server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.server.server_port}"
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(thread.join)
        test.addCleanup(self.server.shutdown)
        test.addCleanup(self.release)

    def release(self):
        for answer in self.answers:
            if answer.hold:
                answer.hold.set()

    def answer(self, handler, request):
        with self.news:
            number = len(self.requests)
            self.requests.append(request)
            self.news.notify_all()
        answer = self.answers[number] if number < len(self.answers) else Answer()
        if answer.hold:
            answer.hold.wait()
        if 200 <= answer.status < 300:
            with self.news:
                self.taken.append(request)
                self.news.notify_all()
        handler.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)

    def wait_until(self, true, timeout):
        with self.news:
            return self.news.wait_for(true, timeout)

    def records(self):
        """Of all requests that were taken, checked."""
        with self.news:
            taken = list(self.taken)
        return [record for request in taken for record in records_of(request.body)]


def dead_port(test):
    """A port of loopback where nobody listens, and nobody else can: connections are refused."""
    reserved = socket.socket()
    test.addCleanup(reserved.close)
    reserved.bind(("127.0.0.1", 0))
    return reserved.getsockname()[1]


class Record:
    """A LogRecord with its attributes as a dictionary, numbers as numbers and bytes as bytes."""

    def __init__(self, fields, resource):
        self.fields = fields
        self.resource = resource
        self.name = fields["eventName"].removeprefix("umaskaudit.")
        self.body = fields["body"]["stringValue"]
        self.level = fields["severityText"]
        self.time_ns = int(fields["timeUnixNano"])
        self.attributes = attributes_of(fields["attributes"])
        self.uid = self.attributes["log.record.uid"]

    def __getitem__(self, key):
        return self.attributes[key]

    def get(self, key):
        return self.attributes.get(key)


def value_of(value):
    """An AnyValue in protobuf's JSON."""
    ((kind, inner),) = value.items()
    if kind == "stringValue":
        assert isinstance(inner, str), value
        return inner
    if kind == "intValue":
        assert re.fullmatch("-?[0-9]+", inner), value  # an int64 is a string there
        assert -(2 ** 63) <= int(inner) < 2 ** 63, value
        return int(inner)
    if kind == "boolValue":
        assert isinstance(inner, bool), value
        return inner
    assert kind == "bytesValue", value
    return base64.b64decode(inner, validate=True)


def attributes_of(attributes):
    found = {}
    for each in attributes:
        assert set(each) == {"key", "value"} and each["key"] not in found, each
        found[each["key"]] = value_of(each["value"])
    return found


def only(fields, *names):
    assert set(fields) == set(names), fields.keys()
    return (fields[name] for name in names)


def records_of(request):
    """The records of an ExportLogsServiceRequest, whose shape is checked down to each value."""
    ((logs,),) = only(json.loads(request.decode("utf-8")), "resourceLogs")
    resource, scopes, schema = only(logs, "resource", "scopeLogs", "schemaUrl")
    assert re.fullmatch(r"https://opentelemetry\.io/schemas/[0-9.]+", schema), schema
    (attributes,) = only(resource, "attributes")
    ((scope, inner_schema, records),) = [only(one, "scope", "schemaUrl", "logRecords")
                                         for one in scopes]
    assert inner_schema == schema
    name, version = only(scope, "name", "version")
    assert name == "umaskaudit" and re.fullmatch("[0-9.]+", version), scope
    resource = attributes_of(attributes)
    return [checked(record, resource) for record in records]


def checked(fields, resource):
    times = ("timeUnixNano", "observedTimeUnixNano")
    only(fields, *times, "severityNumber", "severityText", "eventName", "body", "attributes")
    for name in times:
        assert re.fullmatch("[0-9]{1,20}", fields[name]) and int(fields[name]) < 2 ** 64, fields
    assert LEVELS[fields["severityNumber"]] == fields["severityText"], fields
    assert fields["eventName"].startswith("umaskaudit."), fields
    assert set(fields["body"]) == {"stringValue"} and fields["body"]["stringValue"], fields
    record = Record(fields, resource)
    assert UID.fullmatch(record.uid), record.uid
    for key, value in record.attributes.items():
        ours = key if key.startswith("umaskaudit.") else "umaskaudit." + key
        if key.endswith("_bits"):
            continue
        if ours + "_bits" in record.attributes:
            assert f"{record[ours + '_bits']:04o}" == value, (key, value)
        if ours + "_bytes" in record.attributes:
            assert record[ours + "_bytes"].decode(errors="replace").count("\ufffd"), key
    return record
