"""Each creating call under each of the 512 masks, against the kernel."""

from lib import harness
from lib.harness import Case, truths_of, victim

KINDS = {"mkdir": "dir", "mkdirat": "dir", "mkdtemp": "dir", "mkfifo": "fifo", "mkfifoat": "fifo",
         "mknodat": "fifo", "mq_open": "mqueue", "sem_open": "sem", "shm_open": "shm",
         "bind": "socket"}


class Sweep(Case):
    def sweep(self, call):
        result, run = self.record(victim("sweep"), self.work, call)
        truths = truths_of(result)
        self.assertEqual(len(truths), 512)
        report = self.report(run)
        if KINDS.get(call, "file") in ("sem", "shm"):
            # Their names are no paths: the truth names the file behind them.
            for truth in truths:
                truth["path"] = "/" + truth["path"].rsplit("/", 1)[1].removeprefix("sem.")
        for truth in truths:
            truth["kind"] = KINDS.get(call, "file")
            # mknod(2) passes the type among the mode bits.
            truth["requested"] = f"{int(truth['requested'], 8) & 0o7777:04o}"
        for event in report.of("create"):
            event["requested"] = f"{int(event['requested'], 8) & 0o7777:04o}"
        self.check_truths(report, truths)
        self.assertEqual(len(report.of("create", created=True)), 512)


def add_case(call):
    def test(self):
        self.sweep(call)

    setattr(Sweep, f"test_{call}", test)


for name in ("__open __open64 _IO_fopen setmntent __setmntent "
             "open open64 openat openat64 creat creat64 fopen fopen64 freopen freopen64 mkdir "
             "mkdirat mkfifo mkfifoat mknod mknodat mq_open sem_open shm_open bind mkstemp "
             "mkdtemp").split():
    add_case(name)

if __name__ == "__main__":
    harness.main()
