// Records mask changes; see mask_change.h.

#include "preload/mask/mask_change.h"

#include "preload/log/live_log.h"
#include "preload/mask/fold.h"
#include "preload/mask/fs_context.h"
#include "preload/mask/overlap_watch.h"
#include "preload/record/recorder.h"
#include "preload/stack/stacks.h"
#include "preload/sys/own_stack.h"
#include "preload/sys/real.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

[[gnu::noinline]] void record_change(const Task& task, const MaskChange& change, mode_t mask,
                                     const StackStart& start) {
  // First, because creations use it while this call is still being recorded.
  const WindowHits hits =
      watches_windows() ? note_mask_change(task, change, static_cast<std::uint16_t>(mask & 0777))
                        : WindowHits{};

  Author author{task.tid, task.pid, sys::now_ns(), 0};
  if (task.context == nullptr) author.flags |= trace::kForeign;
  if (change.old_mask != change.cached) author.flags |= trace::kDrift;
  trace::Umask record{};
  record.context = context_id(task);
  record.change = change.change;
  record.argument = mask;
  record.old_mask = change.old_mask;
  record.new_mask = static_cast<std::uint16_t>(mask & 0777);
  record.cached = change.cached;
  record.call = static_cast<std::uint16_t>(Call::umask);
  CapturedStack stack;
  capture_stack(Event::mask_change, author, start, stack);
  record.stack = stack.id;
  write_mask_change(task, author, record);
  if (__builtin_expect(!watches_windows(), 1)) return;
  if (is_short_of_stack(start.sp)) {
    count_loss(trace::Loss::log_dropped);  // a log line needs more stack than a record
  } else {
    if (logs(LogEvents::changes)) log_mask_change(author, record, stack);
    log_window(author, hits);
  }
}

}  // namespace

mode_t change_and_record_mask(mode_t mask, mode_t (*real)(mode_t), const StackStart& start) {
  const Task task = enter();
  const MaskChange change = change_mask(task, mask, real);
  if (change.nested) return change.old_mask;
  // The cache is correct all the same.
  if (is_short_of_stack(start.sp, kStackForBrief)) {
    count_loss(trace::Loss::stack_dropped);
  } else {
    record_change(task, change, mask, start);
  }
  return change.old_mask;
}

bool record_unseen_change(const Task& task, Call creation, Snapshot& believed) {
  const UnseenChange change = look_for_unseen_change(task, believed);
  if (!change.found) return false;
  Author author{task.tid, task.pid, sys::now_ns(), trace::kDrift};
  if (task.context == nullptr) author.flags |= trace::kForeign;
  trace::Umask record{};
  record.context = context_id(task);
  record.change = change.change;
  record.argument = change.mask;
  record.old_mask = change.mask;
  record.new_mask = change.mask;
  record.cached = change.cached;
  record.call = static_cast<std::uint16_t>(creation);
  write_record(trace::RecordType::umask, author, record);
  if (logs(LogEvents::changes)) log_mask_change(author, record, CapturedStack{});
  believed = {change.change, change.mask, false};
  return true;
}

}  // namespace umaskaudit::shim
