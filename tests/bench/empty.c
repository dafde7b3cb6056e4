/* A library that does nothing: preloaded, it costs a program what any library costs that starts
   with it. Built by meson.build; used by programs.py. */
int umaskaudit_bench_empty(void);
int umaskaudit_bench_empty(void) { return 0; }
