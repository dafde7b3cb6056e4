// A run as collapsed stacks, the input of flame graph tools.
// Must never grow with the number of events: one entry a distinct stack.
#pragma once

#include "reporter/export/source.h"

namespace umaskaudit::exports {

enum class CollapsedBy { creations, changes };

// "program;main;save;[open] 12": outermost first, the call in brackets last, then how many objects
// it created (or how often it changed the mask). Sorted by text.
void export_collapsed(const ExportSource& source, CollapsedBy by, const TextSink& sink);

}  // namespace umaskaudit::exports
