// Frames of Perl, as its `caller` shows them, for builds of version 5.36.0 with threads. Other
// versions, and builds without threads, have other layouts.
// An interpreter belongs to one thread at a time, and its stacks are consistent while that is
// inside a call. Sources: cop.h, cv.h, gv.h, hv.h, intrpvar.h and pp_ctl.c of Perl; offsets with
// -Dusethreads.

#include <cstring>
#include <new>

#include "preload/script/named_places.h"
#include "preload/sys/format_text.h"

namespace umaskaudit::shim::perl_runtime {

namespace {

// PerlInterpreter.
constexpr unsigned kOperation = 8;      // Iop
constexpr unsigned kCurrentOp = 208;    // Icurcop
constexpr unsigned kCurrentInfo = 224;  // Icurstackinfo

struct StackInfo {  // PERL_SI
  std::uintptr_t arguments;
  std::uintptr_t contexts;
  std::uintptr_t previous;
  std::uintptr_t next;
  std::int32_t last;  // index of the innermost context, -1: none
  std::int32_t room;  // the largest that there can be
};

// PERL_CONTEXT, of which the first and the last word that is needed here are `type` and `sub`.
constexpr unsigned kContextSize = 104;
struct Context {
  std::uint8_t type;
  std::uint8_t bytes[15];
  std::uintptr_t caller_op;  // blku_oldcop
  std::uint64_t words[3];
  std::uintptr_t return_op;  // the operation behind the call
  std::uint64_t more[2];
  std::uintptr_t sub;  // the CV
};
static_assert(offsetof(Context, sub) == 72);
enum ContextType : std::uint8_t { kSub = 9, kFormat = 10, kEval = 11, kLastType = 13 };
constexpr std::uint8_t kTypeMask = 0x0f;
constexpr std::uint8_t kFake = 0x80;  // CXp_SUB_RE_FAKE and CXp_TRY: no frame of its own

struct Operation {  // OP and UNOP
  std::uintptr_t next;
  std::uintptr_t sibling;  // without kHasSibling its parent
  std::uintptr_t function;
  std::uint64_t was;  // what a removed operation had been
  std::uint16_t type;
  std::uint8_t flags;
  std::uint8_t more_flags;
  std::uint32_t padding;
  std::uintptr_t first;  // with kHasKids
};
static_assert(offsetof(Operation, first) == 40);
constexpr std::uint16_t kOperationType = 0x1ff;
constexpr std::uint16_t kHasSibling = 0x4000;
constexpr std::uint8_t kHasKids = 4;
constexpr std::uint16_t kTakenOut = 0;     // OP_NULL
constexpr std::uint16_t kStatement = 195;  // OP_NEXTSTATE
constexpr std::uint16_t kScope = 200;      // OP_SCOPE

struct ControlOp {  // COP, which begins a statement
  std::uint64_t words[4];
  std::uint32_t words_of_op;
  std::uint32_t line;
  std::uint64_t package;
  std::uintptr_t file;  // char *, with threads
};
static_assert(offsetof(ControlOp, line) == 36 && offsetof(ControlOp, file) == 48);

struct Scalar {  // struct sv, which GV, CV and HV begin with
  std::uintptr_t body;
  std::uint32_t references;
  std::uint32_t flags;
};
constexpr std::uint32_t kScalarType = 0xff;
constexpr std::uint32_t kIsGlob = 9;           // SVt_PVGV
constexpr std::uint32_t kIsHash = 12;          // SVt_PVHV
constexpr std::uint32_t kIsCode = 13;          // SVt_PVCV
constexpr std::uint32_t kHasName = 0x2000000;  // SVf_OOK, of a hash

struct CodeBody {  // XPVCV
  std::uint64_t words[4];
  std::uintptr_t package;
  std::uint64_t more[2];
  std::uintptr_t name;  // the GV; with kIsNamed a HEK
  std::uint64_t others[3];
  std::uint32_t padding;
  std::uint32_t flags;
};
static_assert(offsetof(CodeBody, name) == 56 && offsetof(CodeBody, flags) == 92);
constexpr std::uint32_t kIsNamed = 0x8000;     // CVf_NAMED
constexpr std::uint32_t kIsLexical = 0x10000;  // CVf_LEXICAL: no package

struct GlobBody {  // XPVGV
  std::uint64_t words[4];
  std::uintptr_t name;  // HEK
  std::uintptr_t package;
};

struct PackageBody {  // struct xpvhv_with_aux
  std::uint64_t words[4];
  std::uintptr_t name;  // HEK, or, where there are several, their array
  std::uint64_t more[2];
  std::uint32_t root;
  std::int32_t names;
};
static_assert(offsetof(PackageBody, names) == 60);

constexpr unsigned kKeyText = 8;  // of a HEK, behind hash and length; a NUL ends it

struct Structures {
  void* (*this_thread)();  // Perl_get_context(): the calling thread's interpreter
};

bool is_scalar(Peek& memory, std::uintptr_t at, std::uint32_t type, Scalar& scalar) {
  return memory.get(at, scalar) && (scalar.flags & kScalarType) == type;
}

std::uintptr_t text_of_key(std::uintptr_t key) { return key == 0 ? 0 : key + kKeyText; }

// The package's name, like HvENAME(). False: not readable.
bool find_package(Peek& memory, std::uintptr_t package, std::uintptr_t& name) {
  Scalar scalar{};
  PackageBody body{};
  if (package == 0) return true;
  if (!is_scalar(memory, package, kIsHash, scalar)) return false;
  if ((scalar.flags & kHasName) == 0) return true;
  if (!memory.get(scalar.body, body)) return false;
  std::uintptr_t key = body.name;
  if (key == 0 || body.names == -1) return true;
  const std::uintptr_t entry = key + (body.names < 0 ? sizeof key : 0);
  if (body.names != 0 && !memory.get(entry, key)) return false;
  name = text_of_key(key);
  return true;
}

// The function's name, like cv_name().
bool find_sub(Peek& memory, std::uintptr_t sub, NamedPlace& place) {
  Scalar scalar{};
  CodeBody body{};
  if (!is_scalar(memory, sub, kIsCode, scalar) || !memory.get(scalar.body, body)) return false;
  if ((body.flags & kIsNamed) != 0) {
    place.function = text_of_key(body.name);
    if ((body.flags & kIsLexical) != 0) return true;
    return find_package(memory, body.package, place.scope);
  }
  if (body.name == 0) return true;
  GlobBody glob{};
  if (!is_scalar(memory, body.name, kIsGlob, scalar) || !memory.get(scalar.body, glob)) {
    return false;
  }
  place.function = text_of_key(glob.name);
  return find_package(memory, glob.package, place.scope);
}

// The statement of an operation, like closest_cop(). Perl removes the beginnings of statements that
// stand alone in a block, so the last one that ran is that of the block; a removed one still has
// its line.
class StatementSearch {
 public:
  explicit StatementSearch(Peek& memory) : memory_(memory) {}

  // `statement`: the last one that ran. `wanted`: the operation, or the next one. 0: not found, or,
  // if gave_up() is true, too far away.
  std::uintptr_t find(std::uintptr_t statement, std::uintptr_t wanted, bool is_next) {
    wanted_ = wanted;
    is_next_ = is_next;
    Operation op{};
    if (wanted == 0 || !memory_.get(statement, op) || (op.type & kHasSibling) == 0) return 0;
    return find_below(statement, op.sibling);
  }
  bool gave_up() const { return left_ == 0; }

 private:
  static std::uint16_t type_of(const Operation& op) { return op.type & kOperationType; }

  bool is_it(std::uintptr_t at, const Operation& op) const {
    if (!is_next_) return at == wanted_;
    return op.next == wanted_ && type_of(op) != kScope;
  }

  // Visits the tree below `top`. A removed statement counts for what follows it and for what is
  // below that.
  std::uintptr_t find_below(std::uintptr_t statement, std::uintptr_t top) {
    constexpr unsigned kMostDepth = 32;
    std::uintptr_t statements[kMostDepth];
    unsigned depth = 0;
    statements[0] = statement;
    for (std::uintptr_t at = top; left_ != 0; --left_) {
      Operation op{};
      if (!memory_.get(at, op)) return 0;
      if (depth != 0 && type_of(op) == kTakenOut && op.was == kStatement) statements[depth] = at;
      if (is_it(at, op)) return statements[depth];
      if ((op.flags & kHasKids) != 0 && op.first != 0) {
        if (++depth == kMostDepth) return left_ = 0;
        statements[depth] = statements[depth - 1];
        at = op.first;
        continue;
      }
      while (depth != 0 && (op.type & kHasSibling) == 0) {
        --depth;
        if (!memory_.get(op.sibling, op)) return 0;
      }
      if (depth == 0) return 0;
      at = op.sibling;
    }
    return 0;
  }

  Peek& memory_;
  std::uintptr_t wanted_ = 0;
  unsigned left_ = 5000;  // operations to look at
  bool is_next_ = false;
};

class Callers {
 public:
  Callers(const Structures& perl, Peek& memory) : memory_(memory) {
    const auto interpreter = reinterpret_cast<std::uintptr_t>(perl.this_thread());
    if (interpreter == 0) return;
    std::uintptr_t info = 0;
    whole_ = memory.get(interpreter + kCurrentOp, op_) &&
             memory.get(interpreter + kOperation, operation_) &&
             memory.get(interpreter + kCurrentInfo, info) && enter(info);
  }

  bool next(NamedPlace& place) {
    if (!whole_ || op_ == 0) return false;
    place = {};
    ControlOp op{};
    Context context{};
    whole_ = memory_.get(op_, op) && find_context(context) && is_line(op);
    if (!whole_) return false;
    place.file = op.file;
    place.line = line_of(op);
    operation_ = context.return_op;
    is_next_ = true;
    op_ = context.caller_op;  // 0: outside of all subs
    static const char kEvalName[] = "(eval)";
    if (op_ == 0) return true;
    if ((context.type & kTypeMask) == kEval) {
      place.function = reinterpret_cast<std::uintptr_t>(kEvalName);
      return true;
    }
    whole_ = find_sub(memory_, context.sub, place);
    return whole_;
  }
  bool is_malformed() const { return !whole_; }

 private:
  static bool is_line(const ControlOp& op) {
    constexpr std::uint32_t kMost = 1'000'000'000;
    return op.line <= kMost || op.line == UINT32_MAX;  // NOLINE
  }

  std::uint32_t line_of(const ControlOp& op) {
    ControlOp closest{};
    StatementSearch search(memory_);
    const std::uintptr_t at = search.find(op_, operation_, is_next_);
    if (search.gave_up()) return 0;
    return at != 0 && memory_.get(at, closest) && is_line(closest) ? closest.line : op.line;
  }

  bool enter(std::uintptr_t info) {
    constexpr std::int32_t kMost = 100'000'000;
    constexpr unsigned kMostStacks = 1000;
    if (info == 0) return info_.previous = 0, info_.last = -1, true;
    return ++stacks_ < kMostStacks && memory_.get(info, info_) && info_.last >= -1 &&
           info_.room <= kMost && info_.last <= info_.room;
  }

  // Moves to the innermost sub, eval or format, and out of it. Without `caller_op`: there is none.
  // False: not readable.
  bool find_context(Context& context) {
    constexpr unsigned kMostSteps = 10'000;
    for (unsigned steps = 0; steps < kMostSteps; ++steps) {
      context = {};
      if (info_.last < 0) {
        if (info_.previous == 0) return true;
        if (!enter(info_.previous)) return false;
        continue;
      }
      const auto index = static_cast<std::uintptr_t>(info_.last--);
      if (!memory_.get(info_.contexts + index * kContextSize, context)) return false;
      const auto type = static_cast<std::uint8_t>(context.type & kTypeMask);
      if (type > kLastType) return false;
      const bool is_frame = type == kSub || type == kFormat || type == kEval;
      if (is_frame && (type == kFormat || (context.type & kFake) == 0)) {
        return context.caller_op != 0;
      }
    }
    return false;
  }

  Peek& memory_;
  StackInfo info_ = {};
  std::uintptr_t op_ = 0;         // of the next place: its statement,
  std::uintptr_t operation_ = 0;  // and its operation, or the one behind
  bool is_next_ = false;
  unsigned stacks_ = 0;
  bool whole_ = true;
};

}  // namespace

bool describe(Exports& module, Layout& layout, RuntimeFacts& facts) {
  const std::uintptr_t revision_at = module.address_of("PL_revision");
  const std::uintptr_t version_at = module.address_of("PL_version");
  const std::uintptr_t subversion_at = module.address_of("PL_subversion");
  std::uint8_t revision = 0;
  std::uint8_t version = 0;
  std::uint8_t subversion = 0;
  if (revision_at == 0 || version_at == 0 || subversion_at == 0 ||
      module.address_of("perl_run") == 0 || !module.get(revision_at, revision) ||
      !module.get(version_at, version) || !module.get(subversion_at, subversion)) {
    return false;
  }
  TextBuffer text(facts.text, sizeof facts.text);
  text.put("Perl ").decimal(revision).put('.').decimal(version).put('.').decimal(subversion).end();
  auto& perl = layout.make<Structures>();
  // Only builds with threads export this symbol.
  if (module.address_of("PL_thr_key") != 0) {
    perl.this_thread = reinterpret_cast<void* (*)()>(module.address_of("Perl_get_context"));
  }
  const bool known =
      perl.this_thread != nullptr && revision == 5 && version == 36 && subversion == 0;
  facts.state = known ? trace::RuntimeState::read : trace::RuntimeState::unknown_version;
  return true;
}

Captured capture(const Layout& layout, Moment moment, ScriptSpace& space) {
  constexpr std::uint64_t kSeed = 0x7065726c;  // "perl"
  return capture_named<Callers>(layout.as<Structures>(), moment, kSeed, space);
}

bool decode(const Layout& layout, Moment moment, const ScriptPlace& place, PlaceText& text,
            Window& window) {
  return decode_named<Callers>(layout.as<Structures>(), moment, place, text, window);
}

}  // namespace umaskaudit::shim::perl_runtime
