// Records what happens to an object after its creation: changes of permissions and names.
// Must never read a path or an attribute's name before the kernel has accepted it. Records without
// a stack, because names change often. Called by the shapes chmod, xattr and names.
#pragma once

#include <cstdint>

#include "preload/object/creation.h"

namespace umaskaudit::shim {

// Rename::action of the trace: what a call did to names.
enum class NameAction : std::uint16_t { renamed = 1, linked = 2, unlinked = 3, symlinked = 4 };

// A symbolic link's target is text, and starts from no directory of ours.
inline constexpr int kNoBase = -1000;
struct Names {
  int from_fd;
  const char* from;
  int to_fd;
  const char* to;             // null: the name is gone
  unsigned flags = 0;         // of renameat2(2)
  const char* ipc = nullptr;  // an unlinked POSIX IPC name: the prefix of its file's name
};
// The directories of POSIX IPC objects on Linux (shm_overview(7), sem_overview(7), mq_overview(7)).
inline constexpr char kShmFile[] = "/dev/shm/";
inline constexpr char kSemFile[] = "/dev/shm/sem.";
inline constexpr char kMqueueFile[] = "/dev/mqueue/";

// After success. The request's path is null for calls by descriptor (dirfd is the descriptor).
// `attribute`: null for chmod, else the extended attribute that was set or removed; only ACLs are
// recorded. None of these changes errno.
void record_permissions(const Request& request, const char* attribute);
// chown(2). The set-user-ID and set-group-ID bits of the request's object before the call; 0: none,
// it cannot be read, or nothing is recorded. Then, after success: recorded only if the kernel took
// one of them away.
std::uint16_t set_id_bits(const Request& request);
void record_lost_set_id(const Request& request, std::uint16_t before);
void record_names(Call call, NameAction action, const Names& names);

}  // namespace umaskaudit::shim
