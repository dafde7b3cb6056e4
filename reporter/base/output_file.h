// A file that appears complete or not at all, and that only its owner can read. What is there
// already and is no file (a device, a pipe) is written to, not replaced.
// Must never leave a half-written file under the final name, nor rely on the umask or a default ACL
// to keep it private. A name that ends in .gz or .zst asks for that compression. Called by every
// command with -o, and for run.json.
#pragma once

#include <memory>
#include <ostream>
#include <string>

#include "reporter/base/result.h"

namespace umaskaudit {

class OutputFile {
 public:
  // Makes a temporary file beside `path`, mode 0600; opens what is no file.
  static Result<OutputFile> create(const std::string& path);

  // Whether create() would succeed; nothing stays. What is no file is left alone: to open a pipe
  // and close it again would end what reads from it.
  static Status try_place(const std::string& path);

  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;
  // Removes the temporary file unless commit() succeeded.
  ~OutputFile();

  std::ostream& stream();
  // Whether a file of that name would be compressed.
  static bool compresses(const std::string& path);
  // Where the file is until commit(), for a writer that wants a name instead of a stream; empty for
  // what is no file. Of a name that asks for compression it must not be used.
  const std::string& temporary_path() const;
  // Writes what is buffered and renames the file to its final name.
  Status commit();

 private:
  struct State;
  explicit OutputFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit
