// Exports what bash exports, with something else in it (the second argument: garbage, unreadable,
// loop, null). A reader that trusts the names alone reads unmapped memory, or never
// ends. Ground truth: two files are made, and the program ends as it does alone.
#include <sys/mman.h>

#include "victim.h"

namespace {

// As hashlib.h, variables.h and array.h of bash 5.2 have them.
struct Entry {
  Entry* next;
  const char* key;
  void* variable;
  unsigned hash;
  int times_found;
};
struct Table {
  Entry** buckets;
  int count, entries;
};
struct Context {
  const char* name;
  int scope, flags;
  Context *up, *down;
  Table* table;
};

unsigned hash_of(const char* text) {
  unsigned hash = 2166136261;
  for (; *text != '\0'; ++text) hash = hash * 16777619 ^ static_cast<unsigned char>(*text);
  return hash;
}

// Each chain comes back to itself, and has what is looked for nowhere.
Context* looping() {
  static Entry entry = {&entry, "BASH_SOURCE_", nullptr, hash_of("BASH_SOURCE"), 0};
  static Entry* buckets[] = {&entry};
  static Table table = {buckets, 1, 1};
  static Context context = {nullptr, 0, 0, nullptr, nullptr, &table};
  return &context;
}

}  // namespace

extern "C" {
extern const char* const dist_version;
const char* const dist_version = "5.2";
int line_number = 0x41414141;
int startup_state = -1;
int shell_initialized = 1;
char* shell_name = reinterpret_cast<char*>(0x4242424242);
char* shell_script_filename = nullptr;
char* command_execution_string = nullptr;
void* global_variables = nullptr;
}

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const std::string kind = argc > 2 ? argv[2] : "null";
  constexpr std::size_t kSize = 4096;
  const bool readable = kind != "unreadable";
  void* const map = mmap(nullptr, kSize, readable ? PROT_READ | PROT_WRITE : PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) victim::die("mmap");
  if (readable) memset(map, 0x5a, kSize);
  if (kind == "garbage" || kind == "unreadable") global_variables = map;
  if (kind == "loop") global_variables = looping();
  for (const char* name : {"first", "second"}) {
    const int fd = victim::need(open((dir + "/" + name).c_str(), O_CREAT | O_WRONLY, 0600), name);
    victim::need(close(fd), "close");
  }
}
