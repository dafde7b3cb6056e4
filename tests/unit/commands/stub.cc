// Stands for libumaskaudit.so where a test needs a library that loads and does nothing.
// Must never record anything.
// Preloaded by the tests of `run`.
extern "C" int umaskaudit_stub() { return 0; }
