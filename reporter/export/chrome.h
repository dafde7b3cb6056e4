// A run as a trace for Perfetto and chrome://tracing (Trace Event Format, JSON object form).
// Must never write an end without its begin, or a time that goes back on a track.
#pragma once

#include "reporter/export/source.h"

namespace umaskaudit::exports {

// A track per thread: windows (a mask set and put back) as slices, creations, lasting mask changes,
// chmods and findings as instants. Per fs context a counter of its mask, whose octal digits are
// read as a decimal number: 0022 shows as 22.
void export_chrome(const ExportSource& source, const TextSink& sink);

}  // namespace umaskaudit::exports
