// The program `umaskaudit`.
// Must never do more than hand its arguments and streams to the command line.
#include <ios>
#include <iostream>

#include "reporter/commands/cli.h"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  umaskaudit::Console console = umaskaudit::process_console();
  return umaskaudit::commands::run_cli({argv + (argc > 0 ? 1 : 0), argv + argc}, console);
}
