"""sabnzbd, pull 3530: the recipe of a blog of 2011, os.umask(os.umask(0)) in a thread of its own.

Another thread's files are writable for everybody now and then. Usage: bug_sabnzbd.py DIR COUNT
"""
import json
import os
import sys
import threading


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def main(directory, count):
    hits = []
    done = threading.Event()
    start = threading.Barrier(2)

    def create():
        start.wait()
        for number in range(count):
            path = f"{directory}/f{number}"
            fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
            mode = os.fstat(fd).st_mode & 0o7777
            if mode != 0o644:
                hits.append({"path": path, "mode": f"{mode:04o}", "expected": "0644"})
            os.close(fd)
        done.set()

    os.umask(0o022)
    worker = threading.Thread(target=create)
    worker.start()
    start.wait()
    for _ in range(200_000):  # bounded: the other thread may wait long for a processor
        if done.is_set():
            break
        current_umask()
    worker.join()
    print(json.dumps({"created": count, "hits": hits}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
