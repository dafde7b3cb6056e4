"""Every object that a program leaves on disk is in the report by the name and with the mode that it
has now, and blame and explain find it there: however often it was renamed, linked or changed.

Ground truth is lstat(2). Programs that are not installed are skipped.
"""

import json
import os
import stat
import subprocess

from lib import harness
from lib.harness import Case, needs, octal

MOST_ASKED = 12  # objects of one test that blame and explain are asked for: each reads the run


class Objects(Case):
    def inodes(self):
        """What is there, held open: no new object gets the number of one that is removed."""
        found = set()
        for path, status in self.on_disk():
            self.addCleanup(os.close, os.open(path, os.O_PATH | os.O_NOFOLLOW))
            found.add((status.st_dev, status.st_ino))
        return found

    def on_disk(self):
        for directory, names, files in os.walk(self.work):
            for name in names + files:
                path = os.path.join(directory, name)
                status = os.lstat(path)
                if not stat.S_ISLNK(status.st_mode):
                    yield path, status

    def check_now(self, run, before=(), least=1):
        """Compares the report's `object` lines with the disk, in both directions."""
        lines = [line for line in self.report(run).of("object") if line["state"] == "there"]
        modes = {line["path"]: line["mode"] for line in lines}
        self.assertEqual(len(modes), len(lines), "one line a name")
        made = [(path, octal(stat.S_IMODE(status.st_mode))) for path, status in self.on_disk()
                if (status.st_dev, status.st_ino) not in before]
        self.assertGreaterEqual(len(made), least)
        for path, mode in made:
            self.assertEqual(modes.get(path), mode, path)
        top = str(self.work) + "/"
        self.assertEqual({path for path in modes if path.startswith(top)},
                         {path for path, _ in made})
        step = max(1, len(made) // MOST_ASKED)
        for path, mode in made[::step]:
            blame = self.tool("blame", run, path, "--no-symbols")
            self.assertEqual(blame.splitlines()[0], path)
            self.assertIn(f"  {path} {mode} ", blame, "on disk now")
            self.assertIn(", as the run left it", blame)
            explained = self.tool("explain", run, path)
            self.assertIn(f"{mode}", explained)
        self.check_open(run, before)
        return lines

    def check_open(self, run, before):
        """Compares what `check` says of objects that are there, and may be written by others, with
        the disk. A directory with the sticky bit is shared on purpose."""
        file = self.top / "hits.jsonl"
        result = self.execute(harness.TOOL, "check", run, "--objects", file, "--no-symbols")
        self.assertIn(result.returncode, (0, 1), result.stderr.decode(errors="replace"))
        with file.open(encoding="utf-8") as lines:
            hits = [json.loads(line) for line in lines]
        named = {hit["path"] for hit in hits
                 if hit["state"] == "there" and int(hit["last_mode"] or "0", 8) & 0o002
                 and hit["rule"] != "predictable-temp"}
        # An object with several names is one hit, by one of them.
        named = {(status.st_dev, status.st_ino) for status in map(os.lstat, named)}
        open_now = {(status.st_dev, status.st_ino): path for path, status in self.on_disk()
                    if (status.st_dev, status.st_ino) not in before and status.st_mode & 0o002
                    and not (stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX)}
        self.assertEqual(named, set(open_now), open_now)

    def shell(self, text, **options):
        before = self.inodes()
        result, run = self.record("bash", "-euc", text, **options)
        return run, before, result


class Names(Objects):
    def test_renames(self):
        run, before, _ = self.shell("""
            umask 027
            mkdir -p build/lib build/deep/er; touch build/lib/x build/top build/deep/er/y
            mv build final; mv final/lib final/deep; mv final/deep/lib final/lib2
            echo a > tmp1; mv tmp1 tmp2; mv tmp2 n.conf
            echo b > n.new; mv n.new n.conf
            mkdir empty full; touch full/z; mv -T full empty""")
        lines = self.check_now(run, before, 9)
        conf, = [line for line in lines if line["path"].endswith("/n.conf")]
        self.assertEqual(os.path.basename(conf["born_path"]), "n.new")
        gone, = [line for line in self.report(run).of("object") if line["state"] == "replaced"
                 and line["path"].endswith("/n.conf")]
        self.assertEqual(os.path.basename(gone["born_path"]), "tmp1")

    def test_links(self):
        run, before, _ = self.shell("""
            mkdir real d; ln -s real link; ln -s ../real d/up; touch link/a real/b d/up/c
            mkdir .//real/./e d/../real/f/; ln real/a hard; ln hard d/hard2; rm real/a
            ln -s target dangling; echo > dangling""")
        self.check_now(run, before, 8)
        for name in ("link/b", "d/up/b", "real/../link//b", "dangling"):
            self.tool("blame", run, name, "--no-symbols")
        self.tool("blame", run, "real/a", "--no-symbols")  # a name that it had
        listed = self.tool("report", run, "--path", "*/real/a", "--no-symbols")
        self.assertIn("\n  hard ", listed)

    def test_link_from_before_the_run(self):
        (self.work / "run").mkdir()
        (self.work / "var").mkdir()
        os.symlink("../run", self.work / "var" / "run")
        run, before, _ = self.shell("echo 1 > var/run/pid; mkdir var/run/app; touch run/app/s")
        self.check_now(run, before, 3)
        for name in ("run/pid", "var/run/pid", "var/run/app/s"):
            self.tool("blame", run, name, "--no-symbols")

    def test_directory_that_was_there(self):
        (self.work / "old").mkdir()
        run, before, _ = self.shell("touch old/x; mv old new; touch new/y")
        self.check_now(run, before, 2)

    def test_name_is_given_to_a_file_without_one(self):
        _, run = self.record(harness.victim("named_tmpfile"), self.work)
        lines = [line for line in self.report(run).of("object") if line["state"] == "there"]
        for line in lines:
            status = os.lstat(line["path"])
            self.assertEqual((line["ino"], line["mode"]),
                             (status.st_ino, octal(stat.S_IMODE(status.st_mode))))

    def test_from_a_directory_that_was_removed(self):
        run, before, _ = self.shell("""
            mkdir gone a; cd gone; rmdir "$PWD"; touch ../y; mkdir ../a/d; mv ../y ../a/d/z""")
        self.check_now(run, before, 3)
        for line in self.report(run).of("create"):
            self.assertTrue(line["path"].startswith(str(self.work)), line)

    def test_file_without_a_name_is_not_its_directory(self):
        _, run = self.record(harness.victim("named_tmpfile"), self.work)
        made = [line for line in self.report(run).of("object") if line["state"] != "there"]
        self.assertIn("no name", self.tool("report", run, "--no-symbols"))
        for line in made:
            text = self.tool("blame", run, line["path"], "--no-symbols")
            self.assertIn(f"  a file without a name, made in {self.work}\n", text)
        for command, status in (("blame", 1), ("explain", 2)):
            self.tool(command, run, self.work, status=status)

    def test_removed_is_gone(self):
        run, _, _ = self.shell("mkdir -p a/b; touch a/b/c kept; rm -r a")
        states = {os.path.basename(line["path"]): line["state"]
                  for line in self.report(run).of("object")}
        self.assertEqual(states, {"a": "gone", "b": "gone", "c": "gone", "kept": "there"})
        limited = self.tool("report", run, "--format", "jsonl", "--limit", "1000", "--no-symbols")
        self.assertNotIn('"type":"object"', limited)

    def test_current_one_comes_first(self):
        run, _, _ = self.shell("""
            umask 077; echo 1 > f; mv f f.1; umask 022; echo 2 > f; echo 3 > g; mv g f""")
        blame = self.tool("blame", run, "f", "--no-symbols").splitlines()
        self.assertEqual(blame[1], f"  born as {self.work}/g")
        first = self.tool("blame", run, "f.1", "--no-symbols").splitlines()
        self.assertEqual(first[1], f"  born as {self.work}/f")


class Masks(Objects):
    def test_three_calls_of_one_command(self):
        """dash's `umask 0` is umask(0), umask(old), umask(0)."""
        _, run = self.record("/bin/dash", "-c", "umask 0; : > f")
        blame = self.tool("blame", run, "f", "--no-symbols")
        calls = self.report(run).of("umask")
        self.assertEqual([call["new"] for call in calls], ["0000", "0022", "0000"])
        self.assertNotIn("put back", blame)
        self.assertIn("  umask 0000 (was 0022) in", blame)
        data = json.loads(self.tool("blame", run, "f", "--format", "json"))
        self.assertEqual(data["objects"][0]["mask_setter"]["id"], calls[2]["id"])

    def test_who_chose_it_not_who_put_it_back(self):
        result, run = self.record("/usr/bin/python3", "-c", """
import os, threading
os.umask(0o077)
def probe():
    os.umask(os.umask(0))
    print(threading.get_native_id(), flush=True)
thread = threading.Thread(target=probe)
thread.start()
thread.join()
open("secret", "w").close()
os.umask(os.umask(0))
open("later", "w").close()
""")
        main, probe = None, int(result.stdout)
        for event in self.report(run).of("create"):
            if event["path"] == str(self.work / "secret"):
                main = event["tid"]
        self.assertNotIn(main, (None, probe))
        for name, role in (("secret", f"{probe} of process"), ("later", f"{main} of process")):
            blame = self.tool("blame", run, name, "--no-symbols").splitlines()
            at = blame.index("Where the mask 0077 came from")
            end = blame.index("On disk now")
            story = [line for line in blame[at + 1:end] if "umask" in line]
            self.assertEqual(len(story), 2, blame)
            self.assertIn("  umask 0077 (was 0022) in thread ", story[0])
            self.assertIn(f" {main} of process {main} ", story[0])
            self.assertIn("  put back last by umask 0077 (was 00", story[1])
            self.assertIn(f" {role}", story[1])
            self.assertIn(f"The umask 0077 was set by thread python3 {main} of process {main}; ",
                          self.tool("explain", run, name))

    def test_inherited_and_put_back(self):
        _, run = self.record("/usr/bin/python3", "-c", """
import os
os.umask(os.umask(0))
open("made", "w").close()
""")
        blame = self.tool("blame", run, "made", "--no-symbols")
        self.assertIn("  inherited: it was changed in this run, and put back\n", blame)
        self.assertIn("  put back last by umask 0022 (was 0000) in thread ", blame)
        self.assertIn("The umask 0022 was inherited: it was changed in this run, and put back.\n",
                      self.tool("explain", run, "made"))


class Failures(Case):
    def test_listed_with_the_reason(self):
        result, run = self.record("/usr/bin/python3", "-c", """
import errno, os
os.umask(0o077)
os.mkdir("closed")
os.mkdir("made")
if os.geteuid() == 0:
    os.setuid(65534)
else:
    os.chmod("closed", 0)
for path in ("closed/x", "closed/x", "made", "n" * 300, "none/x"):
    try:
        os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640)
    except OSError as error:
        print(errno.errorcode[error.errno])
print(f"{os.stat('closed').st_mode & 0o777:04o}")
""")
        *errors, mode = result.stdout.decode().split()
        self.assertEqual(errors, ["EACCES", "EACCES", "EEXIST", "ENAMETOOLONG", "ENOENT"])
        text = self.tool("report", run, "--no-symbols")
        listed = text[text.index("Creations that failed\n"):].split("\n\n")[0].splitlines()[1:]
        self.assertEqual(len(listed), 3, listed)
        self.assertRegex(listed[0], f"^  open(64)? 0640 {self.work}/closed/x: Permission denied, "
                                    "2 times, by python3 [0-9]+$")
        self.assertIn(f"      '{self.work}/closed' is {mode}", listed[1])
        self.assertIn("n: File name too long, by ", listed[2])


class Modes(Objects):
    def test_chmod_and_install(self):
        run, before, _ = self.shell("""
            umask 077; echo 1 > a; chmod 644 a; install -m 755 a b; install -d -m 2770 d
            umask 0; mkfifo p; chmod 600 p; cp --preserve=mode a c; cp a e; chmod u+s,g-r b""")
        self.check_now(run, before, 6)
        table = self.tool("report", run, "--no-symbols")
        self.assertIn("0600 > 0644 ", table)

    @needs("setfacl")
    def test_default_acl_is_named(self):
        probe = subprocess.run(["setfacl", "-d", "-m", "g::rwx", self.work], check=False)
        if probe.returncode != 0:
            self.skipTest("no ACLs here")
        run, before, _ = self.shell("umask 077; touch f; mkdir d")
        self.check_now(run, before, 2)
        self.assertIn("default ACL", self.tool("report", run, "--no-symbols"))


class Programs(Objects):
    @needs("git")
    def test_git_shared(self):
        run, before, _ = self.shell("""
            umask 077; export HOME=$PWD GIT_CONFIG_NOSYSTEM=1
            git init -q --bare --shared hub.git; git init -q w; cd w; echo 1 > f; git add f
            git -c user.name=a -c user.email=a@b commit -qm 1; git push -q ../hub.git HEAD:main""")
        self.check_now(run, before, 40)

    @needs("make", "install")
    def test_make_install(self):
        (self.work / "Makefile").write_text(
            "install:\n\tinstall -d $(D)/bin $(D)/man\n\tinstall -m 755 prog $(D)/bin\n"
            "\tinstall -m 644 page $(D)/man\n\tcp prog $(D)/copy\n", encoding="utf-8")
        for name in ("prog", "page"):
            (self.work / name).write_text("x", encoding="utf-8")
        run, before, _ = self.shell("umask 077; make -s install D=$PWD/root")
        self.check_now(run, before, 6)

    @needs("rsync")
    def test_rsync(self):
        (self.work / "from").mkdir()
        (self.work / "from" / "f").write_text("x", encoding="utf-8")
        run, before, _ = self.shell("""
            umask 027; rsync -a from/ to; chmod 600 from/f; rsync -a from/ to""")
        self.check_now(run, before, 2)

    @needs("rsync", "setfacl")
    def test_rsync_below_a_default_acl(self):
        (self.work / "to").mkdir()
        probe = subprocess.run(["setfacl", "-d", "-m", "g::rwx,o::rwx", self.work / "to"],
                               check=False, stderr=subprocess.DEVNULL)
        if probe.returncode != 0:
            self.skipTest("no ACLs here")
        for name, mode in (("a", 0o644), ("b", 0o666), ("d/c", 0o600)):
            path = self.work / "from" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x", encoding="utf-8")
            os.chmod(path, mode)
        run, before, _ = self.shell("""
            umask 077; rsync -a from/ to/one; rsync -r from/ to/two; mkdir to/d; cp from/a to/d""")
        self.check_now(run, before, 11)

    @needs("nginx")
    def test_nginx(self):
        self.top.chmod(0o711)
        self.work.chmod(0o777)  # the worker is somebody else
        (self.work / "nginx.conf").write_text("""
pid nginx.pid; error_log error.log; worker_processes 1;
events {}
http {
  access_log access.log; client_body_temp_path body 1; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server { listen unix:s; root files; dav_methods PUT; create_full_put_path on;
           dav_access group:rw all:rw; }
}
""", encoding="utf-8")
        (self.work / "files").mkdir()
        (self.work / "files").chmod(0o777)
        run, before, _ = self.shell("""
            umask 027
            nginx -p $PWD -c nginx.conf -e error.log; trap "kill \$(cat nginx.pid)" EXIT
            /usr/bin/python3 -c '
import socket
for name in "a", "b/c":
    connection = socket.socket(socket.AF_UNIX)
    connection.connect("s")
    connection.sendall(f"PUT /{name} HTTP/1.0\\r\\nHost: h\\r\\n".encode())
    connection.sendall(b"Content-Length: 3\\r\\n\\r\\nxyz")
    while connection.recv(4096):
        pass
'
            pid=$(cat nginx.pid); kill -QUIT $pid; trap - EXIT
            tail -s 0.1 --pid=$pid -f /dev/null""")
        self.check_now(run, before, 9)

    @needs("mariadb-install-db")
    def test_mariadb_install_db(self):
        if os.geteuid() != 0:
            self.skipTest("it wants to be root or the user of the server")
        run, before, _ = self.shell("""
            umask 027; mkdir tmp
            mariadb-install-db --no-defaults --datadir=$PWD/data --user=root --tmpdir=$PWD/tmp \
                --auth-root-authentication-method=normal --skip-test-db >/dev/null""")
        self.check_now(run, before, 50)

    @needs("logrotate")
    def test_logrotate(self):
        (self.work / "a.log").write_text("line\n" * 100, encoding="utf-8")
        os.chmod(self.work / "a.log", 0o640)
        conf = self.work / "conf"
        conf.write_text(f"{self.work}/a.log {{\n size 1\n rotate 2\n compress\n create 0664\n}}\n",
                        encoding="utf-8")
        os.chmod(conf, 0o644)
        run, before, _ = self.shell("logrotate -s $PWD/state conf; echo 1 >> a.log; "
                                    "logrotate -f -s $PWD/state conf")
        self.check_now(run, before, 3)

    @needs("ccache", "cc")
    def test_ccache(self):
        (self.work / "a.c").write_text("int a;\n", encoding="utf-8")
        run, before, _ = self.shell("""
            umask 077; export CCACHE_DIR=$PWD/cache CCACHE_UMASK=002 HOME=$PWD
            PATH=/usr/bin:/bin
            for i in 1 2; do ccache $(readlink -f $(command -v gcc)) -c a.c; done""")
        self.check_now(run, before, 5)

    def test_python_replaces_a_file(self):
        run, before, _ = self.shell("""/usr/bin/python3 -c '
import os, tempfile
for n in range(3):
    fd, name = tempfile.mkstemp(dir=".")
    os.fchmod(fd, 0o640)
    os.replace(name, "state.json")
d = tempfile.mkdtemp(dir=".")
open(d + "/inside", "w").close()
os.rename(d, "unpacked")
'""")
        self.check_now(run, before, 3)
        found = self.report(run).of("change", action="chmod")
        self.assertTrue(found)
        for event in found:  # of a descriptor: the object and its name are there
            self.assertIn("object", event)
            self.assertTrue(event["path"].startswith(str(self.work)), event)

    def test_pip(self):
        python = "/usr/bin/python3"
        if subprocess.run([python, "-c", "import setuptools, pip, wheel"], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("pip, setuptools and wheel are not installed")
        package = self.work / "src"
        (package / "demo").mkdir(parents=True)
        (package / "demo" / "__init__.py").write_text("", encoding="utf-8")
        (package / "setup.py").write_text(
            "from setuptools import setup\nsetup(name='demo', packages=['demo'])\n",
            encoding="utf-8")
        run, before, _ = self.shell(f"""
            umask 077; export HOME=$PWD TMPDIR=$PWD
            {python} -m pip install -q --no-index --no-build-isolation --no-deps \\
                --disable-pip-version-check --root-user-action=ignore --target site ./src""")
        self.check_now(run, before, 3)


class Owners(Objects):
    """chown(2) takes set-user-ID and set-group-ID from a file: the mode of now is without them."""

    def check_owners(self, result, run):
        truths = harness.truths_of(result)
        self.assertEqual(len(truths), 35)
        for truth in truths:
            self.assertEqual(truth["errno"], 4242, truth)
        lost = {truth["owner_of"] for truth in truths
                if truth["mode"] != truth["owner_of"].rsplit("-", 1)[1]}
        self.assertGreaterEqual(len(lost), 21)
        self.check_now(run, least=36)
        changes = [event for event in self.report(run).of("change", action="chmod")
                   if "chown" in event["call"]]
        self.assertEqual({event["path"] for event in changes}, lost)
        self.assertEqual(len(changes), len(lost), "recorded where a bit was lost, and once")
        modes = {truth["owner_of"]: truth["mode"] for truth in truths}
        for event in changes:
            self.assertEqual((event["requested"], event.get("final", event["requested"])),
                             (modes[event["path"]],) * 2, event)
        said = self.execute(harness.TOOL, "check", run).stdout.decode()
        self.assertNotIn("chown-6755", said)

    def test_recorded(self):
        self.check_owners(*self.record(harness.victim("changes_owner"), self.work))

    def test_traced(self):
        run = self.new_run()
        result = self.execute(harness.TOOL, "run", "--see=all", "-o", run, "--",
                              harness.victim("changes_owner_static"), self.work)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.check_owners(result, run)


class Ipc(Case):
    def test_names(self):
        shm, sem = f"ua-objects-{os.getpid()}", f"ua-objects-{os.getpid()}s"
        self.addCleanup(lambda: [os.path.exists(path) and os.unlink(path) for path in
                                 (f"/dev/shm/{shm}", f"/dev/shm/sem.{sem}")])
        program = f"""
import ctypes, os
libc = ctypes.CDLL(None)
os.close(libc.shm_open(b"/{shm}", os.O_CREAT | os.O_RDWR, 0o640))
libc.sem_open(b"/{sem}", os.O_CREAT, 0o600, 1)
"""
        _, run = self.record("/usr/bin/python3", "-c", program)
        for name in (f"/{shm}", f"/dev/shm/{shm}", f"/{sem}", f"/dev/shm/sem.{sem}"):
            blame = self.tool("blame", run, name, "--no-symbols")
            self.assertIn(", as the run left it", blame)
            self.assertNotIn("No such file", blame)


if __name__ == "__main__":
    harness.main()
