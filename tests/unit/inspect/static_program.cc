// A program that no library can be preloaded into.
// Must never link dynamically.
// Inspected and run by the tests beside it.
int main() { return 0; }
