"""Headless Chromium by the WebDriver protocol (W3C), with nothing but the standard library.

Must never reach the network: the browser may not resolve a name. Both processes end with the
object, also after a failure. Used by the tests of the HTML report.
"""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

PROGRAMS = ("chromium", "chromedriver")
TIMEOUT = 900  # seconds; reached only by a hang
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver, 11: the web element identifier

# The private use characters that stand for keys (WebDriver, 17.4.2).
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004", "End": "\ue010", "Home": "\ue011",
        "Left": "\ue012", "Up": "\ue013", "Right": "\ue014", "Down": "\ue015", "PageDown": "\ue00f"}


class BrowserError(Exception):
    pass


class Browser:
    def __init__(self, width=1280, height=900, dark=False):
        self.home = tempfile.mkdtemp(prefix="umaskaudit-browser-")
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, start_new_session=True, cwd=self.home,
            env={**os.environ, "HOME": self.home, "TMPDIR": self.home})
        self.session = None
        try:
            self.url = f"http://127.0.0.1:{self.read_port()}"
            arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage",
                         "--disable-background-networking", "--disable-component-update",
                         "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND",
                         f"--user-data-dir={self.home}/profile", "--hide-scrollbars"]
            if os.geteuid() == 0:
                arguments.append("--no-sandbox")
            self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": {"args": arguments},
                "timeouts": {"script": TIMEOUT * 1000},  # else 30 s, for all frames together
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}})["sessionId"]
            self.resize(width, height)
            self.set_scheme("dark" if dark else "light")
        except BaseException:
            self.close()
            raise

    def read_port(self):
        for line in self.driver.stdout:
            found = re.search(rb"started successfully on port (\d+)", line)
            if found:
                return int(found.group(1))
        raise BrowserError("chromedriver did not start")

    def close(self):
        try:
            if self.session is not None:
                self.call("DELETE", f"/session/{self.session}")
        except (BrowserError, OSError):
            pass
        finally:
            # The session's group: what the driver left behind goes with it.
            try:
                os.killpg(self.driver.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.driver.wait()
            self.driver.stdout.close()
            shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        if method == "POST" and data is None:
            data = b"{}"
        request = urllib.request.Request(self.url + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=TIMEOUT) as reply:
                return json.load(reply)["value"]
        except urllib.error.HTTPError as error:
            raise BrowserError(error.read().decode(errors="replace")[:2000]) from None

    def command(self, method, path, body=None):
        return self.call(method, f"/session/{self.session}{path}", body)

    def devtools(self, name, **parameters):
        return self.command("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def resize(self, width, height=900):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=1, mobile=False)

    def set_scheme(self, scheme):
        # Without motion: a click does not wait for a page that is still scrolling.
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": scheme},
                                {"name": "prefers-reduced-motion", "value": "reduce"}])

    def open(self, path):
        self.command("POST", "/url", {"url": f"file://{path}"})

    def run(self, script, *arguments):
        """Runs the body of a function in the page; returns its value."""
        return self.command("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait_for(self, script, *arguments):
        """Runs a function's body with `done` until it calls that; returns what it was given."""
        return self.command("POST", "/execute/async", {
            "script": f"const done = arguments[arguments.length - 1];\n{script}",
            "args": list(arguments)})

    def find(self, selector):
        return self.command("POST", "/element", {"using": "css selector", "value": selector})

    def click(self, selector):
        # Not to the edge, where the page's own bar lies over it.
        self.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        self.command("POST", f"/element/{self.find(selector)[ELEMENT]}/click", {})

    def type(self, selector, text):
        self.command("POST", f"/element/{self.find(selector)[ELEMENT]}/value", {"text": text})

    def press(self, *keys):
        """Keys for whatever has the focus."""
        actions = []
        for key in keys:
            value = KEYS.get(key, key)
            actions += [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self.command("POST", "/actions", {"actions": [
            {"type": "key", "id": "keyboard", "actions": actions}]})

    def mouse(self, *actions):
        """Pointer actions: ("move", x, y), ("down",), ("up",); in pixels of the viewport."""
        steps = []
        for name, *at in actions:
            if name == "move":
                steps.append({"type": "pointerMove", "duration": 0, "x": round(at[0]),
                              "y": round(at[1])})
            else:
                steps.append({"type": f"pointer{name.capitalize()}", "button": 0})
        self.command("POST", "/actions", {"actions": [
            {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
             "actions": steps}]})

    def wheel(self, x, y, delta_x=0, delta_y=0, control=False):
        keys = [{"type": "keyDown", "value": "\ue009"}, {"type": "pause"},
                {"type": "keyUp", "value": "\ue009"}]
        turn = [{"type": "pause"}, {"type": "scroll", "x": round(x), "y": round(y),
                                    "deltaX": delta_x, "deltaY": delta_y, "duration": 0,
                                    "origin": "viewport"}, {"type": "pause"}]
        actions = [{"type": "wheel", "id": "wheel", "actions": turn}]
        if control:
            actions.append({"type": "key", "id": "keyboard", "actions": keys})
        self.command("POST", "/actions", {"actions": actions})

    def log(self, kind):
        return self.command("POST", "/se/log", {"type": kind})

    def requests(self):
        """Addresses that the page asked for since the last call."""
        messages = (json.loads(entry["message"])["message"] for entry in self.log("performance"))
        return [message["params"]["request"]["url"] for message in messages
                if message["method"] == "Network.requestWillBeSent"]

    def screenshot(self, file, full=False):
        if full:
            size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 8000),
                    "scale": 1}
            data = self.devtools("Page.captureScreenshot", captureBeyondViewport=True,
                                 clip=clip)["data"]
        else:
            data = self.command("GET", "/screenshot")
        with open(file, "wb") as out:
            out.write(base64.b64decode(data))
