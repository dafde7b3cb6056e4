#include "reporter/symbolize/module.h"

#include <elfutils/libdwelf.h>

#include <string>
#include <utility>

#include "reporter/symbolize/names.h"

namespace umaskaudit::symbolize {
namespace {

// g++ writes no linkage name for lambdas, and for instances of function templates made for them:
// the name in the debugging entries differs from the symbol's, and is the same for all lambdas of a
// function.
bool has_lambda(const std::string& symbol) {
  return symbol.find("{unnamed}") != std::string::npos ||
         symbol.find("<lambda") != std::string::npos;
}

int find_no_elf(Dwfl_Module*, void**, const char*, Dwarf_Addr, char**, Elf**) { return -1; }

}  // namespace

Module::~Module() {
  if (debug_fd_ >= 0) close(debug_fd_);
}

// libdwfl's find_debuginfo callback. It is called once for the debug file, and again for dwz's
// shared file, which we attach ourselves.
int Module::give_debug_file(Dwfl_Module*, void** user, const char*, Dwarf_Addr, const char*,
                            const char*, GElf_Word, char**) {
  auto* self = static_cast<Module*>(*user);
  return self == nullptr ? -1 : std::exchange(self->debug_fd_, -1);
}

Result<std::unique_ptr<Module>> Module::open(const ModuleKey& key, FileSearch& files) {
  Result<FoundModule> found = files.find(key);
  if (!found) return found.error();
  std::unique_ptr<Module> module(new Module);
  if (!module->load(std::move(*found), files)) {
    const char* why = dwfl_errmsg(-1);
    return Error{key.path + ": damaged ELF file (" + why + ")", "", "", ExitCode::unreadable};
  }
  return module;
}

bool Module::load(FoundModule found, FileSearch& files) {
  static constexpr Dwfl_Callbacks kCallbacks = {find_no_elf, give_debug_file, nullptr, nullptr};
  dwfl_.reset(dwfl_begin(&kCallbacks));
  if (dwfl_ == nullptr) return false;
  dwfl_report_begin(dwfl_.get());
  // Base 0 plus the file's own addresses: an address of the module is an address of its ELF file,
  // for ET_EXEC, ET_DYN and prelinked files alike. The trace has the same addresses.
  const int fd = found.main.fd.get();
  module_ = dwfl_report_elf(dwfl_.get(), "module", found.main.path.c_str(), fd, 0, true);
  if (module_ == nullptr) return false;
  found.main.fd.release();
  dwfl_report_end(dwfl_.get(), nullptr, nullptr);
  void** user = nullptr;
  dwfl_module_info(module_, &user, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
  if (user == nullptr) return false;
  *user = this;
  note_ = std::move(found.note);
  if (found.debug) debug_fd_ = found.debug->fd.release();

  Dwarf* dwarf = dwfl_module_getdwarf(module_, &bias_);
  const ElfFile& owner = found.debug ? *found.debug : found.main;
  if (dwarf != nullptr && attach_shared_dwarf(dwarf, owner, files)) {
    debug_ = std::make_unique<DebugInfo>(dwarf, directory_of(owner.path));
  }
  return true;
}

// False: `dwarf` needs a file that must not be opened.
bool Module::attach_shared_dwarf(Dwarf* dwarf, const ElfFile& user, FileSearch& files) {
  const char* name = nullptr;
  const void* id = nullptr;
  const ssize_t size = dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id);
  if (size <= 0 || name == nullptr) return true;
  const std::string build_id =
      to_hex(static_cast<const unsigned char*>(id), static_cast<std::size_t>(size));
  if (std::optional<ElfFile> file = files.find_shared(user, name, build_id)) {
    shared_fd_ = std::move(file->fd);
    shared_.reset(dwarf_begin(shared_fd_.get(), DWARF_C_READ));
    if (shared_ != nullptr) {
      dwarf_setalt(dwarf, shared_.get());
      return true;
    }
  }
  // libdw would open the name itself at the first reference.
  const std::string path = *name == '/' ? name : directory_of(user.path) + "/" + name;
  return harmless_to_open(path);
}

const SymbolTable& Module::symbols() {
  if (symbols_ == nullptr) symbols_ = std::make_unique<SymbolTable>(module_);
  return *symbols_;
}

bool Module::is_nameless() { return debug_ == nullptr && symbols().empty(); }

Places Module::places_at(std::uint64_t address) {
  Places places;
  if (debug_ != nullptr) places = debug_->expand(address - bias_);
  if (places.empty()) places.emplace_back();
  Location& outermost = places.back();
  // The assembler wrote one of a function's aliases ("__GI_umask"); the table has the best one.
  if (outermost.symbol.empty() || outermost.language == kAssembler ||
      has_lambda(outermost.symbol)) {
    std::string name = symbols().name_at(address);
    if (!name.empty()) outermost.symbol = std::move(name);
  }
  if (outermost == Location{}) places.clear();
  return places;
}

}  // namespace umaskaudit::symbolize
