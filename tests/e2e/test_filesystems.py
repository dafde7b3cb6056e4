"""Filesystems as they are mounted out there: what each makes of a request is explained, and where a
filesystem decides by itself the report names it.

Needs root for the mounts, which nobody else sees; skips, with the reason, what cannot be had here.
"""

import os

from lib import harness
from lib import mounts
from lib.harness import Case, needs, truths_of, victim
from lib.routes import NOBODY, RoutesCase

# A parent directory, as chmod and setfacl make it.
PARENTS = {
    "plain": ("0755", ""),
    "setgid": ("2775", ""),
    "acl": ("0755", "u::rwx,g::r-x,o::-w-"),
    "acl-with-mask": ("0755", "u::rwx,u:1:rwx,g::rwx,m::rw-,o::--x"),
    "setgid-acl-with-mask": ("2775", "u::rwx,u:1:rwx,g::--x,m::-wx,o::r-x"),
}


def rules(event):
    return [step["rule"] for step in event["steps"]]


class Stores(RoutesCase):
    """Filesystems that keep what the kernel hands them: each mode follows from the request."""

    def check_parents(self, where, kind, acls=True):
        self.assertEqual(mounts.type_of(where), kind)
        for user in (None, NOBODY):
            for name, (mode, acl) in PARENTS.items():
                if acl and not acls:
                    continue
                with self.subTest(filesystem=kind, parent=name, user=user):
                    self.check_parent(where / f"{name}-{user}", int(mode, 8), acl, user)

    def check_parent(self, place, mode, acl, user):
        place.mkdir()
        place.chmod(mode)
        if acl:
            mounts.run("setfacl", "-d", "-m", acl, place)
        report = self.check_routes(place, user)
        # A directory of a foreign group: what asks for set-group-ID there loses it.
        made = [event for event in report.of("create", created=True)
                if event["kind"] not in ("shm", "sem", "mqueue")]
        self.assertGreater(len(made), 150)
        used = {rule for event in made for rule in rules(event)}
        self.assertEqual(used & {"filesystem", "unexplained", "existing"}, set())
        self.assertEqual("default-acl" in used, bool(acl))
        self.assertEqual("setgid-parent" in used, bool(mode & 0o2000))

    @needs("setfacl", "mkfs.ext4")
    def test_ext4(self):
        self.check_parents(mounts.mount_image(self, self.top / "m", "ext4", 32 << 20, make=["-q"]),
                           "ext4")

    @needs("mkfs.ext4")
    def test_ext4_with_the_groups_of_bsd(self):
        """grpid: the group comes from the directory, and set-group-ID is not inherited."""
        where = mounts.mount_image(self, self.top / "m", "ext4", 32 << 20, "grpid", make=["-q"])
        place = where / "setgid"
        place.mkdir()
        place.chmod(0o2775)
        report = self.check_routes(place, NOBODY)
        used = {rule for event in report.of("create", created=True) for rule in rules(event)}
        self.assertEqual(used & {"filesystem", "unexplained"}, set())

    @needs("setfacl")
    def test_tmpfs(self):
        self.check_parents(mounts.mount(self, self.top / "m", "tmpfs"), "tmpfs")

    @needs("setfacl", "mkfs.xfs")
    def test_xfs(self):
        where = mounts.mount_image(self, self.top / "m", "xfs", 320 << 20, make=["-q"])
        self.check_parents(where, "xfs")

    @needs("setfacl", "mkfs.btrfs")
    def test_btrfs(self):
        where = mounts.mount_image(self, self.top / "m", "btrfs", 128 << 20, make=["-q"])
        self.check_parents(where, "btrfs")

    def test_ramfs_which_has_no_acls(self):
        where = mounts.mount(self, self.top / "m", "ramfs")
        self.check_parents(where, "ramfs", acls=False)

    @needs("setfacl", "mkfs.btrfs")
    def test_an_acl_that_the_mount_ignores(self):
        """noacl: the directory's ACL is on the disk, and the umask counts all the same."""
        where = mounts.mount_image(self, self.top / "m", "btrfs", 128 << 20, make=["-q"])
        place = where / "acl"
        place.mkdir()
        mounts.run("setfacl", "-d", "-m", PARENTS["acl"][1], place)
        mounts.run("umount", where)  # and once more when the test ends
        mounts.run("mount", "-o", "loop,noacl", where.with_suffix(".img"), where)
        report = self.check_routes(place)
        used = {rule for event in report.of("create", created=True) for rule in rules(event)}
        self.assertEqual(used - {"requested", "umask", "ignored-bits"}, set())

    @needs("setfacl")
    def test_posix_shared_memory_below_an_acl(self):
        """shm_open and sem_open make files in /dev/shm, whose default ACL counts for them too."""
        shm = "/dev/shm"
        mounts.enter()
        mounts.run("mount", "-t", "tmpfs", "none", shm)
        mounts.unmount_after(self, shm)
        mounts.run("setfacl", "-d", "-m", PARENTS["acl"][1], shm)
        report = self.check_routes(self.work)
        for kind in ("shm", "sem"):
            made = [event for event in report.of("create", created=True) if event["kind"] == kind]
            self.assertGreater(len(made), 5)
            for event in made:
                self.assertEqual(rules(event), ["requested", "default-acl"], event)

    @needs("unshare", "mount")
    def test_a_mount_that_only_the_program_sees(self):
        mounts.enter()
        script = ("mkdir m && mount -t tmpfs none m && umask 027 && mkdir -m 2777 m/d && "
                  "umask 077 && mkdir m/d/e && stat -c %a m/d/e")
        result, run = self.record("unshare", "-m", "sh", "-c", script)
        self.assertEqual(result.stdout, b"2700\n")
        self.assertEqual(list((self.work / "m").iterdir()), [])
        event, = self.report(run).creations()[str(self.work / "m/d/e")]
        self.assertEqual((event["mask"], event["final"]), ("0077", "2700"))
        self.assertEqual(rules(event), ["requested", "umask", "setgid-parent"])


class Decides(Case):
    """Filesystems with modes of their own: the last step says which one it was."""

    CALLS = ("open", "creat", "fopen", "mkdir", "mkdirat")

    def sweep(self, where, kind):
        """Each call under each mask; returns the steps that the filesystem decided."""
        self.assertEqual(mounts.type_of(where), kind)
        place = where / "sweep"
        place.mkdir()
        result, run = self.record(victim("sweep"), place, *self.CALLS)
        truths = truths_of(result)
        self.assertEqual(len(truths), 512 * len(self.CALLS))
        report = self.report(run)
        self.check_truths(report, truths)
        decided = {}
        for path, (event,) in report.creations().items():
            for step in event["steps"]:
                own = step["rule"] == "filesystem"
                self.assertEqual(step.get("filesystem"), kind if own else None, event)
                if own:
                    decided[path] = step
        if decided:
            path = next(iter(decided))
            for command in ("blame", "explain"):
                self.assertIn(f"filesystem {kind}", self.tool(command, run, path))
        return list(decided.values())

    @needs("mkfs.vfat")
    def test_vfat(self):
        where = mounts.mount_image(self, self.top / "m", "vfat", 64 << 20, "umask=027,fmask=0137")
        self.assertGreater(len(self.sweep(where, "vfat")), 512 * len(self.CALLS) // 2)

    def bindfs(self, *options):
        source, where = self.top / "source", self.top / "m"
        source.mkdir()
        where.mkdir()
        mounts.enter()
        mounts.run("bindfs", *options, source, where)
        mounts.unmount_after(self, where)
        return where

    @needs("bindfs")
    def test_fuse_with_modes_of_its_own(self):
        where = self.bindfs("--create-with-perms=0640:ud+x")
        self.assertGreater(len(self.sweep(where, "fuse")), 512 * len(self.CALLS) // 2)

    @needs("bindfs")
    def test_fuse_that_passes_modes_on(self):
        # bindfs hands the object to its owner, which takes the set-ID bits away, and has no sticky
        # directories.
        for step in self.sweep(self.bindfs(), "fuse"):
            self.assertEqual(int(step.get("clears", "0"), 8) & 0o777, 0)
            self.assertNotIn("sets", step)

    def test_overlay(self):
        """An overlay has the rules of the kernel: nothing is left for it to decide."""
        self.assertEqual(self.sweep(mounts.overlay(self), "overlay"), [])


if __name__ == "__main__":
    harness.main()
