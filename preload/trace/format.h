// The trace format: every byte that libumaskaudit.so writes and the reporter reads.
// Must never depend on anything but <cstdint>: both halves include it, one of them inside a program
// that is not ours. format.md draws each record with worked bytes, and a test decodes those bytes.
#pragma once

#include <cstdint>

namespace umaskaudit::trace {

// A minor version adds record types or trailing fields; a reader skips what it does not know by
// length. A major version may change anything; a reader refuses it and names both versions.
inline constexpr char kMagic[8] = {'U', 'M', 'A', 'S', 'K', 'A', 'U', 'D'};
inline constexpr std::uint16_t kMajor = 1;
inline constexpr std::uint16_t kMinor = 6;
inline constexpr std::uint32_t kByteOrder = 0x0A0B0C0D;

inline constexpr std::uint32_t kRecordAlign = 8;
inline constexpr std::uint32_t kMaxRecord = 65536;
inline constexpr std::uint32_t kMaxFrames = 256;
inline constexpr std::uint32_t kMaxPath = 4096;  // PATH_MAX: the kernel refuses longer paths

// File names inside a run directory. A segment is "<pid>-<CLOCK_MONOTONIC ns, 16 hex>.seg".
inline constexpr char kSegmentSuffix[] = ".seg";
inline constexpr char kRunStateName[] = "run.state";

// Why an event could not be recorded. Counted in SegmentHeader::lost, by value.
enum class Loss : std::uint8_t {
#define LOSS(reason, number, ...) reason = number,
#include "preload/trace/losses.def"
#undef LOSS
};
inline constexpr unsigned kLossKinds = 16;

// Ids are handed out by atomics in the header, because several processes share one segment.
enum class IdSpace : std::uint8_t {
  stack = 0,
  path = 1,
  module = 2,
  context = 3,
  directory = 4,
  change_records = 5,  // no ids: how many records of mask changes there are. Since 1.3
  script_frame = 6,    // since 1.5
};
inline constexpr unsigned kIdSpaces = 7;

// What wrote a segment.
enum class Recorder : std::uint8_t {
  shim = 0,    // the library, in the program itself
  tracer = 1,  // a process of its own, for an image that cannot load the library
};

// At offset 0 of each segment. `tail`, `lost` and `next_id` change while the program runs (relaxed
// atomics). One segment belongs to one process image: a program from its exec on, together with
// all children that it forks. The mapping survives fork, chroot, setuid and closed descriptors, so
// a worker process that may no longer open anything still records. Each record names its pid
// itself.
struct SegmentHeader {
  char magic[8];
  std::uint16_t major;
  std::uint16_t minor;
  std::uint32_t header_length;  // offset of the first record
  std::uint32_t byte_order;     // kByteOrder as the writer stores it
  std::uint32_t word_size;      // 8
  std::uint8_t boot_id[16];     // zero when /proc is missing
  std::uint64_t mono_ns;        // CLOCK_MONOTONIC and
  std::uint64_t real_ns;        // CLOCK_REALTIME of one moment
  std::uint32_t pid;
  std::uint32_t ppid;
  std::uint64_t limit;  // bytes this segment may grow to
  std::uint64_t tail;   // next free offset; may exceed limit when the segment is full
  std::uint64_t lost[kLossKinds];
  std::uint32_t next_id[kIdSpaces];  // the next free id of each space, by IdSpace
  std::uint8_t recorder;             // Recorder. Since 1.6
  std::uint8_t first_paid;           // 1: all of chunk 0, and
  std::uint16_t chunks_paid;         // so many later chunks are charged to max_run=. Since 1.6
  std::uint32_t repeats;             // how many Repeats lie behind this header. Since 1.2
  std::uint32_t folds;               // and how many FoldCells behind those. Since 1.3
  std::uint32_t ring;                // where a Ring lies; 0: nowhere. Since 1.4
  std::uint32_t totals;              // and where kTotals Totals lie; 0: nowhere. Since 1.4
};
static_assert(sizeof(SegmentHeader) == 256);

// Behind the header and in front of the first record: how often a creating call opened an object
// that was there, after the record of the first time (RecordHeader::repeat). Both words change
// while the program runs (relaxed atomics), so that a SIGKILL loses no count. Since 1.2.
struct Repeat {
  std::uint64_t place;  // hash of call site, object, path and mask; 0: free
  std::uint64_t count;  // of further times
};
static_assert(sizeof(Repeat) == 16);
inline constexpr std::uint32_t kRepeats = 112;

// A fold: mask changes that one thread makes and undoes again and again, with nothing in between.
// Its changes have consecutive numbers, alternately like its first and its second one. Since 1.3.
struct FoldSite {
  std::uint32_t stack;
  std::uint32_t argument;
  std::uint16_t old_mask;
  std::uint16_t new_mask;
  std::uint16_t call;
  std::uint16_t reserved;
};
static_assert(sizeof(FoldSite) == 16);

// The constant part of a fold.
struct FoldBegin {
  std::uint32_t context;
  std::uint32_t reserved;
  FoldSite sites[2];    // of the first change, and of the second
  std::uint64_t first;  // its number
  std::uint64_t first_ns;
};
static_assert(sizeof(FoldBegin) == 56);

// The variable part of a fold. The times are those of single changes; in a fold of fewer than five,
// some are the same change. The durations, by site, are how long the mask before a change had been
// in force, for the second change and later ones.
struct FoldState {
  std::uint64_t last;          // number
  std::uint64_t second_ns;     // 0: there is one change
  std::uint64_t latest_ns[3];  // the last change, the one before it, and the one before that
  std::uint64_t total_ns[2];
  std::uint64_t shortest_ns[2];
  std::uint64_t longest_ns[2];
};
static_assert(sizeof(FoldState) == 88);

// After the Repeats: a fold in progress. When it ends it becomes a Fold record; until then it is
// updated here, in one of two copies in turn, so that a SIGKILL loses at most the last change.
// `check` is fold_checksum() of the copy, never 0; 0: the copy is empty.
struct FoldCell {
  std::uint64_t owner;  // pid << 32 | tid; 0: free
  std::uint64_t check;  // of `begin`, seeded with the owner
  FoldBegin begin;
  struct Copy {
    FoldState state;
    std::uint64_t check;  // seeded with that of `begin`
  } copies[2];
};
static_assert(sizeof(FoldCell) == 264);
inline constexpr std::uint32_t kFolds = 16;

// A segment grows by chunks, which no record crosses: chunk 0, then chunks of kChunk bytes.
inline constexpr std::uint64_t kFirstChunk = 64 << 10;
inline constexpr std::uint64_t kChunk = 256 << 10;

// The use of a RingChunk.
enum class ChunkUse : std::uint8_t {
  none = 0,      // nothing was ever written to it
  kept = 1,      // records that later ones refer to: never dropped
  events = 2,    // all other events
  changes = 3,   // of the umask
  dropping = 4,  // its records are being added to the Totals, so far those before `dropped`
  empty = 5,     // all of them were added: its bytes are not to be read
};

// keep=latest: when no chunk is free, the oldest chunk of events is reused after its records were
// added to the Totals. `word` holds its ChunkUse (low 8 bits) and, above, a number that grows each
// time a chunk is taken into use, by which a reader of a growing segment notices. Since 1.4.
struct RingChunk {
  std::uint64_t word;
  std::uint32_t dropped;  // offset in the chunk
  std::uint32_t end;      // end of its records, for the writer alone; 0: it is still being filled
};
static_assert(sizeof(RingChunk) == 16);

// kControl bytes that are no records: this header, and one RingChunk for each chunk of the segment.
// Chunk 0 is always kept. All of it changes while the program runs. Since 1.4.
struct Ring {
  std::uint32_t chunks;          // RingChunks behind this
  std::uint32_t used;            // chunks from this one on were never used
  std::uint64_t turns;           // the number above, of the latest chunk
  std::uint64_t tails[3];        // the writer's own, by ChunkUse - 1
  std::uint64_t dropped;         // records
  std::uint64_t whole_since_ns;  // no later event was dropped; 0: none was
  std::uint64_t reserved;
};
static_assert(sizeof(Ring) == 64);
inline constexpr std::uint32_t kControl = 64 << 10;  // of a Ring, and of the Totals
inline constexpr std::uint32_t kRingChunks = (kControl - sizeof(Ring)) / sizeof(RingChunk);

// The number of events of one kind without a record: dropped by keep=latest, or mask changes that
// had no room. Without a checksum; a SIGKILL loses at most the addition in progress. Since 1.4.
struct Total {
  std::uint64_t key;    // hash of what follows the times; 0: free
  std::uint64_t count;  // mask changes of a Fold count each, repeated creations too
  std::uint64_t first_ns, last_ns;
  std::uint32_t stack;  // 0: none, or of many stacks
  std::uint16_t type;   // RecordType: umask (folds too), create, chmod, rename, ...; 0: of any type
  std::uint16_t call;
  std::uint32_t mode;       // create, chmod: final_mode, with type bits; umask: new_mask
  std::uint16_t mask;       // create: mask_before; umask: old_mask
  std::uint8_t kind;        // create: Kind
  std::uint8_t created;     // create: Created
  std::uint32_t requested;  // create, chmod
  std::int32_t error;       // create, chmod, rename
  std::uint64_t reserved;
};
static_assert(sizeof(Total) == 64);
inline constexpr std::uint32_t kTotals = kControl / sizeof(Total);
inline constexpr std::uint32_t kTotalsOfMany = 64;  // the last ones have stack 0

// run.state: one page that all processes of a run share, for what belongs to no segment.
struct RunState {
  char magic[8];  // kMagic
  std::uint16_t major;
  std::uint16_t minor;
  std::uint32_t byte_order;
  std::uint64_t images;           // process images that wanted a segment
  std::uint64_t segments;         // segments that were opened
  std::uint64_t segments_failed;  // images - segments, by the shim's own count
  std::uint64_t last_errno;       // why the latest of them failed
  // Since 1.4; zeros before, or beyond the end of the file.
  std::uint64_t taken;    // bytes that the segments take, where max_run= bounds them
  std::uint64_t max_run;  // 0: no bound
  // The total of the segments that keep=latest removed to stay within max_run=:
  std::uint64_t dropped_segments;
  std::uint64_t dropped_records;
  std::uint64_t dropped_changes;         // of the umask, those of folds too
  std::uint64_t dropped_created[16];     // objects made, by Kind
  std::uint64_t dropped_whole_since_ns;  // no later event was dropped with them
};

// In front of each record. `commit` is stored last, with release order: it is record_checksum() of
// everything behind it, never 0. Zero means reserved but not written (the writer died or was
// interrupted for good). Records start on kRecordAlign; `length` includes this header and padding.
struct RecordHeader {
  std::uint32_t commit;
  std::uint32_t length;
  std::uint16_t type;  // RecordType
  std::uint16_t flags;
  std::uint32_t tid;      // the kernel's thread id of the writer
  std::uint64_t time_ns;  // CLOCK_MONOTONIC, taken right after the call returned
  std::uint32_t pid;      // of the writer: a forked child writes into its parent's segment
  // Of a create record: 1 + the index of the Repeat that counts further calls like it; 0: none.
  // Since 1.2.
  std::uint32_t repeat;
};
static_assert(sizeof(RecordHeader) == 32);

enum class RecordType : std::uint16_t {
#define RECORD(identifier, number, ...) identifier = number,
#include "preload/trace/record_types.def"
#undef RECORD
};

// Fills the rest of a chunk; its payload is undefined.
struct Pad {};

// Ids (module, stack, path, context, directory) are local to one segment, start at 1, and are
// defined by an earlier or concurrent record of the same segment; 0 means none.

// How a process image or an fs context came to be.
enum class Origin : std::uint8_t {
  unknown = 0,
  exec = 1,     // a new image: keeps the fs context of the image before it
  fork = 2,     // fork(2): a copy
  vfork = 3,    // shares our memory, has an fs context of its own
  clone = 4,    // clone(2) without CLONE_FS
  unshare = 5,  // unshare(CLONE_FS), or what implies it
  // clone(2) with CLONE_FS but without CLONE_VM: the same context as `parent`, in another process
  // that keeps a change count of its own. Since 1.1.
  clone_fs = 6,
};

// Where the mask at birth came from.
enum class MaskSource : std::uint8_t {
  unknown = 0,
  proc = 1,       // field Umask of /proc/thread-self/status
  child = 2,      // a forked child read its own copy
  probe = 3,      // the mode of an unnamed temporary file
  inherited = 4,  // copied from the parent context's cache
  returned = 5,   // the value that umask(2) returned
};

// First record of every segment (origin exec), and the first record of each forked child in it
// (origin fork). `exe` bytes follow (exe_length of them, no NUL).
inline constexpr std::uint32_t kAgeUnknown = 0xffffffff;
struct Process {
  std::uint32_t pid;
  std::uint32_t ppid;
  std::uint8_t origin;           // Origin: exec, fork or clone_fs
  std::uint8_t mask_source;      // MaskSource
  std::uint16_t mask;            // at birth
  std::uint32_t context;         // the context that this image's threads start in
  std::uint32_t parent_context;  // fork: in this segment; exec: 0, the reader joins by pid
  std::uint32_t uid, euid, gid, egid;
  std::uint32_t exe_length;
  std::uint64_t parent_change;  // FsChange number of parent_context when it was copied
  // Since 1.2. With the pid they name the process, which pids alone do not: they are used again,
  // and each PID name space has its own. exec keeps all three.
  std::uint32_t pid_namespace;  // its inode number; 0: not known
  std::uint32_t age_ms;         // since the process began, rounded up; kAgeUnknown: not known
  char comm[16];                // NUL-padded
};
static_assert(sizeof(Process) == 72);

// A thread's first event, and each change of its name seen since.
struct Thread {
  std::uint32_t tid;
  std::uint32_t context;
  std::uint64_t handle;  // pthread_self(), to match ThreadCreate; 0: a vfork child
  char name[16];         // NUL-padded
};
static_assert(sizeof(Thread) == 32);

// build_id bytes, then path bytes follow.
struct Module {
  std::uint32_t id;
  std::uint32_t build_id_length;
  std::uint64_t base;  // load bias: run-time address - ELF address
  std::uint64_t start;
  std::uint64_t end;
  std::uint32_t path_length;
  std::uint32_t reserved;
};
static_assert(sizeof(Module) == 40);

// `count` frames follow, innermost first, each module id << 48 | (return address - base).
// Module 0: generated code, the low 48 bits are the address itself.
struct Stack {
  std::uint32_t id;
  std::uint16_t count;
  std::uint16_t flags;  // kStackTruncated, kStackGuessed
};
static_assert(sizeof(Stack) == 8);
inline constexpr std::uint16_t kStackTruncated = 1;  // cut at depth=
inline constexpr std::uint16_t kStackGuessed = 2;    // frame pointers were followed somewhere
inline constexpr std::uint16_t kStackPartial = 4;    // of a script stack: some frames are missing
inline constexpr unsigned kFrameModuleShift = 48;

enum class Language : std::uint8_t {
#define LANGUAGE(identifier, number, ...) identifier = number,
#include "preload/trace/languages.def"
#undef LANGUAGE
};

// Whether the frames of a runtime's scripts can be read.
enum class RuntimeState : std::uint16_t {
  read = 0,
  unknown_version = 1,  // no table has its structure offsets
  unknown_layout = 2,   // its structures are not where the table for its version says
};

// A language runtime, recorded when a module is first found to be one. Return addresses from
// `evaluator` on, relative to the module as in a stack, run script frames. text_length bytes
// follow: name and version. Since 1.5.
struct Runtime {
  std::uint32_t module;
  std::uint8_t language;  // Language
  std::uint8_t reserved;
  std::uint16_t state;           // RuntimeState
  std::uint64_t evaluator;       // the first return address
  std::uint64_t evaluator_size;  // 0: not needed
  std::uint32_t text_length;
  std::uint32_t reserved2;
};
static_assert(sizeof(Runtime) == 32);

// A place in a script: function_length bytes follow, in UTF-8 if the language is. Since 1.5.
struct ScriptFrame {
  std::uint32_t id;
  std::uint32_t line;     // 0: not known
  std::uint32_t file;     // path id, the name as the runtime gives it; 0: not known
  std::uint8_t language;  // Language
  std::uint8_t flags;     // kLineOfOther
  std::uint16_t function_length;
};
static_assert(sizeof(ScriptFrame) == 16);
inline constexpr std::uint8_t kLineOfOther = 1;  // `line` may belong to a file that `file` includes

// A stack with the script's frames: its id is one of the stacks'. `count` words follow, innermost
// first: id of a ScriptFrame, with kScriptEntry where native code called the script. Since 1.5.
struct ScriptStack {
  std::uint32_t id;
  std::uint32_t native;  // the stack of native frames
  std::uint16_t count;
  std::uint16_t flags;    // kStackTruncated, kStackPartial
  std::uint32_t runtime;  // module id, as in Runtime
};
static_assert(sizeof(ScriptStack) == 16);
inline constexpr std::uint32_t kScriptEntry = std::uint32_t{1} << 31;

// path bytes follow. Directories that relative paths start from.
struct Path {
  std::uint32_t id;
  std::uint32_t length;
};
static_assert(sizeof(Path) == 8);

// An fs context: what umask(2), chdir(2) and chroot(2) act on.
struct Context {
  std::uint32_t id;
  std::uint32_t parent;  // 0 for the first of an image
  std::uint64_t parent_change;
  std::uint32_t owner;  // thread (or vfork child) that it was made for
  std::uint8_t origin;  // Origin
  std::uint8_t mask_source;
  std::uint16_t mask;  // at birth
};
static_assert(sizeof(Context) == 24);

// One return from umask(2). In a context that is not ours to cache (kForeign) `change` counts only
// the writer's own calls.
struct Umask {
  std::uint32_t context;
  std::uint32_t stack;
  std::uint64_t change;    // 1, 2, ...: orders the changes of one context without a clock
  std::uint32_t argument;  // as passed, all bits
  std::uint16_t old_mask;  // as the kernel returned it
  std::uint16_t new_mask;  // argument & 0777
  std::uint16_t cached;    // our cache before the call; when it differs from old_mask: drift
  std::uint16_t call;
  std::uint32_t reserved;
};
static_assert(sizeof(Umask) == 32);
// RecordHeader::flags of umask and create records.
inline constexpr std::uint16_t kDrift = 1;  // the mask was changed unseen before this call
// made by a vfork child or another task that shares our memory
inline constexpr std::uint16_t kForeign = 2;
inline constexpr std::uint16_t kBusy = 4;      // a umask call was under way at the first snapshot
inline constexpr std::uint16_t kUnlocked = 8;  // the cache was not updated (see blind spots)
// Of create records: final_mode was read by the object's name right after the call, not from the
// open file. Since 1.6.
inline constexpr std::uint16_t kModeByName = 16;

// A fold of mask changes in one record. Its header has the time of the last one. Since 1.3.
struct Fold {
  FoldBegin begin;
  FoldState state;
};
static_assert(sizeof(Fold) == 144);

enum class Kind : std::uint8_t {
  unknown = 0,
  file = 1,
  dir = 2,
  fifo = 3,
  socket = 4,
  mqueue = 5,
  shm = 6,
  sem = 7,
  chardev = 8,
  blockdev = 9,
  tmpfile = 10,
};

enum class Created : std::uint8_t {
  no = 0,        // certain: it was there before, or the call failed
  yes = 1,       // certain: the kernel said so (O_EXCL won, mkdir(2) returned 0, ...)
  probably = 2,  // created during the call, perhaps by another process
  unknown = 3,
};

// One creating call. `path_length` bytes follow: the path as passed.
struct Create {
  std::uint32_t context;
  std::uint32_t stack;
  std::uint64_t change_before;  // the context's change number before the call
  std::uint64_t change_after;   // and after it; they differ: every mask between is a candidate
  std::uint16_t mask_before;
  std::uint16_t mask_after;
  std::uint16_t call;
  std::uint8_t kind;         // Kind
  std::uint8_t created;      // Created
  std::uint32_t requested;   // as passed (or implied: 0666 by fopen, 0777 by bind)
  std::uint32_t final_mode;  // st_mode with type bits; 0 when it could not be read
  std::uint32_t open_flags;
  std::int32_t error;       // errno; 0 on success, and where a failed call left what it made
  std::uint32_t base;       // path id that the path starts from: the directory for a relative one,
                            // the root after chroot(2) for an absolute one; 0: none, or unknown
  std::uint32_t directory;  // facts of the parent; 0 when not read
  std::uint64_t dev;        // st_dev
  std::uint64_t ino;
  std::int64_t birth_ns;   // stx_btime, 0 when the filesystem has none
  std::uint32_t uid, gid;  // of the object
  std::uint32_t path_length;
  // Path id of what was made, where the path led to it through a symbolic link: absolute, or from
  // `base`. 0: the path itself names the object. Since 1.2.
  std::uint32_t target;
};
static_assert(sizeof(Create) == 96);

// What the parent directory contributes to a mode. acl_length bytes of system.posix_acl_default
// (acl(5), the kernel's xattr encoding, little endian) follow.
struct Directory {
  std::uint32_t id;
  std::uint32_t mode;  // st_mode; 0 when it could not be read
  std::uint64_t dev;
  std::uint64_t ino;
  std::uint32_t uid, gid;
  std::uint32_t fs_type;  // statfs(2) f_type
  std::uint32_t acl_length;
};
static_assert(sizeof(Directory) == 40);

// Before an execve(2) family call; the next image writes its Process record into a segment of its
// own.
struct Exec {
  std::uint32_t context;
  std::uint32_t stack;
  std::uint64_t change;
  std::uint16_t call;
  std::uint8_t repaired;  // 1: LD_PRELOAD and options were put back into the new environment
  std::uint8_t reserved;
  std::uint32_t path_length;
};
static_assert(sizeof(Exec) == 24);

struct ExecFailed {
  std::int32_t error;
  std::uint32_t reserved;
};

// In the parent, after a fork-like call; before one that starts a shell (system(3)), with child 0.
struct Fork {
  std::uint32_t child;
  std::uint32_t context;
  std::uint64_t change;
  std::uint32_t stack;
  std::uint16_t call;
  std::uint8_t origin;  // Origin
  std::uint8_t reserved;
};
static_assert(sizeof(Fork) == 24);

enum class Blind : std::uint16_t {
#define BLIND_SPOT(reason, number, ...) reason = number,
#include "preload/trace/blind_spots.def"
#undef BLIND_SPOT
};

// text_length bytes follow: the cause, by name (a library, a program, a call).
struct BlindSpot {
  std::uint16_t reason;  // Blind
  std::uint16_t call;
  std::uint32_t context;
  std::uint32_t stack;
  std::uint32_t text_length;
};
static_assert(sizeof(BlindSpot) == 16);

// umaskaudit_annotate(): text_length bytes follow.
struct Note {
  std::uint32_t stack;
  std::uint32_t text_length;
};

// Written by the creating thread. `handle` is equal to Thread::handle; the header's time is before
// the call.
struct ThreadCreate {
  std::uint64_t handle;
  std::uint64_t start_routine;  // a frame, as in Stack
  std::uint32_t stack;
  std::uint32_t reserved;
};
static_assert(sizeof(ThreadCreate) == 24);

// Permissions of an object changed; chown(2): set-ID bits were lost, `requested` is what is left.
// path_length bytes follow: of a call by descriptor the object's name (since 1.2), or none.
struct Chmod {
  std::uint32_t context;
  std::uint32_t stack;
  std::uint32_t requested;
  std::uint32_t final_mode;
  std::uint64_t dev;
  std::uint64_t ino;
  std::int32_t error;
  std::uint32_t base;
  std::uint16_t call;
  std::uint16_t acl;  // 1: of an ACL, 2: of a default ACL; set or removed as `call` says
  std::uint32_t path_length;
};
static_assert(sizeof(Chmod) == 48);

// A name was added or removed. from_length bytes, then to_length bytes follow. For an unlinked
// POSIX IPC name, the path of its file.
struct Rename {
  std::uint32_t context;
  std::uint32_t stack;
  std::uint32_t from_base;
  std::uint32_t to_base;
  std::uint64_t dev;
  std::uint64_t ino;
  std::int32_t error;
  std::uint16_t call;
  std::uint16_t from_length;
  std::uint16_t to_length;
  std::uint16_t action;  // 1 renamed, 2 linked, 3 unlinked, 4 symlinked
  std::uint32_t flags;   // of renameat2(2), as passed: RENAME_EXCHANGE, RENAME_WHITEOUT. Since 1.2
};
static_assert(sizeof(Rename) == 48);

// Once per segment: NUL-terminated names, in the order of the `call` numbers, from 0.
struct CallNames {
  std::uint32_t bytes;
  std::uint32_t count;
};

}  // namespace umaskaudit::trace
