// What answers mean, and the pauses between tries.
#include "reporter/ship/delivery.h"

#include <gtest/gtest.h>

namespace umaskaudit::ship {
namespace {

HttpAnswer answer(long status, std::string body = "") {
  HttpAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

TEST(Delivery, OnlyFourCodesAreTriedAgain) {
  for (long status = 100; status < 600; ++status) {
    const bool again = status == 429 || status == 502 || status == 503 || status == 504;
    const DeliveryOutcome expected = status / 100 == 2 ? DeliveryOutcome::taken
                                     : again           ? DeliveryOutcome::again
                                                       : DeliveryOutcome::refused;
    EXPECT_EQ(judge_answer(answer(status), 5).outcome, expected) << status;
  }
}

TEST(Delivery, ABrokenConnectionIsTriedAgainAndAWrongOneIsNot) {
  HttpAnswer none;
  none.trouble = "gone";
  none.temporary = true;
  EXPECT_EQ(judge_answer(none, 5).outcome, DeliveryOutcome::again);
  EXPECT_EQ(judge_answer(none, 5).message, "gone");
  none.temporary = false;
  EXPECT_EQ(judge_answer(none, 5).outcome, DeliveryOutcome::refused);
}

TEST(Delivery, PartialSuccess) {
  const auto rejected = [](const char* body) {
    return judge_answer(answer(200, body), 5).rejected;
  };
  EXPECT_EQ(rejected(""), 0u);
  EXPECT_EQ(rejected("{}"), 0u);
  EXPECT_EQ(rejected(R"({"partialSuccess":{}})"), 0u);
  EXPECT_EQ(rejected(R"({"partialSuccess":{"rejectedLogRecords":"3"}})"), 3u);
  EXPECT_EQ(rejected(R"({"partialSuccess":{"rejectedLogRecords":3}})"), 3u);
  // Not more than there were, nor less than none.
  EXPECT_EQ(rejected(R"({"partialSuccess":{"rejectedLogRecords":"900"}})"), 5u);
  EXPECT_EQ(rejected(R"({"partialSuccess":{"rejectedLogRecords":-3}})"), 0u);
  EXPECT_EQ(rejected(R"({"partialSuccess":{"rejectedLogRecords":"9999999999999999999999"}})"), 0u);
  EXPECT_EQ(rejected(R"({"partialSuccess":{"rejectedLogRecords":18446744073709551615}})"), 0u);
  EXPECT_EQ(rejected(R"({"partialSuccess":[1]})"), 0u);
  EXPECT_EQ(judge_answer(answer(200, R"({"partialSuccess":{"errorMessage":"odd"}})"), 5).message,
            "odd");
}

TEST(Delivery, MessagesAreShort) {
  EXPECT_EQ(judge_answer(answer(400, "why\n"), 1).message, "HTTP 400: why");
  EXPECT_EQ(judge_answer(answer(400, R"({"code":3,"message":"because"})"), 1).message,
            "HTTP 400: because");
  EXPECT_EQ(judge_answer(answer(400), 1).message, "HTTP 400");
  EXPECT_LT(judge_answer(answer(400, std::string(60000, 'x')), 1).message.size(), 600u);
}

TEST(Delivery, PausesGrowAndDifferAndEnd) {
  for (unsigned tries : {1u, 2u, 5u, 40u, 4000000000u}) {
    const auto least = pause_before_retry(tries, {}, 0);
    const auto most =
        pause_before_retry(tries, {}, static_cast<std::uint32_t>(2 * least.count()) - 1);
    EXPECT_EQ(most.count(), 3 * least.count() - 1);
  }
  EXPECT_EQ(pause_before_retry(1, {}, 0).count(), 125);
  EXPECT_EQ(pause_before_retry(2, {}, 0).count(), 250);
  EXPECT_EQ(pause_before_retry(40, {}, 0).count(), 8000);
}

TEST(Delivery, WhatTheCollectorAsksForIsDone) {
  using std::chrono::seconds;
  EXPECT_EQ(pause_before_retry(1, seconds(0), 7).count(), 0);
  EXPECT_EQ(pause_before_retry(9, seconds(30), 7), seconds(30));
  EXPECT_LE(pause_before_retry(1, seconds(9000000000000), 7), std::chrono::hours(24));
}

}  // namespace
}  // namespace umaskaudit::ship
