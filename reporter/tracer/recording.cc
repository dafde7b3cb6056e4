// Writes the records of an image; see recording.h.

#include "reporter/tracer/recording.h"

#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "preload/trace/object_facts.h"
#include "reporter/tracer/calls.h"
#include "reporter/tracer/proc_file.h"

namespace umaskaudit::tracer {

namespace {

template <std::size_t Size>
void copy_name(const std::string& from, char (&to)[Size]) {
  std::memcpy(to, from.data(), std::min(from.size(), Size - 1));
}

template <typename Value>
std::string_view bytes_of(const Value& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// The age of the process in milliseconds (proc_pid_stat(5), field 22), rounded up.
std::uint32_t age_of(pid_t pid) {
  const std::string text = read_proc(pid, "stat");
  const char* at = std::strrchr(text.c_str(), ')');  // the name before it may contain anything
  for (int fields = 2; at != nullptr && fields < 22; ++fields) at = std::strchr(at + 1, ' ');
  const long ticks = sysconf(_SC_CLK_TCK);
  if (at == nullptr || ticks <= 0) return trace::kAgeUnknown;
  const std::uint64_t began =
      std::strtoull(at, nullptr, 10) * 1000 / static_cast<std::uint64_t>(ticks);
  const std::uint64_t now = now_ns(CLOCK_BOOTTIME) / 1'000'000;
  return now > began ? static_cast<std::uint32_t>(now - began + 1) : 1;
}

}  // namespace

Recording::Recording(const RecordingOptions& options, pid_t pid, pid_t parent)
    : options_(options), writer_(options.directory, pid, parent, options.max_size) {
  const std::string names = call_names();
  writer_.write(trace::RecordType::call_names, {pid, pid},
                trace::CallNames{static_cast<std::uint32_t>(names.size()), kCallCount}, names);
}

void Recording::add_process(const Author& author, trace::Origin origin,
                            const trace::Context& context) {
  trace::Process record{};
  const TaskStatus status = status_of(author.pid).value_or(TaskStatus{});
  const std::string executable = executable_of(author.pid);
  record.pid = static_cast<std::uint32_t>(author.pid);
  record.ppid = static_cast<std::uint32_t>(status.parent);
  record.origin = static_cast<std::uint8_t>(origin);
  record.mask_source = context.mask_source;
  record.mask = context.mask;
  record.context = context.id;
  record.parent_context = origin == trace::Origin::exec ? 0 : context.parent;
  record.parent_change = context.parent_change;
  record.uid = status.uid;
  record.euid = status.euid;
  record.gid = status.gid;
  record.egid = status.egid;
  record.exe_length = static_cast<std::uint32_t>(executable.size());
  record.pid_namespace = pid_namespace_of(author.pid);
  record.age_ms = origin == trace::Origin::exec ? age_of(author.pid) : 0;
  copy_name(name_of_thread(author.pid), record.comm);
  writer_.write(trace::RecordType::process, author, record, executable);
}

void Recording::add_context(const Author& author, const trace::Context& context) {
  writer_.write(trace::RecordType::context, author, context);
}

void Recording::add_thread(const Author& author, std::uint32_t context, const std::string& name) {
  trace::Thread record{};
  record.tid = static_cast<std::uint32_t>(author.tid);
  record.context = context;
  record.handle = static_cast<std::uint64_t>(author.tid);
  copy_name(name, record.name);
  writer_.write(trace::RecordType::thread, author, record);
}

std::uint32_t Recording::module_id(const Author& author, const RemoteModule& module) {
  auto& id = modules_[{module.path, module.base}];
  if (id != 0) return id;
  id = writer_.next_id(trace::IdSpace::module);
  trace::Module record{};
  record.id = id;
  record.build_id_length = static_cast<std::uint32_t>(module.build_id.size());
  record.base = module.base;
  record.start = module.start;
  record.end = module.end;
  record.path_length = static_cast<std::uint32_t>(module.path.size());
  writer_.write(trace::RecordType::module, author, record, module.build_id, module.path);
  return id;
}

std::uint32_t Recording::add_stack(const Author& author, AddressSpace& space,
                                   const RemoteStack& stack) {
  if (stack.pcs.empty()) return 0;
  constexpr std::uint64_t kOffset = (std::uint64_t{1} << trace::kFrameModuleShift) - 1;
  std::string frames;
  frames.reserve(stack.pcs.size() * sizeof(std::uint64_t));
  for (std::size_t i = 0; i < stack.pcs.size(); ++i) {
    const std::uint64_t pc = stack.pcs[i];
    std::uint64_t frame = pc & kOffset;
    // A return address may be after the last instruction of its module.
    if (const auto index = space.module_of(i == 0 ? pc : pc - 1)) {
      const RemoteModule& module = space.module(*index);
      frame = std::uint64_t{module_id(author, module)} << trace::kFrameModuleShift |
              ((pc - module.base) & kOffset);
    }
    frames += bytes_of(frame);
  }
  const auto [place, fresh] = stacks_.try_emplace(frames, 0);
  if (!fresh) return place->second;
  trace::Stack record{};
  record.id = writer_.next_id(trace::IdSpace::stack);
  record.count = static_cast<std::uint16_t>(stack.pcs.size());
  record.flags = static_cast<std::uint16_t>((stack.truncated ? trace::kStackTruncated : 0) |
                                            (stack.guessed ? trace::kStackGuessed : 0));
  if (!writer_.write(trace::RecordType::stack, author, record, frames)) {
    writer_.count_loss(trace::Loss::stack_dropped);
    stacks_.erase(place);
    return 0;
  }
  return place->second = record.id;
}

std::uint32_t Recording::add_directory(const Author& author, const std::string& key,
                                       const std::string& name, bool surprising) {
  if (!surprising) {
    if (const auto known = directories_.find(key); known != directories_.end())
      return known->second;
  }
  struct stat facts {};
  if (stat(name.c_str(), &facts) != 0) return 0;
  std::string acl(1024, '\0');
  ssize_t size = getxattr(name.c_str(), "system.posix_acl_default", acl.data(), acl.size());
  if (size < 0 && errno == ERANGE) {
    acl.resize(std::size_t{16} << 10);
    size = getxattr(name.c_str(), "system.posix_acl_default", acl.data(), acl.size());
  }
  acl.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  struct statfs filesystem {};
  if (statfs(name.c_str(), &filesystem) != 0) filesystem.f_type = 0;
  trace::Directory record{};
  record.mode = facts.st_mode;
  record.dev = facts.st_dev;
  record.ino = facts.st_ino;
  record.uid = facts.st_uid;
  record.gid = facts.st_gid;
  record.fs_type = static_cast<std::uint32_t>(filesystem.f_type);
  record.acl_length = static_cast<std::uint32_t>(acl.size());
  std::uint32_t& id = facts_[std::string(bytes_of(record)) + acl];
  if (id == 0) {
    id = record.id = writer_.next_id(trace::IdSpace::directory);
    writer_.write(trace::RecordType::directory, author, record, acl);
  }
  directories_[key] = id;
  return id;
}

void Recording::add_blind_spot(const Author& author, trace::Blind reason, std::uint16_t call,
                               std::uint32_t context, std::uint32_t stack,
                               const std::string& text) {
  trace::BlindSpot record{};
  record.reason = static_cast<std::uint16_t>(reason);
  record.call = call;
  record.context = context;
  record.stack = stack;
  record.text_length = static_cast<std::uint32_t>(text.size());
  writer_.write(trace::RecordType::blind_spot, author, record, text);
}

}  // namespace umaskaudit::tracer
