// Reports blind spots; see blind_spot.h.

#include "preload/log/blind_spot.h"

#include "preload/log/live_log.h"

namespace umaskaudit::shim {

namespace {

const char* describe(trace::Blind reason) {
  switch (reason) {
#define BLIND_SPOT(identifier, number, name, log, advice) \
  case trace::Blind::identifier:                          \
    return log;
#include "preload/trace/blind_spots.def"
#undef BLIND_SPOT
  }
  return "cannot be audited";
}

}  // namespace

void report_blind_spot(const Author& author, trace::Blind reason, Call call, std::uint32_t context,
                       std::uint32_t stack, const char* text, std::uint32_t length) {
  trace::BlindSpot record{};
  record.reason = static_cast<std::uint16_t>(reason);
  record.call = static_cast<std::uint16_t>(call);
  record.context = context;
  record.stack = stack;
  record.text_length = length;
  write_record(trace::RecordType::blind_spot, author, record, {text, length});
  if (process.log) log_blind_spot(author, describe(reason), text, length);
}

}  // namespace umaskaudit::shim
