// A small cache by descriptor, each entry a sequence lock; see directory_names.h.

#include "preload/object/directory_names.h"

#include <sys/stat.h>

#include <atomic>

#include "preload/mask/root.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr std::uint64_t kFreshNs = 20000;

// `version` is odd while the entry is written. 0: never written.
struct Name {
  std::atomic<std::uint32_t> version = 0;
  std::atomic<std::uint32_t> id = 0;
  std::atomic<std::uint32_t> generation = 0;
  std::atomic<int> fd = -1;
  std::atomic<std::uint64_t> dev = 0;
  std::atomic<std::uint64_t> ino = 0;
  std::atomic<std::uint64_t> read_ns = 0;
};

constexpr unsigned kNames = 4;  // few programs use more directories at a time
constinit Name names[kNames] = {};
constinit std::atomic<std::uint32_t> generation = 0;

constexpr auto kRelaxed = std::memory_order_relaxed;

// 0: not cached, or outdated.
std::uint32_t known_id(const Name& name, int fd, const struct stat& now, std::uint64_t now_ns) {
  const std::uint32_t version = name.version.load(std::memory_order_acquire);
  if (version == 0 || version % 2 != 0) return 0;
  const std::uint32_t id = name.id.load(kRelaxed);
  const bool same = name.fd.load(kRelaxed) == fd && name.dev.load(kRelaxed) == now.st_dev &&
                    name.ino.load(kRelaxed) == now.st_ino &&
                    name.generation.load(kRelaxed) == generation.load(kRelaxed) &&
                    now_ns - name.read_ns.load(kRelaxed) < kFreshNs;
  std::atomic_thread_fence(std::memory_order_acquire);
  return same && name.version.load(kRelaxed) == version ? id : 0;
}

void keep(Name& name, int fd, const struct stat& identity, std::uint64_t now_ns,
          std::uint32_t generation_then, std::uint32_t id) {
  std::uint32_t version = name.version.load(kRelaxed);
  if (version % 2 != 0 ||
      !name.version.compare_exchange_strong(version, version + 1, std::memory_order_acquire)) {
    return;
  }
  std::atomic_thread_fence(std::memory_order_release);
  name.fd.store(fd, kRelaxed);
  name.dev.store(identity.st_dev, kRelaxed);
  name.ino.store(identity.st_ino, kRelaxed);
  name.generation.store(generation_then, kRelaxed);
  name.read_ns.store(now_ns, kRelaxed);
  name.id.store(id, kRelaxed);
  name.version.store(version + 2, std::memory_order_release);
}

}  // namespace

std::uint32_t directory_name_id(const Author& author, int fd, const Scratch& buffer) {
  struct stat identity;
  const bool identified = sys::call(SYS_fstat, fd, sys::arg(&identity)) == 0;
  Name& name = names[static_cast<unsigned>(fd) % kNames];
  if (identified) {
    const std::uint32_t id = known_id(name, fd, identity, author.time_ns);
    if (id != 0) return id;
  }
  const std::uint32_t generation_then = generation.load(std::memory_order_acquire);
  if (buffer.get() == nullptr) {
    count_loss(trace::Loss::path_dropped);
    return 0;
  }
  const std::uint32_t length = name_of_open_file(fd, buffer.get(), Scratch::kSize);
  if (length == 0) return 0;
  const std::uint32_t id = intern_path(author, buffer.get(), length);
  if (identified && id != 0) keep(name, fd, identity, author.time_ns, generation_then, id);
  return id;
}

void forget_directory_names() { generation.fetch_add(1, std::memory_order_release); }

}  // namespace umaskaudit::shim
