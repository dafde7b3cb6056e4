// ContextTree: the fs contexts of a whole run: which contexts of different segments are the same
// one (exec keeps it), which were copied from which (fork, vfork, clone, unshare), and so which
// umask call, in whichever process, set a mask. Must never loop: parents come before children.
// Built when a run is opened; used for each event.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "reporter/reader/segment/segment.h"

namespace umaskaudit::reader {

// An fs context in one segment.
struct ContextPiece {
  std::uint32_t segment = 0;
  std::uint32_t local = 0;  // id in that segment
  std::uint32_t fs = 0;     // run-wide id
  // The piece that this one continues (exec) or was copied from; nothing: the run starts here.
  const ContextPiece* before = nullptr;
  bool continues = false;
  bool shares = false;              // `before` is the same context in another process (CLONE_FS)
  std::uint64_t before_change = 0;  // the change in force in `before` when it was copied
  std::optional<Mode> born_mask;
  std::uint64_t born_ns = 0;
  std::uint64_t inherited_from = 0;  // id of the umask event behind the initial mask; 0: inherited
  bool inherited_from_dropped = false;  // 0 because the record of that call was dropped
  bool drops = false;                   // some of its changes may have been dropped
  MaskHistory* history = nullptr;
  StackRef started;  // for a program's first context: the stack of the exec or spawn, if known
  // Changes that found a mask which another process had set: number -> id of that umask event.
  std::unordered_map<std::uint64_t, std::uint64_t> found;
  // The same for changes that replaced such a mask.
  std::unordered_map<std::uint64_t, std::uint64_t> overwritten;

  // Id of the umask event in another process behind the mask that change `number` found; nothing:
  // none is known.
  std::optional<std::uint64_t> found_mask(std::uint64_t number) const;
  // Id of the umask event in force after change `number` of this piece; nothing: inherited, or the
  // record was lost.
  std::optional<std::uint64_t> set_by(std::uint64_t number) const;
  // True when the call that set that mask has no record: dropped (keep=latest), or no room.
  bool setter_dropped(std::uint64_t number) const;
  // The mask in force after change `number`; nothing when that record was lost.
  std::optional<Mode> mask_after(std::uint64_t number) const;
};

class ContextTree {
 public:
  using Segments = std::vector<std::unique_ptr<Segment>>;

  // Links all contexts and numbers all umask events in merged order. `images_dropped`: segments of
  // ended programs were removed; a program may have been started by one of them.
  void build(const Segments& segments, bool images_dropped = false);
  // For a growing run: links what is known so far. A context keeps the run-wide id and the call
  // behind its initial mask once they are assigned. The changes must have their ids. False: some
  // initial mask depends on a change that is not there yet; call again.
  bool relink(const Segments& segments);

  // Nothing for a context that no record defined.
  const ContextPiece* find(std::uint32_t segment, std::uint32_t local) const;
  // The stack of the exec or spawn that began the program of that segment; id 0: not known.
  StackRef started(const Segment& segment) const;
  // Segment numbers, oldest image first.
  const std::vector<std::uint32_t>& order() const { return order_; }
  // True when an image of the process that made this exec, or of one that may be it, began at that
  // time or later.
  bool image_after(const Segment& segment, const ExecFact& exec) const;
  // True when the next image of process `pid`, in a context of that segment, was recorded by a
  // tracer, so the blind spot for it hides nothing.
  bool traced_after(const Segment& segment, std::uint32_t pid, std::uint32_t context,
                    std::uint64_t time_ns) const;

 private:
  static std::uint64_t key(std::uint32_t segment, std::uint32_t local) {
    return std::uint64_t{segment} << 32 | local;
  }
  // The state that relink() keeps.
  struct Resolved {
    std::uint32_t fs = 0;
    std::uint64_t inherited_from = 0;
    bool inherited_from_dropped = false;
    bool resolved = false;
  };
  // The origin of a mask.
  struct Setter {
    std::uint64_t id = 0;  // of the umask event; 0: inherited, or dropped
    bool dropped = false;
  };

  void link(const Segments& segments);
  void number_events();
  void attribute_drifts(const Segments& segments);
  std::uint64_t setter_elsewhere(const ContextPiece& piece, Mode mask, std::uint64_t time_ns) const;
  void resolve_births();
  Setter birth_of(const ContextPiece& piece) const;

  std::vector<std::unique_ptr<ContextPiece>> pieces_;  // parents first
  std::unordered_map<std::uint64_t, ContextPiece*> index_;
  // The fs contexts that several processes share, by run-wide id.
  std::unordered_map<std::uint32_t, std::vector<const ContextPiece*>> shared_;
  std::vector<std::uint32_t> order_;
  struct ImageStart {
    std::uint32_t pid_namespace = 0;
    std::uint64_t time_ns = 0;
    trace::Recorder recorder = trace::Recorder::shim;
  };
  std::unordered_map<std::uint32_t, std::vector<ImageStart>> image_starts_;  // by pid
  std::unordered_map<std::uint64_t, Resolved> resolved_;                     // by key()
  std::uint32_t last_fs_ = 0;
  bool images_dropped_ = false;
};

}  // namespace umaskaudit::reader
