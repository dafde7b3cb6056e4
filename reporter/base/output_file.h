// OutputFile: a file that appears complete or not at all, and that only its owner can read. An
// existing device or pipe is written to, not replaced.
// Must never leave a half-written file under the final name, nor rely on the umask or a default ACL
// to keep it private. A name that ends in .gz or .zst asks for compression. Called by every
// command with -o, and for run.json.
#pragma once

#include <memory>
#include <ostream>
#include <string>

#include "reporter/base/result.h"

namespace umaskaudit {

class OutputFile {
 public:
  // Creates a temporary file beside `path`, mode 0600; a device or pipe is opened instead.
  static Result<OutputFile> create(const std::string& path);

  // Whether create() would succeed; leaves nothing behind. A device or pipe is not tested: opening
  // and closing a pipe would end its reader.
  static Status try_place(const std::string& path);

  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;
  // Removes the temporary file unless commit() succeeded.
  ~OutputFile();

  std::ostream& stream();
  // Whether a file of that name would be compressed.
  static bool compresses(const std::string& path);
  // The file's name until commit(), for a library that needs a name instead of a stream; empty for
  // a device or pipe. Not for a name that asks for compression.
  const std::string& temporary_path() const;
  // Writes what is buffered and renames the file to its final name.
  Status commit();

 private:
  struct State;
  explicit OutputFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit
