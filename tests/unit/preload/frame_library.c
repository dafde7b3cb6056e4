/* A library with one function, whose frame is FRAME bytes large. */
void call_from_library(void (*probe)(void)) {
  char buffer[FRAME];
  __asm__ volatile("" : : "r"(buffer) : "memory");
  probe();
  __asm__ volatile("" : : "r"(buffer) : "memory");
}
