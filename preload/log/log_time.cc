
#include "preload/log/log_time.h"

namespace umaskaudit::shim {

namespace {

constexpr std::uint64_t kSecond = 1000000000;
constexpr std::uint64_t kDay = 86400;

struct Date {
  std::uint64_t year;
  unsigned month, day;  // from 1
};

bool is_leap(std::uint64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

Date date_of(std::uint64_t days) {
  constexpr unsigned char kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  constexpr std::uint64_t kFourCenturies = 146097;
  Date date{1970 + 400 * (days / kFourCenturies), 1, 1};
  days %= kFourCenturies;
  for (; days >= (is_leap(date.year) ? 366u : 365u); ++date.year) {
    days -= is_leap(date.year) ? 366 : 365;
  }
  for (unsigned month = 0; month < 12; ++month) {
    const unsigned length = kDays[month] + (month == 1 && is_leap(date.year) ? 1u : 0u);
    if (days < length) break;
    days -= length;
    ++date.month;
  }
  date.day = static_cast<unsigned>(days) + 1;
  return date;
}

void put_clock(TextBuffer& text, std::uint64_t second) {
  text.decimal(second / 3600 % 24, 2).put(':').decimal(second / 60 % 60, 2).put(':');
  text.decimal(second % 60, 2);
}

}  // namespace

void put_time_of_day(TextBuffer& text, std::uint64_t real_ns) {
  put_clock(text, real_ns / kSecond);
  text.put('.').decimal(real_ns % kSecond / 1000, 6).put('Z');
}

void put_timestamp(TextBuffer& text, std::uint64_t real_ns) {
  const Date date = date_of(real_ns / kSecond / kDay);
  text.decimal(date.year, 4).put('-').decimal(date.month, 2).put('-').decimal(date.day, 2).put('T');
  put_time_of_day(text, real_ns);
}

void put_syslog_time(TextBuffer& text, std::uint64_t real_ns) {
  constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const Date date = date_of(real_ns / kSecond / kDay);
  text.put(kMonths + std::size_t{3} * (date.month - 1), 3).put(date.day < 10 ? "  " : " ");
  text.decimal(date.day).put(' ');
  put_clock(text, real_ns / kSecond);
}

}  // namespace umaskaudit::shim
