"""Stores a token that nobody else should read, while another thread reads the umask."""
import os
import threading

turn = threading.Barrier(2)


def read_umask():
    mask = os.umask(0)  # now all threads create so
    turn.wait()
    turn.wait()
    os.umask(mask)


def store_session():
    turn.wait()
    with open("session.tok", "w") as file:
        file.write("secret")
    turn.wait()


os.umask(0o077)
config = threading.Thread(target=read_umask)
config.start()
store_session()
config.join()
