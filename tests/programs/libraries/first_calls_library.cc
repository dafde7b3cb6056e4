// A library whose constructor calls the function at the address in the variable CONSTRUCTOR.
// Ground truth: none of its own; first_calls waits in that function.
#include <cstdlib>

__attribute__((constructor)) static void construct() {
  const char* address = std::getenv("CONSTRUCTOR");
  if (address == nullptr) return;
  reinterpret_cast<void (*)()>(std::strtoull(address, nullptr, 16))();
}
