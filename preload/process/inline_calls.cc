// Searches the code of loaded objects, and of files before they are loaded; see inline_calls.h.

#include "preload/process/inline_calls.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include <atomic>
#include <cstring>

#include "preload/log/blind_spot.h"
#include "preload/mask/fs_context.h"
#include "preload/process/call_filter.h"
#include "preload/process/call_sites.h"
#include "preload/sys/own_table.h"
#include "preload/sys/scratch.h"
#include "preload/sys/start_environment.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

// The result for one object, or for all: the number of sites, and the calls.
struct Findings {
  std::uint64_t calls = 0;  // one bit for each row of inline_calls.def
  unsigned count = 0;
  bool unknown = false;  // some site's number is not known
};

void note(Findings& findings, long number) {
  const unsigned call = inline_call_of(number);
  if (number != kUnknownNumber && call == kNoInlineCall) return;
  if (number == kUnknownNumber) findings.unknown = true;
  if (call != kNoInlineCall) findings.calls |= std::uint64_t{1} << call;
  ++findings.count;
}

// "libX.so: 20 of its own: renameat2, openat".
void describe(const char* name, const Findings& findings, TextBuffer& text) {
  text.put(name).put(": ").decimal(findings.count).put(" of its own: ");
  bool first = true;
  for (unsigned i = 0; i < kInlineCalls; ++i) {
    if ((findings.calls >> i & 1) == 0) continue;
    text.put(first ? "" : ", ").put(kInlineCall[i].name);
    first = false;
  }
  if (findings.unknown) text.put(first ? "" : ", ").put("any number");
}

// The result of the start. The text is kept for the blind spot.
constexpr std::size_t kWords = 512;
constinit Findings found = {};
constinit std::uintptr_t sites[kMostCallSites] = {};
constinit char words[kWords] = {};
constinit std::size_t words_length = 0;
constinit std::atomic<bool> searched = false;

struct Search {
  const unsigned char* code = nullptr;
  Findings object;
};

void see_loaded(void* argument, std::size_t offset, long number) {
  auto* search = static_cast<Search*>(argument);
  const unsigned before = search->object.count;
  note(search->object, number);
  if (search->object.count == before) return;
  if (found.count < kMostCallSites) {
    sites[found.count] = reinterpret_cast<std::uintptr_t>(search->code + offset);
  }
  note(found, number);
}

const char* base_of(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

// Objects that are skipped: libc, whose calls our wrappers see, and those that must not be stopped.
bool is_exempt(const char* name) {
  constexpr const char* kBeginnings[] = {
      "libc.so",  "libc-",   "libc.musl", "ld-linux",    "ld-musl",    "ld-2",     "libpthread",
      "librt.so", "librt-",  "libdl",     "linux-vdso",  "linux-gate", "libasan",  "libtsan",
      "libubsan", "liblsan", "libhwasan", "libclang_rt", "vgpreload",  "libgcc_s",
  };
  for (const char* beginning : kBeginnings) {
    if (strncmp(name, beginning, strlen(beginning)) == 0) return true;
  }
  return false;
}

// The main program's name is empty; it comes first.
int search_object(dl_phdr_info* info, std::size_t, void*) {
  const char* name = info->dlpi_name != nullptr ? base_of(info->dlpi_name) : "";
  if (is_exempt(name)) return 0;
  const auto ours = reinterpret_cast<std::uintptr_t>(&search_object);
  Search search;
  for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    if ((segment.p_flags & (PF_X | PF_R)) != (PF_X | PF_R)) continue;
    const std::uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
    if (ours - begin < segment.p_memsz) return 0;
    search.code = reinterpret_cast<const unsigned char*>(begin);
    find_call_sites(search.code, segment.p_filesz, see_loaded, &search);
  }
  if (search.object.count == 0) return 0;
  TextBuffer text(words + words_length, kWords - words_length);
  if (words_length != 0) text.put("; ");
  describe(name[0] != '\0' ? name : "the program", search.object, text);
  words_length += text.length();
  return 0;
}

bool is_wanted() {
  if (getauxval(AT_SECURE) != 0) return false;
  const char* options = start_variable("UMASKAUDIT_OPTIONS");
  return options != nullptr && strstr(options, "tracer=") != nullptr;
}

constexpr unsigned kSysAdmin = 21;  // CAP_SYS_ADMIN

bool has_right_to_a_filter() {
  if (sys::call(SYS_prctl, PR_GET_NO_NEW_PRIVS) == 1) return true;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  return sys::call(SYS_capget, sys::arg(&header), sys::arg(&data[0])) == 0 &&
         (data[0].effective >> kSysAdmin & 1) != 0;
}

// By a raw call, past our wrapper of seccomp(2), because this filter bars nothing.
bool install_filter() {
  const Room room(kLongestCallFilter * sizeof(sock_filter));
  if (room.get() == nullptr) return false;
  auto* filter = reinterpret_cast<sock_filter*>(room.get());
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  const unsigned length =
      write_call_filter(found.unknown ? kAll : found.calls, sites, found.count, filter);
  const sock_fprog program{static_cast<unsigned short>(length), filter};
  constexpr long kFlags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  return sys::call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, kFlags, sys::arg(&program)) == 0;
}

}  // namespace

void find_inline_calls() {
  if (!is_wanted() || searched.exchange(true)) return;
  dl_iterate_phdr(search_object, nullptr);
}

InlineHandOver hand_over_inline_calls() {
  InlineHandOver result;
  if (found.count == 0) return result;
  const bool fits = found.count <= kMostCallSites;
  const bool may_raise = process.options.tracer_filter;
  if (fits && (may_raise || has_right_to_a_filter())) {
    result.scope = trace::HandOverScope::filtered_calls;
    result.request = hand_over_process(result.scope);
    if (!result.request.taken()) return result;
    if (may_raise && !has_right_to_a_filter()) sys::call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0);
    if (install_filter()) return result;
  }
  result.scope = trace::HandOverScope::everything;
  result.request = hand_over_process(result.scope);
  return result;
}

void report_inline_calls(const Author& author, std::uint32_t context, HandOver request) {
  if (!request.asked() || request.taken()) return;
  TextBuffer text(words + words_length, kWords - words_length);
  describe_refusal(request, text);
  words_length += text.length();
  report_blind_spot(author, trace::Blind::inline_calls, Call::syscall, context, 0, words,
                    static_cast<std::uint32_t>(words_length));
}

namespace {

struct FileSearch {
  const char* path;
  char* room;
  std::size_t size;
  Findings findings;
};

void see_in_file(void* argument, std::size_t, long number) {
  note(*static_cast<Findings*>(argument), number);
}

long read_at(int fd, void* to, std::size_t size, std::uint64_t offset) {
  return sys::call(SYS_pread64, fd, sys::arg(to), static_cast<long>(size),
                   static_cast<long>(offset));
}

// By read(2), because a mapped file may be truncated by another process. Pieces overlap by the size
// that is disassembled backwards: a site wholly in the overlap was found before.
void search_segment(int fd, FileSearch& search, const ElfW(Phdr) & segment) {
  struct Piece {
    Findings* findings;
    std::size_t known;
  };
  std::uint64_t at = segment.p_offset;
  const std::uint64_t end = at + segment.p_filesz;
  std::size_t kept = 0;
  while (at < end) {
    const std::size_t left = static_cast<std::size_t>(end - at);
    const std::size_t space = search.size - kept;
    const long length = read_at(fd, search.room + kept, left < space ? left : space, at);
    if (length <= 0) return;
    at += static_cast<std::uint64_t>(length);
    const std::size_t size = kept + static_cast<std::size_t>(length);
    // A site near the end of this piece is examined with the next one, which has the code after it.
    Piece piece{&search.findings, at < end ? size - kLookAhead : size};
    find_call_sites(
        reinterpret_cast<const unsigned char*>(search.room), size,
        [](void* argument, std::size_t offset, long number) {
          const auto* here = static_cast<Piece*>(argument);
          if (offset <= here->known) see_in_file(here->findings, offset, number);
        },
        &piece);
    constexpr std::size_t kOverlap = kLookBack + kLookAhead;
    if (size <= kOverlap) return;
    memmove(search.room, search.room + size - kOverlap, kOverlap);
    kept = kOverlap;
  }
}

void search_file(void* argument) {
  auto& search = *static_cast<FileSearch*>(argument);
  const int fd = sys::open(search.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return;
  constexpr unsigned kMostSegments = 16;
  ElfW(Phdr) segments[kMostSegments];
  ElfW(Ehdr) header{};
  struct stat facts {};
  const bool good = sys::call(SYS_fstat, fd, sys::arg(&facts)) == 0 && S_ISREG(facts.st_mode) &&
                    read_at(fd, &header, sizeof header, 0) == sizeof header &&
                    memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
                    header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_phnum <= kMostSegments;
  const std::size_t size = good ? header.e_phnum * sizeof segments[0] : 0;
  if (good && read_at(fd, segments, size, header.e_phoff) == static_cast<long>(size)) {
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      if (segments[i].p_type != PT_LOAD || (segments[i].p_flags & PF_X) == 0) continue;
      search_segment(fd, search, segments[i]);
    }
  }
  sys::close(fd);
}

// It was examined then, or when it was first loaded.
bool is_loaded(const char* file) {
  return dl_iterate_phdr(
             [](dl_phdr_info* info, std::size_t, void* argument) {
               const auto* name = static_cast<const char*>(argument);
               return info->dlpi_name != nullptr && strcmp(info->dlpi_name, name) == 0 ? 1 : 0;
             },
             const_cast<char*>(file)) != 0;
}

}  // namespace

void look_for_inline_calls(const char* file) {
  if (!has_tracer() || file == nullptr || !sys::Scout().can_read_text(file, trace::kMaxPath))
    return;
  if (strchr(file, '/') == nullptr || is_exempt(base_of(file))) return;
  if (is_loaded(file)) return;
  constexpr std::size_t kPiece = 64 << 10;
  const Room room(kPiece);
  if (room.get() == nullptr) return;
  FileSearch search{file, room.get(), kPiece, {}};
  if (!run_in_own_table(search_file, &search) || search.findings.count == 0) return;
  const Scratch scratch;
  if (scratch.get() == nullptr) return;
  TextBuffer text(scratch.get(), Scratch::kSize);
  describe(file, search.findings, text);
  const Task task = enter();
  report_blind_spot({task.tid, task.pid}, trace::Blind::inline_calls, Call::dlopen,
                    context_id(task), 0, text.begin(), static_cast<std::uint32_t>(text.length()));
}

}  // namespace umaskaudit::shim
