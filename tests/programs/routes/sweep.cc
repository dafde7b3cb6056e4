// Each creating call under each of the 512 masks. Usage: sweep DIR CALL...; sweep --list
// Ground truth: stat of each object; one thread, so requested and mask are certain.
// IPC objects are named after the process and removed; files stay for the test to compare.
#include <mntent.h>
#include <mqueue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <semaphore.h>
#include <sys/mman.h>

#include <vector>

#include "victim.h"

// libc's other names, which no header declares.
extern "C" {
int __open(const char*, int, ...);
int __open64(const char*, int, ...);
FILE* _IO_fopen(const char*, const char*);
FILE* __setmntent(const char*, const char*);
}

namespace {

constexpr int kCreate = O_CREAT | O_EXCL | O_RDWR;

// Makes `path` (an object name for IPC) and returns a descriptor, or -1 to look at the path.
using Make = int (*)(std::string& path, int mode);

struct Call {
  const char* name;
  int requested;  // as passed, or what the call implies
  Make make;
};

int must(int result, const char* what) { return victim::need(result, what); }

int of_stream(FILE* stream) {
  if (stream == nullptr) victim::die("stream");
  const int fd = dup(fileno(stream));
  fclose(stream);
  return fd;
}

int nameless(int result, const char* what) {
  must(result, what);
  return -1;
}

std::string ipc_name(const std::string& path) {
  return "/umaskaudit-sweep-" + std::to_string(getpid()) + path.substr(path.rfind('/') + 1);
}

int bind_socket(std::string& path, int) {
  const int fd = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // A relative name: the directory may be longer than sun_path.
  const std::string name = path.substr(path.rfind('/') + 1);
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  must(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), "bind");
  close(fd);
  return -1;
}

int open_semaphore(std::string& path, int mode) {
  const std::string name = ipc_name(path);
  sem_t* semaphore = sem_open(name.c_str(), O_CREAT | O_EXCL, mode, 0);
  if (semaphore == SEM_FAILED) victim::die("sem_open");
  path = "/dev/shm/sem." + name.substr(1);
  const int fd = must(open(path.c_str(), O_PATH), path.c_str());
  sem_close(semaphore);
  sem_unlink(name.c_str());
  return fd;
}

int open_memory(std::string& path, int mode) {
  const std::string name = ipc_name(path);
  const int fd = must(shm_open(name.c_str(), kCreate, mode), "shm_open");
  shm_unlink(name.c_str());
  path = "/dev/shm" + name;
  return fd;
}

int open_queue(std::string& path, int mode) {
  path = ipc_name(path);
  mq_attr attributes{};
  attributes.mq_maxmsg = 1;
  attributes.mq_msgsize = 8;
  const int fd = must(mq_open(path.c_str(), kCreate, mode, &attributes), "mq_open");
  mq_unlink(path.c_str());
  return fd;
}

int from_template(std::string& path, int (*make)(char*), const char* what) {
  path += ".XXXXXX";
  return must(make(path.data()), what);
}

const Call kCalls[] = {
    {"open", 07666,
     [](std::string& p, int m) { return must(open(p.c_str(), kCreate, m), "open"); }},
    {"open64", 0666,
     [](std::string& p, int m) { return must(open64(p.c_str(), kCreate, m), "open64"); }},
    {"__open", 0666,
     [](std::string& p, int m) { return must(__open(p.c_str(), kCreate, m), "__open"); }},
    {"__open64", 0777,
     [](std::string& p, int m) { return must(__open64(p.c_str(), kCreate, m), "__open64"); }},
    {"_IO_fopen", 0666, [](std::string& p, int) { return of_stream(_IO_fopen(p.c_str(), "w")); }},
    {"setmntent", 0666, [](std::string& p, int) { return of_stream(setmntent(p.c_str(), "a")); }},
    {"__setmntent", 0666,
     [](std::string& p, int) { return of_stream(__setmntent(p.c_str(), "w+")); }},
    {"openat", 0777,
     [](std::string& p, int m) { return must(openat(AT_FDCWD, p.c_str(), kCreate, m), "openat"); }},
    {"openat64", 0666,
     [](std::string& p, int m) {
       return must(openat64(AT_FDCWD, p.c_str(), kCreate, m), "openat64");
     }},
    {"creat", 0666, [](std::string& p, int m) { return must(creat(p.c_str(), m), "creat"); }},
    {"creat64", 0666, [](std::string& p, int m) { return must(creat64(p.c_str(), m), "creat64"); }},
    {"fopen", 0666, [](std::string& p, int) { return of_stream(fopen(p.c_str(), "wx")); }},
    {"fopen64", 0666, [](std::string& p, int) { return of_stream(fopen64(p.c_str(), "a")); }},
    {"freopen", 0666,
     [](std::string& p, int) {
       return of_stream(freopen(p.c_str(), "w", fopen("/dev/null", "r")));
     }},
    {"freopen64", 0666,
     [](std::string& p, int) {
       return of_stream(freopen64(p.c_str(), "w", fopen("/dev/null", "r")));
     }},
    {"mkdir", 07777, [](std::string& p, int m) { return nameless(mkdir(p.c_str(), m), "mkdir"); }},
    {"mkdirat", 0777,
     [](std::string& p, int m) { return nameless(mkdirat(AT_FDCWD, p.c_str(), m), "mkdirat"); }},
    {"mkfifo", 0666,
     [](std::string& p, int m) { return nameless(mkfifo(p.c_str(), m), "mkfifo"); }},
    {"mkfifoat", 0777,
     [](std::string& p, int m) { return nameless(mkfifoat(AT_FDCWD, p.c_str(), m), "mkfifoat"); }},
    {"mknod", S_IFREG | 0666,
     [](std::string& p, int m) { return nameless(mknod(p.c_str(), m, 0), "mknod"); }},
    {"mknodat", S_IFIFO | 0666,
     [](std::string& p, int m) { return nameless(mknodat(AT_FDCWD, p.c_str(), m, 0), "mknodat"); }},
    {"mq_open", 0666, open_queue},
    {"sem_open", 0666, open_semaphore},
    {"shm_open", 0666, open_memory},
    {"bind", 0777, bind_socket},
    {"mkstemp", 0600, [](std::string& p, int) { return from_template(p, mkstemp, "mkstemp"); }},
    {"mkdtemp", 0700,
     [](std::string& p, int) {
       p += ".XXXXXX";
       if (mkdtemp(p.data()) == nullptr) victim::die("mkdtemp");
       return -1;
     }},
};

void sweep(const std::string& dir, const Call& call) {
  for (int mask = 0; mask <= 0777; ++mask) {
    std::string path = dir + "/" + call.name + "." + std::to_string(mask);
    umask(mask);
    const int fd = call.make(path, call.requested);
    const unsigned mode = fd >= 0 ? victim::mode_of(fd) : victim::mode_of(path);
    if (fd >= 0) close(fd);
    victim::print({path, mode, call.name, nullptr, victim::tid(), call.requested, mask});
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  if (dir == "--list") {
    for (const Call& call : kCalls) std::puts(call.name);
    return 0;
  }
  victim::need(chdir(dir.c_str()), "chdir");
  for (int i = 2; i < argc; ++i) {
    for (const Call& call : kCalls) {
      if (std::strcmp(call.name, argv[i]) == 0) sweep(dir, call);
    }
  }
  return 0;
}
