// What terminfo(5) knows of TERM. Apart, for <term.h> makes macros of common words.
#pragma once

namespace umaskaudit::live {

// Whether the cursor of the terminal behind `fd` can be moved.
bool can_move_cursor(int fd);

}  // namespace umaskaudit::live
