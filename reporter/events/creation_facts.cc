// Converts a recorded creation to the input of the calculus.
// Must never hold more than one mask: the reader has decided between several candidates.
#include "reporter/events/events.h"

namespace umaskaudit {

CreationFacts facts_of(const CreateEvent& event) {
  CreationFacts facts;
  facts.kind = event.kind;
  facts.call = event.call;
  facts.requested = event.requested;
  facts.masks = {event.mask};
  facts.final_mode = event.final_mode;
  facts.created = event.created;
  facts.parent = event.parent;
  facts.object_uid = event.uid;
  facts.object_gid = event.gid;
  return facts;
}

}  // namespace umaskaudit
