// The queue of a collector that is not there: what is kept, what is dropped, and that all is
// counted.
#include "reporter/ship/sender.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace umaskaudit::ship {
namespace {

// A port of loopback that is bound without listen(2): connections are refused, and no other process
// can take it.
class DeadPort {
 public:
  DeadPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd_, generic, size), 0);
    EXPECT_EQ(getsockname(fd_, generic, &size), 0);
    endpoint_.url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/v1/logs";
  }
  ~DeadPort() { close(fd_); }
  DeadPort(const DeadPort&) = delete;
  DeadPort& operator=(const DeadPort&) = delete;

  std::unique_ptr<Sender> sender(const SenderLimits& limits) const {
    Result<std::unique_ptr<Sender>> sender = Sender::open(endpoint_, "test/1", limits);
    return sender ? std::move(*sender) : nullptr;
  }

 private:
  int fd_;
  Endpoint endpoint_;
};

constexpr std::chrono::milliseconds kAtOnce{1};

class Queue : public ::testing::Test {
 protected:
  void open(const SenderLimits& limits) {
    sender_ = port_.sender(limits);
    if (sender_ == nullptr) GTEST_SKIP() << "libcurl is not installed";
  }
  DeadPort port_;
  std::unique_ptr<Sender> sender_;
};

TEST_F(Queue, IsBoundedAndDropsTheLatest) {
  open({1000, {}});
  sender_->start();
  for (int i = 0; i < 100; ++i) sender_->offer(std::string(300, 'x'), 2);
  sender_->end_in(kAtOnce);
  const Shipped shipped = sender_->finish();
  EXPECT_EQ(shipped.given, 200u);
  EXPECT_EQ(shipped.dropped, 200u);
  EXPECT_EQ(shipped.rejected, 0u);
  EXPECT_NE(shipped.trouble, "");
}

TEST_F(Queue, WithoutItsThreadHoldsNoMoreThanItsRoom) {
  open({1000, {}});
  for (int i = 0; i < 100; ++i) sender_->offer(std::string(300, 'x'), 1);
  const Shipped shipped = sender_->finish();
  EXPECT_EQ(shipped.dropped, 100u);
  EXPECT_EQ(shipped.trouble, "the collector is too slow");
}

TEST_F(Queue, TakesOneThatIsLargerThanItsRoom) {
  open({1000, {}});
  sender_->offer(std::string(5000, 'x'), 1);
  const Shipped shipped = sender_->finish();
  EXPECT_EQ(shipped.trouble, "");
}

TEST_F(Queue, WhoWaitsForRoomIsToldWhenItIsInVain) {
  open({1000, std::chrono::milliseconds(20)});
  sender_->start();
  int taken = 0;
  while (sender_->put(std::string(300, 'x'), 1)) ++taken;
  sender_->end_in({});
  const Shipped shipped = sender_->finish();
  EXPECT_EQ(shipped.given, static_cast<std::uint64_t>(taken));
  EXPECT_EQ(shipped.lost(), shipped.given);
}

TEST_F(Queue, OfNothingEndsAtOnce) {
  open({1000, {}});
  sender_->start();
  sender_->end_in({});
  EXPECT_EQ(sender_->finish().given, 0u);
}

TEST_F(Queue, IsGivenUpByWhoForgetsIt) {
  open({1000, {}});
  sender_->start();
  sender_->offer("x", 1);
  sender_.reset();
}

}  // namespace
}  // namespace umaskaudit::ship
