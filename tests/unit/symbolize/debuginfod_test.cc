// DEBUGINFOD_URLS is followed when asked for, and otherwise not even connected to.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "reporter/symbolize/elf_file.h"
#include "reporter/symbolize/symbolizer.h"
#include "tests/unit/symbolize/samples.h"

namespace umaskaudit::symbolize {
namespace {

// A server on the loopback interface that has one file.
class FileServer {
 public:
  explicit FileServer(std::string body) : body_(std::move(body)) {
    listener_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_.get(), generic, size), 0);
    EXPECT_EQ(listen(listener_.get(), 8), 0);
    EXPECT_EQ(getsockname(listener_.get(), generic, &size), 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
    // The symboliser forks, and the child of a process whose other thread is in AddressSanitizer's
    // allocator waits for its lock for ever. From here on the thread allocates when asked only.
    serving_.wait();
  }

  // Ends the thread by ending its accept(2).
  void stop() {
    if (!thread_.joinable()) return;
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  ~FileServer() { stop(); }
  FileServer(const FileServer&) = delete;
  FileServer& operator=(const FileServer&) = delete;

  const std::string& url() const { return url_; }
  const std::vector<std::string>& requests() const { return requests_; }  // after stop()

 private:
  void serve() {
    serving_.count_down();
    for (;;) {
      const Descriptor client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      std::string request;
      char buffer[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = read(client.get(), buffer, sizeof buffer);
        if (got <= 0) break;
        request.append(buffer, static_cast<std::size_t>(got));
      }
      requests_.push_back(request.substr(0, request.find("\r\n")));
      const std::string reply = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " +
                                std::to_string(body_.size()) + "\r\n\r\n" + body_;
      for (std::size_t sent = 0; sent < reply.size();) {
        const ssize_t put =
            send(client.get(), reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
        if (put <= 0) break;
        sent += static_cast<std::size_t>(put);
      }
    }
  }

  std::string body_;
  Descriptor listener_;
  std::string url_;
  std::vector<std::string> requests_;
  std::latch serving_{1};
  std::thread thread_;
};

class DebuginfodTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_tool("objcopy")) GTEST_SKIP() << "objcopy (binutils) is not installed";
    void* library = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (library == nullptr) GTEST_SKIP() << "libdebuginfod.so.1 is not installed";
    dlclose(library);
    sample_ = samples_of("libvictim.so").at(0);
    module_ = temp_.path("libx.so");
    run_tool({"objcopy", "-g", victim("libvictim.so"), module_});
    run_tool({"objcopy", "--only-keep-debug", victim("libvictim.so"), temp_.path("debug")});
    setenv("DEBUGINFOD_CACHE_PATH", temp_.path("cache").c_str(), 1);
    setenv("no_proxy", "127.0.0.1", 1);
  }
  void TearDown() override {
    for (const char* name : {"DEBUGINFOD_URLS", "DEBUGINFOD_CACHE_PATH", "no_proxy"}) {
      unsetenv(name);
    }
  }

  TempDir temp_;
  Sample sample_;
  std::string module_;
};

TEST_F(DebuginfodTest, NobodyIsAskedUnlessTold) {
  FileServer server(read_file(temp_.path("debug")));
  setenv("DEBUGINFOD_URLS", server.url().c_str(), 1);
  Symbolizer symbolizer({});
  const Frame frame = symbolizer.lookup(module_, sample_.build_id, sample_.offset).at(0);
  EXPECT_EQ(frame.file, "");
  symbolizer.lookup("/no/such/module", sample_.build_id, sample_.offset);
  server.stop();
  EXPECT_TRUE(server.requests().empty()) << server.requests()[0];
}

TEST_F(DebuginfodTest, DebugFileIsFetchedByBuildId) {
  FileServer server(read_file(temp_.path("debug")));
  setenv("DEBUGINFOD_URLS", server.url().c_str(), 1);
  SymbolOptions options;
  options.debuginfod = true;
  Symbolizer symbolizer(options);
  expect_frames(sample_, symbolizer.lookup(module_, sample_.build_id, sample_.offset));
  server.stop();
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_EQ(server.requests()[0], "GET /buildid/" + sample_.build_id + "/debuginfo HTTP/1.1");
}

TEST_F(DebuginfodTest, AFileOfAnotherBuildIsRefused) {
  FileServer server(read_file(victim("libvictim_dwarf4.so")));
  setenv("DEBUGINFOD_URLS", server.url().c_str(), 1);
  SymbolOptions options;
  options.debuginfod = true;
  Symbolizer symbolizer(options);
  EXPECT_EQ(symbolizer.lookup(module_, sample_.build_id, sample_.offset).at(0).file, "");
  server.stop();
  EXPECT_FALSE(server.requests().empty());
}

}  // namespace
}  // namespace umaskaudit::symbolize
