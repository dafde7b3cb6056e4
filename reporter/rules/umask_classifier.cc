// The first reading of a run. See umask_classifier.h.
// Must never call a mask temporary that a program set once for its whole life.
#include "reporter/rules/umask_classifier.h"

#include <utility>

namespace umaskaudit::rules {
namespace {

// A thread that is not the first one set a mask after others had begun to create objects, and never
// restored it: that is no set-up.
bool is_intruder(std::uint32_t tid, std::uint32_t pid, const OpenCall& call) {
  return tid != pid && call.others_before;
}

}  // namespace

std::uint64_t site_of(const UmaskEvent& event) {
  constexpr std::uint64_t kNoStack = std::uint64_t{1} << 63;
  if (event.stack.id != 0) return std::uint64_t{event.stack.segment} << 32 | event.stack.id;
  return kNoStack | std::uint64_t{event.tid} << 12 | (event.argument & 07777U);
}

Match match(const std::vector<OpenCall>& calls, const UmaskEvent& event) {
  const std::uint64_t site = site_of(event);
  for (std::size_t i = calls.size(); i-- > 0;) {
    if (calls[i].saved != event.new_mask) continue;
    // One site for both calls (a wrapper, an interpreter's loop) proves nothing; two sites do.
    for (std::size_t j = 0; j < i && calls[i].site != site; ++j)
      if (calls[j].site == site) return {std::nullopt, j};
    return {i, std::nullopt};
  }
  return {};
}

void UmaskClassifier::feed(const Event& event) {
  spawn_parents_.see(event);
  intents_.history_depth.feed(event);
  if (const auto* umask = std::get_if<UmaskEvent>(&event)) return on_umask(*umask);
  if (const auto* create = std::get_if<CreateEvent>(&event)) return on_create(*create);
  if (const auto* thread = std::get_if<ThreadCreateEvent>(&event)) return on_thread(*thread);
  if (const auto* process = std::get_if<ProcessEvent>(&event)) return on_process(*process);
  if (const auto* fork = std::get_if<ForkEvent>(&event)) acts(contexts_[fork->fs], fork->tid);
  if (const auto* exec = std::get_if<ExecEvent>(&event)) {
    Context& context = contexts_[exec->fs];
    acts(context, exec->tid);
    context.exec_tid = exec->error == 0 ? exec->tid : 0;
  }
}

void UmaskClassifier::on_umask(const UmaskEvent& event) {
  thread_contexts_.see(event);
  Context& context = contexts_[event.fs];
  if (event.old_setter_dropped) cut(context);
  Thread& thread = context.threads[event.tid];
  thread.pid = event.pid;
  std::vector<OpenCall>& calls = thread.calls;
  const Match found = match(calls, event);
  if (found.undoes) {
    undone_[calls[*found.undoes].site] = true;
    if (*found.undoes == 0) left(thread, event);
    undo(context, thread, *found.undoes);
    return;
  }
  if (found.abandons) {
    intents_.calls[calls.back().id] = MaskIntent::permanent;
    undo(context, thread, *found.abandons);
    thread.first.reset();  // there is a new normal
  }
  const std::uint64_t site = site_of(event);
  for (OpenCall& call : calls) call.reopened |= call.site == site;
  const bool others = (context.creators[0] != 0 && context.creators[0] != event.tid) ||
                      (context.creators[1] != 0 && context.creators[1] != event.tid);
  calls.push_back({event.id, site, event.old_mask, event.new_mask, false, others});
  if (calls.size() == 1) returned(thread);
}

// The thread's calls from `index` on are over.
void UmaskClassifier::undo(Context& context, Thread& thread, std::size_t index) {
  thread.calls.resize(index);
  for (; !thread.started.empty() && thread.started.back().depth > index;
       thread.started.pop_back()) {
    const Started& ended = thread.started.back();
    const auto found = context.started.find(ended.tid);
    // The kernel may have given the id to another thread since.
    if (found != context.started.end() && found->second.birth == ended.birth)
      found->second.over = true;
  }
}

void UmaskClassifier::start_inside(Context& context, const ThreadCreateEvent& event) {
  context.started.erase(event.created_tid);
  Started started{event.created_tid, event.seq, event.tid, 0, false};
  auto root = context.threads.find(event.tid);
  if (root == context.threads.end() || root->second.calls.empty()) {
    const auto creator = context.started.find(event.tid);
    if (creator == context.started.end() || creator->second.over) return;
    started.root = creator->second.root;
    root = context.threads.find(started.root);
    if (root == context.threads.end()) return;
  }
  started.depth = root->second.calls.size();
  if (started.depth == 0) return;
  root->second.started.push_back(started);
  context.started.emplace(event.created_tid, started);
}

// Called when thread `tid` makes an object or a process.
void UmaskClassifier::acts(Context& context, std::uint32_t tid) {
  if (context.started.empty()) return;
  const auto found = context.started.find(tid);
  if (found == context.started.end() || !found->second.over) return;
  intents_.outlive.insert(found->second.birth);
  context.started.erase(found);
}

// The thread's outermost call is undone by `event`.
void UmaskClassifier::left(Thread& thread, const UmaskEvent& event) {
  const std::uint64_t site = site_of(event);
  if (!thread.first) {
    thread.first = FirstCall{thread.calls.front(), site, 0, 0, true};
    return;
  }
  thread.first->stays &= site == thread.first->leaves;
}

// An outermost call of the thread is open again: counts the rounds in which such a call restored
// the mask of the thread's first call, always from the same place.
void UmaskClassifier::returned(Thread& thread) {
  if (!thread.first) return;
  FirstCall& first = *thread.first;
  const OpenCall& call = thread.calls.front();
  if (first.returns == 0) first.returns = call.site;
  first.stays &= call.mask == first.call.mask && call.saved == first.call.saved &&
                 call.site == first.returns && call.site != first.call.site;
  ++first.rounds;
}

// Decides on the thread's first call. One round proves nothing, and the mask of the first call must
// be in force at the end.
void UmaskClassifier::settle_first(std::uint32_t tid, Thread& thread) {
  if (!thread.first || !thread.first->stays || thread.first->rounds < 2) return;
  if (thread.calls.size() != 1) return;
  const OpenCall& call = thread.first->call;
  intents_.calls[call.id] =
      is_intruder(tid, thread.pid, call) ? MaskIntent::leaked : MaskIntent::permanent;
  thread.calls.clear();  // it closed the last window
}

// Changes behind those that are open were dropped, and may have undone them: none of them leaks.
void UmaskClassifier::cut(Context& context) {
  for (auto& [tid, thread] : context.threads) {
    for (const OpenCall& call : thread.calls)
      if (call.reopened || undone_.count(call.site) == 0)
        intents_.calls[call.id] = MaskIntent::permanent;
    thread.forget();
  }
  context.started.clear();
}

void UmaskClassifier::on_create(const CreateEvent& event) {
  thread_contexts_.see(event);
  if (event.mask_setter_dropped) cut(contexts_[event.fs]);
  if (event.error != 0 || event.created == trace::Created::no) return;
  Context& context = contexts_[event.fs];
  std::uint32_t(&creators)[2] = context.creators;
  const std::uint32_t actor = spawn_parents_.actor(event);
  acts(context, actor);
  if (creators[0] == 0) creators[0] = actor;
  if (creators[0] != actor) creators[1] = actor;
}

void UmaskClassifier::on_thread(const ThreadCreateEvent& event) {
  Context& context = contexts_[thread_contexts_.of(event)];
  // A mask set while the program had one thread, and in force when it starts the next, is the
  // environment that it gives its threads, whatever it does at exit.
  if (!std::exchange(context.threaded, true)) {
    if (const auto creator = context.threads.find(event.tid); creator != context.threads.end())
      settle(intents_, creator->second);
  }
  // The kernel gives a thread id anew only when its last owner has ended.
  const auto stale = context.threads.find(event.created_tid);
  if (event.created_tid != 0 && stale != context.threads.end())
    end(event.created_tid, stale->second, true);
  if (event.created_tid != 0) start_inside(context, event);
}

void UmaskClassifier::on_process(const ProcessEvent& event) {
  thread_contexts_.see(event);
  const auto found = contexts_.find(event.fs);
  if (found == contexts_.end()) return;
  // exec(2) ends all threads but one, and that one hands its mask on: `umask 077; exec daemon`.
  // What other threads had set was cut off in the middle.
  Context& context = found->second;
  for (auto& [tid, thread] : context.threads) {
    if (thread.pid != event.pid) continue;
    if (context.exec_tid == 0 || context.exec_tid == tid) settle(intents_, thread);
    thread.forget();
  }
  context.threaded = false;
  context.exec_tid = 0;
  context.started.clear();
}

void UmaskClassifier::settle(MaskIntents& intents, Thread& thread) {
  for (const OpenCall& call : thread.calls) intents.calls[call.id] = MaskIntent::permanent;
  thread.forget();
}

void UmaskClassifier::end(std::uint32_t tid, Thread& thread, bool thread_ended) {
  settle_first(tid, thread);
  for (const OpenCall& call : thread.calls) {
    const bool usually_undone = undone_.count(call.site) != 0;
    // Cut off by the end of the run between the two calls: a window like the others.
    if (usually_undone && !call.reopened && !thread_ended) continue;
    const bool leaks = usually_undone || is_intruder(tid, thread.pid, call);
    intents_.calls[call.id] = leaks ? MaskIntent::leaked : MaskIntent::permanent;
  }
  thread.forget();
}

MaskIntents UmaskClassifier::finish() {
  for (auto& [fs, context] : contexts_)
    for (auto& [tid, thread] : context.threads) end(tid, thread, false);
  return std::move(intents_);
}

}  // namespace umaskaudit::rules
